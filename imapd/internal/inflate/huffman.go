package inflate

// maxCode is the length of the longest code (RFC 1951 section 3.2.7), quick
// that of the codes found by one look into a table.
const (
	maxCode = 15
	quick   = 9
)

// huffman is one code: the alphabet of a block's literals, its distances, or
// its code lengths.
type huffman struct {
	table   [1 << quick]uint16 // by the next bits: symbol<<4 | length; 0 for longer codes
	count   [maxCode + 1]uint16
	symbols [288]uint16 // in order of their codes
}

// build makes the code of the symbols' lengths, 0 for those that do not occur
// (RFC 1951 section 3.2.2). It says whether they make one: a code that leaves
// something unused is taken only when all its lengths are one.
func (h *huffman) build(lengths []uint8) bool {
	h.table, h.count = [1 << quick]uint16{}, [maxCode + 1]uint16{}
	for _, n := range lengths {
		h.count[n]++
	}
	unused := int(h.count[0])
	h.count[0] = 0
	left := 1
	var next, code [maxCode + 1]uint16 // of each length: place in symbols, and code
	for n := 1; n <= maxCode; n++ {
		left = left<<1 - int(h.count[n])
		if left < 0 {
			return false
		}
		next[n] = next[n-1] + h.count[n-1]
		code[n] = (code[n-1] + h.count[n-1]) << 1
	}
	if left > 0 && len(lengths) != unused+int(h.count[1]) {
		return false
	}
	for sym, n := range lengths {
		if n == 0 {
			continue
		}
		h.symbols[next[n]] = uint16(sym)
		next[n]++
		if n <= quick {
			for i := int(reverse(code[n], n)); i < len(h.table); i += 1 << n {
				h.table[i] = uint16(sym)<<4 | uint16(n)
			}
		}
		code[n]++
	}
	return true
}

// reverse turns the lowest n bits of a code around: codes are sent with their
// highest bit first, other numbers with their lowest.
func reverse(code uint16, n uint8) (r uint16) {
	for range n {
		r = r<<1 | code&1
		code >>= 1
	}
	return r
}

// outcome is how an attempt to decode ended.
type outcome uint8

const (
	done    outcome = iota
	starved         // more bits are needed
	damaged         // the bits mean nothing
)

// decode finds the symbol that the lowest of have bits stand for, and how many
// of them it takes.
func (h *huffman) decode(bits uint64, have uint) (sym uint16, length uint, o outcome) {
	if e := h.table[bits&(1<<quick-1)]; e != 0 {
		if length = uint(e & 15); length > have {
			return 0, 0, starved
		}
		return e >> 4, length, done
	}
	var code, first, index uint16
	for n := uint(1); n <= maxCode; n++ {
		if n > have {
			return 0, 0, starved
		}
		code |= uint16(bits & 1)
		bits >>= 1
		if count := h.count[n]; code < first+count {
			return h.symbols[index+code-first], n, done
		} else {
			index += count
			first = (first + count) << 1
			code <<= 1
		}
	}
	return 0, 0, damaged
}
