package imapd

// mergeSubject puts threads of one subject together: step 5 of RFC 5256
// section 3, THREAD=REFERENCES.
func (f *forest) mergeSubject() {
	table := f.subjectTable()
	kept := f.roots[:0]
	place := make(map[uint64]int, len(table)) // in kept, of the thread in the table
	for _, at := range f.roots {
		subject := f.leader(at).subject
		to, known := table[subject]
		switch {
		case subject == 0 || !known: // 5.C.ii
			kept = append(kept, at)
		case to == at: // 5.C.iii
			place[subject] = len(kept)
			kept = append(kept, at)
		default:
			// A new thread is made only of one that came before: those that
			// take in what comes before them are in the table from the start.
			if both := f.merge(to, at); both != to {
				table[subject] = both
				kept[place[subject]] = both
			}
		}
	}
	f.roots = kept
}

// subjectTable is 5.A and 5.B: the thread that others of its subject are to
// join. Dummies come before messages, messages before replies.
func (f *forest) subjectTable() map[uint64]int32 {
	table := make(map[uint64]int32, len(f.roots))
	for _, at := range f.roots {
		subject := f.leader(at).subject
		if subject == 0 {
			continue
		}
		old, known := table[subject]
		if !known || f.message(old) != nil && (f.message(at) == nil || f.message(old).reply && !f.message(at).reply) {
			table[subject] = at
		}
	}
	return table
}

// merge is 5.C.iv: it gives the thread that both are in then.
func (f *forest) merge(to, at int32) int32 {
	a, b := f.message(to), f.message(at)
	switch {
	case b == nil:
		f.adopt(to, at)
	case a == nil || b.reply && !a.reply:
		f.append(to, at)
	default:
		both := f.add(nobody)
		f.append(both, to)
		f.append(both, at)
		return both
	}
	return to
}
