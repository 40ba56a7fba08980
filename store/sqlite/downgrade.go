package sqlite

import (
	"context"

	"tandem/store"
	"tandem/store/message"
)

// insertDowngrade notes what readers without UTF-8 get of an internationalized
// message, where that differs.
func (in *inserter) insertDowngrade(p *prepared, id store.MessageID) error {
	if !p.Body.UTF8 {
		return nil
	}
	edits := withPrefix(p.Prefix, p.Body.Downgrade)
	if len(edits) == 0 {
		return nil
	}
	return in.putDowngrade(id, p.size, edits)
}

// withPrefix gives the edits of a message whose body has edits.
func withPrefix(prefix []byte, body []message.Edit) []message.Edit {
	edits := message.DowngradeHeader(prefix)
	for _, e := range body {
		e.Off += int64(len(prefix))
		edits = append(edits, e)
	}
	return edits
}

// putDowngrade writes the edits of a message of size octets.
func (t *tx) putDowngrade(id store.MessageID, size int64, edits []message.Edit) error {
	blob := message.AppendEdits(nil, edits)
	_, err := t.exec("INSERT OR REPLACE INTO message_utf8 (message, size, edits, crc) VALUES (?, ?, ?, ?)",
		id, message.EditedSize(size, edits), blob, crc(blob))
	return err
}

// DowngradedSizes gives the sizes of the downgraded forms of a mailbox's
// entries.
func (e *Engine) DowngradedSizes(ctx context.Context, id store.MailboxID) (map[store.UID]int64, error) {
	out := map[store.UID]int64{}
	err := e.readOnce(ctx, "read downgraded sizes", func(c *conn) error {
		if _, err := foundMailbox(mailboxByID(c, id)); err != nil {
			return err
		}
		lo := id.Account().FirstMessage()
		return c.query(`SELECT e.uid, u.size FROM message_utf8 u CROSS JOIN entry e ON e.message = u.message
			WHERE u.message >= ? AND u.message < ? AND e.mailbox = ?`, func(r row) error {
			out[store.UID(r.int(0))] = r.int(1)
			return nil
		}, lo, lo+1<<40, id)
	})
	return out, err
}

// Downgrade gives the edits that make the downgraded form of a message.
func (e *Engine) Downgrade(ctx context.Context, m *store.Message) (edits []message.Edit, err error) {
	err = e.read(ctx, "read a downgraded form", func(c *conn) error {
		r, ok, err := c.first("SELECT size, edits, crc FROM message_utf8 WHERE message = ?", m.ID)
		if err != nil || !ok {
			return err
		}
		edits, err = editsOf(r, m.ID, m.Size)
		return err
	})
	return edits, err
}

// editsOf reads size, edits and crc of the form of a message: Corrupt when they
// are not what was written.
func editsOf(r row, id store.MessageID, size int64) ([]message.Edit, error) {
	edits, err := message.ParseEdits(append([]byte(nil), r.blob(1)...), size)
	if err != nil || crc(r.blob(1)) != r.int(2) || message.EditedSize(size, edits) != r.int(0) {
		return nil, store.Errorf(store.Corrupt, "message %d: its downgraded form is damaged", id)
	}
	return edits, nil
}
