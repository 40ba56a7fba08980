package sqlite

import (
	"context"
	"strconv"

	"tandem/store"
)

// Quit is a POP3 UPDATE state in one transaction: the deletions, then \Seen.
func (e *Engine) Quit(ctx context.Context, by store.Actor, id store.MailboxID, q store.Quit) (res store.QuitResult, err error) {
	err = e.writeBulk(ctx, "quit", q.Deleted.Len()+q.Seen.Len(), func(t *tx) error {
		m, err := t.mailbox(by, id, store.AllRights)
		if err != nil {
			return err
		}
		if err := t.noteListings(q.Listings); err != nil {
			return err
		}
		var rec record
		if rec, res, err = t.quitDeletions(by, m, q); err != nil {
			return err
		}
		marked, err := t.setFlags(m, store.FlagsChange{UIDs: q.Seen, Op: store.FlagsAdd, Flags: store.FlagSeen}, 0)
		if err != nil {
			return err
		}
		if len(rec.uids) == 0 && len(marked.Changed) == 0 {
			return nil
		}
		rec.verb, rec.mailbox, rec.modseq = "quit", id, m.HighestModSeq
		rec.detail = string(res.Policy) + rec.detail
		if len(marked.Changed) > 0 {
			var uids store.UIDSet
			for i := range marked.Changed {
				uids.Add(marked.Changed[i].UID)
			}
			rec.detail += "\nseen " + uids.String()
		}
		return t.journal(by, id.Account(), rec)
	})
	return res, err
}

// quitDeletions does what a policy makes of deletions. UIDs without an entry
// count as done. Of the record, uids are what was deleted and detail is the
// lines after the policy's.
func (t *tx) quitDeletions(by store.Actor, m *mailboxRow, q store.Quit) (rec record, res store.QuitResult, err error) {
	if !q.Policy.Valid() {
		return rec, res, store.Errorf(store.Invalid, "no policy %q", q.Policy)
	}
	res.Policy = q.Policy
	if len(q.Deleted) == 0 {
		return rec, res, nil
	}
	if res.Bulk, err = t.brakes(by, q); err != nil {
		return rec, res, err
	}
	softened := ""
	if res.Bulk && q.Policy == store.DeleteExpunge {
		res.Policy, softened = store.DeleteTrash, "\nbrake "+string(q.Policy)
	}
	switch res.Policy {
	case store.DeleteKeep, store.DeleteShared:
		rec, res.Left, err = t.quitHide(by, m, q)
	case store.DeleteExpunge:
		rec.uids, err = t.quitExpunge(m, q.Deleted)
		res.Left = rec.uids.Len()
	case store.DeleteTrash:
		rec, err = t.quitTrash(m, q.Deleted)
		res.Left = rec.uids.Len()
	}
	if res.Deleted = rec.uids.Len(); err != nil || res.Deleted == 0 {
		return rec, res, err
	}
	rec.detail += softened + "\nnext " + strconv.FormatUint(uint64(m.UIDNext), 10)
	_, err = t.exec("UPDATE credential SET pop3_deleted = 1, pop3_shared = max(pop3_shared, ?) WHERE id = ?",
		res.Policy == store.DeleteShared, by.Credential)
	return rec, res, err
}

// brakes reports whether a QUIT looks like an accident: a device that never
// deleted anything takes most of a maildrop that is not small. A revoked
// credential does nothing any more.
func (t *tx) brakes(by store.Actor, q store.Quit) (bool, error) {
	if by.Credential == 0 {
		return false, nil
	}
	r, ok, err := t.first("SELECT pop3_deleted, revoked IS NOT NULL FROM credential WHERE id = ?", by.Credential)
	if err != nil || !ok {
		return false, err
	}
	if r.int(1) != 0 {
		return false, store.Errorf(store.Forbidden, "the credential was revoked")
	}
	return q.Brake > 0 && r.int(0) == 0 && q.Visible > q.Brake && 2*q.Deleted.Len() > q.Visible, nil
}

