package sqlite

import (
	"context"
	"strconv"

	"tandem/store"
)

// Quit is a POP3 UPDATE state in one transaction: the deletions, then \Seen.
func (e *Engine) Quit(ctx context.Context, by store.Actor, id store.MailboxID, deleted, seen store.UIDSet, policy store.DeletePolicy) error {
	return e.writeBulk(ctx, "quit", deleted.Len()+seen.Len(), func(t *tx) error {
		m, err := t.mailbox(by, id, store.AllRights)
		if err != nil {
			return err
		}
		rec, err := t.quitDeletions(by, m, deleted, policy)
		if err != nil {
			return err
		}
		marked, err := t.setFlags(m, store.FlagsChange{UIDs: seen, Op: store.FlagsAdd, Flags: store.FlagSeen}, 0)
		if err != nil {
			return err
		}
		if len(rec.uids) == 0 && len(marked.Changed) == 0 {
			return nil
		}
		rec.verb, rec.mailbox, rec.modseq, rec.detail = "quit", id, m.HighestModSeq, string(policy)
		if len(marked.Changed) > 0 {
			var uids store.UIDSet
			for i := range marked.Changed {
				uids.Add(marked.Changed[i].UID)
			}
			rec.detail += "\nseen " + setText(uids)
		}
		return t.journal(by, id.Account(), rec)
	})
}

// quitDeletions does what a policy makes of deletions. UIDs without an entry
// count as done.
func (t *tx) quitDeletions(by store.Actor, m *mailboxRow, deleted store.UIDSet, policy store.DeletePolicy) (rec record, err error) {
	switch policy {
	case store.DeleteKeep:
		rec.uids, err = t.hide(by, m, deleted)
	case store.DeleteExpunge:
		rec.uids, err = t.quitExpunge(m, deleted)
	case store.DeleteTrash:
		if m.Use == store.UseTrash {
			rec.uids, err = t.quitExpunge(m, deleted)
			break
		}
		rec, err = t.quitTrash(m, deleted)
	default:
		err = store.Errorf(store.Invalid, "no policy %q", policy)
	}
	return rec, err
}

func (t *tx) quitExpunge(m *mailboxRow, deleted store.UIDSet) (store.UIDSet, error) {
	gone, err := t.expunge(m, deleted, false)
	return gone.UIDs, err
}

func (t *tx) quitTrash(m *mailboxRow, deleted store.UIDSet) (rec record, err error) {
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

// hide notes that a credential deleted messages that the mailbox keeps.
func (t *tx) hide(by store.Actor, m *mailboxRow, deleted store.UIDSet) (hidden store.UIDSet, err error) {
	for _, span := range clip(deleted, m.UIDNext) {
		err := t.query("SELECT uid FROM entry WHERE mailbox = ? AND uid BETWEEN ? AND ? ORDER BY uid", func(r row) error {
			hidden.Add(store.UID(r.int(0)))
			return nil
		}, m.ID, span.Start, span.Stop)
		if err != nil {
			return nil, err
		}
		if _, err := t.exec(`INSERT OR IGNORE INTO pop3_hidden (credential, message, mailbox, uid)
			SELECT ?, message, 0, 0 FROM entry WHERE mailbox = ? AND uid BETWEEN ? AND ?`, by.Credential, m.ID, span.Start, span.Stop); err != nil {
			return nil, err
		}
	}
	return hidden, nil
}

// Hidden gives the messages of a mailbox that a credential deleted under
// DeleteKeep.
func (e *Engine) Hidden(ctx context.Context, id store.MailboxID, credential store.CredentialID) (map[store.MessageID]bool, error) {
	out := map[store.MessageID]bool{}
	err := e.read(ctx, "read what a device has deleted", func(c *conn) error {
		if _, err := foundMailbox(mailboxByID(c, id)); err != nil {
			return err
		}
		lo := id.Account().FirstMessage()
		return c.query(`SELECT h.message FROM pop3_hidden h WHERE h.message >= ?1 AND h.message < ?2 AND h.credential = ?3
			AND EXISTS (SELECT 1 FROM entry e WHERE e.message = h.message AND e.mailbox = ?4)`, func(r row) error {
			out[store.MessageID(r.int(0))] = true
			return nil
		}, lo, lo+1<<40, credential, id)
	})
	return out, err
}
