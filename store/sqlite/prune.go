package sqlite

import (
	"context"
	"math"
	"time"

	"tandem/store"
)

// The bounds of one transaction of pruning: nobody should wait for it.
const (
	pruneRows  = 256
	pruneBytes = 16 << 20
)

// Prune forgets tombstones removed before a time, the oldest of each mailbox
// first, with the messages and bodies that nothing names any more. It goes on
// with accounts that were removed.
func (e *Engine) Prune(ctx context.Context, before time.Time, pinned map[store.MailboxID]store.ModSeq) error {
	if err := e.sweepRemoved(ctx); err != nil {
		return err
	}
	last := store.MailboxID(0)
	for {
		next, err := e.nextWithTombstones(ctx, last)
		if err != nil || next == 0 {
			return err
		}
		limit, ok := pinned[next]
		if !ok {
			limit = math.MaxInt64
		}
		until := before
		if next.RecentlyDeleted() { // the others' tombstones say how long its mail is kept
			until = e.opts.Now().Add(time.Second)
		}
		if err := e.pruneMailbox(ctx, next, limit, until); err != nil {
			return err
		}
		last = next
	}
}

func (e *Engine) nextWithTombstones(ctx context.Context, after store.MailboxID) (id store.MailboxID, err error) {
	err = e.read(ctx, "prune", func(c *conn) error {
		n, err := c.integer("SELECT mailbox FROM tombstone WHERE mailbox > ? ORDER BY mailbox LIMIT 1", after)
		id = store.MailboxID(n)
		return err
	})
	return id, err
}

func (e *Engine) pruneMailbox(ctx context.Context, id store.MailboxID, limit store.ModSeq, before time.Time) error {
	for {
		more := false
		err := e.write(ctx, "prune", 0, func(t *tx) (err error) {
			more, err = t.pruneStep(id, limit, before)
			return err
		})
		if err != nil || !more {
			return err
		}
	}
}

// pruneStep forgets some tombstones of a mailbox, up to the modseq limit, and
// raises what the mailbox says has been forgotten in the same transaction. What
// a clock gone wrong has dated in the future does not hold up the others.
func (t *tx) pruneStep(id store.MailboxID, limit store.ModSeq, before time.Time) (more bool, err error) {
	type grave struct {
		uid     store.UID
		message store.MessageID
	}
	var graves []grave
	var shown []store.UID
	var upto store.ModSeq
	bytes := int64(0)
	err = t.query(`SELECT uid, message, modseq, size, removed_at, shown FROM tombstone WHERE mailbox = ? AND modseq <= ?
		AND removed_at <= ? ORDER BY mailbox, modseq LIMIT ?`, func(r row) error {
		if r.int(4) >= before.Unix() {
			return errStop
		}
		if bytes > pruneBytes {
			more = true
			return errStop
		}
		graves = append(graves, grave{store.UID(r.int(0)), store.MessageID(r.int(1))})
		upto = store.ModSeq(r.int(2))
		bytes += r.int(3)
		if !r.null(5) {
			shown = append(shown, store.UID(r.int(5)))
		}
		return nil
	}, id, limit, t.now, pruneRows)
	if err != nil || len(graves) == 0 {
		return false, err
	}
	if err := t.unshow(id.Account(), shown); err != nil {
		return false, err
	}
	for _, g := range graves {
		if _, err := t.exec("DELETE FROM tombstone WHERE mailbox = ? AND uid = ?", id, g.uid); err != nil {
			return false, err
		}
		if _, err := t.exec("DELETE FROM uidl_override WHERE mailbox = ? AND uid = ?", id, g.uid); err != nil {
			return false, err
		}
		if err := t.dropMessageIfUnused(g.message); err != nil {
			return false, err
		}
	}
	if _, err := t.exec("UPDATE mailbox SET pruned_modseq = max(pruned_modseq, ?) WHERE id = ?", upto, id); err != nil {
		return false, err
	}
	return more || len(graves) == pruneRows, t.forgetMailbox(id)
}

// dropMessageIfUnused removes a message that neither an entry nor a tombstone
// names.
func (t *tx) dropMessageIfUnused(id store.MessageID) error {
	used, err := t.exists(`SELECT 1 FROM entry WHERE message = ?1 UNION ALL SELECT 1 FROM tombstone WHERE message = ?1 LIMIT 1`, id)
	if err != nil || used {
		return err
	}
	return t.dropMessage(id)
}

