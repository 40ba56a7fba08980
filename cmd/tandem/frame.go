package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A stream of messages over the control socket is a sequence of records. A
// record is blocks: a four-byte length, high byte first, and that many bytes. The
// first block is JSON about the message; the others are its bytes, which a block
// of length 0 ends, or one of length givenUp where they could not be read to the
// end. A block of length 0 in place of a record ends the stream.

const (
	maxBlock      = 256 << 10
	maxRecordHead = 64 << 10
	givenUp       = 1<<32 - 1
)

var (
	errFrame   = errors.New("the stream of messages is damaged")
	errGivenUp = errors.New("the sender could not read the message to its end")
)

// frameWriter writes records.
type frameWriter struct {
	out *bufio.Writer
}

func newFrameWriter(w io.Writer) *frameWriter {
	return &frameWriter{bufio.NewWriterSize(w, maxBlock)}
}

// record writes one record: head as JSON, and what write writes unless it is nil.
// When write fails the record is marked as given up, and others may follow.
func (f *frameWriter) record(head any, write func(io.Writer) error) error {
	b, err := json.Marshal(head)
	if err != nil {
		return err
	}
	if len(b) > maxRecordHead {
		return fmt.Errorf("%d bytes about one message: %w", len(b), errFrame)
	}
	if _, err := f.Write(b); err != nil {
		return err
	}
	if write != nil {
		if err := write(f); err != nil {
			return errors.Join(err, f.length(givenUp))
		}
	}
	return f.length(0)
}

// Write writes blocks.
func (f *frameWriter) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n := min(len(rest), maxBlock)
		if err := f.length(uint32(n)); err != nil {
			return 0, err
		}
		if _, err := f.out.Write(rest[:n]); err != nil {
			return 0, err
		}
		rest = rest[n:]
	}
	return len(p), nil
}

func (f *frameWriter) length(n uint32) error { return binary.Write(f.out, binary.BigEndian, n) }

// close ends the stream.
func (f *frameWriter) close() error {
	if err := f.length(0); err != nil {
		return err
	}
	return f.out.Flush()
}

// frameReader reads records.
type frameReader struct {
	in   *bufio.Reader
	left int  // bytes of the current block
	body bool // in the bytes of a message
}

func newFrameReader(r io.Reader) *frameReader {
	return &frameReader{in: bufio.NewReaderSize(r, maxBlock)}
}

// next reads the head of the next record into head; its bytes are then read from
// f until io.EOF. The error is io.EOF at the end of the stream.
func (f *frameReader) next(head any) error {
	if f.body {
		if _, err := io.Copy(io.Discard, f); err != nil && !errors.Is(err, errGivenUp) {
			return err
		}
	}
	n, err := f.length()
	if err != nil {
		return err
	}
	if n == 0 {
		return io.EOF
	}
	if n > maxRecordHead {
		return errFrame
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(f.in, b); err != nil {
		return cutShort(err)
	}
	if err := json.Unmarshal(b, head); err != nil {
		return errors.Join(errFrame, err)
	}
	f.left, f.body = 0, true
	return nil
}

func (f *frameReader) length() (int, error) {
	var b [4]byte
	if _, err := io.ReadFull(f.in, b[:]); err != nil {
		return 0, cutShort(err)
	}
	n := binary.BigEndian.Uint32(b[:])
	switch {
	case n == givenUp && f.body:
		f.body = false
		return 0, errGivenUp
	case n > maxBlock:
		return 0, errFrame
	}
	return int(n), nil
}

// cutShort words the end of a stream that comes too early: an end of its own
// would look like the last record's.
func cutShort(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Read reads the bytes of the current message.
func (f *frameReader) Read(p []byte) (int, error) {
	if !f.body {
		return 0, io.EOF
	}
	if f.left == 0 {
		n, err := f.length()
		if err != nil {
			return 0, err
		}
		if n == 0 {
			f.body = false
			return 0, io.EOF
		}
		f.left = n
	}
	n, err := f.in.Read(p[:min(len(p), f.left)])
	f.left -= n
	return n, cutShort(err)
}
