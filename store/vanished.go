package store

import "context"

// Vanished gives the UIDs of within that were expunged later than since and
// that are no members of the view: what its session was told of, or what was
// gone before the session began (RFC 7162 section 3.2.6). When tombstones that
// old are forgotten it gives every UID of within that no message has.
func (v *View) Vanished(ctx context.Context, since ModSeq, within UIDSet) (UIDSet, error) {
	list, err := v.Expunges(ctx, since)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	gone := below(Intersection(unionOf(list), within), v.next)
	x := v.x
	x.mu.Lock()
	defer x.mu.Unlock()
	// The rows may be ahead of the index and of what was told.
	gone = Difference(gone, x.expungedAfter(v.told, v.next))
	return Difference(gone, x.present(gone)), nil
}

// Told is the modseq up to which all changes were told: a session that knows
// it can resume from there.
func (v *View) Told() ModSeq { return min(v.told, v.flags) }

// Behind reports whether expunges or changes of flags are still to be told.
func (v *View) Behind() bool {
	v.x.mu.Lock()
	defer v.x.mu.Unlock()
	return v.x.flagged > v.flags || len(v.x.expungedAfter(v.told, v.next)) > 0
}

// present gives the UIDs of set that have an entry. The caller holds mu.
func (x *index) present(set UIDSet) (found UIDSet) {
	for _, r := range set {
		for i := x.search(r.Start); i < len(x.entries) && x.entries[i].UID <= r.Stop; i++ {
			found.Add(x.entries[i].UID)
		}
	}
	return found
}

// Intersection gives the UIDs that are in both sets.
func Intersection(a, b UIDSet) (both UIDSet) {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		start, stop := max(a[i].Start, b[j].Start), min(a[i].Stop, b[j].Stop)
		if start <= stop {
			both.AddRange(UIDRange{start, stop})
		}
		if a[i].Stop < b[j].Stop {
			i++
		} else {
			j++
		}
	}
	return both
}

// Difference gives the UIDs of a that are not in b.
func Difference(a, b UIDSet) UIDSet {
	if len(b) == 0 {
		return a
	}
	var left UIDSet
	j := 0
	for _, r := range a {
		for j < len(b) && b[j].Stop < r.Start {
			j++
		}
		for k := j; k < len(b) && b[k].Start <= r.Stop && r.Start <= r.Stop; k++ {
			if b[k].Start > r.Start {
				left.AddRange(UIDRange{r.Start, b[k].Start - 1})
			}
			if b[k].Stop >= r.Stop {
				r.Start, r.Stop = 1, 0 // nothing is left of it
				break
			}
			r.Start = b[k].Stop + 1
		}
		if r.Start <= r.Stop {
			left.AddRange(r)
		}
	}
	return left
}
