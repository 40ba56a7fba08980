package wire

import (
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// encoderSize is when the buffer is written out. Responses pass it by at most
// one token before they are.
const encoderSize = 8<<10 - 256

// restSize is the buffer of a session that waits.
const restSize = 1 << 10

// Encoder writes responses through one buffer. Its methods append and never
// fail; the first error of the connection is kept, later output is thrown
// away, and Err or Flush tell. It belongs to one goroutine.
type Encoder struct {
	w   io.Writer
	buf []byte
	err error

	// UTF8 says that the client takes UTF-8 in quoted strings and mailbox
	// names (RFC 9755).
	UTF8 bool
}

// NewEncoder writes to w.
func NewEncoder(w io.Writer) *Encoder {
	return &Encoder{w: w, buf: make([]byte, 0, restSize)}
}

// Redirect has what follows written to w instead. Flush first.
func (e *Encoder) Redirect(w io.Writer) { e.w = w }

// Err gives the connection's first error.
func (e *Encoder) Err() error { return e.err }

// Buffered gives the number of bytes not yet written.
func (e *Encoder) Buffered() int { return len(e.buf) }

// Flush writes out what is buffered.
func (e *Encoder) Flush() error {
	if len(e.buf) > 0 && e.err == nil {
		_, e.err = e.w.Write(e.buf)
	}
	if cap(e.buf) > 2*encoderSize {
		e.buf = make([]byte, 0, restSize)
	}
	e.buf = e.buf[:0]
	return e.err
}

// Rest writes out what is buffered before a wait, and lets a grown buffer go:
// most sessions wait most of the time.
func (e *Encoder) Rest() error {
	err := e.Flush()
	if cap(e.buf) > restSize {
		e.buf = make([]byte, 0, restSize)
	}
	return err
}

// Write appends p as it is, so that bodies can be copied into an Encoder.
// Large pieces go straight through.
func (e *Encoder) Write(p []byte) (int, error) {
	if len(p) < encoderSize {
		e.buf = append(e.buf, p...)
		if len(e.buf) >= encoderSize {
			return len(p), e.Flush()
		}
		return len(p), e.err
	}
	if err := e.Flush(); err != nil {
		return 0, err
	}
	n, err := e.w.Write(p)
	e.err = err
	return n, err
}

// Raw appends text that is already in wire form.
func (e *Encoder) Raw(s string) *Encoder {
	e.buf = append(e.buf, s...)
	return e
}

// Byte appends one byte.
func (e *Encoder) Byte(b byte) *Encoder {
	e.buf = append(e.buf, b)
	return e
}

// SP appends a space.
func (e *Encoder) SP() *Encoder { return e.Byte(' ') }

// CRLF ends a response. This is where a full buffer is written out.
func (e *Encoder) CRLF() {
	e.buf = append(e.buf, '\r', '\n')
	if len(e.buf) >= encoderSize {
		_ = e.Flush()
	}
}

// Num appends a number.
func (e *Encoder) Num(n uint64) *Encoder {
	e.buf = strconv.AppendUint(e.buf, n, 10)
	return e
}

// Set appends a number set.
func (e *Encoder) Set(s NumSet) *Encoder {
	e.buf = s.Append(e.buf)
	return e
}

// quotable says whether s can go as a quoted string. Long ones go as literals
// because some clients have fixed buffers for a line.
func (e *Encoder) quotable(s string) bool {
	if len(s) > 4096 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c == 0 || c == '\r' || c == '\n' || (c >= 0x80 && !e.UTF8) {
			return false
		}
	}
	return !e.UTF8 || utf8.ValidString(s)
}

// String appends s as a quoted string if it can be one, else as a literal.
// NUL cannot be sent in either (RFC 3501 section 9) and is left out.
func (e *Encoder) String(s string) *Encoder {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "")
	}
	if !e.quotable(s) {
		e.Literal(int64(len(s)))
		_, _ = io.WriteString(e, s)
		return e
	}
	e.buf = append(e.buf, '"')
	for i := range len(s) {
		if c := s[i]; c == '"' || c == '\\' {
			e.buf = append(e.buf, '\\')
		}
		e.buf = append(e.buf, s[i])
	}
	return e.Byte('"')
}

// NString appends a string, or NIL when ok is false.
func (e *Encoder) NString(s string, ok bool) *Encoder {
	if !ok {
		return e.Raw("NIL")
	}
	return e.String(s)
}

// Value appends octets: as a string, or with a NUL in them as a literal8 (RFC
// 3516 section 7).
func (e *Encoder) Value(s string) *Encoder {
	if strings.IndexByte(s, 0) < 0 {
		return e.String(s)
	}
	e.Byte('~').Literal(int64(len(s)))
	_, _ = io.WriteString(e, s)
	return e
}

// Literal appends the header of a literal of n bytes, which the caller then
// writes, exactly so many.
func (e *Encoder) Literal(n int64) *Encoder {
	e.buf = append(e.buf, '{')
	e.buf = strconv.AppendInt(e.buf, n, 10)
	e.buf = append(e.buf, '}', '\r', '\n')
	return e
}

// Mailbox appends a mailbox name given in UTF-8: as an atom when it can be
// one, else as a string, in modified UTF-7 unless UTF8 is set.
func (e *Encoder) Mailbox(name string) *Encoder {
	if !e.UTF8 {
		name = EncodeUTF7(name)
	}
	if isAtom(name) && !strings.EqualFold(name, "NIL") {
		return e.Raw(name)
	}
	return e.String(name)
}

func isAtom(s string) bool {
	for i := range len(s) {
		if classOf[s[i]]&classAtom == 0 {
			return false
		}
	}
	return s != ""
}

// Flags appends a parenthesised list of flags, or of any atoms.
func (e *Encoder) Flags(flags []string) *Encoder {
	e.buf = append(e.buf, '(')
	for i, f := range flags {
		if i > 0 {
			e.buf = append(e.buf, ' ')
		}
		e.buf = append(e.buf, f...)
	}
	return e.Byte(')')
}

// DateTime appends a date-time with its quotes (RFC 3501 section 9).
func (e *Encoder) DateTime(t time.Time) *Encoder {
	e.buf = t.AppendFormat(e.buf, `"_2-Jan-2006 15:04:05 -0700"`)
	return e
}

// Text appends human text for the end of a response: what would end or break
// the line becomes a question mark.
func (e *Encoder) Text(s string) *Encoder {
	if s == "" {
		s = "-" // RFC 3501 section 9: text is not empty
	}
	if e.UTF8 {
		s = strings.ToValidUTF8(s, "?")
	}
	for i := range len(s) {
		c := s[i]
		if c < 0x20 || c == 0x7f || (c >= 0x80 && !e.UTF8) {
			c = '?'
		}
		e.buf = append(e.buf, c)
	}
	return e
}
