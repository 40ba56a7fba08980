package storetest

import (
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tandem/store"
)

// testRandom runs random verbs, as both protocols do them, and compares rows,
// index, expunges and what was published with the model after each.
func testRandom(t *testing.T, open Open) {
	rapid.Check(t, func(rt *rapid.T) {
		f := newFixture(reporter{t, rt}, open)
		defer func() {
			f.finish()
			f.Engine = nil
		}()
		newWalk(f, rt).run()
	})
}

// reporter fails the random run, so that it is made shorter, not the test.
type reporter struct {
	testing.TB
	rt *rapid.T
}

func (r reporter) Helper()                      { r.rt.Helper() }
func (r reporter) Fatal(args ...any)            { r.rt.Fatal(args...) }
func (r reporter) Fatalf(f string, args ...any) { r.rt.Fatalf(f, args...) }
func (r reporter) Errorf(f string, args ...any) { r.rt.Errorf(f, args...) }

// walk is one random run: the store, the model, and mirrors kept by what is
// published alone.
type walk struct {
	*fixture
	rt      *rapid.T
	m       *model
	boxes   []*box
	trash   *box
	mirrors map[store.MailboxID]map[store.UID]store.Entry
	texts   map[store.MessageID]string
}

func newWalk(f *fixture, rt *rapid.T) *walk {
	f.create("a")
	for _, name := range []string{"INBOX", "a", "Trash"} {
		f.grant(f.named(name).ID, f.bob, store.AllRights.String())
	}
	rows, err := f.Mailboxes(f.ctx(), f.alice)
	f.must(err)
	f.published()
	w := &walk{fixture: f, rt: rt, m: newModel(rows), mirrors: map[store.MailboxID]map[store.UID]store.Entry{}, texts: map[store.MessageID]string{}}
	for _, name := range []string{"INBOX", "a", "Trash"} {
		b := w.m.boxes[f.named(name).ID]
		w.boxes = append(w.boxes, b)
		w.mirrors[b.row.ID] = map[store.UID]store.Entry{}
	}
	w.trash = w.boxes[2]
	return w
}

func (w *walk) run() {
	w.rt.Repeat(map[string]func(*rapid.T){
		"insert": w.insert, "insert again": w.insert, "flags": w.flags, "copy": w.copyOrMove, "expunge": w.expunge,
		"quit": w.quit, "time": w.time, "reopen": w.restart, "": w.compare,
	})
}

// box, uids and so on draw what a verb is about.
func (w *walk) box(rt *rapid.T) *box { return rapid.SampledFrom(w.boxes).Draw(rt, "mailbox") }

// someone is alice, or bob, who may do the same with these mailboxes.
func (w *walk) someone(rt *rapid.T) store.Actor {
	return rapid.SampledFrom([]store.Actor{w.by, w.bobActor()}).Draw(rt, "by")
}

func (w *walk) drawUIDs(rt *rapid.T, b *box) store.UIDSet {
	if rapid.IntRange(0, 4).Draw(rt, "all") == 0 {
		return store.AllUIDs()
	}
	picks := rapid.SliceOfNDistinct(rapid.Uint32Range(1, uint32(b.row.UIDNext)+1), 0, 8, rapid.ID[uint32]).Draw(rt, "uids")
	slices.Sort(picks)
	var s store.UIDSet
	for _, p := range picks {
		s.Add(store.UID(p))
	}
	return s
}

func drawFlags(rt *rapid.T) (store.Flags, []string) {
	flags := store.Flags(rapid.IntRange(0, 31).Draw(rt, "flags"))
	keywords := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"k0", "k1", "$Junk", "work"}), 0, 2, rapid.ID[string]).Draw(rt, "keywords")
	return flags, keywords
}

func (w *walk) insert(rt *rapid.T) {
	flags, keywords := drawFlags(rt)
	var list []store.Insertion
	var texts []string
	for range rapid.IntRange(1, 3).Draw(rt, "messages") {
		text := w.text()
		texts = append(texts, text)
		list = append(list, store.Insertion{Mailbox: w.box(rt).row.ID, Body: bodyOf(text), Flags: flags, Keywords: keywords, Internal: w.now()})
	}
	out, err := w.Insert(w.ctx(), w.admin, list, true, 0)
	w.must(err)
	bits := w.m.flags(flags, keywords, true)
	drawn := map[*box]store.ModSeq{}
	for i := range list {
		b := w.m.boxes[list[i].Mailbox]
		if drawn[b] == 0 {
			drawn[b] = w.m.draw(b)
		}
		now := store.ClampTime(w.now())
		uid := b.add(store.Entry{Size: uint32(len(texts[i])), Message: out[i].Message, Flags: bits, Internal: now, Saved: now}, drawn[b])
		w.equal("uid", out[i].UID, uid)
		w.texts[out[i].Message] = texts[i]
	}
}

