package pop3d

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"time"

	"tandem/internal/listen"
	"tandem/store"
)

const (
	readBuffer  = 4 << 10
	writeBuffer = 16 << 10
	writePiece  = 64 << 10 // written under one deadline

	byeTime = time.Second // for the last words to a client
)

// Why a session ends otherwise than by QUIT.
var (
	errDrain   = errors.New("server is shutting down")
	errYielded = errors.New("gave way to a new login")
	errRevoked = errors.New("the password was revoked")
)

// session is one connection. One goroutine owns it; only interrupt is called
// from elsewhere.
type session struct {
	srv  *Server
	ctx  context.Context // ends when the session should
	work context.Context // for the store: a verb in hand is not broken off
	log  *slog.Logger

	id      string
	peer    peer
	remote  netip.Addr           // zero: a unix socket
	raw     net.Conn             // as accepted, for deadlines
	conn    net.Conn             // raw, or TLS over it after STLS
	private bool                 // TLS
	tls     *tls.ConnectionState // with it

	in  *bufio.Reader // over session.Read
	out *bufio.Writer

	started time.Time // of the connection
	asked   time.Time // when the line being read was begun to wait for
	first   bool      // the first line was read
	bad     int       // bad commands, see Limits
	over    bool      // the session ends once the reply is out

	leaving bool // the last words are being said
	told    bool // the log has how the session ended
	long    bool // the log has that a command line was too long

	user string // given with USER, until the next command

	utf8  bool              // the client has said UTF8
	texts map[string]string // the replies in the client's language; nil: in ours

	account store.Account // after login, as drop and lease
	drop    *maildrop
	kept    int // days that mail stays in that mailbox, whatever the device; 0: for ever
	lease   *lease
	signOff func() // tells the store that the session is over; nil before login and after
	ahead   readAhead

	sent struct { // for the log
		messages int
		octets   int64
	}
}

// remoteName is the client's address for the log.
func (s *session) remoteName() string {
	if !s.remote.IsValid() {
		return "local"
	}
	return s.remote.String()
}

func (s *session) state() states {
	if s.drop != nil {
		return inTransaction
	}
	return inAuthorization
}

// run greets and obeys until the session is over.
func (s *session) run() {
	// No timestamp in the greeting: APOP is not offered (RFC 1939 section 7).
	s.ok(s.srv.hostname + " tandem POP3 server ready")
	for !s.over {
		line, err := s.readLine()
		if errors.Is(err, errEndless) {
			s.log.Warn("limit hit", "limit", "command line")
			s.refuse("", "command line too long")
			break
		}
		if err != nil {
			s.abandoned(err)
			break
		}
		s.obey(line)
	}
	s.release() // a client that has read the reply may log in again at once
	s.leaving = true
	if err := s.out.Flush(); err != nil && !s.told {
		s.log.Info("last reply not sent", "err", err)
	}
}

// abandoned ends a session that the client did not end with QUIT; there is no
// UPDATE state. A client that was idle after its login is not told (RFC 1939
// section 3). Deviation: one that loses its place or its password, or took too
// long to log in, for which there are less than 10 minutes, is told.
func (s *session) abandoned(err error) {
	why := err.Error()
	var limit *listen.LimitError
	switch {
	case errors.Is(err, io.EOF):
		why = "closed by client without QUIT"
	case errors.Is(err, errDrain) && errors.As(context.Cause(s.ctx), &limit):
		why = limit.Error()
		s.refuse(codeTemp, "too many connections")
	case errors.Is(err, errDrain) && errors.Is(context.Cause(s.ctx), errRevoked):
		why = errRevoked.Error()
		s.refuse(codeAuth, "the password was revoked")
	case errors.Is(err, errDrain):
		s.refuse(codeTemp, "shutting down, try again later")
	case errors.Is(err, os.ErrDeadlineExceeded) && s.drop == nil:
		why = "took too long to log in"
		s.refuse("", "you took too long to log in")
	case errors.Is(err, os.ErrDeadlineExceeded):
		why = "timed out"
	}
	s.log.Info("session ended", "why", why, "retrieved", s.sent.messages, "octets", s.sent.octets)
	s.over, s.told = true, true
}

// close ends the session for good. Marks are forgotten.
func (s *session) close() {
	s.release()
	_ = s.raw.SetWriteDeadline(time.Now().Add(byeTime)) // TLS says goodbye
	s.conn.Close()
	if s.conn != s.raw {
		s.raw.Close()
	}
}

// release gives up the maildrop and its lease, if held.
func (s *session) release() {
	if s.drop != nil {
		s.drop.close()
	}
	if s.lease != nil {
		s.lease.release()
		s.lease = nil
	}
	if s.signOff != nil {
		s.signOff()
		s.signOff = nil
	}
	s.ahead = readAhead{}
}

// interrupt ends a wait for input. It is called when the context ends or the
// lease goes to another session.
func (s *session) interrupt() { _ = s.raw.SetReadDeadline(time.Unix(1, 0)) }

// Read gives input to the bufio.Reader, which asks only when it has nothing
// left: the moment to flush replies and to rest (RFC 2449 section 6.6).
func (s *session) Read(p []byte) (int, error) {
	if err := s.out.Flush(); err != nil {
		return 0, err
	}
	if err := s.raw.SetReadDeadline(s.deadline()); err != nil {
		return 0, err
	}
	if s.lease != nil {
		s.lease.rest()
	}
	// After the deadline was set: interrupt may have come before.
	if s.ctx.Err() != nil {
		return 0, errDrain
	}
	n, err := s.conn.Read(p)
	switch {
	case s.lease != nil && !s.lease.resume():
		return 0, errYielded
	case err != nil && s.ctx.Err() != nil:
		return n, errDrain
	}
	return n, err
}

// deadline gives when the line being read must be complete. Dribbling does not
// put it off. Zero: never.
func (s *session) deadline() time.Time {
	l := &s.srv.limits
	from, d := s.asked, l.Idle
	if s.state() == inAuthorization {
		from, d = s.started, l.LoginTime
		if l.CrowdedLoginTime > 0 && s.peer.Crowded() && (d == 0 || l.CrowdedLoginTime < d) {
			d = l.CrowdedLoginTime
		}
	}
	if d == 0 {
		return time.Time{}
	}
	return from.Add(d)
}

// writeDeadline gives when the client must have taken a piece of an answer. A
// stranger has no more time for that than to log in. Zero: never.
func (s *session) writeDeadline(now time.Time) (until time.Time) {
	if s.leaving {
		return now.Add(byeTime)
	}
	if d := s.srv.limits.WriteStall; d > 0 {
		until = now.Add(d)
	}
	if s.state() == inAuthorization {
		login := s.deadline()
		if soon := now.Add(byeTime); !login.IsZero() && login.Before(soon) {
			login = soon // the answer to a login that took long
		}
		if until.IsZero() || !login.IsZero() && login.Before(until) {
			until = login
		}
	}
	return until
}

// stallWriter writes to the connection, in pieces that each must get away in
// time.
type stallWriter struct{ s *session }

func (w stallWriter) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		if err = w.s.raw.SetWriteDeadline(w.s.writeDeadline(time.Now())); err != nil {
			return n, err
		}
		var k int
		k, err = w.s.conn.Write(p[n:min(len(p), n+writePiece)])
		n += k
	}
	return n, err
}
