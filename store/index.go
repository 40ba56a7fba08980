package store

import (
	"context"
	"math"
	"slices"
	"sort"
	"sync"
	"time"
)

// index is the shared in-memory state of one mailbox in use. The rows are the
// truth; it is loaded once and kept current by publish.
type index struct {
	id    MailboxID
	begun chan struct{} // closed when the first session has read the row, or failed
	ready chan struct{} // closed when loaded or failed

	mu       sync.RWMutex
	err      error // why loading failed, set before ready is closed
	loaded   bool
	waiting  []Change // published while loading
	row      Mailbox
	entries  []Entry
	more     map[UID]string
	expunged []Expunge // by modseq; complete for modseqs above floor
	floor    ModSeq
	flagged  ModSeq // of the last flag change
	deleted  bool
	grants   Grants // the ACL, if known: once a session of another account has opened it
	known    bool
	recent   UID // \Recent from here on, live
	views    map[*View]bool
	pending  pendingSet
	lastUsed time.Time

	idle int64 // bytes that it counts in Store.idle; 0 while it is open. Guarded by Store.mu.
}

// pendingSet caches the union of expunges later than a modseq; most sessions
// of a mailbox share it.
type pendingSet struct {
	after  ModSeq
	upto   int // len(expunged) when it was made
	uids   UIDSet
	before []uint32 // how many UIDs are in the ranges before each
}

// acquire registers v with the mailbox's index and sets v's three numbers,
// starting to load the index in the background when it is not in memory.
func (s *Store) acquire(ctx context.Context, v *View, id MailboxID) error {
	for {
		s.mu.Lock()
		x := s.mailboxes[id]
		cold := x == nil
		if cold {
			x = &index{id: id, begun: make(chan struct{}), ready: make(chan struct{}), views: map[*View]bool{}}
			s.mailboxes[id] = x
		}
		s.idle -= x.idle
		x.idle = 0
		x.mu.Lock()
		gone := x.deleted || x.err != nil
		if !gone {
			x.views[v] = true
			x.lastUsed = s.opts.Now()
		}
		if live, ok := s.recent[id]; ok && !gone {
			x.recent = live
		}
		x.mu.Unlock()
		if gone && s.mailboxes[id] == x {
			delete(s.mailboxes, id)
		}
		s.mu.Unlock()
		if gone {
			if _, err := s.engine.Mailbox(ctx, id); err != nil {
				return err
			}
			continue
		}
		v.x = x
		return s.begin(ctx, v, cold)
	}
}

// begin sets the view's three numbers: from memory when the index is loaded,
// else from the row, without waiting for the load. The first session's row is
// read before any other's, so its modseq is where the load starts from.
func (s *Store) begin(ctx context.Context, v *View, cold bool) error {
	x := v.x
	if !cold {
		select {
		case <-x.begun:
		case <-ctx.Done():
			s.release(v)
			return ctx.Err()
		}
	}
	x.mu.Lock()
	if x.loaded {
		v.start(x.row)
		x.mu.Unlock()
		return nil
	}
	x.mu.Unlock()
	row, err := s.engine.Mailbox(ctx, x.id)
	if err != nil {
		s.release(v)
		if cold {
			s.fail(x, err)
			close(x.begun)
		}
		return err
	}
	x.mu.Lock()
	v.start(row)
	x.recent = max(x.recent, row.RecentFrom)
	x.mu.Unlock()
	if cold {
		close(x.begun)
		s.done.Go(func() { s.load(x, row.HighestModSeq) })
	}
	return nil
}

// load brings the index into memory. since is the first view's modseq; a view
// that registers later has a later one or waits.
func (s *Store) load(x *index, since ModSeq) {
	got, err := s.engine.LoadIndex(s.ctx, x.id, since)
	if err != nil {
		s.fail(x, err)
		return
	}
	x.fill(got, since)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rest(x) // its sessions may have left already
}

// fill takes what was loaded and applies what was published meanwhile.
func (x *index) fill(got *LoadedIndex, since ModSeq) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.row, x.entries, x.more, x.expunged = got.Mailbox, got.Entries, got.More, got.Expunges
	x.floor = since
	if x.more == nil {
		x.more = map[UID]string{}
	}
	x.flagged = got.Mailbox.HighestModSeq
	x.recent = max(x.recent, got.Mailbox.RecentFrom)
	x.loaded = true
	for i := range x.waiting {
		if c := &x.waiting[i]; c.ModSeq > got.Mailbox.HighestModSeq || c.Deleted {
			x.apply(c)
		}
	}
	x.waiting = nil
	close(x.ready)
	x.wake()
}

