package sqlite

import (
	"testing"
	"testing/synctest"
	"time"

	"tandem/store"
)

const day = 24 * time.Hour

// TestTrashIsEmptied lets weeks pass: what POP3 deleted goes from Trash after 30
// days there, what a user filed after its own time, and all of it can be undone.
func TestTrashIsEmptied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHome(t, store.Options{POP3Trash: 30 * day, KeepTrash: 60 * day, KeepExpunged: 20 * day, PruneEvery: 6 * time.Hour})
		h.deliver("old")
		h.deliver("filed")
		h.deliver("later")
		time.Sleep(100 * day)
		pop := store.Actor{Account: h.alice.ID, Credential: 1, Session: "pop1", Protocol: "pop3"}
		take := func(uid store.UID) {
			v := h.view(pop, "INBOX")
			_, err := v.Quit(t.Context(), store.Quit{Deleted: one(uid), Policy: store.DeleteTrash})
			h.must(err)
			v.Close()
		}
		want := func(messages int) {
			t.Helper()
			if n := h.mailbox("Trash").Messages; n != messages {
				t.Fatalf("%d messages in Trash, want %d", n, messages)
			}
		}
		take(1)
		v := h.view(h.imap, "INBOX")
		_, err := v.Copy(t.Context(), h.mailbox("Trash").ID, one(2), true)
		h.must(err)
		v.Close()
		time.Sleep(10 * day)
		pop.Session = "pop2"
		take(3)
		time.Sleep(19 * day)
		want(3)
		time.Sleep(2 * day)
		want(2) // 31 days after pop1
		time.Sleep(10 * day)
		want(1) // 31 days after pop2
		u, err := h.s.Undo(t.Context(), store.Actor{Protocol: "admin"}, "pop2")
		h.must(err)
		if u.Restored != 1 || h.mailbox("INBOX").Messages != 1 {
			t.Fatalf("undone %+v", u)
		}
		time.Sleep(20 * day)
		want(0) // 61 days after it was filed
		for m, err := range h.s.Expunged(t.Context(), h.alice.ID, store.ExpungedFilter{}) {
			h.must(err)
			if m.Subject != "filed" || m.Name != "Trash" {
				t.Fatalf("expunged %+v", m)
			}
		}
		story, err := h.s.Story(t.Context(), h.oneMessage("Trash", 2))
		h.must(err)
		if last := story.Events[len(story.Events)-1]; last.Act != store.ActEmptied {
			t.Fatalf("the story ends with %+v", last)
		}
	})
}

// oneMessage finds the message of a UID.
func (h *home) oneMessage(mailbox string, uid store.UID) store.MessageID {
	h.Helper()
	ids, err := h.s.FindMessages(h.Context(), h.alice.ID, h.mailbox(mailbox).ID, uidText(uid))
	h.must(err)
	return ids[0]
}

func uidText(uid store.UID) string { return one(uid).String() }

// TestReadsAreJournalledWhileASessionIsOpen reads in a session that stays open.
func TestReadsAreJournalledWhileASessionIsOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHome(t, store.Options{})
		h.deliver("one")
		v := h.view(h.imap, "INBOX")
		defer v.Close()
		v.NoteRead(1)
		time.Sleep(time.Minute)
		synctest.Wait()
		list, err := h.s.Sessions(t.Context(), h.alice.ID, time.Time{})
		h.must(err)
		if len(list) != 1 || list[0].Fetched != 1 {
			t.Fatalf("sessions %+v", list)
		}
	})
}
