package sqlite

import (
	"context"
	"strings"

	"tandem/store"
)

const selectMailbox = `SELECT m.id, m.name, m.use, m.mailboxid, m.uidvalidity, m.messages, m.unseen, m.deleted, m.bytes, m.uidnext,
	m.highestmodseq, m.pruned_modseq, m.recent_from,
	EXISTS (SELECT 1 FROM subscription s WHERE s.account = m.account AND s.name = m.name) FROM mailbox m `

func mailboxOf(r row) store.Mailbox {
	return store.Mailbox{ID: store.MailboxID(r.int(0)), Name: r.text(1), Use: store.SpecialUse(r.text(2)), MailboxID: r.text(3),
		UIDValidity: uint32(r.int(4)), Messages: int(r.int(5)), Unseen: int(r.int(6)), Deleted: int(r.int(7)), Bytes: r.int(8),
		UIDNext: store.UID(r.int(9)), HighestModSeq: store.ModSeq(r.int(10)), PrunedModSeq: store.ModSeq(r.int(11)),
		RecentFrom: store.UID(r.int(12)), Subscribed: r.int(13) != 0}
}

func mailboxByID(c *conn, id store.MailboxID) (store.Mailbox, bool, error) {
	return oneMailbox(c, selectMailbox+"WHERE m.id = ?", id)
}

func mailboxByName(c *conn, owner store.AccountID, name string) (store.Mailbox, bool, error) {
	return oneMailbox(c, selectMailbox+"WHERE m.account = ? AND m.name = ?", owner, name)
}

func oneMailbox(c *conn, sql string, args ...any) (m store.Mailbox, ok bool, err error) {
	r, ok, err := c.first(sql, args...)
	if ok {
		m = mailboxOf(r)
	}
	return m, ok, err
}

func mailboxesOf(c *conn, owner store.AccountID) (list []store.Mailbox, err error) {
	err = c.query(selectMailbox+"WHERE m.account = ? ORDER BY m.name", func(r row) error {
		list = append(list, mailboxOf(r))
		return nil
	}, owner)
	return list, err
}

// Mailboxes lists an account's mailboxes by name.
func (e *Engine) Mailboxes(ctx context.Context, owner store.AccountID) (list []store.Mailbox, err error) {
	err = e.read(ctx, "list mailboxes", func(c *conn) error {
		list, err = mailboxesOf(c, owner)
		return err
	})
	return list, err
}

// Mailbox reads a mailbox's row.
func (e *Engine) Mailbox(ctx context.Context, id store.MailboxID) (m store.Mailbox, err error) {
	err = e.read(ctx, "read a mailbox", func(c *conn) error {
		m, err = foundMailbox(mailboxByID(c, id))
		return err
	})
	return m, err
}

// MailboxByName finds a mailbox by its exact name.
func (e *Engine) MailboxByName(ctx context.Context, owner store.AccountID, name string) (m store.Mailbox, err error) {
	err = e.read(ctx, "find a mailbox", func(c *conn) error {
		m, err = foundMailbox(mailboxByName(c, owner, name))
		return err
	})
	return m, err
}

func foundMailbox(m store.Mailbox, ok bool, err error) (store.Mailbox, error) {
	if err == nil && !ok {
		err = errNoMailbox()
	}
	return m, err
}

// errNoMailbox is worded as the answer to who may not know of a mailbox.
func errNoMailbox() error { return store.Rights(0).Allow(0) }

// CreateMailbox makes a mailbox and its missing parents.
func (e *Engine) CreateMailbox(ctx context.Context, by store.Actor, owner store.AccountID, n store.NewMailbox, maxMailboxes int) (store.Mailbox, error) {
	if err := e.space.check(ctx, "create a mailbox"); err != nil {
		return store.Mailbox{}, err
	}
	var made store.Mailbox
	err := e.write(ctx, "create a mailbox", 0, func(t *tx) error {
		if err := t.mayCreate(by, owner, n); err != nil {
			return err
		}
		a, err := t.account(owner)
		if err != nil {
			return err
		}
		m, err := t.createMailbox(a, n, maxMailboxes)
		if err != nil {
			return err
		}
		if err := t.fits(by, a, 0, 0); err != nil {
			return err
		}
		made = m.Mailbox
		return t.journal(by, owner, record{verb: "create", mailbox: m.ID, detail: m.Name})
	})
	return made, err
}

