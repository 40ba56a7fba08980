package pop3d

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem/store"
)

// walk drives two devices, each in POP3 sessions, and two IMAP sessions over one
// account, and holds every answer against the model.
type walk struct {
	*testing.T
	*world
	*model
	rnd      *rand.Rand
	sessions map[*modelDevice]*modelSession
	imap     [2]*store.View
	quits    map[string]bool // sessions that deleted something
}

// modelSession is a POP3 session.
type modelSession struct {
	*client
	device    *modelDevice
	policy    store.DeletePolicy // of the device at the login
	mark      bool
	drop      []*modelEntry // by number
	deleted   map[*modelEntry]bool
	retrieved map[*modelEntry]bool
}

// TestModel runs random interleavings of two devices' POP3 sessions, under every
// policy and rule, with what IMAP sessions do meanwhile; some of the deletions are
// undone.
func TestModel(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := &walk{T: t, world: newWorld(t).listen(), model: newModel(), rnd: rand.New(rand.NewPCG(seed, 9)),
				sessions: map[*modelDevice]*modelSession{}, quits: map[string]bool{}}
			if _, err := w.store.CreateMailbox(t.Context(), w.by, w.by.Account, store.NewMailbox{Name: "Folder"}); err != nil {
				t.Fatal(err)
			}
			w.connect()
			w.make("a")
			w.make("b")
			steps := []func(){w.put, w.put, w.put, w.imapExpunge, w.imapMove, w.imapSeen, w.set, w.replace, w.upkeep,
				w.login, w.login, w.dele, w.dele, w.dele, w.dele, w.rset, w.list, w.retr, w.retr, w.quit, w.quit, w.quit, w.vanish}
			for range 500 {
				steps[w.rnd.IntN(len(steps))]()
				w.check()
			}
			for _, v := range w.imap {
				v.Close()
			}
		})
	}
}

// connect begins the IMAP sessions.
func (w *walk) connect() {
	w.Helper()
	for i := range w.imap {
		v, err := w.store.View(w.Context(), w.by, w.mailbox("INBOX").ID)
		if err == nil {
			err = v.Load(w.Context())
		}
		if err != nil {
			w.Fatal(err)
		}
		w.imap[i] = v
	}
}

func pick[E any](w *walk, list []E) E { return list[w.rnd.IntN(len(list))] }

// make adds a device with policies of its own.
func (w *walk) make(label string) {
	d := &modelDevice{label: label, born: w.serial + 1, hidden: map[*modelMessage]bool{}}
	w.draw(d)
	w.device(label, deletes(d.policy), sees(d.see), func(n *store.NewCredential) { n.POP3MarkSeen = *marks(d) })
	w.devices = append(w.devices, d)
}

func (w *walk) draw(d *modelDevice) {
	d.policy = pick(w, []store.DeletePolicy{store.DeleteTrash, store.DeleteExpunge, store.DeleteKeep, store.DeleteKeep,
		store.DeleteShared, store.DeleteShared, store.DeleteShared, store.DeleteShared})
	d.see = pick(w, []store.SeeRule{store.SeeAll, store.SeeAll, store.SeeAll, store.SeeAll, store.SeeSinceNow, "days=7", "newest=1", "newest=3"})
	d.mark, d.from = w.rnd.IntN(2) == 0, w.serial+1
}

func marks(d *modelDevice) *store.Switch {
	s := store.SwitchNo
	if d.mark {
		s = store.SwitchYes
	}
	return &s
}

// set changes a device's policies; its session goes on under the old ones.
func (w *walk) set() {
	if w.rnd.IntN(2) == 0 {
		return
	}
	d := pick(w, w.devices)
	w.draw(d)
	err := w.store.UpdateCredential(w.Context(), w.by.Account, d.label, store.CredentialUpdate{POP3Delete: &d.policy, POP3See: &d.see, POP3MarkSeen: marks(d)})
	if err != nil {
		w.Fatal(err)
	}
}

// replace revokes a device, which ends its session, and makes one of the same
// name.
func (w *walk) replace() {
	if w.rnd.IntN(3) > 0 {
		return
	}
	i := w.rnd.IntN(len(w.devices))
	d := w.devices[i]
	if err := w.store.RevokeCredential(w.Context(), w.by.Account, d.label); err != nil {
		w.Fatal(err)
	}
	if s := w.sessions[d]; s != nil {
		s.script("S: -ERR [AUTH] *\nS: EOF")
		delete(w.sessions, d)
	}
	w.devices = slices.Delete(w.devices, i, i+1)
	w.release(slices.Clone(w.inbox().entries))
	w.make(d.label)
}

// upkeep moves what no device holds any more, as it happens when any password is
// revoked.
func (w *walk) upkeep() {
	w.device("other", func(n *store.NewCredential) { n.Scope = store.ScopeSMTP })
	if err := w.store.RevokeCredential(w.Context(), w.by.Account, "other"); err != nil {
		w.Fatal(err)
	}
	w.release(slices.Clone(w.inbox().entries))
}

