package sqlite

import (
	"context"
	"math"
	"strconv"

	"tandem/store"
)

// showRows is how many tombstones are looked at in one transaction that shows
// what was expunged before.
const showRows = 1000

// ShowExpunged says whether accounts have a mailbox Recently Deleted from now
// on, and catches up with what was expunged, or takes the mailboxes away.
func (e *Engine) ShowExpunged(ctx context.Context, on bool) error {
	e.showing.Store(on)
	if on {
		return e.showOlder(ctx)
	}
	var ids []store.MailboxID
	err := e.read(ctx, "list mailboxes", func(c *conn) error {
		return c.query("SELECT id FROM mailbox WHERE id & ? <> 0", func(r row) error {
			ids = append(ids, store.MailboxID(r.int(0)))
			return nil
		}, store.RecentlyDeletedBit)
	})
	for _, id := range ids {
		if err == nil {
			err = e.write(ctx, "take Recently Deleted away", 0, func(t *tx) error { return t.removeRecently(id) })
		}
	}
	return err
}

// showOlder shows what was expunged while nothing was shown.
func (e *Engine) showOlder(ctx context.Context) error {
	var last store.Grave
	for {
		var first, upto store.Grave
		err := e.readOnce(ctx, "look for expunged mail", func(c *conn) error {
			n := 0
			return c.query(`SELECT mailbox, uid FROM tombstone WHERE (mailbox, uid) > (?, ?) AND fate = 0 AND shown IS NULL
				ORDER BY mailbox, uid`, func(r row) error {
				g := store.Grave{Mailbox: store.MailboxID(r.int(0)), UID: store.UID(r.int(1))}
				if n == 0 {
					first = g
				}
				if n++; n > showRows || g.Mailbox != first.Mailbox {
					return errStop
				}
				upto = g
				return nil
			}, last.Mailbox, last.UID)
		})
		if err != nil || first.Mailbox == 0 {
			return err
		}
		err = e.write(ctx, "show expunged mail", 0, func(t *tx) error {
			if gone, err := t.exists("SELECT 1 FROM removed_account WHERE id = ?", first.Mailbox.Account()); err != nil || gone {
				return err
			}
			return t.show(first.Mailbox, first.UID, upto.UID, 0)
		})
		if err != nil {
			return err
		}
		last = upto
	}
}

// show gives tombstones of a mailbox entries in Recently Deleted: those with UIDs
// from lo to hi that can be brought back and, unless it is 0, are of modseq.
func (t *tx) show(id store.MailboxID, lo, hi store.UID, modseq store.ModSeq) error {
	const which = " mailbox = ?1 AND uid BETWEEN ?2 AND ?3 AND fate = 0 AND shown IS NULL AND (modseq = ?4 OR ?4 = 0)"
	n, err := t.integer("SELECT count(*) FROM tombstone WHERE"+which, id, lo, hi, modseq)
	if err != nil || n == 0 {
		return err
	}
	box, err := t.recently(id.Account())
	if err != nil {
		return err
	}
	first, err := t.takeUIDs(box, int(n))
	if err != nil {
		return err
	}
	drawn, err := t.draw(box)
	if err != nil {
		return err
	}
	if _, err := t.exec(`UPDATE tombstone SET shown = x.place + ?5 FROM
			(SELECT uid AS at, row_number() OVER (ORDER BY uid) - 1 AS place FROM tombstone WHERE`+which+`) AS x
		WHERE mailbox = ?1 AND uid = x.at`, id, lo, hi, modseq, first); err != nil {
		return err
	}
	// 8 is \Deleted, 32 FlagPOP3Trashed.
	if _, err := t.exec(`INSERT INTO entry (mailbox, uid, message, modseq, flags, saved, size, internal, more_keywords)
		SELECT ?1, shown, message, ?2, flags & ~40, removed_at, size, internal, more_keywords
		FROM tombstone WHERE mailbox = ?3 AND uid BETWEEN ?4 AND ?5 AND shown >= ?6`, box.ID, drawn, id, lo, hi, first); err != nil {
		return err
	}
	c := t.change(box)
	c.Added, c.More = make([]store.Entry, 0, n), map[store.UID]string{}
	err = t.query(selectEntries+"WHERE mailbox = ? AND uid >= ? ORDER BY uid", func(r row) error {
		e := entryOf(r)
		c.Added = append(c.Added, e)
		if more := r.blob(7); len(more) > 0 {
			c.More[e.UID] = string(more)
		}
		box.count(e.Flags, int64(e.Size), 1)
		return nil
	}, box.ID, first)
	if err != nil {
		return err
	}
	return t.overrideUIDLs(box, first)
}

