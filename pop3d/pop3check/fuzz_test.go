package pop3check

import (
	"bytes"
	"net"
	"strings"
	"testing"
	"time"
)

// cannedConn is a connection whose other end has said all it will.
type cannedConn struct {
	net.Conn
	said *bytes.Reader
}

func (c cannedConn) Read(p []byte) (int, error)       { return c.said.Read(p) }
func (c cannedConn) Write(p []byte) (int, error)      { return len(p), nil }
func (c cannedConn) Close() error                     { return nil }
func (c cannedConn) SetDeadline(time.Time) error      { return nil }
func (c cannedConn) SetReadDeadline(time.Time) error  { return nil }
func (c cannedConn) SetWriteDeadline(time.Time) error { return nil }

// FuzzReplies reads whatever a server says as each kind of reply.
func FuzzReplies(f *testing.F) {
	for _, said := range []string{
		"+OK 2 320\r\n", "-ERR [IN-USE] no\r\n", "-ERR [", "+OK\r\n1 120\r\n2 200\r\n.\r\n", "+OK\n.x\n..y\n.\n",
		"+OK\r\nTOP\r\nSASL PLAIN\r\nEXPIRE 0 USER\r\n.\r\n", "+ dGVzdA==\r\n", "+OK\r\n1 a\r\n1\r\n", strings.Repeat("x", 100),
	} {
		f.Add([]byte(said))
	}
	kinds := []func(*session){
		func(s *session) { s.stat() },
		func(s *session) { s.sizes() },
		func(s *session) { s.uidls() },
		func(s *session) { parseCaps(s.lines("CAPA")) },
		func(s *session) { s.challenge() },
		func(s *session) { split(own(s.text("RETR 1"))) },
		func(s *session) { s.number("x") },
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		for i, read := range kinds {
			check := &test{r: &runner{ctx: t.Context(), cfg: Config{Timeout: time.Second}}}
			s := &session{t: check}
			s.attach(cannedConn{said: bytes.NewReader(said)})
			read(s)
			read(s)
			if check.err == nil && len(said) == 0 {
				t.Errorf("reader %d is content with nothing", i)
			}
			s.drop()
		}
	})
}