// put: mail arrives, some of it with an old date.
func (w *walk) put() {
	w.serial++
	text := fmt.Sprintf("N: %d\r\n\r\n%s", w.serial, randomText(w.rnd))
	msg := &modelMessage{serial: w.serial, text: text, old: w.rnd.IntN(4) == 0}
	date := time.Now()
	if msg.old {
		date = date.AddDate(0, -1, 0)
	}
	in := w.store.NewIngest(w.Context(), 0)
	defer in.Close()
	if _, err := in.Write([]byte(text)); err != nil {
		w.Fatal(err)
	}
	body, err := in.Finish()
	if err != nil {
		w.Fatal(err)
	}
	in.Used()
	out, err := w.store.Append(w.Context(), w.by, []store.Insertion{{Mailbox: w.mailbox("INBOX").ID, Body: body, Internal: date}})
	if err != nil {
		w.Fatal(err)
	}
	if e := w.inbox().add(msg, false); out[0].UID != e.uid {
		w.Fatalf("UID %d, want %d", out[0].UID, e.uid)
	}
}

// some gives one or more entries of a mailbox, by UID.
func (w *walk) some(name string) (list []*modelEntry, uids store.UIDSet) {
	for _, e := range w.boxes[name].entries {
		if w.rnd.IntN(3) == 0 {
			list = append(list, e)
			uids.Add(e.uid)
		}
	}
	return list, uids
}

func (w *walk) imapExpunge() {
	list, uids := w.some("INBOX")
	if len(list) > 2 {
		return // mail is for POP3
	}
	v := pick(w, w.imap[:])
	if _, err := v.SetFlags(w.Context(), store.FlagsChange{UIDs: uids, Op: store.FlagsAdd, Flags: store.FlagDeleted}); err != nil {
		w.Fatal(err)
	}
	if _, err := v.Expunge(w.Context(), uids); err != nil {
		w.Fatal(err)
	}
	for _, e := range list {
		w.inbox().remove(e)
	}
}

// imapMove files mail elsewhere, or takes it back, from the trash too.
func (w *walk) imapMove() {
	where := pick(w, [][2]string{{"INBOX", "Folder"}, {"Folder", "INBOX"}, {"Trash", "INBOX"}})
	list, uids := w.some(where[0])
	if len(list) > 4 {
		return
	}
	w.with(where[0], func(v *store.View) {
		if _, err := v.Copy(w.Context(), w.mailbox(where[1]).ID, uids, true); err != nil {
			w.Fatal(err)
		}
	})
	w.move(where[0], where[1], list)
}

func (w *walk) imapSeen() {
	list, uids := w.some("INBOX")
	op := pick(w, []store.FlagOp{store.FlagsAdd, store.FlagsRemove})
	if _, err := pick(w, w.imap[:]).SetFlags(w.Context(), store.FlagsChange{UIDs: uids, Op: op, Flags: store.FlagSeen}); err != nil {
		w.Fatal(err)
	}
	for _, e := range list {
		e.seen = op == store.FlagsAdd
	}
}

func (w *walk) login() {
	d := pick(w, w.devices)
	if w.sessions[d] != nil {
		return
	}
	s := &modelSession{client: w.as(d.label), device: d, policy: d.policy, mark: d.mark, drop: w.view(d),
		deleted: map[*modelEntry]bool{}, retrieved: map[*modelEntry]bool{}}
	d.listed = w.inbox().next
	w.sessions[d] = s
	w.listing(s)
}

// session gives one of the sessions, nil if there is none.
func (w *walk) session() *modelSession { return w.sessions[pick(w, w.devices)] }

func (w *walk) list() {
	if s := w.session(); s != nil {
		w.listing(s)
	}
}

// listing compares STAT, LIST and UIDL.
func (w *walk) listing(s *modelSession) {
	w.Helper()
	var count, octets int
	var list strings.Builder
	for i, e := range s.drop {
		if !s.deleted[e] {
			count, octets = count+1, octets+len(e.text)
			fmt.Fprintf(&list, "%d %d\r\n", i+1, len(e.text))
		}
	}
	s.script(fmt.Sprintf("C: STAT\nS: +OK %d %d\nC: LIST\nS: +OK*", count, octets))
	if got := s.body(); got != list.String() {
		w.Fatalf("LIST:\n%swant\n%s", got, list.String())
	}
	s.script("C: UIDL\nS: +OK*")
	got := s.body()
	list.Reset()
	lines := strings.Split(got, "\r\n")
	for i, e := range s.drop {
		if s.deleted[e] {
			continue
		}
		if e.uidl == "" && len(lines) > 0 {
			_, e.uidl, _ = strings.Cut(lines[0], " ")
		}
		lines = lines[min(1, len(lines)):]
		fmt.Fprintf(&list, "%d %s\r\n", i+1, e.uidl)
	}
	if got != list.String() {
		w.Fatalf("UIDL:\n%swant\n%s", got, list.String())
	}
}

