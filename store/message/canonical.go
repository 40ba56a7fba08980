package message

import (
	"bytes"
	"encoding/base64"
	"io"
)

// Canonical turns a message as it arrives into what is stored, as it streams
// by: each LF without a CR gets one, a bare CR stays, nothing is added at the
// end. A part in the binary encoding is written in base64 and its header
// field says so, as IMAP and POP3 clients cannot be sent binary; a multipart
// or embedded message labelled binary is labelled 8bit. Everything else stays
// byte for byte. It holds one header block at most, 1 MiB.
type Canonical struct {
	w    io.Writer
	err  error
	last byte    // the last byte given to lines
	scan *Parser // nil: only line ends are looked at

	header []byte // the block being read
	over   bool   // it was too long to be changed and has been written

	encode  bool   // the current body is written in base64
	isText  bool   // its line ends are made CRLF first (RFC 2045 section 6.8)
	held    []byte // a line end that may belong to a delimiter
	group   []byte // bytes not yet encoded: less than a line
	encoded []byte // one line of base64
}

// base64Line is how many bytes make a line of base64 (RFC 2045 section 6.8).
const base64Line = 57

// NewCanonical returns a writer that writes the stored form to w. The caller
// closes it at the end of the message; w stays open.
func NewCanonical(w io.Writer, options ...CanonicalOption) *Canonical {
	c := &Canonical{w: w, scan: NewParser(Limits{})}
	for _, o := range options {
		o(c)
	}
	if c.scan != nil {
		c.scan.tap = c
	}
	return c
}

// CanonicalOption changes what a Canonical does.
type CanonicalOption func(*Canonical)

// KeepBinary leaves binary parts as they are, line ends aside: for messages
// that came by an APPEND with BINARY (RFC 3516).
func KeepBinary() CanonicalOption {
	return func(c *Canonical) { c.scan = nil }
}

// Write takes the next piece. Errors are those of the writer beneath.
func (c *Canonical) Write(b []byte) (int, error) {
	if c.scan != nil {
		c.scan.take(b)
	} else {
		c.lines(b)
	}
	if c.err != nil {
		return 0, c.err
	}
	return len(b), nil
}

// Close writes what is held back.
func (c *Canonical) Close() error {
	if c.scan != nil {
		c.scan.Finish()
		c.endBody(true)
		c.scan = nil
	}
	return c.err
}

// lines writes b with CRLF line ends.
func (c *Canonical) lines(b []byte) {
	from := 0
	for i := 0; i < len(b); i++ {
		n := bytes.IndexByte(b[i:], '\n')
		if n < 0 {
			break
		}
		i += n
		before := c.last
		if i > 0 {
			before = b[i-1]
		}
		if before != '\r' {
			c.write(b[from:i])
			c.write(crLF)
			from = i + 1
		}
	}
	c.write(b[from:])
	if len(b) > 0 {
		c.last = b[len(b)-1]
	}
}

var crLF = []byte("\r\n")

func (c *Canonical) write(b []byte) {
	if c.err == nil && len(b) > 0 {
		_, c.err = c.w.Write(b)
	}
}

// headerBytes is part of tap.
func (c *Canonical) headerBytes(b []byte) {
	if c.over {
		c.lines(b)
		return
	}
	c.header = append(c.header, b...)
	if len(c.header) > c.scan.lim.HeaderBytes {
		c.over = true
		c.lines(c.header)
		c.header = c.header[:0]
	}
}

// headerEnd is part of tap: it writes the block, changed if need be.
func (c *Canonical) headerEnd(part *Part, cut int) {
	c.encode = false
	if c.over {
		c.over = false
		return
	}
	block, rest := c.header, c.header[len(c.header):]
	if cut <= len(block) {
		block, rest = block[:len(block)-cut], block[len(block)-cut:]
	}
	if part.Encoding == EncodingBinary {
		label := "base64"
		if part.Kind != KindLeaf {
			label = "8bit"
		}
		if c.relabel(block, label) {
			c.encode = part.Kind == KindLeaf
			c.isText = len(part.Type) > 5 && part.Type[:5] == "text/"
			block = nil
		}
	}
	c.lines(block)
	c.lines(rest)
	c.header = c.header[:0]
}

// relabel writes a header block with its first Content-Transfer-Encoding
// changed; false if it has none that was read.
func (c *Canonical) relabel(block []byte, label string) bool {
	for at := 0; at < len(block); {
		line := nextLine(block[at:])
		end := at + len(line)
		if !equalFold(fieldName(trimEOL(line)), "content-transfer-encoding") {
			at = end
			continue
		}
		for end < len(block) && (block[end] == ' ' || block[end] == '\t') {
			end += len(nextLine(block[end:]))
		}
		c.lines(block[:at])
		c.lines([]byte("Content-Transfer-Encoding: " + label + "\r\n"))
		c.lines(block[end:])
		return true
	}
	return false
}

// bodyBytes is part of tap.
func (c *Canonical) bodyBytes(b []byte) {
	if !c.encode {
		c.lines(b)
		return
	}
	// What may be the line end of a delimiter is held back.
	tail := 0
	switch {
	case bytes.HasSuffix(b, crLF):
		tail = 2
	case len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r'):
		tail = 1
	}
	if string(c.held) == "\r" && tail == 1 && len(b) == 1 && b[0] == '\n' {
		c.held = append(c.held, '\n')
		return
	}
	c.gather(c.held)
	c.held = c.held[:0]
	c.gather(b[:len(b)-tail])
	c.held = append(c.held, b[len(b)-tail:]...)
}

// gather takes bytes of a part to be encoded.
func (c *Canonical) gather(b []byte) {
	if !c.isText {
		c.encodeBytes(b)
		return
	}
	for len(b) > 0 {
		n := bytes.IndexByte(b, '\n')
		if n < 0 {
			c.encodeBytes(b)
			break
		}
		before := c.last
		if n > 0 {
			before = b[n-1]
		}
		c.encodeBytes(b[:n])
		if before != '\r' {
			c.encodeBytes(crLF)
		} else {
			c.encodeBytes(newline)
		}
		b = b[n+1:]
	}
}

func (c *Canonical) encodeBytes(b []byte) {
	if len(b) > 0 {
		c.last = b[len(b)-1]
	}
	for len(b) > 0 {
		n := min(base64Line-len(c.group), len(b))
		c.group = append(c.group, b[:n]...)
		b = b[n:]
		if len(c.group) == base64Line {
			c.writeGroup()
		}
	}
}

func (c *Canonical) writeGroup() {
	if len(c.group) == 0 {
		return
	}
	c.encoded = base64.StdEncoding.AppendEncode(c.encoded[:0], c.group)
	c.group = c.group[:0]
	c.write(append(c.encoded, crLF...))
}

// endBody ends a body that was written in base64. A line end held back before
// a delimiter is the delimiter's, and has been written: every line of base64
// has one. At the end of the message it belongs to the part.
func (c *Canonical) endBody(atEnd bool) {
	if !c.encode {
		return
	}
	if atEnd {
		c.gather(c.held)
	}
	c.held = c.held[:0]
	c.writeGroup()
	c.encode = false
	c.last = '\n'
}

// delimiterBytes is part of tap.
func (c *Canonical) delimiterBytes(b []byte) {
	c.endBody(false)
	c.lines(b)
}
