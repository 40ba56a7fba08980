package wire

import (
	"slices"
	"sort"
	"strconv"
)

// Range is a run of numbers, both ends included, Start <= Stop.
type Range struct{ Start, Stop uint32 }

// NumSet is a set of message numbers, UIDs or sequence numbers: ranges in
// ascending order that neither overlap nor touch. The zero value is empty.
// No method takes time by the size of the numbers, only by the ranges.
type NumSet []Range

// Of makes a set of one range, empty when stop < start.
func Of(start, stop uint32) NumSet {
	if stop < start {
		return nil
	}
	return NumSet{{start, stop}}
}

// Merge makes a set of ranges in any order. It reuses the slice.
func Merge(ranges []Range) NumSet {
	byStart := func(a, b Range) int {
		if a.Start < b.Start {
			return -1
		} else if a.Start > b.Start {
			return 1
		}
		return 0
	}
	if !slices.IsSortedFunc(ranges, byStart) {
		slices.SortFunc(ranges, byStart)
	}
	set := NumSet(ranges[:0])
	for _, r := range ranges {
		set = set.join(r)
	}
	return set
}

// join adds a range that does not start before the last one.
func (s NumSet) join(r Range) NumSet {
	if n := len(s); n > 0 && touches(s[n-1], r) {
		s[n-1].Stop = max(s[n-1].Stop, r.Stop)
		return s
	}
	return append(s, r)
}

// touches says whether b, which starts no earlier than a, overlaps or follows
// it without a gap.
func touches(a, b Range) bool { return b.Start <= a.Stop || b.Start-1 == a.Stop }

// Add puts n into the set. Adding in ascending order is cheap and merges runs.
func (s *NumSet) Add(n uint32) { s.AddRange(n, n) }

// AddRange puts start to stop into the set, cheaply when start is not below
// what is in it.
func (s *NumSet) AddRange(start, stop uint32) {
	r := Range{start, stop}
	if n := len(*s); n == 0 || (*s)[n-1].Start <= start {
		*s = s.join(r)
		return
	}
	*s = Merge(append(*s, r))
}

// Contains says whether n is in the set.
func (s NumSet) Contains(n uint32) bool {
	i := sort.Search(len(s), func(i int) bool { return s[i].Stop >= n })
	return i < len(s) && s[i].Start <= n
}

// Count gives the number of numbers.
func (s NumSet) Count() uint64 {
	var n uint64
	for _, r := range s {
		n += uint64(r.Stop-r.Start) + 1
	}
	return n
}

// Max gives the highest number, 0 for an empty set.
func (s NumSet) Max() uint32 {
	if len(s) == 0 {
		return 0
	}
	return s[len(s)-1].Stop
}

// Intersect gives the numbers that are in both sets.
func (s NumSet) Intersect(o NumSet) NumSet {
	var both NumSet
	for i, j := 0, 0; i < len(s) && j < len(o); {
		lo, hi := max(s[i].Start, o[j].Start), min(s[i].Stop, o[j].Stop)
		if lo <= hi {
			both = append(both, Range{lo, hi})
		}
		if s[i].Stop < o[j].Stop {
			i++
		} else {
			j++
		}
	}
	return both
}

// Union gives the numbers that are in either set.
func (s NumSet) Union(o NumSet) NumSet {
	return Merge(append(slices.Clone([]Range(s)), o...))
}

// Append writes the set in IMAP form, 1:3,7.
func (s NumSet) Append(dst []byte) []byte {
	for i, r := range s {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendUint(dst, uint64(r.Start), 10)
		if r.Stop > r.Start {
			dst = append(dst, ':')
			dst = strconv.AppendUint(dst, uint64(r.Stop), 10)
		}
	}
	return dst
}

func (s NumSet) String() string { return string(s.Append(nil)) }
