package store

import (
	"slices"
	"sync"
)

// Watch is a session's hold on the changes of a whole account, and with
// AddShared of what others share with it. A wake-up says only that there may be
// something to Take.
type Watch struct {
	s       *Store
	account AccountID
	wake    chan struct{}

	mu   sync.Mutex
	seen Watched
	rows map[MailboxID]Mailbox // becomes seen.Rows

	entries int // in seen.Metadata

	shared  map[MailboxID]Rights // of others' mailboxes that it may know of; guarded by Store.mu
	sharing bool                 // AddShared was called; guarded by Store.mu
}

// Watched is what happened in an account between two looks at it.
type Watched struct {
	Rows  []Mailbox // of the mailboxes that changed, as they are now; in no order
	Names bool      // mailboxes or subscriptions were made, renamed or removed
	Lost  bool      // too much happened to keep: Rows is not all

	// Metadata names the annotations that were set or removed, sorted, by
	// mailbox; those of the server are under 0.
	Metadata map[MailboxID][]string

	// Rights has the account's rights on mailboxes of others where they have
	// changed; 0 where it may no longer know of the mailbox.
	Rights map[MailboxID]Rights
}

// What is kept at most for a session that does not look.
const (
	maxWatchedRows    = 1000
	maxWatchedEntries = 1000
)

// Watch begins a watch. Close must be called.
func (s *Store) Watch(account AccountID) *Watch {
	w := &Watch{s: s, account: account, wake: make(chan struct{}, 1)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watches[account] == nil {
		s.watches[account] = map[*Watch]bool{}
	}
	s.watches[account][w] = true
	return w
}

// Close ends the watch.
func (w *Watch) Close() {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	delete(w.s.watches[w.account], w)
	if len(w.s.watches[w.account]) == 0 {
		delete(w.s.watches, w.account)
	}
	for id := range w.shared {
		w.share(id, 0)
	}
}

// Wake receives when there may be something to Take.
func (w *Watch) Wake() <-chan struct{} { return w.wake }

// Take gives what happened since it was last called.
func (w *Watch) Take() Watched {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.seen
	for _, row := range w.rows {
		seen.Rows = append(seen.Rows, row)
	}
	w.seen, w.rows, w.entries = Watched{}, nil, 0
	return seen
}

// note keeps a committed change for the next Take, with the row if that may be
// read.
func (w *Watch) note(c *Change, row bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen.Names = w.seen.Names || c.List
	w.noteMetadata(c)
	_, known := w.rows[c.Mailbox.ID]
	switch {
	case c.Deleted:
		delete(w.rows, c.Mailbox.ID)
	case c.Mailbox.UIDValidity == 0 || !row: // a name without a mailbox
	case !known && len(w.rows) >= maxWatchedRows:
		w.seen.Lost = true
	default:
		if w.rows == nil {
			w.rows = map[MailboxID]Mailbox{}
		}
		w.rows[c.Mailbox.ID] = c.Mailbox
	}
	w.rouse()
}

// rouse tells the session to look.
func (w *Watch) rouse() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *Watch) noteMetadata(c *Change) {
	at := c.Mailbox.ID
	if c.Mailbox.UIDValidity == 0 {
		at = 0
	}
	for _, name := range c.Metadata {
		if !isShared(name) && c.Reader != w.account {
			continue
		}
		i, known := slices.BinarySearch(w.seen.Metadata[at], name)
		if known {
			continue
		}
		if w.entries == maxWatchedEntries {
			w.seen.Lost = true
			return
		}
		w.entries++
		if w.seen.Metadata == nil {
			w.seen.Metadata = map[MailboxID][]string{}
		}
		w.seen.Metadata[at] = slices.Insert(w.seen.Metadata[at], i, name)
	}
}

// tellWatches hands committed changes of a mailbox to those that watch its
// account, after the index has them.
func (s *Store) tellWatches(changes []Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := changes[0].Mailbox.ID
	for w := range s.watches[id.Account()] {
		w.noteAll(changes)
	}
	s.tellShared(id, changes)
	if id != 0 {
		return
	}
	for _, list := range s.watches { // what is everybody's
		for w := range list {
			w.noteAll(changes)
		}
	}
}

func (w *Watch) noteAll(changes []Change) {
	for i := range changes {
		w.note(&changes[i], true)
	}
}
