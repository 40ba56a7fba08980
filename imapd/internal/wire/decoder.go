package wire

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Error is the client's fault: what it sent is not the grammar, or is over a
// limit. It becomes BAD with the reason.
type Error struct {
	Code   string // response code without its brackets, "" for none
	Reason string
	Limit  bool // a limit was hit, not the grammar broken
}

func (e *Error) Error() string { return e.Reason }

// ErrFlood says that a client goes on sending refused input beyond the drain
// limit. The connection can only be closed, with BYE.
var ErrFlood = errors.New("too much refused input")

// tailSize is how much of the line read last is remembered, enough for the
// longest literal header that could be meant.
const tailSize = 32

// maxScratch is how much of a grown token buffer is kept between commands.
const maxScratch = 4 << 10

// Decoder reads the tokens of commands. It belongs to one goroutine.
type Decoder struct {
	r    *bufio.Reader
	lim  Limits
	more func() error // sends a continuation request, "+ ..."

	// UTF8 says that all mailbox names come in UTF-8 (RFC 9755). Without it
	// those do that are beyond ASCII, and the others in modified UTF-7.
	UTF8 bool

	err      error
	text     int64 // bytes of this command outside literals
	total    int64 // and with them
	literals int
	depth    int
	pending  int64 // bytes of a literal that the client sends whatever we say
	ended    bool  // the command's last byte has been read
	line     int64 // limit of text in force (AUTHENTICATE has its own)
	tail     [tailSize]byte
	scratch  []byte
}

// NewDecoder reads from r. more is called to ask for a synchronising literal:
// it sends a continuation request and flushes.
func NewDecoder(r *bufio.Reader, lim Limits, more func() error) *Decoder {
	return &Decoder{r: r, lim: lim, line: lim.Line, more: more, ended: true}
}

// SetLimits changes the limits, from the next command on.
func (d *Decoder) SetLimits(lim Limits) { d.lim = lim }

// Limits gives the limits in force.
func (d *Decoder) Limits() Limits { return d.lim }

// Begin starts a command. It waits for the first byte, so that its error says
// whether the connection ended between commands: io.EOF is a clean end.
func (d *Decoder) Begin() error {
	d.err, d.ended = nil, false
	d.text, d.total, d.literals, d.depth, d.pending = 0, 0, 0, 0, 0
	d.line = d.lim.Line
	if cap(d.scratch) > maxScratch {
		d.scratch = nil
	}
	if _, err := d.r.Peek(1); err != nil {
		d.ended = true
		return err
	}
	return nil
}

// Err gives the first error of the command.
func (d *Decoder) Err() error { return d.err }

// Fail makes the command bad for a reason that only its parser knows.
func (d *Decoder) Fail(format string, args ...any) {
	d.fail(&Error{Reason: fmt.Sprintf(format, args...)})
}

// FailWith makes the command bad for a reason that has a response code.
func (d *Decoder) FailWith(code, reason string) { d.fail(&Error{Code: code, Reason: reason}) }

func (d *Decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

func (d *Decoder) failLimit(what string, max int64) {
	d.fail(&Error{Reason: fmt.Sprintf("%s (the limit is %d)", what, max), Limit: true})
}

// expected makes the command bad at this place.
func (d *Decoder) expected(what string) {
	if d.err != nil {
		return
	}
	if d.ended {
		d.Fail("Expected %s, found the end of the command", what)
		return
	}
	b, ok := d.peek()
	switch {
	case !ok:
	case b == '\r' || b == '\n':
		d.Fail("Expected %s, found the end of the line", what)
	default:
		d.Fail("Expected %s, found %q at byte %d", what, rune(b), d.text+1)
	}
}

// peek gives the next byte of the command without taking it.
func (d *Decoder) peek() (byte, bool) {
	if d.err != nil || d.ended {
		return 0, false
	}
	b, err := d.r.ReadByte()
	if err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		d.fail(err)
		return 0, false
	}
	_ = d.r.UnreadByte()
	return b, true
}

// advance takes the byte that peek gave.
func (d *Decoder) advance(b byte) {
	_, _ = d.r.Discard(1)
	d.tail[d.text%tailSize] = b
	d.text++
	d.total++
	if b == '\n' {
		return // a line that was taken to its end is never refused: Skip relies on it
	}
	if over(d.text, d.line) {
		d.failLimit("Command line too long", d.line)
	} else if d.line == d.lim.Line && over(d.total, d.lim.Command) {
		d.failLimit("Command too long", d.lim.Command)
	}
}

// Next gives the next byte of the command without taking it, 0 at its end.
func (d *Decoder) Next() byte {
	b, ok := d.peek()
	if !ok || b == '\r' || b == '\n' {
		return 0
	}
	return b
}

// Ahead says whether the command goes on with text, in any case of letters. It
// takes nothing, and waits for no byte behind the end of the line.
func (d *Decoder) Ahead(text string) bool {
	if d.err != nil || d.ended {
		return false
	}
	for i := range len(text) {
		next, err := d.r.Peek(i + 1)
		if err != nil || !strings.EqualFold(string(next[i:]), text[i:i+1]) {
			return false
		}
	}
	return true
}

// TryByte takes the next byte if it is b.
func (d *Decoder) TryByte(b byte) bool {
	got, ok := d.peek()
	if !ok || got != b {
		return false
	}
	d.advance(b)
	return d.err == nil
}

