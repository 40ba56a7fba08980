package inflate

import "io"

// dynamic is the header of a block with codes of its own, as far as it has been
// read (RFC 1951 section 3.2.7).
type dynamic struct {
	lits, dists, sizes int // how many code lengths are sent
	got                int
	lengths            [286 + 30]uint8
}

// sizeOrder is the order in which the lengths of the code for code lengths
// come.
var sizeOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// Matches (RFC 1951 section 3.2.5): the least length or distance of each
// symbol, and how many bits are added to it.
var (
	lengthBase = [29]uint16{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	lengthBits = [29]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	distBase   = [30]uint16{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577}
	distBits   = [30]uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13}
)

const endOfBlock = 256

// blockHeader is RFC 1951 section 3.2.3.
func (z *Reader) blockHeader() outcome {
	if z.final {
		z.err = io.EOF
		return done
	}
	if z.have < 3 {
		return starved
	}
	z.final, z.inside = z.bits&1 != 0, true
	kind := z.bits >> 1 & 3
	z.drop(3)
	switch kind {
	case 0:
		z.drop(z.have % 8) // to the next byte
		z.step = (*Reader).storedHeader
	case 1:
		z.fixedCodes()
		z.step = (*Reader).symbols
	case 2:
		z.step = (*Reader).dynamicHeader
	default:
		return damaged
	}
	return done
}

// storedHeader is RFC 1951 section 3.2.4. An empty stored block is what a
// flush of most compressors ends in.
func (z *Reader) storedHeader() outcome {
	if z.have < 32 {
		return starved
	}
	n := z.bits & 0xffff
	if z.bits>>16&0xffff != n^0xffff {
		return damaged
	}
	z.drop(32)
	z.stored, z.flushed = int(n), n == 0
	z.step = (*Reader).storedBytes
	return done
}

func (z *Reader) storedBytes() outcome {
	for ; z.stored > 0; z.stored-- {
		if z.pending >= windowSize/2 {
			return done
		}
		if z.have < 8 {
			return starved
		}
		z.put(byte(z.bits))
		z.drop(8)
	}
	z.step, z.inside = (*Reader).blockHeader, false
	return done
}

// fixedCodes is RFC 1951 section 3.2.6. Blocks are often short: the codes stay
// until a dynamic block needs their place.
func (z *Reader) fixedCodes() {
	if z.fixed {
		return
	}
	z.fixed = true
	var lengths [288]uint8
	for i := range lengths {
		switch {
		case i < 144:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		default:
			lengths[i] = 8
		}
	}
	z.lits.build(lengths[:])
	for i := range 32 {
		lengths[i] = 5
	}
	z.dists.build(lengths[:32])
}

func (z *Reader) dynamicHeader() outcome {
	if z.have < 14 {
		return starved
	}
	z.header = dynamic{lits: z.number(5) + 257, dists: int(z.bits>>5&31) + 1, sizes: int(z.bits>>10&15) + 4}
	z.drop(14)
	if z.header.lits > 286 || z.header.dists > 30 {
		return damaged
	}
	z.step = (*Reader).dynamicSizes
	return done
}

// dynamicSizes reads the code for code lengths, which lits holds until it has
// been used.
func (z *Reader) dynamicSizes() outcome {
	h := &z.header
	z.fixed = false
	for ; h.got < h.sizes; h.got++ {
		if z.have < 3 {
			return starved
		}
		h.lengths[sizeOrder[h.got]] = uint8(z.number(3))
		z.drop(3)
	}
	if !z.lits.build(h.lengths[:len(sizeOrder)]) {
		return damaged
	}
	h.got, h.lengths = 0, [286 + 30]uint8{}
	z.step = (*Reader).dynamicLengths
	return done
}

func (z *Reader) dynamicLengths() outcome {
	h := &z.header
	for h.got < h.lits+h.dists {
		if o := z.dynamicLength(); o != done {
			return o
		}
	}
	if h.lengths[endOfBlock] == 0 ||
		!z.dists.build(h.lengths[h.lits:h.lits+h.dists]) || !z.lits.build(h.lengths[:h.lits]) {
		return damaged
	}
	z.step = (*Reader).symbols
	return done
}

// dynamicLength reads one code length, or a run of them.
func (z *Reader) dynamicLength() outcome {
	h := &z.header
	sym, n, o := z.lits.decode(z.bits, z.have)
	if o != done {
		return o
	}
	var value uint8
	var least, extra uint
	switch sym {
	case 16:
		if h.got == 0 {
			return damaged
		}
		value, least, extra = h.lengths[h.got-1], 3, 2
	case 17:
		least, extra = 3, 3
	case 18:
		least, extra = 11, 7
	default:
		value, least = uint8(sym), 1
	}
	if z.have < n+extra {
		return starved
	}
	z.drop(n)
	times := int(least) + z.number(extra)
	z.drop(extra)
	if h.got+times > h.lits+h.dists {
		return damaged
	}
	for range times {
		h.lengths[h.got] = value
		h.got++
	}
	return done
}

// symbols decodes literals and matches until the block ends or enough is
// pending.
func (z *Reader) symbols() outcome {
	for z.pending < windowSize/2 {
		sym, n, o := z.lits.decode(z.bits, z.have)
		switch {
		case o != done:
			return o
		case sym < endOfBlock:
			z.drop(n)
			z.put(byte(sym))
		case sym == endOfBlock:
			z.drop(n)
			z.step, z.inside = (*Reader).blockHeader, false
			return done
		default:
			if o := z.match(sym-endOfBlock-1, n); o != done {
				return o
			}
		}
	}
	return done
}

// match repeats what came before. sym is its length's symbol, whose code takes
// n bits. All of it is at most 48 bits, which refill can hold.
func (z *Reader) match(sym uint16, n uint) outcome {
	if int(sym) >= len(lengthBase) {
		return damaged
	}
	extra := uint(lengthBits[sym])
	if z.have < n+extra {
		return starved
	}
	bits, have := z.bits>>n, z.have-n
	length := int(lengthBase[sym]) + int(bits&(1<<extra-1))
	bits, have = bits>>extra, have-extra
	sym, n, o := z.dists.decode(bits, have)
	if o != done {
		return o
	}
	if int(sym) >= len(distBase) {
		return damaged
	}
	extra = uint(distBits[sym])
	if have < n+extra {
		return starved
	}
	bits, have = bits>>n, have-n
	dist := int(distBase[sym]) + int(bits&(1<<extra-1))
	if dist > z.reach() {
		return damaged
	}
	z.bits, z.have = bits>>extra, have-extra
	for range length {
		from := z.end - dist
		if from < 0 {
			from += len(z.window)
		}
		z.put(z.window[from])
	}
	return done
}
