package sqlite

import (
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem/store"
)

// TestSalvage puts garbage over a page in the middle of a mailbox's entries.
func TestSalvage(t *testing.T) {
	dir := t.TempDir()
	b := openBox(t, dir, Options{})
	const n = 3000
	list := make([]store.Insertion, n)
	for i := range list {
		list[i] = store.Insertion{Mailbox: b.inbox, Body: bodyOf(fmt.Sprint(i)), Flags: store.FlagFlagged, Internal: time.Unix(1e9, 0)}
	}
	out, err := b.Insert(t.Context(), admin, list, true, 0)
	b.must(err)
	root := b.integer("SELECT rootpage FROM sqlite_schema WHERE name = 'entry'")
	b.must(b.Close())
	spoilLeaf(t, b.path, root)

	inbox := b.inbox
	b = &box{t: t}
	b.Engine, err = Open(dir, Options{})
	b.must(err)
	defer b.Close()
	b.Start(func([]store.Change) {})
	_, err = b.LoadIndex(t.Context(), inbox, 0)
	b.wantKind(err, store.Corrupt)
	found, err := b.Salvage(t.Context(), inbox)
	b.must(err)
	if len(found) != n {
		t.Fatalf("%d entries found, want %d", len(found), n)
	}
	bare := 0
	for i, e := range found {
		if e.UID != out[i].UID || e.Message != out[i].Message {
			t.Fatalf("entry %d is %d of message %d, want %d of %d", i, e.UID, e.Message, out[i].UID, out[i].Message)
		}
		if e.Flags == 0 {
			bare++
		}
	}
	if bare == 0 || bare > 300 {
		t.Errorf("%d entries without flags, want those of one page", bare)
	}
	if list := b.check(false); !slices.ContainsFunc(list, func(s string) bool { return strings.HasPrefix(s, "database:") }) {
		t.Errorf("the check found %q", list)
	}
}

// spoilLeaf writes garbage over a leaf in the middle of the index b-tree with a
// root page (the format is in the section "B-tree Pages" of SQLite's fileformat).
func spoilLeaf(t *testing.T, path string, root int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, 4096)
	at := root
	for {
		if _, err := f.ReadAt(page, (at-1)*4096); err != nil {
			t.Fatal(err)
		}
		if page[0] != 2 { // a leaf
			break
		}
		cells := int(binary.BigEndian.Uint16(page[3:]))
		cell := binary.BigEndian.Uint16(page[12+2*(cells/2):])
		at = int64(binary.BigEndian.Uint32(page[cell:]))
	}
	if at == root {
		t.Fatal("the table is one page")
	}
	for i := range page {
		page[i] = byte(i * 7)
	}
	if _, err := f.WriteAt(page, (at-1)*4096); err != nil {
		t.Fatal(err)
	}
}
