package pop3d

import (
	"crypto/tls"
	"encoding/base64"
	"net"
	"strings"
	"testing"
	"time"

	"tandem/auth"
	"tandem/internal/listen"
	"tandem/store"
)

func plain(authzid, name, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(authzid + "\x00" + name + "\x00" + password))
}

func TestLogin(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Limits.BadCommandsBefore = 0 }).listen()
	w.put("INBOX", message(1))
	off := false
	bob, err := w.store.Account(t.Context(), "bob")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.store.UpdateAccount(t.Context(), bob.ID, store.AccountUpdate{Enabled: &off}); err != nil {
		t.Fatal(err)
	}
	const in = "S: +OK maildrop has 1 messages (*\nC: STAT\nS: +OK 1 *\nC: QUIT\nS: +OK*\nS: EOF"
	tests := map[string]string{
		"user and pass":             "C: USER alice\nS: +OK*\nC: PASS secret\n" + in,
		"any case":                  "C: user ALICE\nS: +OK*\nC: pAsS secret\n" + in,
		"wrong password":            "C: USER alice\nS: +OK*\nC: PASS wrong\nS: -ERR [AUTH]*\nC: USER alice\nS: +OK*\nC: PASS secret\n" + in,
		"space in the password":     "C: USER alice\nS: +OK*\nC: PASS secret \nS: -ERR [AUTH]*",
		"unknown user":              "C: USER nobody\nS: +OK*\nC: PASS secret\nS: -ERR [AUTH]*",
		"disabled account":          "C: USER bob\nS: +OK*\nC: PASS secret\nS: -ERR [AUTH]*",
		"pass without user":         "C: PASS secret\nS: -ERR*",
		"pass not right after user": "C: USER alice\nS: +OK*\nC: CAPA\nS: +OK*\nS: TOP\nS: UIDL\nS: PIPELINING\nS: RESP-CODES\nS: AUTH-RESP-CODE\nS: LANG\nS: USER\nS: UTF8 USER\nS: SASL PLAIN LOGIN\nS: STLS\nS: LOGIN-DELAY 0\nS: EXPIRE NEVER\nS: IMPLEMENTATION tandem\nS: .\nC: PASS secret\nS: -ERR*",
		"pass after a failed pass":  "C: USER alice\nS: +OK*\nC: PASS wrong\nS: -ERR*\nC: PASS secret\nS: -ERR USER first",
		"no name":                   "C: USER\nS: -ERR USER: argument missing",
		"no password":               "C: USER alice\nS: +OK*\nC: PASS\nS: -ERR PASS: argument missing",
		"plain":                     "C: AUTH PLAIN\nS: + \nC: " + plain("", "alice", "secret") + "\n" + in,
		"plain, initial response":   "C: AUTH PLAIN " + plain("", "alice", "secret") + "\n" + in,
		"plain, for oneself":        "C: auth plain " + plain("alice", "alice", "secret") + "\n" + in,
		"plain, for somebody else":  "C: AUTH PLAIN " + plain("bob", "alice", "secret") + "\nS: -ERR [AUTH]*",
		"plain, wrong password":     "C: AUTH PLAIN " + plain("", "alice", "wrong") + "\nS: -ERR [AUTH]*",
		"plain, empty response":     "C: AUTH PLAIN =\nS: -ERR malformed*",
		"plain, not base64":         "C: AUTH PLAIN !!!\nS: -ERR malformed*",
		"plain, cancelled":          "C: AUTH PLAIN\nS: + \nC: *\nS: -ERR authentication cancelled\nC: USER alice\nS: +OK*\nC: PASS secret\n" + in,
		"login":                     "C: AUTH LOGIN\nS: + VXNlcm5hbWU6\nC: YWxpY2U=\nS: + UGFzc3dvcmQ6\nC: c2VjcmV0\n" + in,
		"unknown mechanism":         "C: AUTH KERBEROS_V4\nS: -ERR no such authentication mechanism",
		"no mechanism":              "C: AUTH\nS: -ERR AUTH: argument missing",
		"apop":                      "C: APOP alice 0123456789abcdef0123456789abcdef\nS: -ERR unknown command",
		"quit before login":         "C: QUIT\nS: +OK*\nS: EOF",
		"twice":                     "C: USER alice\nS: +OK*\nC: PASS secret\nS: +OK*\nC: USER alice\nS: -ERR logged in already\nC: AUTH PLAIN\nS: -ERR logged in already\nC: STLS\nS: -ERR logged in already",
	}
	for _, cmd := range []string{"STAT", "LIST", "UIDL", "RETR 1", "TOP 1 1", "DELE 1", "RSET", "NOOP"} {
		tests["before login: "+cmd] = "C: " + cmd + "\nS: -ERR log in first"
	}
	for name, script := range tests {
		t.Run(name, func(t *testing.T) {
			c := w.dial()
			c.t = t
			c.script(script)
			c.Close()
		})
	}
}