// fail takes an index that could not be loaded out of use; the next session
// tries again.
func (s *Store) fail(x *index, err error) {
	s.mu.Lock()
	if s.mailboxes[x.id] == x {
		delete(s.mailboxes, x.id)
	}
	s.mu.Unlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.err == nil && !x.loaded {
		x.err = err
		// The commit that removed the mailbox may be published after this, when
		// nobody finds the index any more.
		x.deleted = x.deleted || KindOf(err) == NotFound
		close(x.ready)
		x.wake()
	}
}

// release ends a view's hold and frees indexes beyond the memory budget.
func (s *Store) release(v *View) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v.x.mu.Lock()
	delete(v.x.views, v)
	v.x.lastUsed = s.opts.Now()
	v.x.mu.Unlock()
	s.rest(v.x)
}

// rest counts an index that nobody has open, and frees the least recently used
// ones when they are too many. The caller holds s.mu.
func (s *Store) rest(x *index) {
	x.mu.RLock()
	n := int64(cap(x.entries))*entryBytes + indexBytes
	open := len(x.views) > 0 || !x.loaded
	x.mu.RUnlock()
	if open || x.idle > 0 || s.mailboxes[x.id] != x {
		return
	}
	x.idle = n
	s.idle += n
	if s.idle > s.opts.IndexMemory {
		s.evict()
	}
}

// evict drops the least recently used indexes that nobody has open, down to an
// eighth below the budget, so that it is not asked again at once. The caller
// holds s.mu.
func (s *Store) evict() {
	type resting struct {
		x    *index
		used time.Time
	}
	var list []resting
	for _, x := range s.mailboxes {
		if x.idle > 0 {
			x.mu.RLock()
			list = append(list, resting{x, x.lastUsed})
			x.mu.RUnlock()
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].used.Before(list[j].used) })
	for _, r := range list {
		if s.idle <= s.opts.IndexMemory/8*7 {
			return
		}
		delete(s.mailboxes, r.x.id)
		s.idle -= r.x.idle
		r.x.idle = 0
	}
}

const (
	entryBytes = 40
	indexBytes = 1024 // an index's own structures, for the budget
)

// publish applies what a commit changed and wakes the sessions.
func (x *index) publish(changes []Change) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := range changes {
		c := &changes[i]
		if c.ACL {
			x.grants, x.known = c.Grants, true
		}
		if x.loaded {
			x.apply(c)
		} else {
			x.waiting = append(x.waiting, *c)
		}
		x.deleted = x.deleted || c.Deleted
	}
	x.wake()
}

// wake tells every session to look; a wake-up carries no data.
func (x *index) wake() {
	for v := range x.views {
		select {
		case v.wake <- struct{}{}:
		default:
		}
	}
}

func (x *index) apply(c *Change) {
	x.row = c.Mailbox
	for _, f := range c.Flags {
		i, ok := x.find(f.UID)
		if !ok {
			continue
		}
		x.entries[i].Flags, x.entries[i].ModSeq = f.Flags.Bits, c.ModSeq
		x.setMore(f.UID, f.Flags.More)
		x.flagged = c.ModSeq
	}
	if len(c.Expunged) > 0 {
		x.remove(c.Expunged)
		x.expunged = append(x.expunged, Expunge{c.ModSeq, c.Expunged})
		x.trimExpunged()
	}
	x.entries = append(x.entries, c.Added...)
	for uid, more := range c.More {
		x.setMore(uid, more)
	}
}

func (x *index) setMore(uid UID, more string) {
	if more != "" {
		x.more[uid] = more
	} else {
		delete(x.more, uid)
	}
}

