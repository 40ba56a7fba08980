package sqlite

import (
	"context"
	"slices"
	"time"

	"tandem/store"
)

// MailboxesFor lists the mailboxes of all accounts that have a special use.
func (e *Engine) MailboxesFor(ctx context.Context, use store.SpecialUse) (ids []store.MailboxID, err error) {
	err = e.read(ctx, "list mailboxes", func(c *conn) error {
		return c.query("SELECT id FROM mailbox WHERE use = ? AND messages > 0 ORDER BY id", func(r row) error {
			ids = append(ids, store.MailboxID(r.int(0)))
			return nil
		}, use)
	})
	return ids, err
}

// ageRows bounds one transaction of ExpungeOld.
const ageRows = 1000

// ExpungeOld expunges entries that have mark and a SAVEDATE before a time.
func (e *Engine) ExpungeOld(ctx context.Context, id store.MailboxID, mark store.Flags, before time.Time) (oldest time.Time, err error) {
	var old []store.UID
	err = e.read(ctx, "look for old mail", func(c *conn) error {
		return c.query("SELECT uid, saved FROM entry WHERE mailbox = ?1 AND flags & ?2 = ?2 ORDER BY uid", func(r row) error {
			switch saved := r.time(1); {
			case saved.Before(before):
				old = append(old, store.UID(r.int(0)))
			case oldest.IsZero() || saved.Before(oldest):
				oldest = saved
			}
			return nil
		}, id, mark)
	})
	if err != nil {
		return oldest, err
	}
	for chunk := range slices.Chunk(old, ageRows) {
		if err := e.writeBulk(ctx, "empty the trash", len(chunk), func(t *tx) error { return t.expungeOld(id, setOf(chunk)) }); err != nil {
			return oldest, err
		}
	}
	return oldest, nil
}

func (t *tx) expungeOld(id store.MailboxID, uids store.UIDSet) error {
	found, ok, err := mailboxByID(t.conn, id)
	if err != nil || !ok {
		return err
	}
	gone, err := t.expunge(t.rowOf(found), uids, false)
	if err != nil || gone.ModSeq == 0 {
		return err
	}
	return t.journal(store.Actor{Protocol: "admin"}, id.Account(), record{verb: "age", mailbox: id, modseq: gone.ModSeq, uids: gone.UIDs})
}