func TestLoginLineLengths(t *testing.T) {
	w := newWorld(t).listen()
	long := base64.StdEncoding.EncodeToString([]byte("\x00alice\x00" + strings.Repeat("x", 8000)))
	w.dial().script("C: AUTH PLAIN " + long + "\nS: -ERR [AUTH]*\nC: AUTH PLAIN\nS: + \nC: " + long + "\nS: -ERR [AUTH]*")
	tooLong := strings.Repeat("A", 13000)
	w.dial().script("C: AUTH PLAIN " + tooLong + "\nS: -ERR command line too long")
	w.dial().script("C: AUTH PLAIN\nS: + \nC: " + tooLong + "\nS: -ERR malformed*\nC: QUIT\nS: +OK*")
	w.dial().script("C: USER " + strings.Repeat("u", 510) + "\nS: -ERR command line too long\nC: QUIT\nS: +OK*")
}

func TestPasswordsBeforeTLS(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.Auth = auth.New(c.Store, auth.Config{Plaintext: auth.PlaintextNever})
	}).listen()
	c := w.dial()
	c.script("C: CAPA\nS: +OK*")
	capa := c.body()
	if strings.Contains(capa, "USER\r\n") || strings.Contains(capa, "SASL") || !strings.Contains(capa, "STLS\r\n") {
		t.Errorf("capabilities before TLS:\n%s", capa)
	}
	// No [AUTH]: the user need not look for another password.
	c.script(`C: USER alice
		S: -ERR passwords are not taken without TLS*
		C: AUTH PLAIN ` + plain("", "alice", "secret") + `
		S: -ERR passwords are not taken without TLS*
		C: STLS
		S: +OK*`)
	c.startTLS()
	c.script("C: CAPA\nS: +OK*")
	capa = c.body()
	if !strings.Contains(capa, "USER\r\n") || !strings.Contains(capa, "SASL PLAIN LOGIN\r\n") || strings.Contains(capa, "STLS") {
		t.Errorf("capabilities after STLS:\n%s", capa)
	}
	c.script("C: STLS\nS: -ERR*\nC: USER alice\nS: +OK*\nC: PASS secret\nS: +OK*\nC: STAT\nS: +OK 0 0\nC: QUIT\nS: +OK*\nS: EOF")
}

// What is sent along with STLS, by the client or by somebody between, is not
// run after the handshake.
func TestStlsInjection(t *testing.T) {
	w := newWorld(t).listen()
	c := w.dial()
	c.send("STLS\r\nUSER alice\r\n")
	c.script("S: -ERR nothing may follow STLS*\nS: EOF")
}

func TestStlsForgetsUser(t *testing.T) {
	w := newWorld(t).listen()
	c := w.dial()
	c.script("C: USER alice\nS: +OK*\nC: STLS\nS: +OK*")
	c.startTLS()
	c.script("C: PASS secret\nS: -ERR USER first")
}

func TestImplicitTLS(t *testing.T) {
	w := newWorld(t).listen()
	nc, err := net.Dial("tcp", w.addrs)
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, tls.Client(nc, &tls.Config{InsecureSkipVerify: true}))
	c.script("S: +OK*\nC: STLS\nS: -ERR TLS is active already\nC: USER alice\nS: +OK*\nC: PASS secret\nS: +OK*\nC: QUIT\nS: +OK*\nS: EOF")
}

