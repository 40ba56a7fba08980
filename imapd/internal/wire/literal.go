package wire

import (
	"io"
	"strconv"
)

// header is an announced literal: {n}, {n+}, and ~{n} for literal8.
type header struct {
	size int64
	sync bool // the client waits for "+"
}

// literalHeader reads from the brace to the line end. A header that is not
// whole leaves the rest to Skip.
func (d *Decoder) literalHeader() (h header, ok bool) {
	d.Byte('{')
	digits := d.scratch[:0]
	for {
		b, more := d.peek()
		if !more || !isDigit(b) {
			break
		}
		d.advance(b)
		if len(digits) < tailSize {
			digits = append(digits, b)
		}
	}
	d.scratch = digits
	if len(digits) == 0 {
		d.expected("a literal's size")
	}
	h.sync = !d.TryByte('+') // RFC 7888 section 3
	d.Byte('}')
	d.crlf()
	if d.err != nil {
		return h, false
	}
	n, fits := parseInt(digits)
	if !fits {
		n = 1<<63 - 1
	}
	h.size = n
	if h.sync {
		d.ended = true // unless it is accepted
	} else {
		d.pending = n
		if over(n, d.lim.Unasked) {
			d.failLimit("Literal sent without asking is too long", d.lim.Unasked)
			return h, false
		}
	}
	return h, true
}

// accept asks for the literal's bytes, which from here on come for certain.
func (d *Decoder) accept(h header) bool {
	if !h.sync {
		return true
	}
	if err := d.more(); err != nil {
		d.fail(err)
		return false
	}
	d.ended = false
	d.pending = h.size
	return true
}

// literal reads a literal into memory, having checked every limit first.
func (d *Decoder) literal() string { return d.octets(false) }

// Value expects a string, a literal8 or NIL; ok is false for NIL (RFC 5464
// section 5, value).
func (d *Decoder) Value() (s string, ok bool) {
	if d.TryByte('~') {
		if b, _ := d.peek(); b != '{' {
			d.expected("a literal")
			return "", false
		}
		s = d.octets(true)
		return s, d.err == nil
	}
	return d.NString()
}

// octets reads a literal, with nul one in which NUL may be.
func (d *Decoder) octets(nul bool) string {
	h, ok := d.literalHeader()
	if !ok {
		return ""
	}
	d.literals++
	switch {
	case over(int64(d.literals), int64(d.lim.Literals)):
		d.failLimit("Too many literals in a command", int64(d.lim.Literals))
	case over(h.size, d.lim.Literal):
		d.failLimit("Literal too long", d.lim.Literal)
	case d.lim.Command > 0 && h.size > d.lim.Command-d.total:
		d.failLimit("Command too long", d.lim.Command)
	case h.size > 1<<31-1: // no limit configured; memory still has one
		d.failLimit("Literal too long", 1<<31-1)
	}
	if d.err != nil || !d.accept(h) {
		return ""
	}
	b := make([]byte, h.size)
	n, err := io.ReadFull(d.r, b)
	d.pending -= int64(n)
	d.total += int64(n)
	if err != nil {
		d.fail(unexpected(err))
		return ""
	}
	for _, c := range b {
		if c == 0 && !nul { // RFC 3501 section 9, CHAR8
			d.Fail("NUL in a literal")
			return ""
		}
	}
	return string(b)
}

// Message is a literal that is streamed: a message given to APPEND.
type Message struct {
	Size    int64
	Binary  bool // sent as literal8 (RFC 3516): NUL is allowed
	NonSync bool // {n+}: its bytes come whether it is accepted or not
	TooBig  bool // larger than Limits.Message; Accept must not be called

	d *Decoder
	h header
}

// Message expects the header of a message literal and reads no byte of the
// message: the caller may still refuse it, and Skip then does the right thing.
// TooBig messages are not an error here, because the answer to them is NO.
func (d *Decoder) Message() *Message {
	binary := d.TryByte('~')
	if b, ok := d.peek(); !ok || b != '{' {
		d.expected("a literal")
		return &Message{d: d}
	}
	h, ok := d.literalHeader()
	m := &Message{Size: h.size, Binary: binary, NonSync: !h.sync, d: d, h: h}
	if !ok {
		return m
	}
	d.literals++
	if over(int64(d.literals), int64(d.lim.Literals)) {
		d.failLimit("Too many literals in a command", int64(d.lim.Literals))
	}
	m.TooBig = over(h.size, d.lim.Message)
	return m
}

// Accept asks for the message and returns a reader of exactly Size bytes. An
// error of the reader is the connection's. What is left unread is thrown away
// by Skip.
func (m *Message) Accept() (io.Reader, error) {
	d := m.d
	if d.err != nil {
		return nil, d.err
	}
	if m.TooBig {
		d.failLimit("Message too big", d.lim.Message)
		return nil, d.err
	}
	if !d.accept(m.h) {
		return nil, d.err
	}
	return messageReader{d}, nil
}

// messageReader reads the pending literal.
type messageReader struct{ d *Decoder }

func (r messageReader) Read(p []byte) (int, error) {
	d := r.d
	if d.err != nil {
		return 0, d.err
	}
	if d.pending == 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > d.pending {
		p = p[:d.pending]
	}
	n, err := d.r.Read(p)
	d.pending -= int64(n)
	if err != nil {
		d.fail(unexpected(err))
		return n, d.err
	}
	return n, nil
}

// String describes the message for the log.
func (m *Message) String() string { return "{" + strconv.FormatInt(m.Size, 10) + "}" }
