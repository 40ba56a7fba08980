package storetest

import (
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tandem/store"
)

// testRandomRecovery deletes and brings back at random. Whatever is done, what
// was published is what there is, Recently Deleted has what can be brought back,
// every message is somewhere or expunged, no two in a mailbox share a UIDL, and no
// undo makes more of a message than there was.
func testRandomRecovery(t *testing.T, open Open) {
	rapid.Check(t, func(rt *rapid.T) {
		f := newFixture(reporter{t, rt}, open)
		defer func() {
			f.finish()
			f.Engine = nil
		}()
		w := &recoveryWalk{fixture: f, mirrors: map[store.MailboxID]map[store.UID]store.Entry{}, kept: map[store.MessageID]bool{},
			before: map[string]map[store.MessageID]int{}}
		if rapid.Bool().Draw(rt, "from the start") {
			f.must(f.ShowExpunged(f.ctx(), true))
		}
		w.create("work")
		rt.Repeat(map[string]func(*rapid.T){
			"insert": w.insert, "expunge": w.expunge, "quit": w.quit, "move": w.move, "delete a mailbox": w.remove,
			"undo": w.undoOne, "undelete": w.undeleteSome, "time": w.time, "": w.compare,
		})
		f.must(f.ShowExpunged(f.ctx(), true))
		w.compare(rt)
		if shown, ok := w.shown(); ok || len(f.expunged()) > 0 {
			f.equal("shown", f.row(shown).Messages, len(f.expunged()))
		}
	})
}

type recoveryWalk struct {
	*fixture
	mirrors  map[store.MailboxID]map[store.UID]store.Entry
	kept     map[store.MessageID]bool // every message there ever was
	sessions []string
	before   map[string]map[store.MessageID]int // how often INBOX had a message when a session ended
}

func (w *recoveryWalk) pick(rt *rapid.T) store.MailboxID {
	name := rapid.SampledFrom([]string{"INBOX", "work", "Trash"}).Draw(rt, "mailbox")
	m, err := w.MailboxByName(w.ctx(), w.alice, name)
	if err != nil {
		return w.create(name)
	}
	return m.ID
}

func (w *recoveryWalk) uids(rt *rapid.T) store.UIDSet {
	return setOf(rapid.SliceOfNDistinct(rapid.Uint32Range(1, 12), 1, 6, rapid.ID).Draw(rt, "uids"))
}

func setOf(uids []uint32) (s store.UIDSet) {
	slices.Sort(uids)
	for _, u := range uids {
		s.Add(store.UID(u))
	}
	return s
}

func (w *recoveryWalk) insert(rt *rapid.T) {
	id := w.pick(rt)
	for _, uid := range w.put(id, rapid.IntRange(1, 3).Draw(rt, "messages"), 0) {
		w.kept[w.entry(id, uid).Message] = true
	}
}

func (w *recoveryWalk) expunge(rt *rapid.T) {
	w.must(errOf(w.Expunge(w.ctx(), w.by, w.pick(rt), w.uids(rt), false)))
}

func (w *recoveryWalk) quit(rt *rapid.T) {
	by := w.by
	by.Protocol, by.Session = "pop3", "pop"+string(rune('a'+len(w.sessions)))
	policy := rapid.SampledFrom([]store.DeletePolicy{store.DeleteTrash, store.DeleteExpunge, store.DeleteKeep, store.DeleteShared}).Draw(rt, "policy")
	w.before[by.Session] = w.often()
	res, err := w.Quit(w.ctx(), by, w.inbox, store.Quit{Deleted: w.uids(rt), Policy: policy, Retired: retired})
	w.must(err)
	if res.Deleted > 0 {
		w.sessions = append(w.sessions, by.Session)
	}
}

func (w *recoveryWalk) move(rt *rapid.T) {
	w.must(errOf(w.Copy(w.ctx(), w.by, w.pick(rt), w.pick(rt), w.uids(rt), rapid.Bool().Draw(rt, "move"), 0)))
}

func (w *recoveryWalk) remove(rt *rapid.T) {
	if id := w.pick(rt); id != w.inbox {
		w.must(w.DeleteMailbox(w.ctx(), w.by, id))
	}
}

