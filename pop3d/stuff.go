package pop3d

import (
	"bufio"
	"bytes"
	"errors"
)

// stuffer writes a multi-line response (RFC 1939 section 3): a dot is put
// before each line that begins with one. Only LF ends a line; a bare CR is a
// character like others.
type stuffer struct {
	w       *bufio.Writer
	midLine bool
}

func (d *stuffer) Write(p []byte) (int, error) {
	n := len(p)
	if n == 0 {
		return 0, nil
	}
	if !d.midLine && p[0] == '.' {
		d.w.WriteByte('.')
	}
	for {
		i := bytes.Index(p, []byte("\n."))
		if i < 0 {
			break
		}
		d.w.Write(p[:i+1])
		d.w.WriteByte('.')
		p = p[i+1:]
	}
	d.midLine = p[len(p)-1] != '\n'
	_, err := d.w.Write(p) // the writer keeps its first error
	return n, err
}

// end writes the terminator, with the CRLF before it that a message may lack.
func (d *stuffer) end() {
	if d.midLine {
		d.w.WriteString("\r\n")
	}
	d.w.WriteString(".\r\n")
}

// errTopEnd says that a topper has all that TOP wants.
var errTopEnd = errors.New("end of TOP")

// topper passes on the header, the blank line and some lines of the body, as
// stored, and then gives errTopEnd.
type topper struct {
	w      *stuffer
	lines  int  // of the body still wanted
	inBody bool // the blank line was seen
	line   int  // octets of the current header line so far
	onlyCR bool // those are one CR
}

func (t *topper) Write(p []byte) (int, error) {
	for i := 0; i < len(p); {
		if t.inBody && t.lines == 0 {
			return t.pass(p[:i], errTopEnd)
		}
		k := bytes.IndexByte(p[i:], '\n')
		if k < 0 {
			if t.line == 0 {
				t.onlyCR = len(p)-i == 1 && p[i] == '\r'
			} else {
				t.onlyCR = false
			}
			t.line += len(p) - i
			break
		}
		content := p[i : i+k]
		i += k + 1
		if t.inBody {
			t.lines--
			continue
		}
		blank := t.line == 0 && (k == 0 || k == 1 && content[0] == '\r') || t.onlyCR && k == 0
		t.inBody, t.line, t.onlyCR = blank, 0, false
	}
	if t.inBody && t.lines == 0 {
		return t.pass(p, errTopEnd)
	}
	return t.pass(p, nil)
}

func (t *topper) pass(p []byte, err error) (int, error) {
	n, werr := t.w.Write(p)
	if werr != nil {
		err = werr
	}
	return n, err
}
