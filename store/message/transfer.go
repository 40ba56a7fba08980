package message

import (
	"bufio"
	"bytes"
	"io"
)

// base64Reader decodes base64 and passes over whatever is not of its
// alphabet. Padding ends a group; more groups may follow.
type base64Reader struct {
	r    *bufio.Reader
	bits uint32
	n    int    // characters gathered in bits
	left []byte // decoded, not yet given; lies in buf
	buf  [3]byte
}

func newBase64Reader(r io.Reader) io.Reader {
	return &base64Reader{r: bufio.NewReader(r)}
}

func (d *base64Reader) Read(out []byte) (n int, err error) {
	for n < len(out) {
		if len(d.left) > 0 {
			k := copy(out[n:], d.left)
			d.left = d.left[k:]
			n += k
			continue
		}
		c, err := d.r.ReadByte()
		if err != nil {
			if d.group(); len(d.left) > 0 {
				continue
			}
			if n > 0 {
				return n, nil
			}
			return 0, err
		}
		if c == '=' {
			d.group()
			continue
		}
		v := base64Value(c)
		if v < 0 {
			continue
		}
		d.bits = d.bits<<6 | uint32(v)
		if d.n++; d.n == 4 {
			d.group()
		}
	}
	return n, nil
}

// group decodes the characters gathered.
func (d *base64Reader) group() {
	n, bits := d.n, d.bits<<(6*(4-d.n))
	d.n, d.bits, d.left = 0, 0, nil
	if n >= 2 {
		d.buf = [3]byte{byte(bits >> 16), byte(bits >> 8), byte(bits)}
		d.left = d.buf[:n-1]
	}
}

func base64Value(c byte) int {
	switch {
	case c >= 'A' && c <= 'Z':
		return int(c - 'A')
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 26
	case c >= '0' && c <= '9':
		return int(c-'0') + 52
	case c == '+' || c == '-':
		return 62
	case c == '/' || c == '_':
		return 63
	}
	return -1
}

// quotedReader decodes quoted-printable (RFC 2045 section 6.7); what is no
// valid escape is taken as it is.
type quotedReader struct{ r *bufio.Reader }

func newQuotedReader(r io.Reader) io.Reader {
	return &quotedReader{bufio.NewReader(r)}
}

func (d *quotedReader) Read(out []byte) (n int, err error) {
	for n < len(out) {
		plain, err := d.r.Peek(max(1, d.r.Buffered()))
		if len(plain) == 0 {
			if n > 0 {
				return n, nil
			}
			return 0, err
		}
		if i := bytes.IndexByte(plain, '='); i >= 0 {
			plain = plain[:i]
		}
		if len(plain) > 0 {
			k := copy(out[n:], plain)
			d.r.Discard(k)
			n += k
			continue
		}
		d.r.Discard(1)
		if c, skip := d.escape(); !skip {
			out[n] = c
			n++
		}
	}
	return n, nil
}

// escape reads what follows "=": two hex digits or a soft line break.
func (d *quotedReader) escape() (c byte, skip bool) {
	next, _ := d.r.Peek(2)
	if len(next) == 2 && unhex(next[0]) >= 0 && unhex(next[1]) >= 0 {
		c = byte(unhex(next[0])<<4 | unhex(next[1]))
		d.r.Discard(2)
		return c, false
	}
	if len(next) == 0 {
		return 0, true
	}
	for i := 1; i <= 64; i++ { // white space may stand before the line end
		next, _ = d.r.Peek(i)
		if len(next) < i {
			break
		}
		switch next[i-1] {
		case ' ', '\t', '\r':
			continue
		case '\n':
			d.r.Discard(i)
			return 0, true
		}
		break
	}
	return '=', false
}
