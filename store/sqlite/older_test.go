package sqlite

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tandem/store"
)

// TestAStoreOfSchema4 opens what the last version before rights, devices and
// undo left behind after deliveries, flags, moves, a deleted mailbox, and QUITs
// under trash, keep and expunge. testdata/0004.txt is what was there, taken from
// its rows and from its POP3 server: all of it is served as it was.
func TestAStoreOfSchema4(t *testing.T) {
	dir := t.TempDir()
	unpack(t, "testdata/0004.db.gz", filepath.Join(dir, databaseName))
	want, err := os.ReadFile("testdata/0004.txt")
	if err != nil {
		t.Fatal(err)
	}
	e, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	e.Start(func([]store.Change) {})
	t.Cleanup(func() { e.Close() })
	b := &box{Engine: e, t: t}
	b.wantClean()
	got := strings.Split(b.inventory(), "\n")
	for i, line := range strings.Split(string(want), "\n") {
		if i >= len(got) || got[i] != line {
			t.Fatalf("line %d:\n%s\nwant:\n%s", i+1, got[min(i, len(got)-1)], line)
		}
	}

	// Mail that was expunged then can be brought back, what a device hid is still
	// hidden and its message stays, and new mail gets new UIDs.
	a, err := b.AccountByName(t.Context(), "alice")
	b.must(err)
	var graves []store.Grave
	for x, err := range b.Expunged(t.Context(), a.ID, a.Created) {
		b.must(err)
		graves = append(graves, store.Grave{Mailbox: x.Mailbox, UID: x.UID})
	}
	back, err := b.Undelete(t.Context(), admin, a.ID, graves)
	b.must(err)
	if len(back) == 0 || len(back) != len(graves) {
		t.Errorf("%d of %d expunged messages came back", len(back), len(graves))
	}
	b.wantClean()
}

// inventory words all mail of a store, and what POP3 shows of it.
func (b *box) inventory() string {
	var out strings.Builder
	ctx := b.t.Context()
	accounts, err := b.Accounts(ctx)
	b.must(err)
	for _, a := range accounts {
		fmt.Fprintf(&out, "account %s %s limit=%d messages=%d octets=%d mailboxes=%d\n", a.Name, a.POP3Delete, a.Quota.Storage, a.Used.Messages, a.Used.Storage, a.Used.Mailboxes)
		list, err := b.Mailboxes(ctx, a.ID)
		b.must(err)
		for _, m := range list {
			fmt.Fprintf(&out, "mailbox %s use=%s id=%s uidvalidity=%d uidnext=%d modseq=%d\n", m.Name, m.Use, m.MailboxID, m.UIDValidity, m.UIDNext, m.HighestModSeq)
			x, err := b.LoadIndex(ctx, m.ID, 0)
			b.must(err)
			for _, e := range x.Entries {
				msg, text := b.whole(e.Message)
				sum := sha256.Sum256(text)
				fmt.Fprintf(&out, "entry %d message=%d modseq=%d flags=%d saved=%d size=%d internal=%d emailid=%s threadid=%s %x\n",
					e.UID, e.Message&0xffffffffff, e.ModSeq, e.Flags, e.Saved, e.Size, e.Internal, msg.EmailID, msg.ThreadID, sum[:16])
			}
		}
		b.maildrop(&out, a)
	}
	return out.String()
}

// maildrop words what an account's own password finds in INBOX over POP3.
func (b *box) maildrop(out *strings.Builder, a store.Account) {
	ctx := b.t.Context()
	inbox, err := b.MailboxByName(ctx, a.ID, "INBOX")
	b.must(err)
	creds, err := b.Credentials(ctx, a.ID)
	b.must(err)
	list, err := b.Hidden(ctx, inbox.ID, creds[0].ID)
	b.must(err)
	hidden := map[store.MessageID]bool{}
	for _, id := range list {
		hidden[id] = true
		fmt.Fprintf(out, "hidden %d\n", id&0xffffffffff)
	}
	own, err := b.UIDLs(ctx, inbox.ID)
	b.must(err)
	x, err := b.LoadIndex(ctx, inbox.ID, 0)
	b.must(err)
	for _, e := range x.Entries {
		uidl, ok := own[e.UID]
		if !ok {
			uidl = store.DefaultUIDL(b.StoreID(), e.Message)
		}
		if !hidden[e.Message] {
			fmt.Fprintf(out, "uidl %s\n", uidl)
		}
	}
}

// whole reads a message with all its bytes.
func (b *box) whole(id store.MessageID) (store.Message, []byte) {
	for m, err := range b.Messages(b.t.Context(), []store.MessageID{id}, store.Want{Header: true, Text: true}) {
		b.must(err)
		text := append(append([]byte{}, m.Prefix...), m.Header...)
		text = append(text, m.Text...)
		for n := 0; m.Text == nil && int64(len(text)) < m.Size; n++ {
			chunk, err := b.ReadChunk(b.t.Context(), m.Body, n)
			b.must(err)
			text = append(text, chunk...)
		}
		return *m, text
	}
	b.t.Fatalf("message %d is missing", id)
	return store.Message{}, nil
}
