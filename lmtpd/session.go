package lmtpd

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"tandem/store"
)

const (
	readBuffer  = 32 << 10
	writeBuffer = 4 << 10

	lineMax  = 4 << 10  // of a command line with its end
	drainMax = 64 << 10 // of an overlong line that is skipped before giving up

	byeTime = time.Second // for the last words to a client
)

var (
	errDrain   = errors.New("server is shutting down")
	errLong    = errors.New("line too long")
	errEndless = errors.New("endless line")
)

// session is one connection. One goroutine owns it; only interrupt is called
// from elsewhere.
type session struct {
	srv  *Server
	ctx  context.Context // ends when the session should
	work context.Context // for the store: a delivery in hand is not broken off
	log  *slog.Logger

	id     string
	by     store.Actor
	remote netip.Addr // zero: a unix socket
	conn   net.Conn

	in  *bufio.Reader // over session.Read
	out *bufio.Writer

	client string // the name given with LHLO, "" before
	mail   *envelope
	first  bool // the first line was read
	bad    int  // bad commands since the last delivery
	over   bool // the session ends once the reply is out
	told   bool // the log has how the session ended
	many   bool // the log has that a message had too many recipients

	inData    bool      // the message comes, not commands
	deadline  time.Time // of the command line being waited for
	delivered int       // messages

	mu      sync.Mutex
	between bool // guarded by mu: waiting for a command, where the session may end
}

// run greets and obeys until the session is over.
func (s *session) run() {
	s.out.WriteString("220 " + s.srv.hostname + " LMTP tandem ready\r\n")
	for !s.over {
		line, err := s.readLine()
		switch {
		case errors.Is(err, errLong):
			s.log.Info("command line too long", "limit", lineMax)
			s.badCommand(reply{500, "5.5.2", "command line too long"})
		case err != nil:
			s.goodbye(err)
			return
		default:
			s.obey(line)
		}
	}
	if err := s.out.Flush(); err != nil && !s.told {
		s.log.Info("last reply not sent", "err", err)
	}
	if !s.told {
		s.log.Info("session ended", "why", "QUIT or refusal", "messages", s.delivered)
	}
}

// goodbye ends a session that the client did not end with QUIT (RFC 5321
// section 3.8).
func (s *session) goodbye(err error) {
	why := err.Error()
	switch {
	case errors.Is(err, io.EOF):
		why = "closed by client without QUIT"
	case errors.Is(err, errDrain):
		s.reply(reply{421, "4.3.2", "shutting down, try again later"})
	case errors.Is(err, os.ErrDeadlineExceeded):
		why = "timed out"
		s.reply(reply{421, "4.4.2", "timed out"})
	case errors.Is(err, errEndless):
		s.reply(reply{421, "4.5.2", "endless line"})
	}
	s.log.Info("session ended", "why", why, "messages", s.delivered)
	s.told = true
	_ = s.out.Flush() // the client may be gone; the log has said why
}

func (s *session) close() {
	s.reset()
	_ = s.conn.SetWriteDeadline(time.Now().Add(byeTime))
	s.conn.Close()
}

// reset forgets the mail transaction.
func (s *session) reset() {
	if s.mail != nil {
		s.mail.drop()
	}
	s.mail = nil
}

// interrupt ends a wait for a command, not for data.
func (s *session) interrupt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.between {
		_ = s.conn.SetReadDeadline(time.Unix(1, 0))
	}
}

// Read gives input to the bufio.Reader, which asks only when it has nothing
// left: the moment to flush replies (RFC 2920 section 3.2).
func (s *session) Read(p []byte) (int, error) {
	if err := s.out.Flush(); err != nil {
		return 0, err
	}
	if s.inData {
		if err := s.conn.SetReadDeadline(s.idleUntil()); err != nil {
			return 0, err
		}
		return s.conn.Read(p)
	}
	s.mu.Lock()
	s.between = true
	err := s.conn.SetReadDeadline(s.deadline)
	s.mu.Unlock()
	if err != nil {
		return 0, err
	}
	n := 0
	if err = s.ctx.Err(); err == nil {
		n, err = s.conn.Read(p)
	}
	s.mu.Lock()
	s.between = false
	s.mu.Unlock()
	if err != nil && s.ctx.Err() != nil {
		err = errDrain
	}
	return n, err
}

func (s *session) idleUntil() time.Time {
	if s.srv.limits.Idle == 0 {
		return time.Time{}
	}
	return time.Now().Add(s.srv.limits.Idle)
}

// readLine reads a command line and takes its end off. errLong: it was longer
// than lineMax and skipped.
func (s *session) readLine() (string, error) {
	s.deadline = s.idleUntil() // of the whole line: dribbling does not put it off
	return scanLine(s.in)
}

func scanLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadSlice('\n')
	long := 0
	for errors.Is(err, bufio.ErrBufferFull) {
		if long += len(line); long > drainMax {
			return "", errEndless
		}
		line, err = r.ReadSlice('\n')
	}
	if err != nil {
		return "", err
	}
	if long > 0 || len(line) > lineMax {
		return "", errLong
	}
	return strings.TrimSuffix(string(line[:len(line)-1]), "\r"), nil
}

// stallWriter writes to the connection and gives the client only so much time
// to take it.
type stallWriter struct{ s *session }

func (w stallWriter) Write(p []byte) (int, error) {
	if d := w.s.srv.limits.WriteStall; d > 0 {
		if err := w.s.conn.SetWriteDeadline(time.Now().Add(d)); err != nil {
			return 0, err
		}
	}
	return w.s.conn.Write(p)
}
