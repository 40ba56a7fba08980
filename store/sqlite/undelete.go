package sqlite

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"time"

	"tandem/store"
)

// Expunged lists what can be brought back, a page at a time.
func (e *Engine) Expunged(ctx context.Context, owner store.AccountID, since time.Time) iter.Seq2[*store.ExpungedEntry, error] {
	return func(yield func(*store.ExpungedEntry, error) bool) {
		last := store.Grave{Mailbox: store.MailboxID(owner.FirstMessage())}
		for {
			var page []store.ExpungedEntry
			err := e.readOnce(ctx, "list expunged mail", func(c *conn) (err error) {
				page, err = expungedPage(c, last, owner, since)
				return err
			})
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range page {
				if !yield(&page[i], nil) {
					return
				}
			}
			if len(page) < pageRows {
				return
			}
			last = store.Grave{Mailbox: page[len(page)-1].Mailbox, UID: page[len(page)-1].UID}
		}
	}
}

func expungedPage(c *conn, last store.Grave, owner store.AccountID, since time.Time) (page []store.ExpungedEntry, err error) {
	err = c.query(`SELECT x.uid, x.size, x.message, x.entry_modseq, x.flags, x.internal, x.saved, x.mailbox, x.removed_at,
			ifnull(m.name, ifnull(d.name, '')), m.id IS NULL,
			EXISTS (SELECT 1 FROM entry e WHERE e.message = x.message AND e.saved >= x.saved AND e.mailbox >> 39 & 1 = 0)
			OR EXISTS (SELECT 1 FROM tombstone y WHERE y.message = x.message AND y.fate = 0 AND y.saved > x.removed_at AND y.mailbox >> 39 & 1 = 0)
		FROM tombstone x LEFT JOIN mailbox m ON m.id = x.mailbox LEFT JOIN deleted_mailbox d ON d.id = x.mailbox
		WHERE (x.mailbox, x.uid) > (?1, ?2) AND x.mailbox < ?3 AND x.fate = 0 AND x.removed_at >= ?4
		ORDER BY x.mailbox, x.uid LIMIT ?5`, func(r row) error {
		page = append(page, store.ExpungedEntry{Entry: entryOf(r), Mailbox: store.MailboxID(r.int(7)), Removed: r.time(8),
			Name: r.text(9), Gone: r.int(10) != 0, Elsewhere: r.int(11) != 0})
		return nil
	}, last.Mailbox, last.UID, (owner + 1).FirstMessage(), since, pageRows)
	return page, err
}

// Undelete brings back expunged entries, each to where it was.
func (e *Engine) Undelete(ctx context.Context, by store.Actor, owner store.AccountID, list []store.Grave) ([]store.Restored, error) {
	if err := e.space.check(ctx, "bring back messages"); err != nil {
		return nil, err
	}
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b store.Grave) int {
		return cmp.Or(cmp.Compare(a.Mailbox, b.Mailbox), cmp.Compare(a.UID, b.UID))
	})
	var out []store.Restored
	err := e.writeBulk(ctx, "bring back messages", len(list), func(t *tx) error {
		out = nil
		a, err := t.owner(by, owner)
		if err != nil {
			return err
		}
		for rest := slices.Compact(list); len(rest) > 0; {
			id, n := rest[0].Mailbox, 1
			for n < len(rest) && rest[n].Mailbox == id {
				n++
			}
			if id.Account() != owner {
				return store.Errorf(store.NotFound, "no such mailbox")
			}
			back, err := t.undelete(by, a, id, rest[:n])
			if err != nil {
				return err
			}
			out, rest = append(out, back...), rest[n:]
		}
		return t.fits(by, a, 0, 0)
	})
	return out, err
}

// undelete brings back entries of one mailbox.
func (t *tx) undelete(by store.Actor, a *accountRow, id store.MailboxID, list []store.Grave) ([]store.Restored, error) {
	var uids store.UIDSet
	for _, g := range list {
		uids.Add(g.UID)
	}
	graves, err := t.graves(id, uids)
	if err != nil {
		return nil, err
	}
	var back []revival
	for _, was := range list {
		if g, ok := graves[was.UID]; ok && g.fate == fateExpunged {
			back = append(back, revival{was, g.entry, g.more})
		}
	}
	if len(back) == 0 {
		return nil, nil
	}
	home, err := t.home(a, id)
	if err != nil {
		return nil, err
	}
	for i := range back {
		back[i].entry.Flags &^= store.FlagDeleted
	}
	first, err := t.revive(home, back)
	if err != nil {
		return nil, err
	}
	rec := record{verb: "undelete", mailbox: id, other: home.ID, modseq: home.HighestModSeq,
		otherUIDs: store.UIDSet{{Start: first, Stop: first + store.UID(len(back)) - 1}}}
	closed, out := make([]store.Grave, len(back)), make([]store.Restored, len(back))
	for i := range back {
		closed[i] = back[i].was
		rec.uids.Add(closed[i].UID)
		out[i] = store.Restored{Grave: closed[i], Mailbox: home.ID, UID: first + store.UID(i)}
	}
	if err := t.closeGraves(a.id, closed); err != nil {
		return nil, err
	}
	return out, t.journal(by, a.id, rec)
}

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
