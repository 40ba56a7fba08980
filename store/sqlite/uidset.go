package sqlite

import (
	"slices"
	"strconv"
	"strings"

	"tandem/store"
)

// cursor goes through the UIDs of a set.
type cursor struct {
	set store.UIDSet
	i   int
	off store.UID
}

// next gives the next UID, 0 after the last.
func (c *cursor) next() store.UID {
	if c.i == len(c.set) {
		return 0
	}
	r := c.set[c.i]
	uid := r.Start + c.off
	if c.off++; uid == r.Stop {
		c.i, c.off = c.i+1, 0
	}
	return uid
}

// all gives the UIDs of a set one by one.
func all(set store.UIDSet) func(yield func(store.UID) bool) {
	return func(yield func(store.UID) bool) {
		c := cursor{set: set}
		for uid := c.next(); uid != 0 && yield(uid); uid = c.next() {
		}
	}
}

// parseSet reads what UIDSet.String wrote.
func parseSet(text string) (set store.UIDSet, err error) {
	if text == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		lo, hi, isRange := strings.Cut(part, ":")
		if !isRange {
			hi = lo
		}
		start, err := strconv.ParseUint(lo, 10, 32)
		if err != nil {
			return nil, store.Errorf(store.Corrupt, "the journal has the UIDs %q", text)
		}
		stop, err := strconv.ParseUint(hi, 10, 32)
		if err != nil || stop < start {
			return nil, store.Errorf(store.Corrupt, "the journal has the UIDs %q", text)
		}
		set = append(set, store.UIDRange{Start: store.UID(start), Stop: store.UID(stop)})
	}
	return set, nil
}

// setOf makes a set of UIDs in any order.
func setOf(uids []store.UID) (set store.UIDSet) {
	slices.Sort(uids)
	for _, uid := range slices.Compact(uids) {
		set.Add(uid)
	}
	return set
}
