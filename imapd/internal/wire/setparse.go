package wire

// Set is a sequence set as a client wrote it: "*" still stands for the
// highest number, which only the mailbox knows.
type Set struct {
	Nums NumSet // what was written in numbers

	// From is the n of n:* (the lowest, when there were several), the
	// largest number for "*" alone, and 0 when there was no star.
	From uint32

	// Saved says that it is "$": what the client has had saved (RFC 5182).
	Saved bool
}

// star is the value of From for "*" alone: whatever the highest number is, it
// is not above this.
const star = 1<<32 - 1

// IsOne says that the set was written as a single number or a star.
func (s Set) IsOne() bool {
	switch {
	case s.Saved:
		return false
	case s.From != 0:
		return s.From == star && len(s.Nums) == 0
	}
	return len(s.Nums) == 1 && s.Nums[0].Start == s.Nums[0].Stop
}

// Resolve gives the numbers that are meant when the highest number is max. A
// star means nothing in an empty mailbox (max 0). Numbers above max may be in
// the result; they are to be intersected with what is there.
func (s Set) Resolve(max uint32) NumSet {
	if s.From == 0 || max == 0 {
		return s.Nums
	}
	// n:* is a range whatever the order of its ends, so it always has the
	// last message in it (RFC 3501 section 9, seq-range).
	return s.Nums.Union(Of(min(s.From, max), max))
}

// Set expects a sequence set (RFC 3501 section 9, sequence-set), or "$" alone
// (RFC 5182 section 3).
func (d *Decoder) Set() Set {
	if d.TryByte('$') {
		return Set{Saved: true}
	}
	var s Set
	var ranges []Range
	limit := d.lim.Ranges
	for {
		first, last := d.setNumber(), uint32(0)
		ranged := d.TryByte(':')
		if ranged {
			last = d.setNumber()
		} else {
			last = first
		}
		if d.err != nil {
			return Set{}
		}
		ranges = s.add(ranges, first, last)
		// Merging when twice the limit has come keeps memory bounded and
		// the sorting rare.
		if over(int64(len(ranges)), 2*int64(limit)) {
			ranges = Merge(ranges)
			if over(int64(len(ranges)), int64(limit)) {
				break
			}
		}
		if !d.TryByte(',') {
			break
		}
	}
	s.Nums = Merge(ranges)
	if over(int64(len(s.Nums)), int64(limit)) {
		d.failLimit("Too many ranges in a sequence set", int64(limit))
		return Set{}
	}
	return s
}

// add puts one element of a set where it belongs; 0 is the star.
func (s *Set) add(ranges []Range, first, last uint32) []Range {
	if first > last {
		first, last = last, first
	}
	if first != 0 {
		return NumSet(ranges).extend(Range{first, last})
	}
	from := last
	if from == 0 {
		from = star
	}
	if s.From == 0 || from < s.From {
		s.From = from
	}
	return ranges
}

// extend appends a range, merging it into the last when they touch.
func (s NumSet) extend(r Range) NumSet {
	if n := len(s); n > 0 && s[n-1].Start <= r.Start {
		return s.join(r)
	}
	return append(s, r)
}

// setNumber expects a number or a star, which comes back as 0.
func (d *Decoder) setNumber() uint32 {
	if d.TryByte('*') {
		return 0
	}
	return d.NzNumber()
}