// Byte expects b.
func (d *Decoder) Byte(b byte) bool {
	if d.TryByte(b) {
		return true
	}
	d.expected(fmt.Sprintf("%q", rune(b)))
	return false
}

// TrySP takes a space if there is one.
func (d *Decoder) TrySP() bool { return d.TryByte(' ') }

// SP expects a space.
func (d *Decoder) SP() bool {
	if d.TryByte(' ') {
		return true
	}
	d.expected("a space")
	return false
}

// EOL expects the end of the command and returns its first error. A bare LF
// is taken for CRLF, and spaces before it are overlooked.
func (d *Decoder) EOL() error {
	for d.TryByte(' ') {
	}
	d.crlf()
	if d.err == nil {
		d.ended = true
	}
	return d.err
}

// crlf expects a line end within or at the end of the command.
func (d *Decoder) crlf() {
	d.TryByte('\r')
	if !d.TryByte('\n') {
		d.expected("the end of the line")
	}
}

// Skip throws away what is left of the command: the rest of the line, and
// literals that the client sends without waiting. It does nothing when the
// command was read to its end. Its error ends the connection: it is ErrFlood
// when more comes than the drain limit allows, else the connection's own.
func (d *Decoder) Skip() error {
	var bad *Error
	if d.err != nil && !errors.As(d.err, &bad) {
		return d.err
	}
	left := d.lim.Drain
	for {
		if err := d.discard(&left); err != nil {
			return err
		}
		if d.ended {
			return nil
		}
		if err := d.skipLine(&left); err != nil {
			return err
		}
	}
}

// discard throws the pending literal away. What was asked for with "+" was
// checked then, so only the drain limit counts here when there is one.
func (d *Decoder) discard(left *int64) error {
	if d.pending == 0 {
		return nil
	}
	if d.lim.Drain > 0 {
		if d.pending > *left {
			return ErrFlood
		}
		*left -= d.pending
	}
	for d.pending > 0 {
		n := min(d.pending, 64<<10)
		m, err := d.r.Discard(int(n))
		d.pending -= int64(m)
		if err != nil {
			return unexpected(err)
		}
	}
	return nil
}

// skipLine reads to the end of the line and finds out whether a literal
// follows it.
func (d *Decoder) skipLine(left *int64) error {
	for {
		b, err := d.r.ReadByte()
		if err != nil {
			return unexpected(err)
		}
		d.tail[d.text%tailSize] = b
		d.text++
		if *left--; d.lim.Drain > 0 && *left < 0 {
			return ErrFlood
		}
		if b == '\n' {
			break
		}
	}
	n, sync, ok := d.announced()
	switch {
	case !ok || sync:
		// A client that asked first gets the tagged answer instead of "+"
		// and sends nothing (RFC 3501 section 7.5).
		d.ended = true
	default:
		d.pending = n
	}
	return nil
}

// announced reads a literal header off the end of the line just read.
func (d *Decoder) announced() (n int64, sync, ok bool) {
	var line [tailSize]byte
	have := min(d.text, tailSize)
	for i := range have {
		line[i] = d.tail[(d.text-have+i)%tailSize]
	}
	s := line[:have]
	s = trimSuffix(trimSuffix(s, '\n'), '\r')
	rest := trimSuffix(s, '}')
	if len(rest) == len(s) {
		return 0, false, false
	}
	s = trimSuffix(rest, '+')
	sync = len(s) == len(rest)
	i := len(s)
	for i > 0 && isDigit(s[i-1]) {
		i--
	}
	if i == len(s) || (i > 0 && s[i-1] != '{') {
		return 0, false, false
	}
	if i == 0 {
		return 1<<63 - 1, sync, true // more digits than fit: over any limit
	}
	n, fits := parseInt(s[i:])
	if !fits {
		n = 1<<63 - 1
	}
	return n, sync, true
}

func trimSuffix(s []byte, b byte) []byte {
	if len(s) > 0 && s[len(s)-1] == b {
		return s[:len(s)-1]
	}
	return s
}

// parseInt reads digits as a number below 2^63.
func parseInt(digits []byte) (n int64, fits bool) {
	for _, c := range digits {
		v := int64(c - '0')
		if n > (1<<63-1-v)/10 {
			return 0, false
		}
		n = n*10 + v
	}
	return n, true
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// RawLine reads one whole line of at most max bytes, its end not counted and
// not returned: IDLE's DONE, and the answers within a SASL exchange, which are
// not part of a command. A longer line is an *Error and has been thrown away
// up to the drain limit.
func (d *Decoder) RawLine(max int64) (string, error) {
	line := d.scratch[:0]
	left := d.lim.Drain
	for {
		b, err := d.r.ReadByte()
		if err != nil {
			return "", unexpected(err)
		}
		if b == '\n' {
			break
		}
		if over(int64(len(line)), max+1) { // one more for the CR
			if left--; d.lim.Drain > 0 && left < 0 {
				return "", ErrFlood
			}
			continue
		}
		line = append(line, b)
	}
	d.scratch = line[:0]
	line = trimSuffix(line, '\r')
	if over(int64(len(line)), max) {
		return "", &Error{Reason: fmt.Sprintf("Line too long (the limit is %d)", max), Limit: true}
	}
	return string(line), nil
}
