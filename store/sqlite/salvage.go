package sqlite

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"tandem/store"
)

// Salvage reads a mailbox's entries from both ends of the table up to what is
// damaged, and those between from the index that leads from messages to
// entries: it has no flags.
func (e *Engine) Salvage(ctx context.Context, id store.MailboxID) ([]store.Entry, error) {
	found := map[store.UID]store.Entry{}
	add := func(r row) error {
		entry := entryOf(r)
		found[entry.UID] = entry
		return nil
	}
	lo := id.Account().FirstMessage()
	hi := lo + 1<<40
	err := e.readOnce(ctx, "salvage a mailbox", func(c *conn) error {
		for _, sql := range []string{
			selectEntries + "WHERE mailbox = ? ORDER BY uid",
			selectEntries + "WHERE mailbox = ? ORDER BY uid DESC",
		} {
			if err := ignoreDamage(c.query(sql, add, id)); err != nil {
				return err
			}
		}
		return ignoreDamage(c.query(`SELECT uid, message FROM entry INDEXED BY entry_message
			WHERE message >= ? AND message < ? AND mailbox = ?`, func(r row) error {
			uid := store.UID(r.int(0))
			if _, ok := found[uid]; !ok {
				found[uid] = store.Entry{UID: uid, Message: store.MessageID(r.int(1))}
			}
			return nil
		}, lo, hi, id))
	})
	return slices.SortedFunc(maps.Values(found), func(a, b store.Entry) int { return cmp.Compare(a.UID, b.UID) }), err
}

// ignoreDamage passes over the end of a query at something damaged.
func ignoreDamage(err error) error {
	if store.KindOf(classify("", err)) == store.Corrupt {
		return nil
	}
	return err
}
