package inflate

import (
	"errors"
	"io"
)

// ErrDamaged says that the input is no DEFLATE stream.
var ErrDamaged = errors.New("damaged compressed data")

const (
	windowSize  = 32 << 10 // as far as a match may reach back (RFC 1951 section 2)
	firstWindow = 1 << 10
	inputSize   = 2 << 10
)

// Reader inflates. It belongs to one goroutine.
type Reader struct {
	src io.Reader
	err error // sticky

	buf  []byte // for reading src
	in   []byte // input not looked at
	bits uint64 // input looked at, lowest bit first
	have uint   // how many

	step   func(*Reader) outcome // what comes next in the stream
	inside bool                  // a block is in hand
	final  bool                  // it, or the one before, is the last
	stored int                   // bytes left of a stored block

	flushed bool // the mark of a flush was met since Read began

	header dynamic // of the block in hand, while it is read
	lits   huffman
	dists  huffman
	fixed  bool // lits and dists are those of fixed blocks

	window  []byte // grows to windowSize, then is a ring
	end     int    // where the next byte goes
	filled  bool   // the window has gone round
	pending int    // bytes before end that were not handed out
}

// NewReader inflates head, which was read from src already, and what src gives
// after it. It keeps head.
func NewReader(head []byte, src io.Reader) *Reader {
	return &Reader{src: src, in: head, step: (*Reader).blockHeader}
}

// Read gives what the input so far stands for, up to the mark of a flush, and
// waits for more only when that is nothing. What is behind the mark is not
// looked at: the stream may end there, see End. The last block ends in io.EOF.
func (z *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	want := min(len(p), windowSize/2)
	z.flushed = false
	for z.pending < want && z.err == nil && (!z.flushed || z.pending == 0) {
		switch z.step(z) {
		case starved:
			if !z.refill() {
				want = 0
			}
		case damaged:
			z.err = ErrDamaged
		}
	}
	if z.pending == 0 {
		return 0, z.err
	}
	return z.take(p), nil
}

// End ends the stream where its writer has flushed it. The mark of a flush, an
// empty stored block, may come apart from the text before it: once begun, it is
// read to its end. rest is input beyond it that was read.
func (z *Reader) End() (rest []byte, err error) {
	for z.err == nil && (z.inside || z.marked()) {
		z.pending = 0 // what it stands for is thrown away
		switch z.step(z) {
		case starved:
			z.refill()
		case damaged:
			z.err = ErrDamaged
		}
	}
	for z.drop(z.have % 8); z.have > 0; z.drop(8) {
		rest = append(rest, byte(z.bits))
	}
	return append(rest, z.in...), z.err
}

// marked says whether, between blocks, the header of a stored block and what
// fills its byte are next.
func (z *Reader) marked() bool {
	z.look()
	n := z.have % 8
	if n < 3 {
		n += 8
	}
	return z.have >= n && z.number(n) == 0
}

// refill gets more bits. It says no instead of waiting for them when there is
// something to hand out, or when the source has ended.
func (z *Reader) refill() bool {
	if len(z.in) == 0 {
		if z.pending > 0 {
			return false
		}
		if z.buf == nil {
			z.buf = make([]byte, inputSize)
		}
		n, err := z.src.Read(z.buf)
		z.in = z.buf[:n]
		if n == 0 {
			z.err = err
			return err == nil
		}
	}
	z.look()
	return true
}

// look moves input to the bits, as many as they hold.
func (z *Reader) look() {
	for z.have <= 56 && len(z.in) > 0 {
		z.bits |= uint64(z.in[0]) << z.have
		z.have += 8
		z.in = z.in[1:]
	}
}

// drop takes n bits away.
func (z *Reader) drop(n uint) {
	z.bits >>= n
	z.have -= n
}

// number gives the lowest n bits.
func (z *Reader) number(n uint) int { return int(z.bits & (1<<n - 1)) }

// put adds a byte to the window.
func (z *Reader) put(b byte) {
	if z.end == len(z.window) {
		z.turn()
	}
	z.window[z.end] = b
	z.end++
	z.pending++
}

// turn makes room at the end of the window: more of it, or its beginning.
func (z *Reader) turn() {
	switch n := len(z.window); {
	case n == windowSize:
		z.end, z.filled = 0, true
	default:
		grown := make([]byte, max(firstWindow, 2*n))
		copy(grown, z.window)
		z.window = grown
	}
}

// reach is how far back a match may go.
func (z *Reader) reach() int {
	if z.filled {
		return windowSize
	}
	return z.end
}

// take hands pending bytes out.
func (z *Reader) take(p []byte) (n int) {
	for z.pending > 0 && n < len(p) {
		from := z.end - z.pending
		to := z.end
		if from < 0 { // the older bytes are at the window's end
			from += len(z.window)
			to = len(z.window)
		}
		m := copy(p[n:], z.window[from:to])
		n += m
		z.pending -= m
	}
	return n
}
