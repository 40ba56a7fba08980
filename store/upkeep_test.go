package store

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fullDisk is an engine whose disk has room again once expunged mail of some
// age has gone.
type fullDisk struct {
	Engine
	mu       sync.Mutex
	enough   time.Duration   // room when what is older than this has gone; below 0: never
	forgot   []time.Duration // the ages asked for
	journals []time.Time
	recent   map[MailboxID]UID
	fail     error // of SaveRecent
}

func (d *fullDisk) Start(func([]Change)) {}
func (d *fullDisk) Close() error         { return nil }

func (d *fullDisk) Insert(ctx context.Context, by Actor, list []Insertion, atomic bool, maxKeywords int) ([]Inserted, error) {
	return nil, d.Room(ctx)
}

func (d *fullDisk) ShowExpunged(context.Context, bool) error { return nil }

func (d *fullDisk) Release(context.Context, time.Duration) error { return nil }

func (d *fullDisk) Room(context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if slices.ContainsFunc(d.forgot, func(age time.Duration) bool { return age <= d.enough }) {
		return nil
	}
	return Errorf(Unavailable, "full")
}

func (d *fullDisk) Prune(_ context.Context, before time.Time, _ map[MailboxID]ModSeq) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forgot = append(d.forgot, time.Since(before))
	return nil
}

func (d *fullDisk) PruneJournal(_ context.Context, before time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.journals = append(d.journals, before)
	return nil
}

func (d *fullDisk) SaveRecent(_ context.Context, recent map[MailboxID]UID) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.recent = recent
	return d.fail
}

func TestAFullDiskTakesExpungedMailOldestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		day := 24 * time.Hour
		d := &fullDisk{enough: 11 * day}
		s := Open(d, Options{Logger: slog.New(slog.DiscardHandler), UpkeepEvery: day, PruneEvery: day})
		defer s.Close()
		if _, err := s.Deliver(t.Context(), Actor{}, nil); KindOf(err) != Unavailable {
			t.Fatalf("the first delivery: %v", err)
		}
		synctest.Wait()
		if want := []time.Duration{13 * day, 12 * day, 11 * day}; !slices.Equal(d.forgot, want) {
			t.Errorf("forgot what was older than %v, want %v", d.forgot, want)
		}
		if _, err := s.Deliver(t.Context(), Actor{}, nil); err != nil {
			t.Errorf("with room again: %v", err)
		}
	})
}

func TestADiskThatStaysFullIsNotPrunedForEveryDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fullDisk{enough: -1}
		s := Open(d, Options{UpkeepEvery: time.Hour, PruneEvery: time.Hour})
		defer s.Close()
		for range 50 {
			s.Deliver(t.Context(), Actor{}, nil)
			synctest.Wait()
		}
		if len(d.forgot) != roomSteps || d.forgot[roomSteps-1] != 0 {
			t.Errorf("%d prunings, the last of %v; want %d down to 0s", len(d.forgot), d.forgot[len(d.forgot)-1], roomSteps)
		}
		time.Sleep(2 * time.Minute) // the bubble's clock
		s.Deliver(t.Context(), Actor{}, nil)
		synctest.Wait()
		if len(d.forgot) != 2*roomSteps {
			t.Errorf("%d prunings after a while, want another %d", len(d.forgot), roomSteps)
		}
	})
}

func TestTheJournalIsPrunedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fullDisk{}
		begun := time.Now()
		s := Open(d, Options{})
		time.Sleep(11 * time.Minute) // the bubble's clock
		synctest.Wait()
		s.Close()
		if want := begun.Add(10*time.Minute - 90*24*time.Hour); len(d.journals) != 1 || !d.journals[0].Equal(want) {
			t.Errorf("the journal was pruned up to %v, want once %v", d.journals, want)
		}
	})
}

func TestRecentMarksSurviveAFailedWrite(t *testing.T) {
	d := &fullDisk{fail: Errorf(Busy, "busy")}
	s := Open(d, Options{})
	defer s.Close()
	s.mu.Lock()
	s.recent[7] = 40
	s.mu.Unlock()
	if err := s.flush(t.Context()); KindOf(err) != Busy {
		t.Fatalf("flush: %v", err)
	}
	if m := s.withRecent(Mailbox{ID: 7}); m.RecentFrom != 40 {
		t.Errorf("after a failed write \\Recent begins at %d, want 40", m.RecentFrom)
	}
	d.fail = nil
	if err := s.flush(t.Context()); err != nil || len(s.recent) != 0 || d.recent[7] != 40 {
		t.Errorf("flush: %v; left %v, saved %v", err, s.recent, d.recent)
	}
}