func (w *recoveryWalk) undoOne(rt *rapid.T) {
	if len(w.sessions) == 0 {
		return
	}
	session := rapid.SampledFrom(w.sessions).Draw(rt, "session")
	has := w.often()
	first, err := w.Undo(w.ctx(), w.admin, session)
	w.must(err)
	for message, n := range w.often() {
		if n > max(has[message], w.before[session][message]) {
			w.Fatalf("INBOX has message %d %d times after the undo, %d before, %d before the session", message, n, has[message], w.before[session][message])
		}
	}
	n := first.Restored + first.Shown + first.Already + first.Lost
	for _, filed := range first.Filed {
		n += filed
	}
	w.equal("counted", n, first.Deleted)
	again, err := w.Undo(w.ctx(), w.admin, session)
	w.must(err)
	w.equal("a second undo", again.Restored+again.Shown, 0)
}

// often counts the entries of each message in INBOX.
func (w *recoveryWalk) often() map[store.MessageID]int {
	n := map[store.MessageID]int{}
	for _, e := range w.load(w.inbox).Entries {
		n[e.Message]++
	}
	return n
}

func (w *recoveryWalk) undeleteSome(rt *rapid.T) {
	list := w.expunged()
	if len(list) == 0 {
		return
	}
	x := rapid.SampledFrom(list).Draw(rt, "expunged")
	back, err := w.Undelete(w.ctx(), w.admin, w.alice, []store.Grave{{Mailbox: x.Mailbox, UID: x.UID}})
	w.must(err)
	w.equal("brought back", len(back), 1)
	w.equal("message", w.entry(back[0].Mailbox, back[0].UID).Message, x.Message)
}

func (w *recoveryWalk) time(rt *rapid.T) {
	w.pass(time.Duration(rapid.IntRange(0, 100).Draw(rt, "seconds")) * time.Second)
}

// shown finds Recently Deleted.
func (w *recoveryWalk) shown() (store.MailboxID, bool) {
	rows, err := w.Mailboxes(w.ctx(), w.alice)
	w.must(err)
	i := slices.IndexFunc(rows, func(m store.Mailbox) bool { return m.ID.RecentlyDeleted() })
	if i < 0 {
		return 0, false
	}
	return rows[i].ID, true
}

func (w *recoveryWalk) compare(*rapid.T) {
	for _, c := range w.published() {
		w.follow(&c)
	}
	rows, err := w.Mailboxes(w.ctx(), w.alice)
	w.must(err)
	there := map[store.MessageID]bool{}
	for _, m := range rows {
		got := map[store.UID]store.Entry{}
		for _, e := range w.load(m.ID).Entries {
			got[e.UID] = e
			there[e.Message] = true
		}
		if !maps.Equal(got, w.mirrors[m.ID]) {
			w.Fatalf("%s as published: %v, want %v", m.Name, w.mirrors[m.ID], got)
		}
		w.uniqueUIDLs(m.ID, got)
	}
	for _, x := range w.expunged() {
		there[x.Message] = true
	}
	for message := range w.kept {
		if !there[message] {
			w.Fatalf("message %d is nowhere, nor expunged", message)
		}
	}
}

func (w *recoveryWalk) follow(c *store.Change) {
	mirror := w.mirrors[c.Mailbox.ID]
	if mirror == nil {
		mirror = map[store.UID]store.Entry{}
		w.mirrors[c.Mailbox.ID] = mirror
	}
	for uid := range mirror {
		if contains(c.Expunged, uid) {
			delete(mirror, uid)
		}
	}
	for _, e := range c.Added {
		if _, taken := mirror[e.UID]; taken {
			w.Fatalf("UID %d of mailbox %d is given out again", e.UID, c.Mailbox.ID)
		}
		mirror[e.UID] = e
	}
}

func (w *recoveryWalk) uniqueUIDLs(id store.MailboxID, entries map[store.UID]store.Entry) {
	own, err := w.UIDLs(w.ctx(), id)
	w.must(err)
	seen := map[string]bool{}
	for uid, e := range entries {
		s := own[uid]
		if s == "" {
			s = store.DefaultUIDL(w.StoreID(), e.Message)
		}
		if seen[s] {
			w.Fatalf("two entries of mailbox %d share the UIDL %s", id, s)
		}
		seen[s] = true
	}
}
