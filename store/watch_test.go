package store

import "testing"

// TestWatch looks at an account while its mailboxes change: each look gives
// the latest row of what changed since the one before, once.
func TestWatch(t *testing.T) {
	s := &Store{mailboxes: map[MailboxID]*index{}, keywords: map[AccountID][]string{}, watches: map[AccountID]map[*Watch]bool{}}
	id := func(account AccountID, n int64) MailboxID { return MailboxID(account.FirstMessage() + n) }
	row := func(account AccountID, n int64, messages int) Mailbox {
		return Mailbox{ID: id(account, n), UIDValidity: 1, Messages: messages}
	}
	w, other := s.Watch(1), s.Watch(2)
	defer other.Close()
	s.publish([]Change{{Mailbox: row(1, 1, 1)}, {Mailbox: row(1, 2, 7)}, {Mailbox: row(1, 1, 2)}})
	select {
	case <-w.Wake():
	default:
		t.Fatal("not woken")
	}
	got := w.Take()
	counts := map[MailboxID]int{}
	for _, m := range got.Rows {
		counts[m.ID] = m.Messages
	}
	if len(got.Rows) != 2 || counts[id(1, 1)] != 2 || counts[id(1, 2)] != 7 || got.Names || got.Lost {
		t.Errorf("took %+v", got)
	}
	if again := w.Take(); len(again.Rows) != 0 {
		t.Errorf("took again %+v", again)
	}
	s.publish([]Change{{Mailbox: row(1, 3, 0), List: true}, {Mailbox: row(1, 3, 0), Deleted: true, List: true},
		{Mailbox: Mailbox{ID: id(1, 0), Name: "no mailbox"}, List: true}})
	if got := w.Take(); len(got.Rows) != 0 || !got.Names {
		t.Errorf("after making and deleting: %+v", got)
	}
	for n := range int64(maxWatchedRows + 1) {
		s.publish([]Change{{Mailbox: row(1, 10+n, 1)}})
	}
	if got := w.Take(); len(got.Rows) != maxWatchedRows || !got.Lost {
		t.Errorf("kept %d rows, lost %v", len(got.Rows), got.Lost)
	}
	w.Close()
	s.publish([]Change{{Mailbox: row(1, 1, 9)}})
	if got := w.Take(); len(got.Rows) != 0 {
		t.Errorf("after the end: %+v", got)
	}
	if got := other.Take(); len(got.Rows) != 0 || got.Names {
		t.Errorf("another account heard of %+v", got)
	}
}
