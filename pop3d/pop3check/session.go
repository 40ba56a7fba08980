package pop3check

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// session is a POP3 connection of a test.
type session struct {
	t        *test
	conn     net.Conn // nil before and after
	in       *bufio.Reader
	greeting reply
	stop     func() bool // ends the watch on the run's context
	inside   bool        // in the TRANSACTION state
	known    map[string]int
}

// reply is a status line.
type reply struct {
	ok   bool
	text string // after the status indicator
	code string // response code in brackets, "" if none
	raw  string // as it came, with its end
}

const (
	maxLine = 64 << 10 // of status lines and listings; more is no reply
	maxText = 64 << 20 // of a multi-line reply
)

// connect opens a connection, over TLS when it is implicit.
func (r *runner) connect() (net.Conn, error) {
	dialer := net.Dialer{Timeout: r.cfg.Timeout}
	conn, err := dialer.DialContext(r.ctx, "tcp", r.cfg.Addr)
	if err != nil || r.cfg.Security != Implicit {
		return conn, err
	}
	return r.secure(conn, r.tlsConfig())
}

// tlsConfig is the configuration for the POP3 server. Where the checks begin
// without TLS its certificate is not looked at: nothing is lost by that.
func (r *runner) tlsConfig() *tls.Config {
	c := &tls.Config{}
	if r.cfg.TLS != nil {
		c = r.cfg.TLS.Clone()
	}
	if host, _, err := net.SplitHostPort(r.cfg.Addr); err == nil && c.ServerName == "" {
		c.ServerName = host
	}
	if r.cfg.Security == Plain {
		c.InsecureSkipVerify = true
	}
	return c
}

func (r *runner) secure(conn net.Conn, config *tls.Config) (net.Conn, error) {
	if err := conn.SetDeadline(time.Now().Add(r.cfg.Timeout)); err != nil {
		return nil, err
	}
	secured := tls.Client(conn, config)
	if err := secured.HandshakeContext(r.ctx); err != nil {
		conn.Close()
		return nil, fmt.Errorf("TLS handshake: %w", err)
	}
	return secured, nil
}

// attach makes conn the session's connection. It ends with the run's context.
func (s *session) attach(conn net.Conn) {
	if s.stop != nil {
		s.stop()
	}
	s.conn = conn
	s.in = bufio.NewReaderSize(conn, maxLine)
	s.stop = context.AfterFunc(s.t.r.ctx, func() { conn.Close() })
}

// drop closes the connection as a client that vanishes does.
func (s *session) drop() {
	if s.conn != nil {
		s.stop()
		s.conn.Close()
		s.conn = nil
	}
	s.inside = false
}

// hungUp reports whether the server has closed the connection, in whatever way,
// where that is an answer too. The check then goes on without an error.
func (s *session) hungUp() bool {
	var skipped skipError
	if s.t.err == nil || errors.Is(s.t.err, errSilent) || errors.As(s.t.err, &skipped) {
		return false
	}
	s.t.err = nil
	s.drop()
	return true
}

// dead tells that nothing more can be done.
func (s *session) dead() bool {
	if s.t.err == nil && s.conn == nil {
		s.t.fail("not connected")
	}
	return s.t.err != nil
}

// write sends bytes as they are.
func (s *session) write(text string) {
	if s.dead() {
		return
	}
	s.patience()
	if _, err := io.WriteString(s.conn, text); err != nil {
		s.t.fail("sending %.40q: %w", text, err)
	}
}

// patience gives the server its time from now on.
func (s *session) patience() {
	_ = s.conn.SetDeadline(time.Now().Add(s.t.r.cfg.Timeout)) // a dead connection shows when it is used
}

// send sends a command line.
func (s *session) send(format string, args ...any) {
	s.write(fmt.Sprintf(format, args...) + "\r\n")
}

// line reads a line with its end.
func (s *session) line() string {
	if s.dead() {
		return ""
	}
	s.patience()
	line, err := s.in.ReadSlice('\n')
	var timeout net.Error
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		s.t.fail("a line is longer than %d octets", maxLine)
	case errors.As(err, &timeout) && timeout.Timeout():
		s.t.fail("%w within %v", errSilent, s.t.r.cfg.Timeout)
	case errors.Is(err, io.EOF) && len(line) == 0:
		s.t.fail("%w", errClosed)
	case err != nil:
		s.t.fail("reading: %w", err)
	}
	return string(line)
}

// reply reads a status line. Small faults of its form are only noted: wire.go
// judges them, once for all.
func (s *session) reply() reply {
	raw := s.line()
	if s.t.err != nil {
		return reply{}
	}
	p, ok := parseReply(raw)
	if !ok {
		s.t.fail("this is no reply: %.80q", raw)
		return reply{}
	}
	s.t.r.wire.note(p)
	return p
}

// parseReply takes a status line apart.
func parseReply(raw string) (p reply, ok bool) {
	p.raw = raw
	line := strings.TrimSuffix(strings.TrimSuffix(raw, "\n"), "\r")
	status, text, _ := strings.Cut(line, " ")
	p.text = text
	switch strings.ToUpper(status) {
	case "+OK":
		p.ok = true
	case "-ERR":
	default:
		return p, false
	}
	if inner, ok := strings.CutPrefix(text, "["); ok {
		p.code, _, _ = strings.Cut(inner, "]")
	}
	return p, true
}

// do sends a command and reads its status line.
func (s *session) do(format string, args ...any) reply {
	s.send(format, args...)
	return s.reply()
}

// ok is do for a command that must succeed.
func (s *session) ok(format string, args ...any) reply {
	p := s.do(format, args...)
	s.t.that(p.ok, "%s: %q", command(format, args), p.raw)
	return p
}

