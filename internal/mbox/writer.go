package mbox

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Writer writes messages into an mbox, one after another.
type Writer struct {
	out     *bufio.Writer
	current *entry
}

// NewWriter writes to w. Flush has to be called at the end.
func NewWriter(w io.Writer) *Writer {
	return &Writer{out: bufio.NewWriterSize(w, bufferSize)}
}

// Create starts a message. An empty sender is written as MAILER-DAEMON, the date
// in UTC. What is written to the result is the message with LF or CRLF line ends;
// it has to be closed before the next Create.
func (w *Writer) Create(sender string, date time.Time) (io.WriteCloser, error) {
	if w.current != nil {
		return nil, errors.New("write mbox: the message before is still open")
	}
	_, err := fmt.Fprintf(w.out, "From %s %s\n", cleanSender(sender), date.UTC().Format(time.ANSIC))
	if err != nil {
		return nil, fmt.Errorf("write mbox: %w", err)
	}
	w.current = &entry{w: w, lineStart: true}
	return w.current, nil
}

// Flush writes out what is buffered.
func (w *Writer) Flush() error {
	return w.out.Flush()
}

// cleanSender makes one word of s, as the From line has it.
func cleanSender(s string) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
	if s == "" {
		return "MAILER-DAEMON"
	}
	return s[:min(len(s), 512)]
}

// entry writes one message. matched counts the bytes of "From " seen at the start
// of the line after its ">", which are held back until the word is whole or not.
type entry struct {
	w         *Writer
	lineStart bool // nothing, or only ">", of this line has been written
	matched   int
	cr        bool // a CR is held back: it is dropped when LF follows
	open      bool // the last line written has no line end yet
}

func (e *entry) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		if e.lineStart {
			rest = e.start(rest)
		} else {
			rest = e.middle(rest)
		}
	}
	if _, err := e.w.out.Write(nil); err != nil { // bufio keeps the first error
		return 0, fmt.Errorf("write mbox: %w", err)
	}
	return len(p), nil
}

// start takes one byte at the start of a line.
func (e *entry) start(p []byte) []byte {
	c := p[0]
	switch {
	case c == '>' && e.matched == 0 && !e.cr:
		e.open = true
		e.w.out.WriteByte('>')
		return p[1:]
	case c == fromPrefix[e.matched] && !e.cr:
		e.matched++
		e.open = true
		if e.matched == len(fromPrefix) {
			e.w.out.WriteByte('>')
			e.release()
		}
		return p[1:]
	}
	e.release()
	return p
}

// release writes what was held back and goes on in the middle of the line.
func (e *entry) release() {
	e.w.out.Write(fromPrefix[:e.matched])
	e.matched, e.lineStart = 0, false
}

// middle takes bytes up to the end of the line.
func (e *entry) middle(p []byte) []byte {
	if e.cr {
		e.cr = false
		if p[0] != '\n' {
			e.w.out.WriteByte('\r')
		}
	}
	line, rest := p, []byte(nil)
	i := bytes.IndexByte(p, '\n')
	if i >= 0 {
		line, rest = p[:i], p[i+1:]
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
		e.cr = i < 0
	}
	e.w.out.Write(line)
	e.open = i < 0
	if i >= 0 {
		e.w.out.WriteByte('\n')
		e.lineStart = true
	}
	return rest
}

// Close ends the message: with a line end when it has none, and the blank line.
func (e *entry) Close() error {
	if e.w.current != e {
		return nil
	}
	e.w.current = nil
	if e.lineStart {
		e.w.out.Write(fromPrefix[:e.matched])
	}
	if e.cr {
		e.w.out.WriteByte('\r')
	}
	if e.open {
		e.w.out.WriteByte('\n')
	}
	if err := e.w.out.WriteByte('\n'); err != nil {
		return fmt.Errorf("write mbox: %w", err)
	}
	return nil
}
