package mbox

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// ErrFormat says that the input is no mbox: its first line is not a From line.
var ErrFormat = errors.New("not an mbox: it does not start with a From line")

const bufferSize = 64 << 10

// Reader reads the messages of an mbox one after another.
type Reader struct {
	in      *bufio.Reader
	offset  int64 // bytes consumed
	started bool
	current *body
}

// Message is one message of an mbox. It is valid until the next call of Next.
type Message struct {
	From
	Offset int64     // of its From line in the input, in bytes
	Body   io.Reader // the message: quoting undone, line ends as in the file
}

// NewReader reads from r, which is uncompressed.
func NewReader(r io.Reader) *Reader {
	return &Reader{in: bufio.NewReaderSize(r, bufferSize)}
}

// Next goes to the next message, past what was left unread of the one before.
// The error is io.EOF after the last (at once when the input is empty or blank),
// ErrFormat when the input is no mbox, or the input's own.
func (r *Reader) Next() (*Message, error) {
	if r.current != nil {
		if _, err := io.Copy(io.Discard, r.current); err != nil {
			return nil, err
		}
	}
	if !r.started {
		if err := r.skipBlank(); err != nil {
			return nil, err
		}
	}
	head, err := r.in.Peek(len(fromPrefix))
	if len(head) == 0 {
		return nil, endOf(err)
	}
	if !bytes.Equal(head, fromPrefix) {
		return nil, ErrFormat // only ever the first: a later one ended at a From line
	}
	r.started = true
	offset := r.offset
	line, err := r.readLine()
	if err != nil {
		return nil, err
	}
	r.current = &body{r: r, lineStart: true}
	return &Message{From: parseFrom(line), Offset: offset, Body: r.current}, nil
}

// skipBlank passes blank lines before the first message.
func (r *Reader) skipBlank() error {
	for {
		b, err := r.in.Peek(1)
		if len(b) == 0 {
			return endOf(err)
		}
		if b[0] != '\n' && b[0] != '\r' {
			return nil
		}
		r.discard(1)
	}
}

// readLine consumes a line and returns its first maxFromLine bytes.
func (r *Reader) readLine() ([]byte, error) {
	var line []byte
	for {
		part, err := r.in.ReadSlice('\n')
		r.offset += int64(len(part))
		line = append(line, part[:min(len(part), maxFromLine-len(line))]...)
		switch {
		case err == nil || err == io.EOF:
			return bytes.TrimRight(line, "\r\n"), nil
		case err != bufio.ErrBufferFull:
			return nil, fmt.Errorf("read mbox: %w", err)
		}
	}
}

// discard consumes n bytes that Peek has shown.
func (r *Reader) discard(n int) {
	r.in.Discard(n)
	r.offset += int64(n)
}

// atFrom tells whether the line that starts here is a From line. In mboxrd any
// line that starts with "From " is; since real files have such lines unquoted
// inside messages, one without a date counts only when a blank line comes before
// it and a header field after it.
func (r *Reader) atFrom(afterBlank bool) bool {
	if head, _ := r.in.Peek(len(fromPrefix)); !bytes.Equal(head, fromPrefix) {
		return false
	}
	window, _ := r.in.Peek(maxFromLine)
	line, rest, whole := bytes.Cut(window, []byte("\n"))
	if !whole && len(window) == maxFromLine {
		return false
	}
	if !parseFrom(line).Date.IsZero() {
		return true
	}
	return afterBlank && startsWithField(rest)
}

// startsWithField tells whether b begins with "Name:" (RFC 5322 section 2.2).
func startsWithField(b []byte) bool {
	for i, c := range b {
		if c == ':' {
			return i > 0
		}
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return false
}

func endOf(err error) error {
	if err == nil || err == io.EOF {
		return io.EOF
	}
	return fmt.Errorf("read mbox: %w", err)
}

// body is the bytes of one message. What it hands out next is in pending, a
// slice of the input's buffer or of a constant, used up before more is read.
type body struct {
	r         *Reader
	pending   []byte
	blank     []byte // a blank line held back: it may be the one before a From line
	lineStart bool
	quoted    bool // in the run of ">" at the start of a line, one of them held back
	done      bool
}

func (b *body) Read(p []byte) (int, error) {
	for len(b.pending) == 0 {
		if b.done {
			return 0, io.EOF
		}
		if err := b.step(); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.pending)
	b.pending = b.pending[n:]
	return n, nil
}

// step reads on until something is pending or the message has ended; it may
// have to be called again.
func (b *body) step() error {
	switch {
	case b.lineStart:
		return b.startLine()
	case b.quoted:
		b.passQuotes()
		return nil
	}
	part, err := b.r.in.ReadSlice('\n')
	b.r.offset += int64(len(part))
	b.pending = part
	switch err {
	case nil:
		b.lineStart = true
	case io.EOF:
		b.done = true
	case bufio.ErrBufferFull:
	default:
		return fmt.Errorf("read mbox: %w", err)
	}
	return nil
}

func (b *body) startLine() error {
	if head, err := b.r.in.Peek(1); len(head) == 0 {
		b.done = true
		if err != nil && err != io.EOF {
			return fmt.Errorf("read mbox: %w", err)
		}
		return nil
	}
	if b.r.atFrom(b.blank != nil) {
		b.done = true
		return nil
	}
	if b.blank != nil {
		b.pending, b.blank = b.blank, nil
		return nil
	}
	head, _ := b.r.in.Peek(2)
	switch {
	case head[0] == '\n':
		b.blank = []byte("\n")
		b.r.discard(1)
	case string(head) == "\r\n":
		b.blank = []byte("\r\n")
		b.r.discard(2)
	case head[0] == '>':
		b.r.discard(1)
		b.quoted, b.lineStart = true, false
	default:
		b.lineStart = false
	}
	return nil
}

// passQuotes hands on a run of ">" whose first was held back. Which of them is
// taken off makes no difference, so the run may be longer than any buffer.
func (b *body) passQuotes() {
	head, _ := b.r.in.Peek(1)
	if len(head) == 1 && head[0] == '>' {
		b.r.discard(1)
		b.pending = []byte(">")
		return
	}
	b.quoted = false
	if head, _ := b.r.in.Peek(len(fromPrefix)); !bytes.Equal(head, fromPrefix) {
		b.pending = []byte(">")
	}
}
