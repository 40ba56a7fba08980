package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"tandem/store"
)

// TestARealFullDisk fills a small file system to the last byte.
func TestARealFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=40m"); err != nil {
		t.Skipf("a small file system cannot be mounted here: %v", err)
	}
	defer syscall.Unmount(disk, syscall.MNT_DETACH)
	b := openBox(t, filepath.Join(disk, "data"), Options{})
	defer b.Close()
	var list []store.Insertion
	for i := range 5000 {
		list = append(list, store.Insertion{Mailbox: b.inbox, Body: bodyOf(fmt.Sprint(i))})
	}
	_, err := b.Insert(t.Context(), admin, list, true, 0)
	b.must(err)
	filler := filepath.Join(disk, "filler")
	fillDisk(t, filler)

	b.forgetSpace()
	_, err = b.put("refused")
	b.wantKind(err, store.Unavailable)
	x, err := b.LoadIndex(t.Context(), b.inbox, 0)
	b.must(err)
	for m, err := range b.Messages(t.Context(), []store.MessageID{x.Entries[4000].Message}, store.Want{Header: true, Text: true}) {
		b.must(err)
		if len(m.Text) == 0 {
			t.Fatal("no text")
		}
	}
	for first := store.UID(1); first < 5000; first += 1000 {
		_, err := b.Expunge(t.Context(), admin, b.inbox, store.UIDSet{{Start: first, Stop: first + 898}}, false)
		b.must(err)
	}
	_, err = b.SetFlags(t.Context(), admin, b.inbox, store.FlagsChange{UIDs: store.AllUIDs(), Flags: store.FlagSeen}, 0)
	b.must(err)
	b.must(b.Prune(t.Context(), time.Now().Add(time.Hour), nil))
	b.must(os.Remove(filler))
	b.forgetSpace()
	b.mustPut("room again")
	b.wantClean()
}

func fillDisk(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, 4096)
	for err == nil {
		_, err = f.Write(page)
	}
}

// forgetSpace makes the next look at free space a real one.
func (b *box) forgetSpace() {
	b.space.mu.Lock()
	defer b.space.mu.Unlock()
	b.space.at = time.Time{}
}
