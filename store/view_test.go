package store

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// mirror is what a client believes of a mailbox, from what it was told.
type mirror struct {
	view  *View
	uids  []UID
	flags map[UID]Flags
}

// world is one mailbox with the committed truth and several sessions.
type world struct {
	x      *index
	s      *Store
	uids   []UID
	flags  map[UID]Flags
	modseq ModSeq
	next   UID
	mirror []*mirror
}

func newWorld() *world {
	s := &Store{mailboxes: map[MailboxID]*index{}, keywords: map[AccountID][]string{}, recent: map[MailboxID]UID{}}
	s.opts.setDefaults()
	x := &index{id: 1, ready: make(chan struct{}), views: map[*View]bool{}, loaded: true, more: map[UID]string{}}
	close(x.ready)
	x.row = Mailbox{ID: 1, UIDNext: 1, HighestModSeq: 1}
	s.mailboxes[1] = x
	return &world{x: x, s: s, flags: map[UID]Flags{}, modseq: 1, next: 1}
}

func (w *world) publish(c Change) {
	w.modseq++
	c.ModSeq = w.modseq
	for i := range c.Added {
		c.Added[i].ModSeq = w.modseq
	}
	c.Mailbox = Mailbox{ID: 1, UIDNext: w.next, HighestModSeq: w.modseq, Messages: len(w.uids)}
	w.x.publish([]Change{c})
}

func (w *world) add(n int) {
	var c Change
	for range n {
		c.Added = append(c.Added, Entry{UID: w.next})
		w.uids = append(w.uids, w.next)
		w.flags[w.next] = 0
		w.next++
	}
	w.publish(c)
}

func (w *world) expunge(uids []UID) {
	var c Change
	for _, u := range uids {
		c.Expunged.Add(u)
		delete(w.flags, u)
	}
	w.uids = slices.DeleteFunc(w.uids, func(u UID) bool { return slices.Contains(uids, u) })
	w.publish(c)
}

func (w *world) flag(uids []UID, f Flags) {
	var c Change
	for _, u := range uids {
		c.Flags = append(c.Flags, FlagChange{UID: u, Flags: FlagSet{Bits: f}})
		w.flags[u] = f
	}
	w.publish(c)
}

func (w *world) open() {
	v := &View{s: w.s, x: w.x, wake: make(chan struct{}, 1)}
	w.x.mu.Lock()
	w.x.views[v] = true
	v.start(w.x.row)
	w.x.mu.Unlock()
	m := &mirror{view: v, uids: slices.Clone(w.uids), flags: map[UID]Flags{}}
	for u, f := range w.flags {
		m.flags[u] = f
	}
	w.mirror = append(w.mirror, m)
}

// hear applies what a client would be told.
func (m *mirror) hear(t *rapid.T, expunge bool) {
	d := m.view.Advance(Reach{Expunges: expunge, Flags: true, New: true})
	for i := 0; i < len(d.Gone); {
		page := m.view.Runs(&d, i, make([]SeqRun, 0, 2))
		for _, r := range page {
			for range r.Count {
				if int(r.Seq) > len(m.uids) {
					t.Fatalf("EXPUNGE %d of %d", r.Seq, len(m.uids))
				}
				m.uids = slices.Delete(m.uids, int(r.Seq)-1, int(r.Seq))
			}
		}
		i += len(page)
	}
	if d.Flags {
		for from := UID(1); ; {
			page := m.view.Changed(&d, from, make([]Member, 0, 3))
			for _, c := range page {
				if m.uids[c.Seq-1] != c.UID {
					t.Fatalf("FETCH %d (UID %d), the client has UID %d there", c.Seq, c.UID, m.uids[c.Seq-1])
				}
				m.flags[c.UID] = c.Flags
			}
			if len(page) < 3 {
				break
			}
			from = page[2].UID + 1
		}
	}
	if d.Grew {
		// The client fetches what is new; gone ones are members too until told.
		for seq := uint32(len(m.uids)) + 1; seq <= d.Exists; {
			page := m.view.BySeq(seq, d.Exists, make([]Member, 0, 2))
			if len(page) == 0 {
				t.Fatalf("EXISTS %d, but no member %d", d.Exists, seq)
			}
			for _, c := range page {
				m.uids = append(m.uids, c.UID)
				m.flags[c.UID] = c.Flags
			}
			seq += uint32(len(page))
		}
	}
}

// agree checks every way to ask the view against the client's list.
func (m *mirror) agree(t *rapid.T) {
	if n := m.view.Len(); int(n) != len(m.uids) {
		t.Fatalf("Len %d, the client has %d", n, len(m.uids))
	}
	for seq := uint32(1); int(seq) <= len(m.uids); seq++ {
		got := m.view.BySeq(seq, seq, make([]Member, 0, 1))
		if len(got) != 1 || got[0].UID != m.uids[seq-1] || got[0].Seq != seq {
			t.Fatalf("BySeq(%d) = %v, want UID %d", seq, got, m.uids[seq-1])
		}
	}
	for i, uid := range m.uids {
		if n := m.view.Rank(uid); int(n) != i {
			t.Fatalf("Rank(%d) = %d, want %d", uid, n, i)
		}
	}
	if r, ok := m.view.Span(1, 1<<32-1); ok != (len(m.uids) > 0) || ok && (r.Start != m.uids[0] || r.Stop != m.uids[len(m.uids)-1]) {
		t.Fatalf("Span of all is %v %v, the client has %v", r, ok, m.uids)
	}
	all := m.view.ByUID(UIDRange{1, 1<<32 - 1}, make([]Member, 0, len(m.uids)+5))
	if len(all) != len(m.uids) {
		t.Fatalf("ByUID gives %d, want %d", len(all), len(m.uids))
	}
	for i, c := range all {
		if c.UID != m.uids[i] || int(c.Seq) != i+1 {
			t.Fatalf("ByUID[%d] = %v, want UID %d", i, c, m.uids[i])
		}
	}
}