// createMailbox makes a mailbox and its missing parents, to be published.
func (t *tx) createMailbox(a *accountRow, n store.NewMailbox, maxMailboxes int) (*mailboxRow, error) {
	if n.Use != "" {
		taken, err := t.exists("SELECT 1 FROM mailbox WHERE account = ? AND use = ?", a.id, n.Use)
		if err != nil {
			return nil, err
		}
		if taken {
			return nil, store.Errorf(store.Exists, "another mailbox is the one for %s already", n.Use)
		}
	}
	if _, taken, err := mailboxByName(t.conn, a.id, n.Name); err != nil || taken {
		if err == nil {
			err = store.Errorf(store.Exists, "the mailbox %q exists already", n.Name)
		}
		return nil, err
	}
	if err := t.createParents(a, n.Name); err != nil {
		return nil, err
	}
	m, err := t.newMailbox(a, n)
	if err != nil {
		return nil, err
	}
	return m, t.checkMailboxLimit(a, maxMailboxes)
}

// createParents makes the parents of name that are missing, top down.
func (t *tx) createParents(a *accountRow, name string) error {
	for i, c := range name {
		if c != '/' {
			continue
		}
		above, ok, err := mailboxByName(t.conn, a.id, name[:i])
		if err != nil {
			return err
		}
		if above.ID.RecentlyDeleted() {
			return store.Errorf(store.Forbidden, "no mailbox can be made in %q", above.Name)
		}
		if ok {
			continue
		}
		if _, err := t.newMailbox(a, store.NewMailbox{Name: name[:i]}); err != nil {
			return err
		}
	}
	return nil
}

// newMailbox makes one mailbox with its parent's ACL, to be published.
func (t *tx) newMailbox(a *accountRow, n store.NewMailbox) (*mailboxRow, error) {
	m, err := t.insertMailbox(a, n)
	if err != nil {
		return nil, err
	}
	c := t.change(m)
	c.List = true
	return m, t.inherit(m, c)
}

func (t *tx) checkMailboxLimit(a *accountRow, limit int) error {
	if limit > 0 && t.holds(a).Mailboxes > int64(limit) {
		return store.Errorf(store.Limit, "an account may have %d mailboxes", limit)
	}
	return nil
}

// insertMailbox makes one mailbox's row, with a UIDVALIDITY above all before.
func (t *tx) insertMailbox(a *accountRow, n store.NewMailbox) (*mailboxRow, error) {
	return t.insertMailboxAs(a, n, 0)
}

// insertMailboxAs is insertMailbox with bits of the mailbox's id given.
func (t *tx) insertMailboxAs(a *accountRow, n store.NewMailbox, bits int64) (*mailboxRow, error) {
	last, err := t.counter("uidvalidity", 1)
	if err != nil {
		return nil, err
	}
	m := &mailboxRow{Mailbox: store.Mailbox{ID: store.MailboxID(a.id.FirstMessage() | bits | a.nextMailbox), Name: n.Name, Use: n.Use,
		MailboxID: randomText(idAlphabet, 16), UIDValidity: uint32(last + 1), UIDNext: 1, HighestModSeq: 1, RecentFrom: 1}}
	a.nextMailbox++
	a.dirty = true
	m.Subscribed, err = t.exists("SELECT 1 FROM subscription WHERE account = ? AND name = ?", a.id, n.Name)
	if err != nil {
		return nil, err
	}
	_, err = t.exec(`INSERT INTO mailbox (id, account, name, use, mailboxid, uidvalidity, messages, unseen, deleted, bytes, uidnext,
		highestmodseq, pruned_modseq, recent_from) VALUES (?, ?, ?, ?, ?, ?, 0, 0, 0, 0, ?, ?, 0, ?)`,
		m.ID, a.id, m.Name, m.Use, m.MailboxID, m.UIDValidity, m.UIDNext, m.HighestModSeq, m.RecentFrom)
	t.mailboxes[m.ID] = m
	return m, err
}