// refused is do for a command that must fail.
func (s *session) refused(format string, args ...any) reply {
	p := s.do(format, args...)
	s.t.that(!p.ok, "%s should be refused: %q", command(format, args), p.raw)
	if s.t.err == nil && p.ok {
		s.inside = false
	}
	return p
}

// command is a command line for a note: printable, and never with a password.
func command(format string, args []any) string {
	if strings.HasPrefix(strings.ToUpper(format), "PASS ") {
		return "PASS"
	}
	line := strconv.QuoteToASCII(fmt.Sprintf("%.60s", fmt.Sprintf(format, args...)))
	return line[1 : len(line)-1]
}

// alive checks that the session goes on.
func (s *session) alive() {
	if s.inside {
		s.ok("NOOP")
		return
	}
	s.ok("CAPA")
	s.rest()
}

// text reads the text of a command with a multi-line reply, without stuffing and
// terminator.
func (s *session) text(format string, args ...any) []byte {
	s.ok(format, args...)
	return s.rest()
}

// rest reads the lines of a multi-line reply (RFC 1939 section 3).
func (s *session) rest() []byte {
	var text []byte
	for s.t.err == nil {
		line := s.long()
		switch {
		case line == ".\r\n" || line == ".\n":
			s.t.r.wire.end(line)
			return text
		case len(text)+len(line) > maxText:
			s.t.fail("a reply has no end within %d octets", maxText)
			return nil
		}
		s.t.r.wire.line(line)
		text = append(text, strings.TrimPrefix(line, ".")...)
	}
	return nil
}

// long reads a line of any length: those of messages may be.
func (s *session) long() string {
	if s.dead() {
		return ""
	}
	var whole []byte
	for len(whole) < maxText {
		s.patience()
		part, err := s.in.ReadSlice('\n')
		whole = append(whole, part...)
		if err == nil {
			return string(whole)
		}
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			err = errSilent
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			s.t.fail("in a multi-line reply, after %.60q: %w", whole, err)
			return ""
		}
	}
	s.t.fail("a line has no end within %d octets", maxText)
	return ""
}

// lines is text as lines without their ends.
func (s *session) lines(format string, args ...any) []string {
	text := string(s.text(format, args...))
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), "\n")
}

// stat gives what STAT says.
func (s *session) stat() (count, octets int) {
	p := s.ok("STAT")
	words := strings.Split(p.text, " ")
	if s.t.err == nil && len(words) < 2 {
		s.t.fail("STAT: %q", p.raw)
	}
	if s.t.err != nil {
		return 0, 0
	}
	count, err1 := strconv.Atoi(words[0])
	octets, err2 := strconv.Atoi(words[1])
	if err := errors.Join(err1, err2); err != nil {
		s.t.fail("STAT: %q: %w", p.raw, err)
	}
	return count, octets
}

// sizes gives what LIST says, by number.
func (s *session) sizes() map[int]int {
	sizes := map[int]int{}
	for _, line := range s.lines("LIST") {
		var n, size int
		if _, err := fmt.Sscanf(line, "%d %d", &n, &size); err != nil {
			s.t.fail("LIST: %.60q: %w", line, err)
		}
		sizes[n] = size
	}
	return sizes
}

// uidls gives the numbers by unique id.
func (s *session) uidls() map[string]int {
	numbers := map[string]int{}
	for _, line := range s.lines("UIDL") {
		number, id, _ := strings.Cut(line, " ")
		n, err := strconv.Atoi(number)
		if err != nil || id == "" {
			s.t.fail("UIDL: %.90q", line)
		}
		numbers[id] = n
	}
	return numbers
}

// number gives the number of a message in this session.
func (s *session) number(id string) int {
	if s.t.err == nil && s.known == nil {
		s.known = s.uidls()
	}
	n, ok := s.known[id]
	if s.t.err == nil && !ok {
		s.t.fail("the test message %s is not in the UIDL listing", id)
	}
	return n
}

// last gives the highest message number.
func (s *session) last() int {
	count, _ := s.stat()
	return count
}

// quit ends the session with QUIT, which must succeed, and waits for the end: a
// server that answers too early has done its work by then. One that was found to
// keep connections open is not waited for again.
func (s *session) quit() {
	s.ok("QUIT")
	if s.t.r.stays {
		s.drop()
		return
	}
	s.closed()
}

// leave ends the session with QUIT and hangs up.
func (s *session) leave() {
	s.ok("QUIT")
	s.drop()
}

// closed checks that the server closes the connection, and says no more.
func (s *session) closed() {
	s.inside = false
	if s.dead() {
		return
	}
	s.patience()
	rest, err := s.in.ReadByte()
	var timeout net.Error
	switch {
	case err == nil:
		s.t.fail("after the last reply came more: %q", rest)
	case errors.As(err, &timeout) && timeout.Timeout():
		s.t.r.stays = true
		s.t.fail("the connection is still open %v after QUIT", s.t.r.cfg.Timeout)
	}
	s.drop()
}

// stls has the connection secured (RFC 2595 section 4).
func (s *session) stls() {
	s.ok("STLS")
	if !s.dead() {
		s.handshake()
	}
}

// handshake secures a connection after STLS.
func (s *session) handshake() {
	secured, err := s.t.r.secure(s.conn, s.t.r.tlsConfig())
	if err != nil {
		s.t.fail("after STLS: %w", err)
		return
	}
	s.attach(secured)
}

// split gives the header block of a message, with the blank line, and the body.
func split(text []byte) (header, body []byte) {
	at := bytes.Index(text, []byte("\r\n\r\n"))
	if at < 0 {
		return text, nil
	}
	return text[:at+4], text[at+4:]
}