// pick draws some of the uids, ascending.
func pick(t *rapid.T, uids []UID) []UID {
	var out []UID
	for _, u := range uids {
		if rapid.IntRange(0, 2).Draw(t, "pick") == 0 {
			out = append(out, u)
		}
	}
	return out
}

// TestViewsAgreeWithWhatIsTold: whatever happens to a mailbox, and whenever a
// session hears of it, its sequence numbers are those its client derives.
func TestViewsAgreeWithWhatIsTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		w.add(rapid.IntRange(1, 8).Draw(t, "start"))
		w.open()
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				w.add(rapid.IntRange(1, 3).Draw(t, "add"))
			case 1:
				if uids := pick(t, w.uids); len(uids) > 0 {
					w.expunge(uids)
				}
			case 2:
				if uids := pick(t, w.uids); len(uids) > 0 {
					w.flag(uids, Flags(rapid.IntRange(0, 15).Draw(t, "flags")))
				}
			case 3:
				w.open()
			default:
				m := w.mirror[rapid.IntRange(0, len(w.mirror)-1).Draw(t, "who")]
				m.hear(t, rapid.Bool().Draw(t, "expunge"))
			}
			for _, m := range w.mirror {
				m.agree(t)
			}
		}
		for _, m := range w.mirror {
			m.hear(t, true)
			m.agree(t)
			if !slices.Equal(m.uids, w.uids) {
				t.Fatalf("after all is told the client has %v, the mailbox %v", m.uids, w.uids)
			}
			for u, f := range w.flags {
				if m.flags[u] != f {
					t.Fatalf("UID %d: the client has flags %b, the mailbox %b", u, m.flags[u], f)
				}
			}
		}
	})
}

// TestOwnChangesAreNotToldTwice: what a session tells by itself is passed over.
func TestOwnChangesAreNotToldTwice(t *testing.T) {
	w := newWorld()
	w.add(3)
	w.open()
	v := w.mirror[0].view
	w.flag([]UID{1}, FlagSeen)
	v.Own(w.modseq)
	w.flag([]UID{2}, FlagFlagged)
	d := v.Advance(Reach{Expunges: true, Flags: true, New: true})
	page := v.Changed(&d, 1, make([]Member, 0, 10))
	if len(page) != 1 || page[0].UID != 2 {
		t.Fatalf("told of %v, want UID 2 alone", page)
	}
	if d = v.Advance(Reach{Expunges: true, Flags: true, New: true}); d.Flags {
		t.Fatal("told twice")
	}
}

func TestFlagSetKeywordsBeyondTheInlineOnes(t *testing.T) {
	var f FlagSet
	for _, n := range []int{0, 54, 55, 62, 63, 499} {
		f = f.With(n, true)
		if !f.Has(n) {
			t.Errorf("keyword %d is not set", n)
		}
	}
	if f.Has(56) || f.Bits&FlagMore == 0 {
		t.Errorf("flags %v", f)
	}
	for _, n := range []int{499, 63, 62, 55} {
		f = f.With(n, false)
	}
	if f.More != "" || f.Bits&FlagMore != 0 || !f.Has(54) {
		t.Errorf("after clearing: %v", f)
	}
}

func TestCanonicalMailboxName(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"inbox", "INBOX"}, {"Inbox/a", "INBOX/a"}, {"inboxes", "inboxes"}, {"a/inbox", "a/inbox"}, {"Entwürfe", "Entwürfe"},
	} {
		if got, err := CanonicalMailboxName(c.in); err != nil || got != c.want {
			t.Errorf("%q: %q, %v; want %q", c.in, got, err, c.want)
		}
	}
	for _, bad := range []string{"", "/a", "a/", "a//b", "a*", "a%b", "a\x00", "a\r\n", "\xff", string(make([]byte, 300))} {
		if got, err := CanonicalMailboxName(bad); err == nil {
			t.Errorf("%q was taken as %q", bad, got)
		}
	}
}

// TestUIDSetInsert: whatever the order, a set is ranges in ascending order that
// do not touch.
func TestUIDSetInsert(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		uids := rapid.SliceOf(rapid.Uint32Range(1, 30)).Draw(t, "uids")
		var got, want UIDSet
		for _, u := range uids {
			got.insert(UID(u))
		}
		slices.Sort(uids)
		for _, u := range slices.Compact(uids) {
			want.Add(UID(u))
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%v give %v, want %v", uids, got, want)
		}
	})
}
