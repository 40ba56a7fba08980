package sqlite

import (
	"tandem/store"
)

// rememberMailbox keeps what a mailbox that goes was, as long as tombstones of
// it can be brought back.
func (t *tx) rememberMailbox(m *mailboxRow) error {
	_, err := t.exec(`INSERT INTO deleted_mailbox (id, name, use) SELECT ?1, ?2, ?3
		WHERE EXISTS (SELECT 1 FROM tombstone WHERE mailbox = ?1)`, m.ID, m.Name, m.Use)
	return err
}

// forgetMailbox ends that once the last tombstone has gone.
func (t *tx) forgetMailbox(id store.MailboxID) error {
	_, err := t.exec("DELETE FROM deleted_mailbox WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM tombstone WHERE mailbox = ?1)", id)
	return err
}
