package imapd

import (
	"iter"
	"slices"
	"strconv"

	"tandem/store"
)

// extMessageLimit is RFC 9738: a command works on no more messages than
// Limits.Messages allows, those with the highest UIDs, and tells where it has
// stopped. What must be whole (COPY, APPEND, SORT and THREAD) is refused
// instead. Told only when there is such a limit.
func extMessageLimit() extension {
	return extension{
		name: "MESSAGELIMIT",
		rfc:  "RFC 9738",
		capabilities: []capability{
			{name: "MESSAGELIMIT", states: anyState, word: func(s *session) string {
				return limitWord("MESSAGELIMIT=", s.srv.cfg.Limits.Messages)
			}},
			{name: "SAVELIMIT", states: anyState, word: func(s *session) string {
				limits := &s.srv.cfg.Limits
				if limits.Messages != 0 { // section 3: one or the other
					return ""
				}
				return limitWord("SAVELIMIT=", limits.Saved)
			}},
		},
		searchKeys: []searchKey{
			{"UIDAFTER", func(p *searchParser) *criterion {
				return uidKey(p, func(n store.UID) store.UIDRange { return store.UIDRange{Start: n + 1, Stop: 1<<32 - 1} })
			}},
			{"UIDBEFORE", func(p *searchParser) *criterion {
				return uidKey(p, func(n store.UID) store.UIDRange { return store.UIDRange{Start: 1, Stop: n - 1} })
			}},
		},
	}
}

func limitWord(label string, limit int) string {
	if limit == 0 {
		return ""
	}
	return label + strconv.Itoa(limit)
}

// uidKey matches the UIDs on one side of a number.
func uidKey(p *searchParser, side func(store.UID) store.UIDRange) *criterion {
	p.d.SP()
	r := side(store.UID(p.d.NzNumber()))
	c := leaf(byEntry, func(c *candidate) (bool, error) { return c.UID-r.Start <= r.Stop-r.Start, nil })
	if r.Start == 0 || r.Start > r.Stop { // above the last number, or below the first
		return never()
	}
	c.within = func() store.UIDSet { return store.UIDSet{r} }
	return c
}

// saveLimit is how many messages APPEND and COPY may put into a mailbox, 0 for
// any number. A MOVE is not theirs (RFC 9738 section 3).
func (l *Limits) saveLimit() int {
	if l.Messages != 0 {
		return l.Messages
	}
	return l.Saved
}

// limitCode is the response code of RFC 9738 section 3.1; lowest is the UID
// down to which the command has come, or could, 0 for none.
func limitCode(limit int, lowest store.UID) string {
	code := "MESSAGELIMIT " + strconv.Itoa(limit)
	if lowest != 0 {
		code += " " + strconv.FormatUint(uint64(lowest), 10)
	}
	return code
}

// withinLimit gives as many of the members in uids as one command works on,
// and notes for its answer that these are not all.
func (s *session) withinLimit(v *view, uids store.UIDSet, limit int) store.UIDSet {
	kept, lowest := v.highest(uids, limit)
	if lowest != 0 {
		s.limitHit("messages of a command")
		s.stopped = limitCode(limit, lowest)
	}
	return kept
}

// refuseBeyond refuses a command that cannot be done in part when uids has
// more members than it may work on.
func (s *session) refuseBeyond(v *view, uids store.UIDSet, limit int) error {
	_, lowest := v.highest(uids, limit)
	if lowest == 0 {
		return nil
	}
	s.limitHit("messages of a command")
	return no(limitCode(limit, lowest), "More than %d messages at once", limit)
}

// highest gives the highest members in uids, limit of them at most, and the
// lowest UID among them when there are more; 0 for limit is no limit.
func (v *view) highest(uids store.UIDSet, limit int) (kept store.UIDSet, lowest store.UID) {
	if limit == 0 {
		return uids, 0
	}
	left, least := uint32(limit), 0 // least: the range of the lowest one kept
	for i := len(uids) - 1; i >= 0; i-- {
		r := uids[i]
		before, upTo := v.Rank(r.Start), v.Rank(min(r.Stop, 1<<32-2)+1)
		switch n := upTo - before; {
		case n == 0:
		case n <= left:
			left -= n
			least = i
		case left == 0:
			first := v.Rank(uids[least].Start) + 1
			span, _ := v.Span(first, first)
			return uids[least:], span.Start
		default:
			span, _ := v.Span(upTo-left+1, upTo)
			return append(store.UIDSet{{Start: span.Start, Stop: r.Stop}}, uids[i+1:]...), span.Start
		}
	}
	return uids, 0
}

// answerPages gives the members in uids, at most size at a time; from the
// highest down when the command stops short of them all (RFC 9738 section 3.1).
func (s *session) answerPages(uids store.UIDSet, size int) iter.Seq[[]store.Member] {
	v := s.view
	if s.stopped == "" {
		return v.pages(uids, size)
	}
	return func(yield func([]store.Member) bool) {
		for rest := slices.Clone(uids); ; {
			kept, lowest := v.highest(rest, size)
			for page := range v.pages(kept, size) {
				slices.Reverse(page)
				if !yield(page) {
					return
				}
			}
			if lowest == 0 {
				return
			}
			for rest[len(rest)-1].Start >= lowest {
				rest = rest[:len(rest)-1]
			}
			end := &rest[len(rest)-1].Stop
			*end = min(*end, lowest-1)
		}
	}
}

// deletedAmong gives those of the members in uids that have \Deleted.
func (v *view) deletedAmong(uids store.UIDSet) (deleted store.UIDSet) {
	for page := range v.pages(uids, pageSize) {
		for i := range page {
			if page[i].Flags&store.FlagDeleted != 0 && !page[i].Gone {
				deleted.Add(page[i].UID)
			}
		}
	}
	return deleted
}

// changedAmong gives those of the members in uids with a modseq above since.
func (v *view) changedAmong(uids store.UIDSet, since store.ModSeq) (changed store.UIDSet) {
	for page := range v.pages(uids, pageSize) {
		for _, m := range changedAfter(page, since) {
			changed.Add(m.UID)
		}
	}
	return changed
}

// tellStopped says where the command in hand has stopped: in its answer, or
// before it when that has another code.
func (s *session) tellStopped(a *answer) {
	switch {
	case s.stopped == "":
	case a.word == "OK" && a.code == "":
		a.code, a.text = s.stopped, a.text+" for some of the messages"
	default:
		s.status("*", answer{"NO", s.stopped, "Done for some of the messages"}) // RFC 9738 section 3.1
	}
}

// sourceLimit refuses a search of several mailboxes that hold too many
// messages: UIDs of one would not say where it stopped.
func sourceLimit(boxes []store.Mailbox, limit int) error {
	n := 0
	for i := range boxes {
		n += boxes[i].Messages
	}
	if limit == 0 || n <= limit {
		return nil
	}
	return no(limitCode(limit, 0), "These mailboxes have more than %d messages", limit)
}
