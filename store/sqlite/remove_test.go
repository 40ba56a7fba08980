package sqlite

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem/store"
	"tandem/store/message"
)

// full is a store with rows in every table: alice's and bob's, who share a
// mailbox, and of which each has copied from the other.
type full struct {
	*box
	alice, bob store.Actor
	bobInbox   store.MailboxID
	phone      store.Credential
}

func newFull(t *testing.T) *full {
	b := openBox(t, t.TempDir(), Options{})
	f := &full{box: b}
	b.must(b.CreateAccounts(t.Context(), []store.NewAccount{{Name: "bob", Hash: "x"}}, true))
	f.alice = store.Actor{Account: b.inbox.Account(), Protocol: "imap", Session: "s1"}
	a, err := b.AccountByName(t.Context(), "bob")
	b.must(err)
	f.bob = store.Actor{Account: a.ID, Protocol: "imap", Session: "s2"}
	m, err := b.MailboxByName(t.Context(), a.ID, "INBOX")
	b.must(err)
	f.bobInbox = m.ID
	b.must(b.ShowExpunged(t.Context(), true))
	f.fill(f.alice, b.inbox, f.bob)
	f.fill(f.bob, f.bobInbox, f.alice)
	f.share(f.alice, f.bob, f.bobInbox)
	f.share(f.bob, f.alice, b.inbox)
	return f
}

// fullCopies gives copies of one full store.
func fullCopies(t *testing.T) func(t *testing.T) *full {
	made := newFull(t)
	made.must(made.Close())
	data, err := os.ReadFile(filepath.Join(made.dir, databaseName))
	made.must(err)
	return func(t *testing.T) *full {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, databaseName), data, 0o600); err != nil {
			t.Fatal(err)
		}
		b := openBox(t, dir, Options{})
		b.showing.Store(true)
		return &full{box: b, alice: made.alice, bob: made.bob, bobInbox: made.bobInbox, phone: made.phone}
	}
}

// fill gives an account rows in all tables of its own.
func (f *full) fill(by store.Actor, inbox store.MailboxID, other store.Actor) {
	ctx := f.t.Context()
	text := []byte(fmt.Sprintf("Subject: large\r\nMessage-ID: <large%d@example.org>\r\n\r\n%s\r\n", by.Account, strings.Repeat("x", 3*store.ChunkSize)))
	st := message.Parse(text)
	large := &store.Body{Header: text[:st.HeaderSize], Text: text[st.HeaderSize:], Size: int64(len(text)),
		Digest: sha256.Sum256(text), Structure: st.AppendBinary(nil), MessageID: st.MessageID}
	utf8 := bodyOf(fmt.Sprint("gr\u00fc\u00dfe-", by.Account))
	utf8.UTF8, utf8.Downgrade = true, message.DowngradeHeader(utf8.Header)
	f.must(errOf(f.Insert(ctx, by, []store.Insertion{
		{Mailbox: inbox, Body: large, Keywords: []string{"k1"}, ImportKey: "key", UIDL: "imported"},
		{Mailbox: inbox, Body: utf8, Prefix: []byte("Delivered-To: x\r\n")},
		{Mailbox: inbox, Body: bodyOf(fmt.Sprint("gone", by.Account))},
		{Mailbox: inbox, Body: bodyOf(fmt.Sprint("hidden", by.Account))},
	}, true, 0)))
	f.must(errOf(f.Copy(ctx, by, inbox, inbox, oneUID(1), false, 0))) // twice there: a UIDL of its own
	f.must(errOf(f.Expunge(ctx, by, inbox, oneUID(3), false)))
	doomed, err := f.CreateMailbox(ctx, by, by.Account, store.NewMailbox{Name: "doomed"}, 0)
	f.must(err)
	f.must(errOf(f.Copy(ctx, by, inbox, doomed.ID, oneUID(2), false, 0)))
	f.must(f.DeleteMailbox(ctx, by, doomed.ID))
	f.must(f.SetMetadata(ctx, by, inbox, []store.MetadataEntry{{Name: "/private/comment", Value: []byte("x")}, {Name: "/shared/comment", Value: []byte("y")}}))
	phone, err := f.AddCredential(ctx, by.Account, store.NewCredential{Label: "phone", Hash: "x", Scope: store.ScopePOP3})
	f.must(err)
	f.must(errOf(f.AddCredential(ctx, by.Account, store.NewCredential{Label: "laptop", Hash: "x", Scope: store.ScopePOP3})))
	pop := by
	pop.Credential, pop.Session, pop.Protocol = phone.ID, "p"+by.Session, "pop3"
	f.must(errOf(f.Quit(ctx, pop, inbox, store.Quit{Deleted: oneUID(4), Policy: store.DeleteShared,
		Listings: []store.Listing{{Mailbox: inbox, Credential: phone.ID, Next: 9, Time: time.Now()}}})))
	if by.Account == f.inbox.Account() {
		f.phone = phone
	}
}

