package sqlite

import (
	"testing"
	"time"

	"tandem/store"
)

// BenchmarkStory tells the story of a message of a journal of a million rows:
// most of them deliveries to INBOX and readings of one message.
func BenchmarkStory(b *testing.B) {
	e, err := Open(b.TempDir(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	s := store.Open(e, store.Options{KeepJournal: 1000 * time.Hour})
	b.Cleanup(func() { s.Close() })
	if err := s.CreateAccounts(b.Context(), []store.NewAccount{{Name: "alice", Hash: "x"}}, false); err != nil {
		b.Fatal(err)
	}
	a, err := s.Account(b.Context(), "alice")
	if err != nil {
		b.Fatal(err)
	}
	m, err := e.MailboxByName(b.Context(), a.ID, "INBOX")
	if err != nil {
		b.Fatal(err)
	}
	inbox := m.ID
	fill(b, e, inbox, 1000)
	by := store.Actor{Account: inbox.Account(), Credential: 1, Session: "s", Protocol: "imap"}
	err = e.write(b.Context(), "fill the journal", 0, func(t *tx) error {
		for i := range store.UID(1_000_000) {
			verb := "insert"
			if i%2 == 1 {
				verb = "read"
			}
			if err := t.journal(by, inbox.Account(), record{verb: verb, mailbox: inbox, uids: store.UIDSet{{Start: 1001 + i/2, Stop: 1001 + i/2}}}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := e.Expunge(b.Context(), by, inbox, store.UIDSet{{Start: 7, Stop: 7}}, false); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		begin := time.Now()
		ids, err := s.FindMessages(b.Context(), inbox.Account(), inbox, "7")
		if err != nil {
			b.Fatal(err)
		}
		story, err := s.Story(b.Context(), ids[0])
		if err != nil || len(story.Events) != 2 || !story.Whole {
			b.Fatal(story, err)
		}
		b.ReportMetric(float64(time.Since(begin).Milliseconds()), "story-ms")
		begin = time.Now()
		if _, err := s.Sessions(b.Context(), inbox.Account(), time.Now().Add(-time.Hour)); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(time.Since(begin).Milliseconds()), "sessions-ms")
	}
}

// BenchmarkUndo takes back a QUIT of a large maildrop.
func BenchmarkUndo(b *testing.B) {
	for _, policy := range []store.DeletePolicy{store.DeleteTrash, store.DeleteExpunge, store.DeleteKeep} {
		b.Run(string(policy), func(b *testing.B) {
			e, inbox := openBench(b)
			fill(b, e, inbox, benchMessages)
			by := store.Actor{Account: inbox.Account(), Credential: 1, Session: "s", Protocol: "pop3"}
			begin := time.Now()
			if _, err := e.Quit(b.Context(), by, inbox, store.Quit{Deleted: store.UIDSet{{Start: 1, Stop: benchMessages}}, Policy: policy}); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(time.Since(begin).Milliseconds()), "quit-ms")
			begin = time.Now()
			got, err := e.Undo(b.Context(), benchActor, "s")
			if err != nil || got.Restored+got.Shown != benchMessages {
				b.Fatal(got, err)
			}
			b.ReportMetric(float64(time.Since(begin).Milliseconds()), "undo-ms")
		})
	}
}
