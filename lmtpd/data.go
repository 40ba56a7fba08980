package lmtpd

import (
	"bufio"
	"bytes"
	"io"
)

// readData copies the data of DATA to w up to its end, with the dots taken off
// that were put before lines that begin with one (RFC 5321 section 4.5.2). Only
// CRLF ends a line here: "LF . LF" and the like are text, or one server's text
// would be another's commands. The last line's CRLF belongs to the message. An
// error is the connection's or w's.
func readData(r *bufio.Reader, w io.Writer) error {
	lineStart := true // after CRLF
	afterCR := false
	for {
		if lineStart {
			// Whatever follows a CRLF, at least ".", CR and LF are to come.
			p, err := r.Peek(3)
			if err != nil {
				return err
			}
			if p[0] == '.' {
				end := p[1] == '\r' && p[2] == '\n'
				r.Discard(1)
				if end {
					r.Discard(2)
					return nil
				}
			}
		}
		if _, err := r.Peek(1); err != nil {
			return err
		}
		b, _ := r.Peek(r.Buffered())
		switch i := bytes.Index(b, []byte("\r\n.")); {
		case afterCR && b[0] == '\n':
			b, lineStart = b[:1], true
		case i >= 0:
			b, lineStart = b[:i+2], true
		default:
			lineStart = bytes.HasSuffix(b, []byte("\r\n"))
		}
		afterCR = b[len(b)-1] == '\r'
		if _, err := w.Write(b); err != nil {
			return err
		}
		r.Discard(len(b))
	}
}

// copyOctets copies n octets of r to w.
func copyOctets(w io.Writer, r *bufio.Reader, n int64) error {
	for n > 0 {
		if _, err := r.Peek(1); err != nil {
			return err
		}
		b, _ := r.Peek(int(min(int64(r.Buffered()), n)))
		if _, err := w.Write(b); err != nil {
			return err
		}
		r.Discard(len(b))
		n -= int64(len(b))
	}
	return nil
}
