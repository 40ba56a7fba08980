package sqlite

import (
	"testing"
	"time"

	"tandem/store"
)

// TestAClockThatJumps makes the clock run 20 years ahead for a while and then
// go back behind the store's birth: what counts goes up all the same, and what
// was expunged meanwhile holds up no pruning.
func TestAClockThatJumps(t *testing.T) {
	born := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	now := born
	b := openBox(t, t.TempDir(), Options{Now: func() time.Time { return now }})
	var validity uint32
	var uid store.UID
	var modseq store.ModSeq
	for i, at := range []time.Time{born, born.AddDate(20, 0, 0), born.AddDate(-30, 0, 0), born.Add(time.Minute)} {
		now = at
		in := b.mustPut("x")
		m, err := b.CreateMailbox(t.Context(), admin, b.inbox.Account(), store.NewMailbox{Name: string(rune('a' + i))}, 0)
		b.must(err)
		gone, err := b.Expunge(t.Context(), admin, b.inbox, store.UIDSet{{Start: in.UID, Stop: in.UID}}, false)
		b.must(err)
		if m.UIDValidity <= validity || in.UID <= uid || gone.ModSeq <= modseq {
			t.Errorf("at %v: UIDVALIDITY %d after %d, UID %d after %d, MODSEQ %d after %d", at, m.UIDValidity, validity, in.UID, uid, gone.ModSeq, modseq)
		}
		validity, uid, modseq = m.UIDValidity, in.UID, gone.ModSeq
	}
	now = born.Add(time.Hour)
	b.must(b.Prune(t.Context(), now, nil))
	b.must(b.PruneJournal(t.Context(), now))
	if n := b.integer("SELECT count(*) FROM tombstone"); n != 1 {
		t.Errorf("%d tombstones are left, want the one from the future", n)
	}
	if n := b.integer("SELECT count(*) FROM journal WHERE time < 1800000000"); n != 0 {
		t.Errorf("%d old rows of the journal are left", n)
	}
	now = born.AddDate(21, 0, 0)
	b.must(b.Prune(t.Context(), now, nil))
	if n := b.integer("SELECT count(*) FROM tombstone"); n != 0 {
		t.Errorf("%d tombstones are left 21 years later", n)
	}
	b.wantClean()
}