// DeleteMailbox removes a mailbox; its entries become tombstones.
func (e *Engine) DeleteMailbox(ctx context.Context, by store.Actor, id store.MailboxID) error {
	rows, err := e.rowsIn(ctx, id, store.AllUIDs())
	if err != nil {
		return err
	}
	return e.writeBulk(ctx, "delete a mailbox", rows, func(t *tx) error {
		m, err := t.mailbox(by, id, store.RightDelete)
		if err != nil {
			return err
		}
		if m.Name == "INBOX" {
			return store.Errorf(store.Forbidden, "INBOX cannot be deleted")
		}
		gone, err := t.expunge(m, store.AllUIDs(), false)
		if err != nil {
			return err
		}
		m.gone = true
		c := t.change(m)
		c.Deleted, c.List, c.ACL = true, true, true // and nobody has rights on it
		if _, err := t.exec("DELETE FROM mailbox WHERE id = ?", id); err != nil {
			return err
		}
		if err := t.rememberMailbox(m); err != nil {
			return err
		}
		if _, err := t.exec("DELETE FROM metadata WHERE account = ? AND mailbox = ?", id.Account(), id); err != nil {
			return err
		}
		if _, err := t.exec("DELETE FROM acl WHERE mailbox = ?", id); err != nil {
			return err
		}
		if err := t.forgetListings(id); err != nil {
			return err
		}
		return t.journal(by, id.Account(), record{verb: "delete", mailbox: id, modseq: gone.ModSeq, uids: gone.UIDs, detail: m.Name})
	})
}

// RenameMailbox renames a mailbox with its children, or moves INBOX's messages
// to a new one (RFC 3501 section 6.3.5).
func (e *Engine) RenameMailbox(ctx context.Context, by store.Actor, id store.MailboxID, name string, maxMailboxes int) error {
	rows, err := e.rowsIn(ctx, id, store.AllUIDs())
	if err != nil {
		return err
	}
	return e.writeBulk(ctx, "rename a mailbox", rows, func(t *tx) error {
		m, err := t.mailbox(by, id, store.RightDelete)
		if err != nil {
			return err
		}
		a, err := t.account(id.Account())
		if err != nil {
			return err
		}
		if err := t.mayRename(by, m, name); err != nil {
			return err
		}
		if m.Name == "INBOX" {
			if err := t.renameInbox(by, a, m, name, maxMailboxes); err != nil {
				return err
			}
			return t.fits(by, a, 0, 0)
		}
		old := m.Name
		if err := t.rename(a, m, name); err != nil {
			return err
		}
		if err := t.checkMailboxLimit(a, maxMailboxes); err != nil {
			return err
		}
		if err := t.fits(by, a, 0, 0); err != nil {
			return err
		}
		return t.journal(by, a.id, record{verb: "rename", mailbox: id, detail: old + "\n" + name})
	})
}

func (t *tx) renameInbox(by store.Actor, a *accountRow, inbox *mailboxRow, name string, maxMailboxes int) error {
	to, err := t.createMailbox(a, store.NewMailbox{Name: name}, maxMailboxes)
	if err != nil {
		return err
	}
	moved, err := t.copyEntries(inbox, to, store.AllUIDs(), copyMode{move: true})
	if err != nil {
		return err
	}
	if err := t.copyMetadata(by, inbox, to); err != nil { // RFC 5464 section 4.1
		return err
	}
	return t.journal(by, a.id, record{verb: "rename", mailbox: inbox.ID, other: to.ID, modseq: to.HighestModSeq,
		uids: moved.Source, otherUIDs: moved.Dest, detail: "INBOX\n" + name})
}