func TestBadCommands(t *testing.T) {
	w := newWorld(t).listen()
	w.put("INBOX", message(1))
	w.dial().script("C: HELO\nS: -ERR unknown command\nC: STAT\nS: -ERR log in first\nC: \nS: -ERR unknown command; too many bad commands*\nS: EOF")
	w.dial().script("C: USE\xc3\xbc x\nS: -ERR command has octets beyond*\nC: PASS \x7f\nS: -ERR command has control*\nC: QUIT\nS: +OK*")
	w.dial().script("C: US\x00ER alice\nS: -ERR command has control*\nC: QUIT\nS: +OK*")

	c := w.login()
	for range 50 { // wrong numbers are no bad commands, and a good command starts the count again
		c.script("C: RETR 7\nS: -ERR no such message\nC: RETR x\nS: -ERR*\nC: XYZZY\nS: -ERR unknown command\nC: NOOP\nS: +OK")
	}
	for range 19 {
		c.script("C: XYZZY\nS: -ERR unknown command")
	}
	c.script("C: XYZZY\nS: -ERR unknown command; too many*\nS: EOF")
}

func TestWebClient(t *testing.T) {
	w := newWorld(t).listen()
	w.dial().script("C: GET / HTTP/1.1\nS: EOF")
	w.dial().script("C: GET /\xff HTTP/1.1\nS: EOF")
	c := w.dial()
	c.send("POST /x HTTP/1.1\r\nHost: x\r\n\r\nUSER alice\r\n")
	c.script("S: EOF")
}

// Names and passwords need not be ASCII (RFC 6856 section 2.2).
func TestLoginBeyondASCII(t *testing.T) {
	w := newWorld(t).listen()
	list := []store.NewAccount{{Name: "jürgen", Hash: "{PLAIN}grüße ", KeepScheme: true}}
	if err := w.store.CreateAccounts(t.Context(), list, false); err != nil {
		t.Fatal(err)
	}
	w.dial().script("C: UTF8\nS: +OK*\nC: USER jürgen\nS: +OK*\nC: PASS grüße \nS: +OK maildrop has 0 *\nC: QUIT\nS: +OK*\nS: EOF")
	w.dial().script("C: UTF8\nS: +OK*\nC: USER jürgen\nS: +OK*\nC: PASS grusse\nS: -ERR [AUTH] *")
	w.dial().script("C: USER jürgen\nS: +OK*\nC: PASS grüße \nS: +OK maildrop has 0 *\nC: QUIT\nS: +OK*\nS: EOF")
	w.dial().script("C: USER j\xfcrgen\nS: -ERR command is not in UTF-8")
	w.dial().script("C: USER ju\u0308rgen\nS: +OK*\nC: PASS gru\u0308ße \nS: +OK maildrop has 0 *\nC: QUIT\nS: +OK*\nS: EOF")
}

// What was said before STLS, perhaps by somebody in between, is forgotten (RFC
// 6856 section 7).
func TestLangBeforeTLS(t *testing.T) {
	w := newWorld(t).listen()
	c := w.dial()
	c.script("C: LANG de\nS: +OK de*\nC: XYZZ\nS: -ERR unbekannter Befehl\nC: STLS\nS: +OK*")
	c.startTLS()
	c.script("C: XYZZ\nS: -ERR unknown command")
}

// The handshake is part of the time to log in.
func TestHandshakeTime(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Limits.LoginTime = 100 * time.Millisecond }).listen()
	c := w.dial()
	c.script("C: STLS\nS: +OK*")
	c.script("S: EOF") // long before the time for handshakes
	s := w.server.newSession(t.Context(), &listen.Conn{Conn: c.Conn, Accepted: time.Unix(1, 0)})
	s.peer = uncounted{}
	if got := s.deadline(); got != time.Unix(1, 0).Add(100*time.Millisecond) {
		t.Errorf("a connection accepted long ago may log in until %v", got)
	}
}

// A stranger that has to make room for another one is told.
func TestStrangerEvicted(t *testing.T) {
	w := newWorld(t)
	w.limits.Strangers = 2
	w.listen()
	session := w.login()
	oldest := w.dial()
	w.dial()
	w.dial()
	oldest.script("S: -ERR [SYS/TEMP] too many connections\nS: EOF")
	session.script("C: NOOP\nS: +OK")
}

func TestTooManySessions(t *testing.T) {
	w := newWorld(t)
	w.limits.PerUser = 1
	w.listen()
	first := w.login()
	w.dial().script("C: USER alice\nS: +OK*\nC: PASS secret\nS: -ERR [SYS/TEMP] too many connections\nS: EOF")
	w.dial().script("C: USER bob\nS: +OK*\nC: PASS secret\nS: +OK*")
	first.script("C: NOOP\nS: +OK")
}
