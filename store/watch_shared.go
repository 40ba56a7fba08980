package store

import "context"

// AddShared has the watch tell of the mailboxes of others that the account may
// know of, too: Watched.Rows of those it may read, Names and Metadata of those
// it may look up, and Rights of all whenever they change.
func (w *Watch) AddShared(ctx context.Context) error {
	w.join()
	list, err := w.s.engine.Shared(ctx, Actor{Account: w.account})
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	changed := w.s.joining[w]
	delete(w.s.joining, w)
	for i := range list {
		if !changed[list[i].ID] { // else what was published is later, or the same
			w.share(list[i].ID, list[i].Rights)
		}
	}
	return err
}

// join has the watch hear of ACLs from now on.
func (w *Watch) join() {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	w.sharing = true
	if w.s.joining == nil {
		w.s.joining = map[*Watch]map[MailboxID]bool{}
	}
	w.s.joining[w] = map[MailboxID]bool{}
}

// share notes the account's rights on a mailbox of another. The caller holds
// Store.mu.
func (w *Watch) share(id MailboxID, have Rights) {
	s := w.s
	if !have.Visible() {
		delete(w.shared, id)
		delete(s.sharing[id], w)
		if len(s.sharing[id]) == 0 {
			delete(s.sharing, id)
		}
		return
	}
	if w.shared == nil {
		w.shared = map[MailboxID]Rights{}
	}
	w.shared[id] = have
	if s.sharing == nil {
		s.sharing = map[MailboxID]map[*Watch]bool{}
	}
	if s.sharing[id] == nil {
		s.sharing[id] = map[*Watch]bool{}
	}
	s.sharing[id][w] = true
}

// tellShared hands changes of a mailbox to the watches of other accounts that
// may know of it, each as far as its rights go. The caller holds s.mu.
func (s *Store) tellShared(id MailboxID, changes []Change) {
	for i := range changes {
		c := &changes[i]
		if c.ACL {
			for _, changed := range s.joining {
				changed[id] = true
			}
			s.tellRights(id, c.Grants)
		}
		for w := range s.sharing[id] {
			w.noteShared(c)
			if c.Deleted {
				w.noteRights(id, w.shared[id], 0)
				w.share(id, 0)
			}
		}
	}
}

// tellRights hands the rights that an ACL gives from now on to the watches for
// which they are others than before.
func (s *Store) tellRights(id MailboxID, grants Grants) {
	for w := range s.sharing[id] {
		w.tellRights(id, grants)
	}
	for i := range grants {
		if grants[i].Account != 0 {
			for w := range s.watches[grants[i].Account] {
				w.tellRights(id, grants)
			}
			continue
		}
		for _, list := range s.watches {
			for w := range list {
				w.tellRights(id, grants)
			}
		}
	}
}

func (w *Watch) tellRights(id MailboxID, grants Grants) {
	have := grants.Of(w.account)
	if !have.Visible() {
		have = 0
	}
	if w.sharing && w.account != id.Account() && w.shared[id] != have {
		w.noteRights(id, w.shared[id], have)
		w.share(id, have)
	}
}

func (w *Watch) noteRights(id MailboxID, was, have Rights) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen.Rights == nil {
		w.seen.Rights = map[MailboxID]Rights{}
	}
	if len(w.seen.Rights) >= maxWatchedRows {
		w.seen.Lost = true
	} else {
		w.seen.Rights[id] = have
	}
	w.seen.Names = w.seen.Names || (was^have)&RightLookup != 0
	if !have.Has(RightRead) {
		delete(w.rows, id)
	}
	w.rouse()
}

// noteShared keeps of a change what the rights on its mailbox let through. The
// caller holds Store.mu.
func (w *Watch) noteShared(c *Change) {
	have := w.shared[c.Mailbox.ID]
	part := *c
	if !have.Has(RightLookup) {
		part.List = false
	}
	if have.AllowAnnotations(false) != nil {
		part.Metadata = nil
	}
	if have.Has(RightRead) || part.List || len(part.Metadata) > 0 {
		w.note(&part, have.Has(RightRead))
	}
}
