package sqlite

import (
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"tandem/store"
)

// TestAStoreOfTheFirstSchema opens one that the first version made, with mail
// of two accounts in it.
func TestAStoreOfTheFirstSchema(t *testing.T) {
	dir := t.TempDir()
	unpack(t, "testdata/0001.db.gz", filepath.Join(dir, databaseName))
	b := openBox(t, dir, Options{})
	b.wantClean()
	for name, want := range map[string]store.Resources{
		"alice":           {Storage: 192, Messages: 3, Mailboxes: 8},
		"bob@example.org": {Storage: 52, Messages: 1, Mailboxes: 6},
	} {
		a, err := b.AccountByName(t.Context(), name)
		b.must(err)
		if a.Used != want || a.Admin || a.Quota != (store.Resources{}) {
			t.Errorf("%s: %+v, want use %+v and no limits", name, a, want)
		}
	}
	if b.messages() != 2 {
		t.Errorf("%d messages in INBOX, want 2", b.messages())
	}
	b.mustPut("after")
	b.wantClean()
}

func unpack(t *testing.T, from, to string) {
	t.Helper()
	packed, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	in, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(in)
	if err := errors.Join(err, os.WriteFile(to, data, 0o600)); err != nil {
		t.Fatal(err)
	}
}

func TestDefaultQuota(t *testing.T) {
	b := openBox(t, t.TempDir(), Options{Quota: store.Resources{Messages: 2}})
	alice := b.inbox.Account()
	by := store.Actor{Account: alice, Protocol: "imap"}
	insert := func() error {
		_, err := b.Insert(t.Context(), by, []store.Insertion{{Mailbox: b.inbox, Body: bodyOf("x")}}, true, 0)
		return err
	}
	b.must(insert())
	b.must(insert())
	b.wantKind(insert(), store.OverQuota)
	none, normal := int64(0), int64(store.QuotaDefault)
	b.must(b.UpdateAccount(t.Context(), alice, store.AccountUpdate{MaxMessages: &none}))
	b.must(insert())
	b.must(b.UpdateAccount(t.Context(), alice, store.AccountUpdate{MaxMessages: &normal}))
	b.wantKind(insert(), store.OverQuota)
}

func TestCheckMendsUses(t *testing.T) {
	b := openBox(t, t.TempDir(), Options{})
	b.mustPut("x")
	b.sql("UPDATE account SET bytes = 12345, mailboxes = 0")
	var found []string
	b.must(b.Check(t.Context(), true, func(line string) { found = append(found, line) }))
	if len(found) != 1 {
		t.Fatalf("found %q", found)
	}
	b.wantClean()
}
