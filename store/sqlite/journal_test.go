package sqlite

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tandem/store"
)

// TestJournal proves that each verb writes one row that says what it did, and
// that one which changes nothing writes none.
func TestJournal(t *testing.T) {
	b := openBox(t, t.TempDir(), Options{})
	by := store.Actor{Account: b.inbox.Account(), Credential: 3, Session: "s9", Protocol: "imap", Remote: "127.0.0.1:9"}
	owner := by.Account
	all := store.AllUIDs()
	one := store.UIDSet{{Start: 1, Stop: 1}}
	ctx := t.Context()
	b.must(errOf(b.Insert(ctx, by, []store.Insertion{{Mailbox: b.inbox, Body: bodyOf("1")}, {Mailbox: b.inbox, Body: bodyOf("2")}}, true, 0)))
	b.must(errOf(b.SetFlags(ctx, by, b.inbox, store.FlagsChange{UIDs: all, Flags: store.FlagSeen, Keywords: []string{"k"}}, 0)))
	b.must(errOf(b.SetFlags(ctx, by, b.inbox, store.FlagsChange{UIDs: all, Flags: store.FlagSeen}, 0))) // changes nothing
	made, err := b.CreateMailbox(ctx, by, owner, store.NewMailbox{Name: "a"}, 0)
	b.must(err)
	b.must(errOf(b.Copy(ctx, by, b.inbox, made.ID, all, false, 0)))
	b.must(errOf(b.Copy(ctx, by, made.ID, b.inbox, one, true, 0)))
	b.must(errOf(b.Expunge(ctx, by, b.inbox, one, false)))
	b.must(errOf(b.Expunge(ctx, by, b.inbox, one, false))) // changes nothing
	_, err = b.Quit(ctx, by, b.inbox, store.Quit{Deleted: store.UIDSet{{Start: 2, Stop: 2}}, Seen: all, Policy: store.DeleteTrash})
	b.must(err)
	b.must(b.NoteReads(ctx, by, b.inbox, store.UIDSet{{Start: 3, Stop: 5}, {Start: 9, Stop: 9}}))
	b.must(b.RenameMailbox(ctx, by, made.ID, "b", 0))
	b.must(b.DeleteMailbox(ctx, by, made.ID))

	var got []string
	b.must(b.read(ctx, "test", func(c *conn) error {
		return c.query(`SELECT verb, uids, other_uids, detail, credential, session, protocol, remote, account FROM journal ORDER BY n`, func(r row) error {
			if r.int(4) != 3 || r.text(5) != "s9" || r.text(6) != "imap" || r.text(7) != "127.0.0.1:9" || store.AccountID(r.int(8)) != owner {
				t.Errorf("row %v does not say who", r)
			}
			got = append(got, fmt.Sprintf("%s|%s|%s|%s", r.text(0), r.text(1), r.text(2), strings.ReplaceAll(r.text(3), "\n", "/")))
			return nil
		})
	}))
	want := []string{"insert|1:2||", `flags|1:2||+\Seen k`, "create|||a", "copy|1:2|1:2|", "move|1|3|", "expunge|1||", "quit|2|1|trash/next 4",
		"read|3:5,9||", "rename|||a/b", "delete|2||b"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Fatalf("journal:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// errOf drops a result.
func errOf[T any](_ T, err error) error { return err }

func TestTheJournalForgetsOldRows(t *testing.T) {
	now := time.Unix(1e9, 0)
	b := openBox(t, t.TempDir(), Options{Now: func() time.Time { return now }})
	for i := range pruneJournalRows + 20 {
		b.sql("INSERT INTO journal (account, n, time, verb, credential, session, protocol, remote) VALUES (1, ?, ?, 'read', 0, '', '', '')", i-5000, now.Unix()-3600)
	}
	b.mustPut("kept")
	b.must(b.PruneJournal(t.Context(), now.Add(-time.Minute)))
	if n := b.integer("SELECT count(*) FROM journal"); n != 1 {
		t.Errorf("%d rows are left, want the one of now", n)
	}
	b.wantClean()
}