// number gives a message number, maybe one too high, and its message unless it is
// marked.
func (w *walk) number(s *modelSession) (int, *modelEntry) {
	n := w.rnd.IntN(len(s.drop) + 1)
	if n == len(s.drop) || s.deleted[s.drop[n]] {
		return n + 1, nil
	}
	return n + 1, s.drop[n]
}

func (w *walk) dele() {
	s := w.session()
	if s == nil {
		return
	}
	n, e := w.number(s)
	want := "-ERR*"
	if e != nil {
		want, s.deleted[e] = "+OK*", true
	}
	s.script(fmt.Sprintf("C: DELE %d\nS: %s", n, want))
}

func (w *walk) rset() {
	if s := w.session(); s != nil && w.rnd.IntN(3) == 0 {
		s.script("C: RSET\nS: +OK*")
		clear(s.deleted)
	}
}

func (w *walk) retr() {
	s := w.session()
	if s == nil {
		return
	}
	n, e := w.number(s)
	if e == nil {
		s.script(fmt.Sprintf("C: RETR %d\nS: -ERR*", n))
		return
	}
	s.script(fmt.Sprintf("C: RETR %d\nS: +OK %d octets", n, len(e.text)))
	want := e.text
	if !strings.HasSuffix(want, "\n") {
		want += "\r\n"
	}
	if got := readBody(s.client); got != want {
		w.Fatalf("RETR %d: %q, want %q", n, got, want)
	}
	s.retrieved[e] = true
}

func (w *walk) quit() {
	s := w.session()
	if s == nil {
		return
	}
	s.script("C: QUIT\nS: +OK*\nS: EOF")
	delete(w.sessions, s.device)
	var deleted, retrieved []*modelEntry
	for _, e := range s.drop {
		if s.deleted[e] {
			deleted = append(deleted, e)
		}
		if s.retrieved[e] {
			retrieved = append(retrieved, e)
		}
	}
	list, gone := w.model.quit(s.device, s.policy, deleted, retrieved, s.mark)
	if len(list) == 0 {
		return
	}
	if session := w.lastQuit(); w.rnd.IntN(3) == 0 {
		w.check()
		w.undo(session, len(list), len(gone))
		w.model.undo(s.device, s.policy, list, gone)
	}
}

// lastQuit finds the session that has just deleted something.
func (w *walk) lastQuit() (session string) {
	w.Helper()
	list, err := w.store.Sessions(w.Context(), w.by.Account, time.Time{})
	if err != nil {
		w.Fatal(err)
	}
	for _, p := range list {
		if p.Policy != "" && !w.quits[p.Session] {
			session = p.Session
			w.quits[session] = true
		}
	}
	return session
}

// undo takes a session's deletions back, and tries it again in vain.
func (w *walk) undo(session string, deleted, left int) {
	w.Helper()
	for _, want := range [][2]int{{left, deleted - left}, {0, 0}} {
		got, err := w.store.Undo(w.Context(), w.by, session)
		if err != nil {
			w.Fatal(err)
		}
		if got.Restored != want[0] || got.Shown != want[1] || got.Deleted != deleted || got.Lost > 0 {
			w.Fatalf("undone %+v, want %d restored and %d shown of %d", got, want[0], want[1], deleted)
		}
	}
}

// vanish: the connection breaks.
func (w *walk) vanish() {
	if s := w.session(); s != nil {
		s.Close()
		delete(w.sessions, s.device)
	}
}

// check compares what the IMAP sessions see, and the other mailboxes.
func (w *walk) check() {
	w.Helper()
	for name, b := range w.boxes {
		var want []store.UID
		for _, e := range b.entries {
			want = append(want, e.uid)
		}
		if got := w.uids(name); !slices.Equal(got, want) {
			w.Fatalf("%s has %v, want %v", name, got, want)
		}
	}
	for i, v := range w.imap {
		v.Advance(store.Reach{Expunges: true, Flags: true, New: true})
		list := v.ByUID(store.AllUIDs()[0], make([]store.Member, 0, 1000))
		if len(list) != len(w.inbox().entries) {
			w.Fatalf("IMAP session %d sees %d messages, want %d", i, len(list), len(w.inbox().entries))
		}
		for k, e := range w.inbox().entries {
			if m := &list[k]; m.UID != e.uid || int(m.Size) != len(e.text) || m.Flags&store.FlagSeen != 0 != e.seen {
				w.Fatalf("IMAP session %d sees %+v, want UID %d, %d octets, seen %v", i, list[k].Entry, e.uid, len(e.text), e.seen)
			}
		}
	}
}