// unshow takes entries out of an account's Recently Deleted.
func (t *tx) unshow(account store.AccountID, uids []store.UID) error {
	if len(uids) == 0 {
		return nil
	}
	found, ok, err := recentlyOf(t.conn, account)
	if err != nil || !ok {
		return err
	}
	p := picked{fate: fateMoved}
	set := setOf(uids)
	for _, span := range set {
		err := t.query("SELECT uid, flags, size FROM entry WHERE mailbox = ? AND uid BETWEEN ? AND ?", func(r row) error {
			p.add(store.UID(r.int(0)), store.Flags(r.int(1)), r.int(2))
			return nil
		}, found.ID, span.Start, span.Stop)
		if err != nil {
			return err
		}
	}
	_, err = t.bury(t.rowOf(found), set, false, &p)
	return err
}

// shownAs gives the UIDs in Recently Deleted of tombstones of a mailbox.
func (t *tx) shownAs(id store.MailboxID, uids store.UIDSet) (list []store.UID, err error) {
	for _, span := range uids {
		err := t.query("SELECT shown FROM tombstone WHERE mailbox = ? AND uid BETWEEN ? AND ? AND shown IS NOT NULL", func(r row) error {
			list = append(list, store.UID(r.int(0)))
			return nil
		}, id, span.Start, span.Stop)
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

func recentlyOf(c *conn, account store.AccountID) (store.Mailbox, bool, error) {
	lo := account.FirstMessage() | store.RecentlyDeletedBit
	return oneMailbox(c, selectMailbox+"WHERE m.id >= ? AND m.id < ?", lo, (account + 1).FirstMessage())
}

// recently gives an account's Recently Deleted, made and subscribed to when there
// is none.
func (t *tx) recently(account store.AccountID) (*mailboxRow, error) {
	found, ok, err := recentlyOf(t.conn, account)
	if err != nil {
		return nil, err
	}
	if ok {
		return t.rowOf(found), nil
	}
	name := "Recently Deleted"
	for n := 2; n < math.MaxInt16; n++ {
		_, taken, err := mailboxByName(t.conn, account, name)
		if err != nil {
			return nil, err
		}
		if !taken {
			break
		}
		name = "Recently Deleted " + strconv.Itoa(n)
	}
	a, err := t.account(account)
	if err != nil {
		return nil, err
	}
	if _, err := t.exec("INSERT OR IGNORE INTO subscription (account, name) VALUES (?, ?)", account, name); err != nil {
		return nil, err
	}
	m, err := t.insertMailboxAs(a, store.NewMailbox{Name: name}, store.RecentlyDeletedBit)
	if err != nil {
		return nil, err
	}
	t.change(m).List = true
	return m, nil
}

// removeRecently takes a mailbox Recently Deleted away with all that it shows.
func (t *tx) removeRecently(id store.MailboxID) error {
	found, ok, err := mailboxByID(t.conn, id)
	if err != nil || !ok {
		return err
	}
	m := t.rowOf(found)
	m.gone = true
	c := t.change(m)
	c.Deleted, c.List = true, true
	var named []store.MessageID // by its tombstones, perhaps alone
	err = t.query("SELECT DISTINCT message FROM tombstone WHERE mailbox = ?", func(r row) error {
		named = append(named, store.MessageID(r.int(0)))
		return nil
	}, id)
	if err != nil {
		return err
	}
	for _, sql := range []string{
		"DELETE FROM entry WHERE mailbox = ?1",
		"DELETE FROM tombstone WHERE mailbox = ?1",
		"DELETE FROM uidl_override WHERE mailbox = ?1",
		"DELETE FROM metadata WHERE mailbox = ?1",
		"DELETE FROM subscription WHERE (account, name) IN (SELECT account, name FROM mailbox WHERE id = ?1)",
		"DELETE FROM mailbox WHERE id = ?1",
		"UPDATE tombstone SET shown = NULL WHERE mailbox >= (?1 >> 40) << 40 AND mailbox < ((?1 >> 40) + 1) << 40 AND shown IS NOT NULL",
	} {
		if _, err := t.exec(sql, id); err != nil {
			return err
		}
	}
	for _, message := range named {
		if err := t.dropMessageIfUnused(message); err != nil {
			return err
		}
	}
	return nil
}
