package store

import (
	"context"
	"slices"
	"sort"
	"sync"
)

// View is one session's hold on a mailbox. What the session has been told is
// three numbers: next (its UIDNEXT), told (expunges up to this modseq) and
// flags (flag changes up to this modseq; told <= flags is not required of
// sessions that were told flags between). Its members are the entries below
// next, and what was expunged later than told: they keep their sequence
// numbers until Advance tells of them. A view belongs to one goroutine.
type View struct {
	s    *Store
	x    *index
	by   Actor
	row  Mailbox // as of the start
	wake chan struct{}

	// Written under x.mu, which other sessions take to look at told.
	next  UID
	told  ModSeq
	flags ModSeq

	own []ModSeq // changes of this session that it tells by itself

	readMu sync.Mutex
	read   UIDSet // what was downloaded and is not in the journal yet
}

// Member is one message of a view.
type Member struct {
	Seq  uint32 // sequence number, from 1
	Gone bool   // expunged meanwhile: only Seq and UID are set; see View.Tombstones
	Entry
	More string // keywords beyond the inline ones
}

// FlagSet gives all flags of the member.
func (m *Member) FlagSet() FlagSet { return FlagSet{m.Flags, m.More} }

// View opens a mailbox for a session, which needs RightRead. The mailbox row is
// as of now; the index loads in the background if it is not in memory. Close
// must be called.
func (s *Store) View(ctx context.Context, by Actor, id MailboxID) (*View, error) {
	v := &View{s: s, by: by, wake: make(chan struct{}, 1)}
	if by.Account != id.Account() {
		have, err := s.Rights(ctx, by, id)
		if err == nil {
			err = have.Allow(RightRead)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := s.acquire(ctx, v, id); err != nil {
		return nil, err
	}
	_, err := s.Keywords(ctx, id.Account())
	if err == nil {
		err = v.learnGrants(ctx)
	}
	if err == nil {
		err = v.mayRead()
	}
	if err != nil {
		s.release(v)
		return nil, err
	}
	return v, nil
}

func (v *View) start(row Mailbox) {
	v.row, v.next, v.told, v.flags = row, row.UIDNext, row.HighestModSeq, row.HighestModSeq
}

// Close ends the session's hold and journals what it read.
func (v *View) Close() {
	v.s.release(v)
	v.journalReads(0)
}

// Mailbox is the row as it was when the view was opened.
func (v *View) Mailbox() Mailbox { return v.row }

// ID is the mailbox's id.
func (v *View) ID() MailboxID { return v.row.ID }

// Wake receives when there may be something to Advance over.
func (v *View) Wake() <-chan struct{} { return v.wake }

// Load waits until the index is in memory. All methods below need it, once.
func (v *View) Load(ctx context.Context) error {
	select {
	case <-v.x.ready:
	case <-ctx.Done():
		return ctx.Err()
	}
	v.x.mu.RLock()
	defer v.x.mu.RUnlock()
	return v.x.err
}

// Loaded reports whether the index is in memory already.
func (v *View) Loaded() bool {
	v.x.mu.RLock()
	defer v.x.mu.RUnlock()
	return v.x.loaded
}

// Deleted reports whether the mailbox itself is gone.
func (v *View) Deleted() bool {
	v.x.mu.RLock()
	defer v.x.mu.RUnlock()
	return v.x.deleted
}

// Keywords lists the account's keywords; the index is the keyword's number.
func (v *View) Keywords() []string {
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	return v.s.keywords[v.row.ID.Account()]
}

// HighestModSeq is the mailbox's highest modseq now (RFC 7162 section 3.1.2.1).
func (v *View) HighestModSeq() ModSeq {
	v.x.mu.RLock()
	defer v.x.mu.RUnlock()
	return max(v.x.row.HighestModSeq, v.row.HighestModSeq)
}

// UIDNext is the view's: UIDs below it have been told of.
func (v *View) UIDNext() UID { return v.next }

// ToldFlags is the modseq up to which flag changes were told.
func (v *View) ToldFlags() ModSeq { return v.flags }

// Len is the number of members: EXISTS as told.
func (v *View) Len() uint32 {
	v.x.mu.Lock()
	defer v.x.mu.Unlock()
	return v.len()
}

func (v *View) len() uint32 {
	return v.rank(v.next)
}

// ClaimRecent gives the UIDs from first on, below UIDNext, that are \Recent to
// this session, and takes the mark unless peek is set (EXAMINE). first ==
// UIDNext() when there is none.
func (v *View) ClaimRecent(peek bool) (first UID) {
	x := v.x
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	first = min(max(x.recent, 1), v.next)
	if !peek && x.recent < v.next {
		x.recent = v.next
		v.s.recent[x.id] = v.next
	}
	return first
}

// FirstUnseen gives the sequence number of the first member without \Seen.
// ok is false when there is none.
func (v *View) FirstUnseen() (seq uint32, ok bool) {
	v.x.mu.RLock()
	defer v.x.mu.RUnlock()
	if !v.x.loaded {
		return 0, false
	}
	for i := range v.x.entries {
		e := &v.x.entries[i]
		if e.UID >= v.next {
			break
		}
		if e.Flags&FlagSeen == 0 {
			return uint32(i) + 1, true
		}
	}
	return 0, false
}

// ByUID appends to buf the members with UIDs in r, ascending, up to buf's
// capacity. To go on, ask again from the last UID + 1.
func (v *View) ByUID(r UIDRange, buf []Member) []Member {
	x := v.x
	x.mu.Lock()
	defer x.mu.Unlock()
	return v.page(r.Start, r.Stop, x.expungedAfter(v.told, v.next), buf)
}

// BySeq appends to buf the members numbered first to last, up to buf's
// capacity. To go on, ask again from the last Seq + 1.
func (v *View) BySeq(first, last uint32, buf []Member) []Member {
	x := v.x
	x.mu.Lock()
	defer x.mu.Unlock()
	gone := x.expungedAfter(v.told, v.next)
	r, ok := v.span(first, last, gone)
	if !ok {
		return buf
	}
	return v.page(r.Start, r.Stop, gone, buf)
}

// uidOf gives the UID of a sequence number that exists: the least uid with
// seq members up to and including it.
func (v *View) uidOf(seq uint32, gone UIDSet) UID {
	x := v.x
	if len(gone) == 0 {
		return x.entries[seq-1].UID
	}
	return UID(sort.Search(int(v.next), func(uid int) bool {
		return x.search(UID(uid)+1)+x.countBelow(gone, UID(uid)+1) >= int(seq)
	}))
}

// page merges entries and expunged UIDs from uid from to to into buf.
func (v *View) page(from, to UID, gone UIDSet, buf []Member) []Member {
	x := v.x
	from, to = max(from, 1), min(to, v.next-1)
	i := x.search(from)
	seq := uint32(i + x.countBelow(gone, from))
	g := sort.Search(len(gone), func(k int) bool { return gone[k].Stop >= from })
	next := from // next candidate within gone[g]
	for len(buf) < cap(buf) {
		live := i < len(x.entries) && x.entries[i].UID <= to
		if g < len(gone) {
			next = max(next, gone[g].Start)
		}
		seq++
		switch {
		case g < len(gone) && next <= to && (!live || next < x.entries[i].UID):
			buf = append(buf, Member{Seq: seq, Gone: true, Entry: Entry{UID: next}})
			if next == gone[g].Stop {
				g++
			}
			next++
		case live:
			buf = append(buf, Member{Seq: seq, Entry: x.entries[i]})
			if x.entries[i].Flags&FlagMore != 0 {
				buf[len(buf)-1].More = x.more[x.entries[i].UID]
			}
			i++
		default:
			return buf
		}
	}
	return buf
}

// Span gives the UIDs of the members numbered first to last, as far as there
// are such: every member with a UID in r is one of them. ok is false when
// there is none.
func (v *View) Span(first, last uint32) (r UIDRange, ok bool) {
	x := v.x
	x.mu.Lock()
	defer x.mu.Unlock()
	return v.span(first, last, x.expungedAfter(v.told, v.next))
}

func (v *View) span(first, last uint32, gone UIDSet) (r UIDRange, ok bool) {
	first, last = max(first, 1), min(last, v.len())
	if first > last {
		return UIDRange{}, false
	}
	return UIDRange{v.uidOf(first, gone), v.uidOf(last, gone)}, true
}

// Rank is the number of members with UIDs below uid.
func (v *View) Rank(uid UID) uint32 {
	x := v.x
	x.mu.Lock()
	defer x.mu.Unlock()
	return v.rank(uid)
}

func (v *View) rank(uid UID) uint32 {
	uid = min(uid, v.next)
	return uint32(v.x.search(uid) + v.x.countBelow(v.x.expungedAfter(v.told, v.next), uid))
}

// Gone gives the UIDs of the members that were expunged and not yet told. It
// is shared and must not be changed.
func (v *View) Gone() UIDSet {
	v.x.mu.Lock()
	defer v.x.mu.Unlock()
	return v.x.expungedAfter(v.told, v.next)
}

// SeqRun is Count members in a row that were expunged: each of them has the
// number Seq at the moment it is told (RFC 3501 section 7.4.1).
type SeqRun struct {
	Seq, Count uint32
	UIDs       UIDRange
}

// Delta is what Advance moved the view over, to be told in this order.
type Delta struct {
	Gone   UIDSet // expunged, to be told by the numbers that Runs gives; shared
	Flags  bool   // members below FlagsBelow may have changed flags since FlagsSince: see Changed
	Since  ModSeq // for Changed
	Below  UID
	New    UIDRange // the new members' UIDs, when Exists is told
	Grew   bool
	Exists uint32
	own    []ModSeq
}

// Reach is what a view moves over; the rest is told another time.
type Reach struct{ Expunges, Flags, New bool }

// Advance moves the view to the mailbox as it is now, over what reach has. RFC
// 3501 section 7.4.1 forbids expunges in answer to FETCH, STORE and SEARCH.
func (v *View) Advance(reach Reach) Delta {
	x := v.x
	x.mu.Lock()
	defer x.mu.Unlock()
	d := Delta{Since: v.flags, Below: v.next, own: v.own}
	if !x.loaded {
		return d
	}
	if reach.Expunges {
		d.Gone = x.expungedAfter(v.told, v.next)
		v.told = max(v.told, x.row.HighestModSeq)
	}
	if reach.Flags {
		d.Flags = x.flagged > v.flags
		v.flags = max(v.flags, x.row.HighestModSeq)
		v.own = nil
	}
	if reach.New && x.row.UIDNext > v.next {
		d.Grew, d.New = true, UIDRange{v.next, x.row.UIDNext - 1}
		v.next = x.row.UIDNext
		d.Exists = v.len()
	}
	return d
}

// Runs appends to buf the expunges of a delta from its i-th run on, up to
// buf's capacity. To go on, ask again from i + the number of runs given.
func (v *View) Runs(d *Delta, i int, buf []SeqRun) []SeqRun {
	v.x.mu.Lock()
	defer v.x.mu.Unlock()
	for ; i < len(d.Gone) && len(buf) < cap(buf); i++ {
		r := d.Gone[i]
		buf = append(buf, SeqRun{v.rank(r.Start) + 1, uint32(r.Stop-r.Start) + 1, r})
	}
	return buf
}

// maxOwn bounds what a session that does not hear of flags keeps; what it
// forgets it may hear of twice.
const maxOwn = 1000

// Own notes a change of flags that this session tells by itself.
func (v *View) Own(m ModSeq) {
	if len(v.own) >= maxOwn {
		v.own = append(v.own[:0], v.own[maxOwn/2:]...)
	}
	v.own = append(v.own, m)
}

// Changed appends to buf the members from uid on whose flags a delta has
// changed, up to buf's capacity. To go on, ask again from the last UID + 1.
func (v *View) Changed(d *Delta, from UID, buf []Member) []Member {
	return v.changed(d.Since, UIDRange{from, d.Below - 1}, d.own, buf)
}

// ChangedSince appends to buf the members in r with a modseq above since, up
// to buf's capacity (RFC 7162 section 3.1.4.1).
func (v *View) ChangedSince(since ModSeq, r UIDRange, buf []Member) []Member {
	return v.changed(since, r, nil, buf)
}

func (v *View) changed(since ModSeq, r UIDRange, own []ModSeq, buf []Member) []Member {
	x := v.x
	x.mu.Lock()
	defer x.mu.Unlock()
	gone := x.expungedAfter(v.told, v.next)
	for i := x.search(r.Start); i < len(x.entries) && len(buf) < cap(buf); i++ {
		e := &x.entries[i]
		if e.UID > r.Stop || e.UID >= v.next {
			break
		}
		if e.ModSeq <= since || contains(own, e.ModSeq) {
			continue
		}
		buf = append(buf, Member{Seq: uint32(i+x.countBelow(gone, e.UID)) + 1, Entry: *e, More: x.more[e.UID]})
	}
	return buf
}

func contains(list []ModSeq, m ModSeq) bool {
	for _, o := range list {
		if o == m {
			return true
		}
	}
	return false
}

// Tombstones finds what is kept of expunged members, by UID; FETCH may still
// serve their bytes.
func (v *View) Tombstones(ctx context.Context, uids UIDSet) ([]Entry, error) {
	if err := v.mayRead(); err != nil {
		return nil, err
	}
	return v.s.engine.Tombstones(ctx, v.row.ID, uids)
}

// maxReadRuns is how many runs of UIDs a session gathers before it journals
// what it has read.
const maxReadRuns = 256

// NoteRead notes that the session downloaded a message, for the journal.
func (v *View) NoteRead(uid UID) {
	v.readMu.Lock()
	v.read.insert(uid)
	v.readMu.Unlock()
	v.journalReads(maxReadRuns)
}

// journalReads journals what was read when it is more than so many runs of UIDs.
func (v *View) journalReads(runs int) {
	v.readMu.Lock()
	read := v.read
	if len(read) > runs {
		v.read = nil
	}
	v.readMu.Unlock()
	if len(read) > runs {
		v.s.noteReads(v.by, v.row.ID, read)
	}
}

// insert puts uid into the set, wherever it belongs.
func (s *UIDSet) insert(uid UID) {
	list := *s
	i := sort.Search(len(list), func(i int) bool { return list[i].Stop >= uid })
	if i < len(list) && list[i].Start <= uid {
		return
	}
	joinsLeft := i > 0 && list[i-1].Stop+1 == uid
	joinsRight := i < len(list) && list[i].Start-1 == uid
	switch {
	case joinsLeft && joinsRight:
		list[i-1].Stop = list[i].Stop
		*s = slices.Delete(list, i, i+1)
	case joinsLeft:
		list[i-1].Stop = uid
	case joinsRight:
		list[i].Start = uid
	default:
		*s = slices.Insert(list, i, UIDRange{uid, uid})
	}
}
