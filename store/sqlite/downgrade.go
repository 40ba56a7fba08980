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
	edits := message.DowngradeHeader(p.Prefix)
	for _, e := range p.Body.Downgrade {
		e.Off += int64(len(p.Prefix))
		edits = append(edits, e)
	}
	if len(edits) == 0 {
		return nil
	}
	_, err := in.exec("INSERT INTO message_utf8 (message, size, edits) VALUES (?, ?, ?)",
		id, message.EditedSize(p.size, edits), message.AppendEdits(nil, edits))
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
		r, ok, err := c.first("SELECT size, edits FROM message_utf8 WHERE message = ?", m.ID)
		if err != nil || !ok {
			return err
		}
		size := r.int(0)
		edits, err = message.ParseEdits(append([]byte(nil), r.blob(1)...), m.Size)
		if err != nil || message.EditedSize(m.Size, edits) != size {
			return store.Errorf(store.Corrupt, "message %d: its downgraded form is damaged", m.ID)
		}
		return nil
	})
	return edits, err
}