// share gives another account rights on a mailbox and lets it copy from there,
// and say something about it that only it sees.
func (f *full) share(owner, to store.Actor, into store.MailboxID) {
	ctx := f.t.Context()
	m, err := f.CreateMailbox(ctx, owner, owner.Account, store.NewMailbox{Name: "shared"}, 0)
	f.must(err)
	own, err := f.MailboxByName(ctx, owner.Account, "INBOX")
	f.must(err)
	f.must(errOf(f.Copy(ctx, owner, own.ID, m.ID, store.UIDSet{{Start: 1, Stop: 2}}, false, 0)))
	rights, err := store.ParseRights("lr")
	f.must(err)
	f.must(f.SetACL(ctx, owner, m.ID, store.ACLChange{Grantee: to.Account, Rights: rights}))
	f.must(f.SetMetadata(ctx, to, m.ID, []store.MetadataEntry{{Name: "/private/comment", Value: []byte("mine")}}))
	f.must(errOf(f.Copy(ctx, to, m.ID, into, store.AllUIDs(), false, 0)))
}

func oneUID(uid store.UID) store.UIDSet { return store.UIDSet{{Start: uid, Stop: uid}} }

// tables lists the tables of mail: all but goose's, the store's own counters and
// what only unfinished work has rows in.
func (f *full) tables() (list []string) {
	f.must(f.read(f.t.Context(), "test", func(c *conn) error {
		return c.query("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name", func(r row) error {
			if !slices.Contains([]string{"goose_db_version", "store", "staged", "removed_account"}, r.text(0)) {
				list = append(list, r.text(0))
			}
			return nil
		})
	}))
	return list
}

// TestARemovedAccountLeavesNothing removes two accounts that share mail, one
// after the other: what the second still has stays whole, and then every table is
// empty.
func TestARemovedAccountLeavesNothing(t *testing.T) {
	f := newFull(t)
	f.wantClean()
	for _, table := range f.tables() {
		if f.integer("SELECT count(*) FROM "+table) == 0 {
			t.Errorf("the test puts nothing into the table %s", table)
		}
	}
	shared := f.integer("SELECT count(*) FROM (SELECT body FROM message GROUP BY body HAVING count(DISTINCT id >> 40) = 2)")
	if shared == 0 {
		t.Fatal("the accounts share no body")
	}
	bodies := f.integer("SELECT count(DISTINCT body) FROM message WHERE id >> 40 = 2")
	f.must(f.RemoveAccount(t.Context(), f.alice.Account))
	f.wantClean() // reads all bytes
	if n := f.integer("SELECT count(*) FROM body"); n != bodies {
		t.Errorf("%d bodies are left, want bob's %d", n, bodies)
	}
	f.must(f.RemoveAccount(context.Background(), f.bob.Account))
	for _, table := range f.tables() {
		if n := f.integer("SELECT count(*) FROM " + table); n != 0 {
			t.Errorf("%d rows are left in the table %s", n, table)
		}
	}
	f.wantClean()
}

// TestNothingOnlyGrows lets an account delete all it has and years pass: no
// table keeps rows of what is gone.
func TestNothingOnlyGrows(t *testing.T) {
	f := newFull(t)
	ctx, later := t.Context(), time.Now().Add(time.Hour)
	for _, by := range []store.Actor{f.alice, f.bob} {
		for _, label := range []string{"phone", "laptop"} {
			f.must(errOf(f.RevokeCredential(ctx, by.Account, label)))
		}
		list, err := f.Mailboxes(ctx, by.Account)
		f.must(err)
		for _, m := range list {
			if m.ID.RecentlyDeleted() {
				continue
			}
			f.must(errOf(f.Expunge(ctx, by, m.ID, store.AllUIDs(), false)))
			f.must(f.NoteListings(ctx, []store.Listing{{Mailbox: m.ID, Credential: f.phone.ID, Next: 1, Time: later}}))
			if m.Name == "shared" {
				f.must(f.DeleteMailbox(ctx, by, m.ID))
			}
		}
	}
	f.must(f.Prune(ctx, later, nil))
	f.must(f.Prune(ctx, later, nil)) // what Recently Deleted showed
	f.must(f.PruneJournal(ctx, later))
	// What stays: accounts, their own passwords, mailboxes, what was said of those;
	// and, so that nothing comes twice, threads and what was imported.
	stays := []string{"account", "credential", "mailbox", "subscription", "keyword", "metadata", "thread_ref", "import_ledger"}
	for _, table := range f.tables() {
		if n := f.integer("SELECT count(*) FROM " + table); n != 0 && !slices.Contains(stays, table) {
			t.Errorf("%d rows are left in the table %s", n, table)
		}
	}
	if n := f.integer("SELECT count(*) FROM credential"); n != 2 {
		t.Errorf("%d credentials are left, want the accounts' own", n)
	}
	f.wantClean()
}
