package imapd

import (
	"context"
	"slices"
	"sort"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// Bounds of the results that are kept up to date: how many in a session, in
// how many runs of UIDs, and of those that are sorted how many messages and
// bytes of sort keys.
const (
	maxLive     = 4
	maxLiveRuns = 1 << 14
	maxLiveSort = 10_000
	maxLiveKeys = 2 << 20
)

// liveSearch is a result that the client hears the changes of (RFC 5267
// section 4.3). What a message is decides whether it matches, and its flags;
// so only messages that are new or have other flags are looked at again.
type liveSearch struct {
	tag  string
	uid  bool
	what *criterion
	uids wire.NumSet // the messages in the result, as the client knows it

	order *sorter // of a sort; its list is the result in order. nil of a search

	fetch []fetchOp // what is told of new messages that come into it
}

// keepUpdated is the end of a search with UPDATE.
func keepUpdated(s *session, a *searchArgs, found *searchResult) error {
	if found == nil {
		return nil
	}
	l := &liveSearch{tag: s.tag, uid: a.uid, what: a.what, uids: wire.Merge(slices.Clone(found.uids)), order: a.order}
	for _, r := range a.returns {
		l.fetch = append(l.fetch, r.fetch...)
	}
	switch {
	case a.of != nil:
		s.refuseUpdate(l, "Only SEARCH and SORT can be kept up to date")
	case a.unsteady:
		s.refuseUpdate(l, "Keys with numbers, a star, $ or an age cannot be kept up to date")
	case a.order != nil && slices.ContainsFunc(a.order.terms, func(t sortTerm) bool { return t.name == relevancy }):
		s.refuseUpdate(l, "An order by relevancy cannot be kept up to date")
	case len(s.view.live) >= maxLive:
		s.refuseUpdate(l, "Too many contexts")
	case l.tooLarge():
		s.refuseUpdate(l, "The result is too large to be kept up to date")
	default:
		s.view.live = append(s.view.live, l)
	}
	return nil
}

// refuseUpdate says that a result will not be kept up to date (RFC 5267
// section 4.3.1).
func (s *session) refuseUpdate(l *liveSearch, why string) {
	s.status("*", answer{"NO", `NOUPDATE "` + l.tag + `"`, why})
}

func (l *liveSearch) tooLarge() bool {
	if l.order == nil {
		return len(l.uids) > maxLiveRuns
	}
	size := 0
	for i := range l.order.list {
		size += len(l.order.list[i].key)
	}
	return len(l.order.list) > maxLiveSort || size > maxLiveKeys
}

// isLive says whether a result is kept under a tag.
func (v *view) isLive(tag string) bool {
	return v != nil && slices.ContainsFunc(v.live, func(l *liveSearch) bool { return l.tag == tag })
}

// tellLeaving takes what was expunged out of the results, before it is told,
// so that the numbers still hold (RFC 5267 section 4.3.4).
func (s *session) tellLeaving(d *store.Delta) {
	if len(s.view.live) == 0 || len(d.Gone) == 0 {
		return
	}
	gone := wireSet(d.Gone)
	before := make([]uint32, len(gone)+1) // how many are gone in the runs before
	for i, r := range gone {
		before[i+1] = before[i] + (r.Stop - r.Start + 1)
	}
	number := func(uid uint32) uint32 {
		i := sort.Search(len(gone), func(i int) bool { return gone[i].Stop >= uid })
		n := before[i]
		if i < len(gone) && gone[i].Start < uid {
			n += uid - gone[i].Start
		}
		return s.view.Rank(store.UID(uid)) + n + 1
	}
	for _, l := range s.view.live {
		if leaving := l.uids.Intersect(gone); len(leaving) > 0 {
			s.tellUpdate(l, number, l.remove(leaving), nil)
		}
	}
}

// tellLive looks again at the messages that changed, and tells which of them
// came into a result or left it, after what is fetched of those that are new
// (RFC 5465 section 7).
func (s *session) tellLive(ctx context.Context, d *store.Delta) {
	v := s.view
	if len(v.live) == 0 || !d.Flags && !d.Grew {
		return
	}
	touched := v.touched(d)
	if len(touched) == 0 {
		return
	}
	number := func(uid uint32) uint32 { return v.Rank(store.UID(uid)) + 1 }
	v.live = slices.DeleteFunc(v.live, func(l *liveSearch) bool {
		matching, order, err := s.lookAgain(ctx, l, touched)
		if err != nil {
			s.log.Error("a search result could not be kept up to date", "err", err)
			s.refuseUpdate(l, "The result can no longer be kept up to date")
			return true
		}
		if d.Grew && len(l.fetch) > 0 {
			if err := s.fetchNew(ctx, l.fetch, storeSet(matching.Intersect(wireSet(store.UIDSet{d.New})))); err != nil {
				s.log.Error("new messages of a search result could not be told", "err", err)
			}
		}
		left := l.remove(minus(l.uids.Intersect(wireSet(touched)), matching))
		came := l.add(minus(matching, l.uids), order)
		s.tellUpdate(l, number, left, came)
		if l.tooLarge() {
			s.refuseUpdate(l, "The result has become too large to be kept up to date")
			return true
		}
		return false
	})
}

// touched gives the UIDs of the messages that have new flags or are new.
func (v *view) touched(d *store.Delta) (uids store.UIDSet) {
	buf := make([]store.Member, 0, pageSize)
	for r := (store.UIDRange{Start: 1, Stop: d.Below - 1}); d.Flags && r.Start <= r.Stop; {
		page := v.ChangedSince(d.Since, r, buf[:0])
		for i := range page {
			uids.Add(page[i].UID)
		}
		if len(page) < cap(buf) {
			break
		}
		r.Start = page[len(page)-1].UID + 1
	}
	if d.Grew {
		uids.AddRange(d.New)
	}
	return uids
}

// lookAgain runs a search over some messages. Those of a sort come in order.
func (s *session) lookAgain(ctx context.Context, l *liveSearch, among store.UIDSet) (matching wire.NumSet, order []sorted, err error) {
	here := leaf(byEntry, func(*candidate) (bool, error) { return true, nil })
	here.within = func() store.UIDSet { return among }
	what := combine(opAnd, here, l.what)
	h := harvest{}
	again := &sorter{}
	if l.order != nil {
		*again = sorter{terms: l.order.terms, level: l.order.level, keep: l.order.keep}
		h.level, h.read = again.level, again.read
	}
	h.take = func(j *job) bool {
		for _, i := range j.found {
			matching.Add(uint32(j.page[i].UID))
		}
		return l.order == nil || again.take(j)
	}
	if max(what.level, h.level) > byEntry {
		leave, err := s.srv.cfg.Store.BeginSearch(ctx, s.actor.Account)
		if err != nil {
			return nil, nil, err
		}
		defer leave()
	}
	damaged, err := runSearch(ctx, s.srv.cfg.Store, s.view, what, h)
	if damaged > 0 {
		s.log.Error("damaged messages were not searched", "mailbox", s.view.name, "messages", damaged)
	}
	slices.SortFunc(again.list, compareSorted)
	return matching, again.list, err
}

// placed are results at a place in the list: 0 for results in the order of the
// mailbox, whose place goes without saying.
type placed struct {
	at   int
	uids wire.NumSet
}

// remove takes messages out of a result. It gives what to tell, each place as
// it is once those before were removed.
func (l *liveSearch) remove(uids wire.NumSet) (left []placed) {
	if len(uids) == 0 {
		return nil
	}
	l.uids = minus(l.uids, uids)
	if l.order == nil {
		return []placed{{0, uids}}
	}
	kept := l.order.list[:0]
	for _, m := range l.order.list {
		if n := uint32(m.uid); uids.Contains(n) {
			left = append(left, placed{len(kept) + 1, wire.Of(n, n)})
			continue
		}
		kept = append(kept, m)
	}
	clear(l.order.list[len(kept):])
	l.order.list = kept
	return left
}

// add puts messages into a result; of a sort they stand in order, with others.
func (l *liveSearch) add(uids wire.NumSet, order []sorted) (came []placed) {
	if len(uids) == 0 {
		return nil
	}
	l.uids = l.uids.Union(uids)
	if l.order == nil {
		return []placed{{0, uids}}
	}
	old := l.order.list
	list := make([]sorted, 0, len(old)+int(uids.Count()))
	for _, m := range order {
		n := uint32(m.uid)
		if !uids.Contains(n) {
			continue
		}
		for len(old) > 0 && compareSorted(old[0], m) < 0 {
			list, old = append(list, old[0]), old[1:]
		}
		list = append(list, m)
		came = append(came, placed{len(list), wire.Of(n, n)})
	}
	l.order.list = append(list, old...)
	return came
}

// tellUpdate sends one ESEARCH with what left and what came.
func (s *session) tellUpdate(l *liveSearch, number func(uid uint32) uint32, left, came []placed) {
	if len(left)+len(came) == 0 {
		return
	}
	s.enc.Raw("* ESEARCH (TAG ").String(l.tag).Byte(')')
	byUID := l.uid || s.enabled[uidonly]
	if byUID {
		s.enc.Raw(" UID")
	}
	for _, part := range []struct {
		word string
		list []placed
	}{{" REMOVEFROM (", left}, {" ADDTO (", came}} {
		for i, p := range part.list {
			if i == 0 {
				s.enc.Raw(part.word)
			} else {
				s.enc.SP()
			}
			s.enc.Num(uint64(p.at)).SP()
			if byUID {
				s.enc.Set(p.uids)
			} else {
				s.enc.Set(numbered(p.uids, number))
			}
		}
		if len(part.list) > 0 {
			s.enc.Byte(')')
		}
	}
	s.enc.CRLF()
}

// numbered turns UIDs of members into sequence numbers.
func numbered(uids wire.NumSet, number func(uid uint32) uint32) (set wire.NumSet) {
	for _, r := range uids {
		first := number(r.Start)
		set.AddRange(first, first+(r.Stop-r.Start))
	}
	return set
}

// minus gives the numbers of a that are not in b.
func minus(a, b wire.NumSet) wire.NumSet {
	var rest wire.NumSet
	next := uint32(0)
	for _, r := range b {
		if r.Start > next {
			rest = append(rest, wire.Range{Start: next, Stop: r.Start - 1})
		}
		if r.Stop == 1<<32-1 {
			return a.Intersect(rest)
		}
		next = r.Stop + 1
	}
	return a.Intersect(append(rest, wire.Range{Start: next, Stop: 1<<32 - 1}))
}