// rename gives m and its children their new names.
func (t *tx) rename(a *accountRow, m *mailboxRow, name string) error {
	old := m.Name
	if strings.HasPrefix(name, old+"/") {
		return store.Errorf(store.Invalid, "a mailbox cannot be renamed into itself")
	}
	list, err := mailboxesOf(t.conn, a.id)
	if err != nil {
		return err
	}
	taken := map[string]bool{}
	var family []store.Mailbox
	for _, other := range list {
		if other.Name == old || strings.HasPrefix(other.Name, old+"/") {
			family = append(family, other)
		} else {
			taken[other.Name] = true
		}
	}
	for _, child := range family {
		to := name + child.Name[len(old):]
		if to == name && (taken[to] || name == old) {
			return store.Errorf(store.Exists, "the mailbox %q exists already", name)
		}
		if taken[to] { // which the actor may not know of by name
			return store.Errorf(store.Exists, "below %q there is such a mailbox already", name)
		}
		if _, err := store.CanonicalMailboxName(to); err != nil { // too long or too deep: nobody could open it
			return err
		}
	}
	for _, child := range family {
		if err := t.renameOne(a, child, name+child.Name[len(old):]); err != nil {
			return err
		}
	}
	return t.createParents(a, name)
}

func (t *tx) renameOne(a *accountRow, found store.Mailbox, name string) error {
	m := t.rowOf(found)
	var err error
	m.Name = name
	m.dirty = true
	m.Subscribed, err = t.exists("SELECT 1 FROM subscription WHERE account = ? AND name = ?", a.id, name)
	if err != nil {
		return err
	}
	t.change(m).List = true
	_, err = t.exec("UPDATE mailbox SET name = ? WHERE id = ?", name, m.ID)
	return err
}

// Subscriptions lists subscribed names.
func (e *Engine) Subscriptions(ctx context.Context, owner store.AccountID) (list []string, err error) {
	err = e.read(ctx, "list subscriptions", func(c *conn) error {
		return c.query("SELECT name FROM subscription WHERE account = ? ORDER BY name", func(r row) error {
			list = append(list, r.text(0))
			return nil
		}, owner)
	})
	return list, err
}

// SetSubscribed subscribes to a name or not. The change published names the
// account by the id below its mailboxes when no mailbox has the name.
func (e *Engine) SetSubscribed(ctx context.Context, by store.Actor, owner store.AccountID, name string, on bool) error {
	return e.write(ctx, "subscribe", 0, func(t *tx) error {
		if _, err := t.owner(by, owner); err != nil {
			return err
		}
		sql := "DELETE FROM subscription WHERE account = ? AND name = ?"
		if on {
			sql = "INSERT OR IGNORE INTO subscription (account, name) VALUES (?, ?)"
		}
		n, err := t.exec(sql, owner, name)
		if err != nil || n == 0 {
			return err
		}
		m, ok, err := mailboxByName(t.conn, owner, name)
		if !ok {
			m = store.Mailbox{ID: store.MailboxID(owner.FirstMessage()), Name: name, Subscribed: on}
		}
		t.change(&mailboxRow{Mailbox: m}).List = true
		return err
	})
}

// SaveRecent writes where \Recent begins, never back.
func (e *Engine) SaveRecent(ctx context.Context, recent map[store.MailboxID]store.UID) error {
	return e.write(ctx, "note what is no longer recent", 0, func(t *tx) error {
		for id, uid := range recent {
			if _, err := t.exec("UPDATE mailbox SET recent_from = max(recent_from, ?) WHERE id = ?", uid, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// rowsIn estimates how many entries of a mailbox a verb on uids will touch, to
// give big ones a transaction of their own.
func (e *Engine) rowsIn(ctx context.Context, id store.MailboxID, uids store.UIDSet) (int, error) {
	n := uids.Len()
	if n <= bulkRows {
		return n, nil
	}
	m, err := e.Mailbox(ctx, id)
	return min(n, m.Messages), err
}