// dropMessage removes a message, and its body when no other message has it.
func (t *tx) dropMessage(id store.MessageID) error {
	r, ok, err := t.first("SELECT body FROM message WHERE id = ?", id)
	if err != nil || !ok {
		return err
	}
	for _, sql := range []string{
		"DELETE FROM message WHERE id = ?",
		"DELETE FROM message_uidl WHERE message = ?",
		"DELETE FROM message_utf8 WHERE message = ?",
		"DELETE FROM pop3_hidden WHERE message = ?",
	} {
		if _, err := t.exec(sql, id); err != nil {
			return err
		}
	}
	body := r.int(0)
	used, err := t.exists("SELECT 1 FROM message WHERE body = ?", body)
	if err != nil || used {
		return err
	}
	return dropBody(t.conn, store.BodyID(body))
}

// dropBody removes a stored body with its chunks.
func dropBody(c *conn, id store.BodyID) error {
	if _, err := c.exec("DELETE FROM body WHERE id = ?", id); err != nil {
		return err
	}
	_, err := c.exec("DELETE FROM chunk WHERE id >= ? AND id < ?", id, chunkEnd(id))
	return err
}

// chunkEnd is the row id after the last chunk that a body may have.
func chunkEnd(id store.BodyID) int64 {
	if id < 1<<40 {
		return int64(id) + bodyStride
	}
	return int64(id) + 1 // named like its first message: one chunk
}

// sweepRemoved goes on with what RemoveAccount began.
func (e *Engine) sweepRemoved(ctx context.Context) error {
	for {
		var id store.AccountID
		err := e.read(ctx, "find removed accounts", func(c *conn) error {
			n, err := c.integer("SELECT id FROM removed_account ORDER BY id LIMIT 1")
			id = store.AccountID(n)
			return err
		})
		if err != nil || id == 0 {
			return err
		}
		if err := e.sweepAccount(ctx, id); err != nil {
			return err
		}
	}
}

// sweepAccount removes what is left of a removed account, in steps.
func (e *Engine) sweepAccount(ctx context.Context, id store.AccountID) error {
	for {
		done := false
		err := e.write(ctx, "remove an account's mail", 0, func(t *tx) (err error) {
			done, err = t.sweepStep(id)
			return err
		})
		if err != nil || done {
			return err
		}
	}
}

// sweepStep removes some rows of a removed account. Entries and tombstones go
// before messages, so that a message that has gone is named by nothing.
func (t *tx) sweepStep(id store.AccountID) (done bool, err error) {
	lo := id.FirstMessage()
	hi := lo + 1<<40
	for _, sql := range []string{
		"DELETE FROM entry WHERE (mailbox, uid) IN (SELECT mailbox, uid FROM entry WHERE mailbox >= ? AND mailbox < ? LIMIT 1000)",
		"DELETE FROM tombstone WHERE (mailbox, uid) IN (SELECT mailbox, uid FROM tombstone WHERE mailbox >= ? AND mailbox < ? LIMIT 1000)",
		"DELETE FROM uidl_override WHERE (mailbox, uid) IN (SELECT mailbox, uid FROM uidl_override WHERE mailbox >= ? AND mailbox < ? LIMIT 1000)",
		"DELETE FROM deleted_mailbox WHERE id >= ? AND id < ?",
		"DELETE FROM pop3_listed WHERE mailbox >= ? AND mailbox < ?",
	} {
		if n, err := t.exec(sql, lo, hi); err != nil || n > 0 {
			return false, err
		}
	}
	more, err := t.sweepMessages(lo, hi)
	if err != nil || more {
		return false, err
	}
	for _, sql := range []string{
		"DELETE FROM thread_ref WHERE (account, ref) IN (SELECT account, ref FROM thread_ref WHERE account = ? LIMIT 1000)",
		"DELETE FROM import_ledger WHERE (account, key) IN (SELECT account, key FROM import_ledger WHERE account = ? LIMIT 1000)",
		"DELETE FROM journal WHERE (account, n) IN (SELECT account, n FROM journal WHERE account = ? LIMIT 1000)",
	} {
		if n, err := t.exec(sql, id); err != nil || n > 0 {
			return false, err
		}
	}
	_, err = t.exec("DELETE FROM removed_account WHERE id = ?", id)
	return true, err
}

func (t *tx) sweepMessages(lo, hi int64) (more bool, err error) {
	var ids []store.MessageID
	bytes := int64(0)
	err = t.query("SELECT id, size FROM message WHERE id >= ? AND id < ? LIMIT ?", func(r row) error {
		ids = append(ids, store.MessageID(r.int(0)))
		if bytes += r.int(1); bytes > pruneBytes {
			return errStop
		}
		return nil
	}, lo, hi, pruneRows)
	if err != nil {
		return false, err
	}
	for _, id := range ids {
		if err := t.dropMessage(id); err != nil {
			return false, err
		}
	}
	return len(ids) > 0, nil
}
