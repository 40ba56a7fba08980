package store

import (
	"context"
	"testing"
)

// shelf is an engine of mailboxes with as many messages as their number says.
type shelf struct{ Engine }

func (shelf) Mailbox(_ context.Context, id MailboxID) (Mailbox, error) {
	return Mailbox{ID: id, UIDNext: UID(id&0xffff) + 1, HighestModSeq: 1, Messages: int(id & 0xffff)}, nil
}

func (e shelf) LoadIndex(ctx context.Context, id MailboxID, _ ModSeq) (*LoadedIndex, error) {
	row, _ := e.Mailbox(ctx, id)
	l := &LoadedIndex{Mailbox: row}
	for uid := UID(1); uid < row.UIDNext; uid++ {
		l.Entries = append(l.Entries, Entry{UID: uid})
	}
	return l, nil
}

func (shelf) Keywords(context.Context, AccountID) ([]string, error) { return nil, nil }

// newShelf is a store of no more than its indexes.
func newShelf(t *testing.T, e Engine) *Store {
	return &Store{engine: e, ctx: t.Context(), mailboxes: map[MailboxID]*index{}, keywords: map[AccountID][]string{}, recent: map[MailboxID]UID{}}
}

// TestIndexMemory: what is kept of mailboxes that nobody has open stays within
// the budget, whether their sessions waited for the index or not; an open one
// is never dropped, and a dropped one comes back.
func TestIndexMemory(t *testing.T) {
	const budget = 256 << 10
	s := newShelf(t, shelf{})
	s.opts.IndexMemory = budget
	s.opts.setDefaults()
	by := Actor{Account: 1}
	open := func(n int, wait bool) *View {
		v, err := s.View(t.Context(), by, MailboxID(by.Account.FirstMessage()|int64(n)))
		if err != nil {
			t.Fatal(err)
		}
		if wait {
			if err := v.Load(t.Context()); err != nil || v.Len() != uint32(n) {
				t.Fatalf("mailbox %d: %d messages, %v", n, v.Len(), err)
			}
		}
		return v
	}
	held := open(3000, true)
	defer held.Close()
	for round := range 3 {
		for n := range 500 {
			open(n, n%2 == round%2).Close()
		}
		s.done.Wait() // the loads that nobody waited for
		s.mu.Lock()
		var sum int64
		for _, x := range s.mailboxes {
			if len(x.views) == 0 {
				sum += int64(cap(x.entries))*entryBytes + indexBytes
			}
		}
		if sum > budget || sum < budget/2 || sum != s.idle {
			t.Errorf("%d bytes are kept of %d; counted are %d", sum, budget, s.idle)
		}
		s.mu.Unlock()
	}
	if held.Len() != 3000 {
		t.Errorf("the open mailbox has %d messages", held.Len())
	}
}

// lost is an engine whose mailboxes are removed after they were opened and
// before they are loaded.
type lost struct{ shelf }

func (lost) LoadIndex(context.Context, MailboxID, ModSeq) (*LoadedIndex, error) {
	return nil, Errorf(NotFound, "the mailbox is gone")
}

// TestRemovedBeforeItWasLoaded: the session learns that its mailbox is gone,
// though the removal is published when nobody finds the index any more.
func TestRemovedBeforeItWasLoaded(t *testing.T) {
	s := newShelf(t, lost{})
	s.opts.setDefaults()
	v, err := s.View(t.Context(), Actor{Account: 1}, 1<<accountShift|1)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if err := v.Load(t.Context()); KindOf(err) != NotFound {
		t.Errorf("loading: %v", err)
	}
	if !v.Deleted() {
		t.Error("the view does not know that its mailbox is gone")
	}
	<-v.Wake()
}