// remove takes the entries of gone out, moving each remaining one once.
func (x *index) remove(gone UIDSet) {
	kept := x.entries[:0]
	from := 0
	for _, r := range gone {
		i := x.search(r.Start)
		kept = append(kept, x.entries[from:i]...)
		from = i + sort.Search(len(x.entries)-i, func(k int) bool { return x.entries[i+k].UID > r.Stop })
		for uid := range x.more {
			if uid >= r.Start && uid <= r.Stop {
				delete(x.more, uid)
			}
		}
	}
	x.entries = append(kept, x.entries[from:]...)
	if cap(x.entries) > 1024 && len(x.entries) < cap(x.entries)/4 {
		x.entries = slices.Clone(x.entries)
	}
}

// trimExpunged forgets expunges that every session has been told.
func (x *index) trimExpunged() {
	told := ModSeq(math.MaxUint64)
	for v := range x.views {
		told = min(told, v.told)
	}
	n := sort.Search(len(x.expunged), func(i int) bool { return x.expunged[i].ModSeq > told })
	if n == 0 || n < len(x.expunged)/2 {
		return
	}
	x.floor = x.expunged[n-1].ModSeq
	x.expunged = slices.Clone(x.expunged[n:])
	x.pending = pendingSet{}
}

// toldByAll gives the modseq up to which all sessions know of expunges.
func (x *index) toldByAll() (told ModSeq, open bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	told = math.MaxUint64
	for v := range x.views {
		told = min(told, v.told)
	}
	return told, len(x.views) > 0
}

// search gives the position of the first entry with a UID of at least uid.
func (x *index) search(uid UID) int {
	return sort.Search(len(x.entries), func(i int) bool { return x.entries[i].UID >= uid })
}

func (x *index) find(uid UID) (int, bool) {
	i := x.search(uid)
	return i, i < len(x.entries) && x.entries[i].UID == uid
}

// expungedAfter gives the UIDs below next removed later than after. The caller
// holds mu for writing.
func (x *index) expungedAfter(after ModSeq, next UID) UIDSet {
	n := len(x.expunged)
	if n == 0 || x.expunged[n-1].ModSeq <= after {
		return nil
	}
	p := &x.pending
	if p.upto != n || p.after != after {
		first := sort.Search(n, func(i int) bool { return x.expunged[i].ModSeq > after })
		*p = pendingSet{after: after, upto: n, uids: unionOf(x.expunged[first:])}
		p.before = make([]uint32, len(p.uids))
		for i := 1; i < len(p.uids); i++ {
			p.before[i] = p.before[i-1] + uint32(p.uids[i-1].Stop-p.uids[i-1].Start) + 1
		}
	}
	return below(p.uids, next)
}

// countBelow counts the UIDs below uid in gone, which is what expungedAfter has
// just given. Sessions may be behind by as many ranges as there are messages.
func (x *index) countBelow(gone UIDSet, uid UID) int {
	i := sort.Search(len(gone), func(k int) bool { return gone[k].Stop >= uid })
	switch {
	case i < len(gone):
		n := int(x.pending.before[i])
		if gone[i].Start < uid {
			n += int(uid - gone[i].Start)
		}
		return n
	case i > 0:
		return int(x.pending.before[i-1]) + int(gone[i-1].Stop-gone[i-1].Start) + 1
	}
	return 0
}

// unionOf merges the sets of several expunges.
func unionOf(list []Expunge) UIDSet {
	if len(list) == 1 {
		return list[0].UIDs
	}
	var all UIDSet
	for _, e := range list {
		all = append(all, e.UIDs...)
	}
	slices.SortFunc(all, func(a, b UIDRange) int { return int(int64(a.Start) - int64(b.Start)) })
	return merged(all)
}

// merged joins touching and overlapping ranges of a sorted list, in place.
func merged(all UIDSet) UIDSet {
	if len(all) == 0 {
		return nil
	}
	out := all[:1]
	for _, r := range all[1:] {
		last := &out[len(out)-1]
		if uint64(r.Start) <= uint64(last.Stop)+1 {
			last.Stop = max(last.Stop, r.Stop)
		} else {
			out = append(out, r)
		}
	}
	return out
}

// below clips a set to UIDs below next.
func below(set UIDSet, next UID) UIDSet {
	n := sort.Search(len(set), func(i int) bool { return set[i].Stop >= next })
	if n == len(set) {
		return set
	}
	if set[n].Start >= next {
		return set[:n:n]
	}
	out := slices.Clone(set[:n+1])
	out[n].Stop = next - 1
	return out
}