func (w *walk) flags(rt *rapid.T) {
	b := w.box(rt)
	c := store.FlagsChange{UIDs: w.drawUIDs(rt, b), Op: store.FlagOp(rapid.IntRange(0, 2).Draw(rt, "op"))}
	c.Flags, c.Keywords = drawFlags(rt)
	if rapid.Bool().Draw(rt, "conditional") {
		since := store.ModSeq(rapid.Uint64Range(0, uint64(w.m.modseq)).Draw(rt, "since"))
		c.UnchangedSince = &since
	}
	_, err := w.SetFlags(w.ctx(), w.someone(rt), b.row.ID, c, 0)
	w.must(err)
	w.m.setFlags(b, c)
}

func (w *walk) copyOrMove(rt *rapid.T) {
	from, to := w.box(rt), w.box(rt)
	uids, move := w.drawUIDs(rt, from), rapid.Bool().Draw(rt, "move")
	_, err := w.Copy(w.ctx(), w.someone(rt), from.row.ID, to.row.ID, uids, move, 0)
	w.must(err)
	w.m.copy(from, to, uids, move, store.ClampTime(w.now()), 0)
}

func (w *walk) expunge(rt *rapid.T) {
	b := w.box(rt)
	uids, only := w.drawUIDs(rt, b), rapid.Bool().Draw(rt, "only deleted")
	_, err := w.Expunge(w.ctx(), w.someone(rt), b.row.ID, uids, only)
	w.must(err)
	w.m.expunge(b, uids, only)
}

func (w *walk) quit(rt *rapid.T) {
	b := w.box(rt)
	deleted, seen := w.drawUIDs(rt, b), w.drawUIDs(rt, b)
	policy := rapid.SampledFrom([]store.DeletePolicy{store.DeleteTrash, store.DeleteExpunge, store.DeleteKeep, store.DeleteShared}).Draw(rt, "policy")
	w.must(errOf(w.Quit(w.ctx(), w.by, b.row.ID, store.Quit{Deleted: deleted, Seen: seen, Policy: policy})))
	switch {
	case policy == store.DeleteKeep:
	case policy == store.DeleteExpunge || b == w.trash:
		w.m.expunge(b, deleted, false)
	default:
		w.m.copy(b, w.trash, deleted, true, store.ClampTime(w.now()), store.FlagPOP3Trashed)
	}
	w.m.setFlags(b, store.FlagsChange{UIDs: seen, Op: store.FlagsAdd, Flags: store.FlagSeen})
}

func (w *walk) time(rt *rapid.T) {
	w.pass(time.Duration(rapid.IntRange(-3, 100).Draw(rt, "seconds")) * time.Second)
}

func (w *walk) restart(rt *rapid.T) {
	if rapid.IntRange(0, 9).Draw(rt, "really") == 0 {
		w.reopen()
	}
}

// compare holds the store and what it published against the model.
func (w *walk) compare(*rapid.T) {
	w.follow()
	for _, b := range w.boxes {
		x := w.load(b.row.ID)
		w.equal("row of "+b.row.Name, x.Mailbox, b.expected())
		var want []store.Entry
		for _, uid := range slices.Sorted(maps.Keys(b.entries)) {
			want = append(want, b.entries[uid])
		}
		w.equal("entries of "+b.row.Name, x.Entries, want)
		w.equal("expunges of "+b.row.Name, x.Expunges, b.gone)
		if !maps.Equal(w.mirrors[b.row.ID], b.entries) {
			w.Fatalf("%s as published: %v, want %v", b.row.Name, w.mirrors[b.row.ID], b.entries)
		}
		w.checkUIDLs(b)
	}
	kw, err := w.Keywords(w.ctx(), w.alice)
	w.must(err)
	w.equal("keywords", kw, w.m.keywords)
}

// follow applies what was published to the mirrors, in order.
func (w *walk) follow() {
	for _, c := range w.published() {
		mirror := w.mirrors[c.Mailbox.ID]
		for _, fc := range c.Flags {
			e := mirror[fc.UID]
			if e.ModSeq != fc.Previous {
				w.Fatalf("UID %d had modseq %d, published %d", fc.UID, e.ModSeq, fc.Previous)
			}
			e.Flags, e.ModSeq = fc.Flags.Bits, c.ModSeq
			mirror[fc.UID] = e
		}
		for uid := range mirror {
			if contains(c.Expunged, uid) {
				delete(mirror, uid)
			}
		}
		for _, e := range c.Added {
			mirror[e.UID] = e
		}
	}
}

// checkUIDLs proves that no two entries of a mailbox share a UIDL.
func (w *walk) checkUIDLs(b *box) {
	own, err := w.UIDLs(w.ctx(), b.row.ID)
	w.must(err)
	seen := map[string]store.UID{}
	for uid, e := range b.entries {
		s := own[uid]
		if s == "" {
			s = store.DefaultUIDL(w.StoreID(), e.Message)
		}
		if other, taken := seen[s]; taken {
			w.Fatalf("UIDs %d and %d of %s share the UIDL %s", other, uid, b.row.Name, s)
		}
		seen[s] = uid
	}
}
