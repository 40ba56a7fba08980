package pop3check

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"
)

func tlsChecks() []check {
	return []check{
		{"tls-implicit", "8314 section 3.2", tlsImplicit},
		{"tls-close-notify", "8446 section 6.1", tlsCloseNotify},
		{"tls-1.2-or-later", "8996 sections 4 and 5", tlsOld},
		{"stls", "2595 section 4", stlsWorks},
		{"stls-twice", "2595 section 4", stlsTwice},
		{"stls-argument", "2595 section 4", stlsArgument},
		{"stls-not-listed-after", "2595 section 4", stlsNotListed},
		{"stls-user-forgotten", "1939 section 7", stlsUser},
		{"stls-injection", "2595 section 4", stlsInjection},
	}
}

// needSTLS skips the test unless STLS can be tried, and gives a connection
// without TLS.
func (t *test) needSTLS() *session {
	if t.r.cfg.Security == Implicit {
		t.skip("TLS is there from the first byte")
	}
	s := t.dialPlain()
	list := parseCaps(s.lines("CAPA"))
	if _, ok := list["STLS"]; t.err == nil && !ok {
		t.skip("the server does not list STLS")
	}
	return s
}

// secured gives a connection with TLS, however it comes.
func (t *test) secured() *session {
	if t.r.cfg.Security == Implicit {
		return t.dial()
	}
	s := t.needSTLS()
	s.stls()
	return s
}

func tlsImplicit(t *test) {
	if t.r.cfg.Security != Implicit {
		t.skip("needs --tls")
	}
	s := t.dial()
	s.quit()
}

// tlsCloseNotify: the end of TLS is told, or it could be an attacker's.
func tlsCloseNotify(t *test) {
	s := t.secured()
	s.ok("QUIT")
	if s.dead() {
		return
	}
	_, err := s.conn.Read(make([]byte, 1))
	t.that(errors.Is(err, io.EOF), "TLS ends without close_notify: %v", err)
	s.drop()
}

// tlsOld offers TLS 1.0 and 1.1 only.
func tlsOld(t *test) {
	old := t.r.tlsConfig()
	old.InsecureSkipVerify = true
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	var conn net.Conn
	if t.r.cfg.Security == Implicit {
		dialer := net.Dialer{Timeout: t.r.cfg.Timeout}
		c, err := dialer.DialContext(t.r.ctx, "tcp", t.r.cfg.Addr)
		if err != nil {
			t.fail("connecting: %w", err)
			return
		}
		conn = c
	} else {
		s := t.needSTLS()
		s.ok("STLS")
		conn = s.conn
	}
	if t.err != nil {
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(t.r.cfg.Timeout)) // the handshake fails if it is dead
	client := tls.Client(conn, old)
	if err := client.HandshakeContext(t.r.ctx); err == nil {
		t.fail("the server takes %s", tls.VersionName(client.ConnectionState().Version))
	}
}

func stlsWorks(t *test) {
	s := t.needSTLS()
	s.stls()
	s.still()
	s.quit()
}

// stlsTwice: where TLS is active STLS is refused, or gives more of it.
func stlsTwice(t *test) {
	s := t.needSTLS()
	s.stls()
	if p := s.do("STLS"); p.ok && !s.dead() {
		s.handshake()
	}
	s.still()
}

func stlsArgument(t *test) {
	s := t.needSTLS()
	s.refused("STLS now")
}

// stlsNotListed: STLS is listed only where it is permitted.
func stlsNotListed(t *test) {
	s := t.needSTLS()
	s.stls()
	list := parseCaps(s.lines("CAPA"))
	_, listed := list["STLS"]
	p := s.do("STLS")
	t.that(!listed || p.ok, "STLS is listed although TLS is active: %q", p.raw)
	s.drop()
}

// stlsUser: PASS comes right after USER; what an attacker may have said in the
// clear must not count.
func stlsUser(t *test) {
	s := t.needSTLS()
	s.do("USER %s", t.r.cfg.User)
	s.stls()
	p := s.do("PASS %s", t.r.cfg.Password)
	t.that(!p.ok, "a USER from before STLS counts after it")
}

// stlsInjection: what came in the clear together with STLS is not run inside TLS.
func stlsInjection(t *test) {
	s := t.needSTLS()
	s.write("STLS\r\nCAPA\r\n")
	if p := s.reply(); !p.ok || t.err != nil {
		return // refused as a whole, which is safe
	}
	if s.dead() || s.in.Buffered() > 0 {
		return // CAPA was answered in the clear: TLS will not come about
	}
	secured, err := t.r.secure(s.conn, t.r.tlsConfig())
	if err != nil {
		s.drop()
		return
	}
	s.attach(secured)
	p := s.do("QUIT")
	if s.dead() {
		s.hungUp() // that is safe
		return
	}
	next, _ := s.in.Peek(1)
	t.that(len(next) == 0, "a command sent before TLS is answered inside it: %q", p.raw)
}