// quitHide hides messages from one device and, where it was the last that had
// to delete what is shared, does with them as DeleteTrash.
func (t *tx) quitHide(by store.Actor, m *mailboxRow, q store.Quit) (rec record, left int, err error) {
	shared := q.Policy == store.DeleteShared
	hidden, err := t.hide(by, m, q.Deleted, shared)
	if err != nil || len(hidden) == 0 {
		return rec, 0, err
	}
	candidates := hidden
	if !shared {
		waiting, err := sharedIn(t.conn, m.ID)
		if err != nil {
			return rec, 0, err
		}
		candidates = store.Intersection(hidden, waiting)
	}
	free, err := released(t.conn, &m.Mailbox, candidates, t.now, q.Retired)
	if err != nil || len(free) == 0 {
		return record{uids: hidden}, 0, err
	}
	rec, err = t.quitTrash(m, free)
	left = rec.uids.Len()
	if left < hidden.Len() {
		rec.detail = "\nmoved " + rec.uids.String()
	}
	rec.uids = hidden
	return rec, left, err
}

func (t *tx) quitExpunge(m *mailboxRow, deleted store.UIDSet) (store.UIDSet, error) {
	gone, err := t.expunge(m, deleted, false)
	return gone.UIDs, err
}

// quitTrash moves entries to the \Trash mailbox; what is there already goes.
func (t *tx) quitTrash(m *mailboxRow, deleted store.UIDSet) (rec record, err error) {
	if m.Use == store.UseTrash {
		rec.uids, err = t.quitExpunge(m, deleted)
		return rec, err
	}
	any := false
	for _, r := range clip(deleted, m.UIDNext) {
		if any, err = t.exists("SELECT 1 FROM entry WHERE mailbox = ? AND uid BETWEEN ? AND ?", m.ID, r.Start, r.Stop); any || err != nil {
			break
		}
	}
	if err != nil || !any {
		return rec, err
	}
	trash, err := t.trash(m.ID.Account())
	if err != nil {
		return rec, err
	}
	moved, err := t.copyEntries(m, trash, deleted, copyMode{move: true, flags: store.FlagPOP3Trashed})
	rec.other, rec.uids, rec.otherUIDs = trash.ID, moved.Source, moved.Dest
	return rec, err
}

// trash gives the mailbox for \Trash. When there is none it is "Trash": made,
// or given the use if it has no other.
func (t *tx) trash(account store.AccountID) (*mailboxRow, error) {
	found, ok, err := oneMailbox(t.conn, selectMailbox+"WHERE m.account = ? AND m.use = ? ORDER BY m.id", account, store.UseTrash)
	if err != nil {
		return nil, err
	}
	if ok {
		return t.rowOf(found), nil
	}
	name := "Trash"
	for n := 2; ; n++ {
		found, ok, err := mailboxByName(t.conn, account, name)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		if found.Use == "" {
			m := t.rowOf(found)
			m.Use, m.dirty = store.UseTrash, true
			t.change(m).List = true
			return m, nil
		}
		name = "Trash " + strconv.Itoa(n)
	}
	a, err := t.account(account)
	if err != nil {
		return nil, err
	}
	return t.createMailbox(a, store.NewMailbox{Name: name, Use: store.UseTrash}, 0)
}

// hide notes that a credential deleted messages that the mailbox keeps: under
// DeleteShared with their UIDs, where they wait for the other devices.
func (t *tx) hide(by store.Actor, m *mailboxRow, deleted store.UIDSet, shared bool) (hidden store.UIDSet, err error) {
	for _, span := range clip(deleted, m.UIDNext) {
		err := t.query("SELECT uid FROM entry WHERE mailbox = ? AND uid BETWEEN ? AND ? ORDER BY uid", func(r row) error {
			hidden.Add(store.UID(r.int(0)))
			return nil
		}, m.ID, span.Start, span.Stop)
		if err != nil {
			return nil, err
		}
		if _, err := t.exec(`INSERT INTO pop3_hidden (credential, mailbox, message, uid)
			SELECT ?1, mailbox, message, iif(?5, uid, 0) FROM entry WHERE mailbox = ?2 AND uid BETWEEN ?3 AND ?4
			ON CONFLICT (credential, mailbox, message) DO UPDATE SET uid = excluded.uid WHERE excluded.uid > 0`,
			by.Credential, m.ID, span.Start, span.Stop, shared); err != nil {
			return nil, err
		}
	}
	return hidden, nil
}
