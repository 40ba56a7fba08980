package sqlite

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tandem/store"
)

// home is a store with the account alice, as the front ends have it.
type home struct {
	*testing.T
	s     *store.Store
	alice store.Account
	imap  store.Actor
	ahead time.Duration // of the clock
}

func newHome(t *testing.T, opts store.Options) *home {
	h := &home{T: t}
	opts.Now = func() time.Time { return time.Now().Add(h.ahead) }
	e, err := Open(t.TempDir(), Options{Now: opts.Now})
	h.must(err)
	h.s = store.Open(e, opts)
	t.Cleanup(func() { h.must(h.s.Close()) })
	h.must(h.s.CreateAccounts(t.Context(), []store.NewAccount{{Name: "alice", Hash: "x"}}, false))
	h.alice, err = h.s.Account(t.Context(), "alice")
	h.must(err)
	h.imap = store.Actor{Account: h.alice.ID, Credential: 1, Session: "imap1", Protocol: "imap", Remote: "192.0.2.1"}
	return h
}

func (h *home) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *home) mailbox(name string) store.Mailbox {
	h.Helper()
	m, err := h.s.Mailbox(h.Context(), h.imap, name)
	h.must(err)
	return m
}

// view opens a mailbox, for the length of the test.
func (h *home) view(by store.Actor, name string) *store.View {
	h.Helper()
	v, err := h.s.View(h.Context(), by, h.mailbox(name).ID)
	h.must(err)
	h.must(v.Load(h.Context()))
	return v
}

func (h *home) deliver(subject string) {
	h.Helper()
	out, err := h.s.Deliver(h.Context(), store.Actor{Session: "lmtp1", Protocol: "lmtp"},
		[]store.Insertion{{Mailbox: h.mailbox("INBOX").ID, Body: bodyOf(subject)}})
	h.must(err)
	h.must(out[0].Err)
}

// noteRead closes a view that has read a message and waits for the journal.
func (h *home) noteRead(v *store.View, by store.Actor, uid store.UID) {
	h.Helper()
	v.NoteRead(uid)
	v.Close()
	for deadline := time.Now().Add(10 * time.Second); ; {
		list, err := h.s.Sessions(h.Context(), h.alice.ID, time.Time{})
		h.must(err)
		for _, p := range list {
			if p.Session == by.Session && p.Fetched > 0 {
				return
			}
		}
		if time.Now().After(deadline) {
			h.Fatal("the reading is not in the journal")
		}
	}
}

func one(uid store.UID) store.UIDSet { return store.UIDSet{{Start: uid, Stop: uid}} }

func TestStory(t *testing.T) {
	h := newHome(t, store.Options{})
	h.deliver("another")
	h.deliver("hello")
	work, err := h.s.CreateMailbox(t.Context(), h.imap, h.imap.Account, store.NewMailbox{Name: "Work"})
	h.must(err)
	v := h.view(h.imap, "INBOX")
	_, err = v.SetFlags(t.Context(), store.FlagsChange{UIDs: one(2), Op: store.FlagsAdd, Flags: store.FlagSeen})
	h.must(err)
	v.Close()
	pop := store.Actor{Account: h.alice.ID, Credential: 1, Session: "pop1", Protocol: "pop3", Remote: "192.0.2.2"}
	v = h.view(pop, "INBOX")
	_, err = v.Quit(t.Context(), store.Quit{Deleted: one(2), Policy: store.DeleteTrash})
	h.must(err)
	h.noteRead(v, pop, 2)
	h.ahead += time.Hour
	_, err = h.s.Undo(t.Context(), store.Actor{Protocol: "admin"}, "pop1")
	h.must(err)
	v = h.view(h.imap, "INBOX")
	_, err = v.Copy(t.Context(), work.ID, one(3), true)
	h.must(err)
	v.Close()
	v = h.view(h.imap, "Work")
	_, err = v.SetFlags(t.Context(), store.FlagsChange{UIDs: one(1), Op: store.FlagsAdd, Flags: store.FlagDeleted})
	h.must(err)
	_, err = v.Expunge(t.Context(), one(1))
	h.must(err)
	v.Close()

	for _, name := range []string{"2", "<hello@example.org>", "hello@example.org"} {
		ids, err := h.s.FindMessages(t.Context(), h.alice.ID, h.mailbox("INBOX").ID, name)
		h.must(err)
		if len(ids) != 1 {
			t.Fatalf("%s finds %v", name, ids)
		}
		story, err := h.s.Story(t.Context(), ids[0])
		h.must(err)
		var got []string
		for _, e := range story.Events {
			line := fmt.Sprintf("%s %s %s/%d", e.Protocol, e.Act, story.Names[e.Mailbox], e.UID)
			if e.To.UID != 0 {
				line += fmt.Sprintf(" %s/%d", story.Names[e.To.Mailbox], e.To.UID)
			}
			if e.By != nil {
				line += " " + e.By.Account
			}
			got = append(got, strings.TrimSpace(line+" "+e.Detail))
		}
		want := `lmtp delivered INBOX/2
imap flagged INBOX/2 alice +\Seen
pop3 downloaded INBOX/2 alice
pop3 trashed INBOX/2 Trash/1 alice
admin brought back INBOX/2 INBOX/3
imap moved INBOX/3 Work/1 alice
imap flagged Work/1 alice +\Deleted
imap expunged Work/1 alice`
		if strings.Join(got, "\n") != want || !story.Whole {
			t.Fatalf("story of %s (whole: %v)\n%s\nwant\n%s", name, story.Whole, strings.Join(got, "\n"), want)
		}
	}
	if _, err := h.s.FindMessages(t.Context(), h.alice.ID, h.mailbox("INBOX").ID, "99"); store.KindOf(err) != store.NotFound {
		t.Fatalf("a message that is not there: %v", err)
	}
}

func TestSessions(t *testing.T) {
	h := newHome(t, store.Options{})
	h.deliver("one")
	h.deliver("two")
	pop := store.Actor{Account: h.alice.ID, Credential: 1, Session: "pop1", Protocol: "pop3", Remote: "192.0.2.2"}
	v := h.view(pop, "INBOX")
	_, err := v.Quit(t.Context(), store.Quit{Deleted: one(2), Policy: store.DeleteExpunge})
	h.must(err)
	v.Close()
	h.ahead += time.Hour
	defer h.s.BeginSession(h.imap, func() {})()
	list, err := h.s.Sessions(t.Context(), h.alice.ID, time.Time{})
	h.must(err)
	if len(list) != 2 || list[0].Session != "imap1" || !list[0].Open || list[0].Deleted != 0 ||
		list[1].Session != "pop1" || list[1].Open || list[1].Deleted != 1 || list[1].Policy != store.DeleteExpunge || list[1].Undone ||
		list[1].By == nil || list[1].By.Account != "alice" || list[1].Remote != "192.0.2.2" {
		t.Fatalf("sessions %+v", list)
	}
	_, err = h.s.Undo(t.Context(), store.Actor{Protocol: "admin"}, "pop1")
	h.must(err)
	list, err = h.s.Sessions(t.Context(), h.alice.ID, time.Time{})
	h.must(err)
	if len(list) != 2 || !list[1].Undone || list[1].Acts[0].Mailbox != "INBOX" {
		t.Fatalf("sessions after the undo %+v", list[1])
	}
	if list, err = h.s.Sessions(t.Context(), h.alice.ID, h.s.Now().Add(-time.Minute)); err != nil || len(list) != 1 {
		t.Fatalf("%d sessions since an hour later, %v", len(list), err)
	}
}
