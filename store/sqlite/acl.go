package sqlite

import (
	"cmp"
	"context"
	"slices"

	"tandem/store"
)

// mayChange tells those whose rights no row limits: what is in an account is
// its own, and delivery and administration may do everything.
func mayChange(by store.Actor, owner store.AccountID) bool {
	return by.Account == owner || by.Account == 0 && (by.Protocol == "admin" || by.Protocol == "lmtp")
}

// rightsOn gives an actor's rights on a mailbox, without a look at any row for
// its owner. A mailbox that is not there gives nobody else any.
func rightsOn(c *conn, by store.Actor, id store.MailboxID) (store.Rights, error) {
	if mayChange(by, id.Account()) {
		return id.OwnerRights(), nil
	}
	if by.Account == 0 {
		return 0, nil
	}
	var found store.Grants
	err := c.query("SELECT grantee, rights, denied FROM acl WHERE mailbox = ? AND grantee IN (0, ?)", func(r row) error {
		found = append(found, grantOf(r))
		return nil
	}, id, by.Account)
	return found.Of(by.Account), err
}

func grantOf(r row) store.Grant {
	return store.Grant{Account: store.AccountID(r.int(0)), Rights: store.Rights(r.int(1)), Denied: store.Rights(r.int(2))}
}

func grantsOf(c *conn, id store.MailboxID) (list store.Grants, err error) {
	err = c.query("SELECT grantee, rights, denied FROM acl WHERE mailbox = ? ORDER BY grantee", func(r row) error {
		list = append(list, grantOf(r))
		return nil
	}, id)
	return list, err
}

// allowed checks an actor's rights on a mailbox within a read.
func allowed(c *conn, by store.Actor, id store.MailboxID, need store.Rights) error {
	have, err := rightsOn(c, by, id)
	if err != nil {
		return err
	}
	return have.Allow(need)
}

// inherit gives a new mailbox the ACL of the nearest mailbox above it (RFC 4314
// section 4, CREATE).
func (t *tx) inherit(m *mailboxRow, c *store.Change) error {
	above, ok, err := t.nearestParent(m.ID.Account(), m.Name)
	if err != nil || !ok {
		return err
	}
	n, err := t.exec("INSERT INTO acl (mailbox, grantee, rights, denied) SELECT ?, grantee, rights, denied FROM acl WHERE mailbox = ?", m.ID, above)
	if err != nil || n == 0 {
		return err
	}
	return t.publishACL(m.ID, c)
}

// nearestParent finds the closest mailbox above a name.
func (t *tx) nearestParent(owner store.AccountID, name string) (id store.MailboxID, ok bool, err error) {
	for i := len(name) - 1; i > 0; i-- {
		if name[i] != '/' {
			continue
		}
		n, err := t.integer("SELECT id FROM mailbox WHERE account = ? AND name = ?", owner, name[:i])
		if err != nil || n != 0 {
			return store.MailboxID(n), n != 0, err
		}
	}
	return 0, false, nil
}

// mayCreate checks the right to make a mailbox: k on the nearest one above it
// (RFC 4314 section 4), and nothing at the top of somebody else's account.
func (t *tx) mayCreate(by store.Actor, owner store.AccountID, n store.NewMailbox) error {
	if mayChange(by, owner) {
		return nil
	}
	above, ok, err := t.nearestParent(owner, n.Name)
	if err != nil {
		return err
	}
	if !ok {
		return errNoMailbox()
	}
	if err := allowed(t.conn, by, above, store.RightCreate); err != nil {
		return err
	}
	if n.Use != "" {
		return store.Errorf(store.Forbidden, "the special uses of mailboxes are their owner's to say")
	}
	return t.mayTell(by, owner, n.Name)
}

// mayRename checks the right to give a mailbox a name, beside that to take it
// from where it is: k on the nearest one above (RFC 4314 section 4).
func (t *tx) mayRename(by store.Actor, m *mailboxRow, name string) error {
	owner := m.ID.Account()
	if mayChange(by, owner) {
		return nil
	}
	if m.Name == "INBOX" {
		return store.Errorf(store.Forbidden, "INBOX is renamed by its owner only")
	}
	above, ok, err := t.nearestParent(owner, name)
	if err != nil {
		return err
	}
	if !ok {
		return store.Errorf(store.Forbidden, "only its owner makes mailboxes at the top of an account")
	}
	if err := allowed(t.conn, by, above, store.RightCreate); err != nil {
		return err
	}
	return t.mayTell(by, owner, name)
}

// mayTell refuses a name that is taken by a mailbox of which the actor may not
// know, without saying so.
func (t *tx) mayTell(by store.Actor, owner store.AccountID, name string) error {
	found, ok, err := mailboxByName(t.conn, owner, name)
	if err != nil || !ok {
		return err
	}
	if allowed(t.conn, by, found.ID, 0) != nil {
		return store.Errorf(store.Forbidden, "that name may not be used")
	}
	return nil
}

// publishACL has a change tell who has rights on a mailbox from now on.
func (t *tx) publishACL(id store.MailboxID, c *store.Change) error {
	grants, err := grantsOf(t.conn, id)
	c.ACL, c.Grants = true, grants
	return err
}

// Grants lists who has rights on a mailbox beside its owner.
func (e *Engine) Grants(ctx context.Context, id store.MailboxID) (list store.Grants, err error) {
	err = e.read(ctx, "read an ACL", func(c *conn) error {
		list, err = grantsOf(c, id)
		return err
	})
	return list, err
}

// Rights gives an actor's rights on a mailbox.
func (e *Engine) Rights(ctx context.Context, by store.Actor, id store.MailboxID) (have store.Rights, err error) {
	err = e.read(ctx, "read rights", func(c *conn) error {
		if have, err = rightsOn(c, by, id); err != nil {
			return err
		}
		if err := have.Allow(0); err != nil {
			return err
		}
		_, err = foundMailbox(mailboxByID(c, id))
		return err
	})
	return have, err
}

// ACL lists the entries of a mailbox's ACL.
func (e *Engine) ACL(ctx context.Context, by store.Actor, id store.MailboxID) (list []store.ACLEntry, err error) {
	err = e.read(ctx, "read an ACL", func(c *conn) error {
		if err := allowed(c, by, id, store.RightAdminister); err != nil {
			return err
		}
		if _, err := foundMailbox(mailboxByID(c, id)); err != nil {
			return err
		}
		owner, err := accountName(c, id.Account())
		if err != nil {
			return err
		}
		list = append(list[:0], store.ACLEntry{Identifier: owner, Rights: store.AllRights})
		return c.query(`SELECT ifnull(a.name, ?), x.rights, x.denied FROM acl x LEFT JOIN account a ON a.id = x.grantee
			WHERE x.mailbox = ? AND (x.grantee = 0 OR a.id IS NOT NULL) ORDER BY 1`, func(r row) error {
			if rights := store.Rights(r.int(1)); rights != 0 {
				list = append(list, store.ACLEntry{Identifier: r.text(0), Rights: rights})
			}
			if denied := store.Rights(r.int(2)); denied != 0 {
				list = append(list, store.ACLEntry{Identifier: "-" + r.text(0), Rights: denied})
			}
			return nil
		}, store.Anyone, id)
	})
	return list, err
}

// SetACL changes what a mailbox's ACL says of one grantee.
func (e *Engine) SetACL(ctx context.Context, by store.Actor, id store.MailboxID, change store.ACLChange) error {
	return e.write(ctx, "change an ACL", 0, func(t *tx) error {
		m, err := t.mailbox(by, id, store.RightAdminister)
		if err != nil {
			return err
		}
		if change.Grantee == id.Account() {
			return ownerKeeps(change)
		}
		who := store.Anyone
		if change.Grantee != 0 {
			a, err := t.account(change.Grantee)
			if err != nil {
				return err
			}
			who = a.name
		}
		if change.Negative {
			who = "-" + who
		}
		was := store.Grant{Account: change.Grantee}
		r, ok, err := t.first("SELECT grantee, rights, denied FROM acl WHERE mailbox = ? AND grantee = ?", id, change.Grantee)
		if err != nil {
			return err
		}
		if ok {
			was = grantOf(r)
		}
		now := change.Apply(was)
		if now == was {
			return nil
		}
		if !ok {
			if err := t.roomForGrant(id); err != nil {
				return err
			}
		}
		if err := t.putGrant(id, change.Grantee, now); err != nil {
			return err
		}
		if err := t.publishACL(id, t.change(m)); err != nil {
			return err
		}
		return t.journal(by, id.Account(), record{verb: "acl", mailbox: id, detail: who + " " + change.Side(&now).String()})
	})
}

// ownerKeeps refuses what would take rights away from the owner, who has all
// of them whatever the ACL says.
func ownerKeeps(c store.ACLChange) error {
	now := c.Apply(store.Grant{Rights: store.AllRights})
	if now.Rights == store.AllRights && now.Denied == 0 {
		return nil
	}
	return store.Errorf(store.Forbidden, "the owner of a mailbox always has all rights on it")
}

// roomForGrant refuses one more than store.MaxGrants.
func (t *tx) roomForGrant(id store.MailboxID) error {
	n, err := t.integer("SELECT count(*) FROM acl WHERE mailbox = ?", id)
	if err == nil && n >= store.MaxGrants {
		err = store.Errorf(store.Limit, "an ACL may name %d accounts", store.MaxGrants)
	}
	return err
}

func (t *tx) putGrant(id store.MailboxID, grantee store.AccountID, g store.Grant) error {
	if g.Rights|g.Denied == 0 {
		_, err := t.exec("DELETE FROM acl WHERE mailbox = ? AND grantee = ?", id, grantee)
		return err
	}
	_, err := t.exec("INSERT OR REPLACE INTO acl (mailbox, grantee, rights, denied) VALUES (?, ?, ?, ?)", id, grantee, int64(g.Rights), int64(g.Denied))
	return err
}

// dropGrants takes away all that an account was granted by others, and granted.
func (t *tx) dropGrants(id store.AccountID) error {
	var list []store.MailboxID
	err := t.query("SELECT mailbox FROM acl WHERE grantee = ?", func(r row) error {
		list = append(list, store.MailboxID(r.int(0)))
		return nil
	}, id)
	if err != nil {
		return err
	}
	if _, err := t.exec("DELETE FROM acl WHERE grantee = ?", id); err != nil {
		return err
	}
	if _, err := t.exec("DELETE FROM acl WHERE mailbox >= ? AND mailbox < ?", id.FirstMessage(), (id + 1).FirstMessage()); err != nil {
		return err
	}
	for _, at := range list {
		m, ok, err := mailboxByID(t.conn, at)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if err := t.publishACL(at, t.change(t.rowOf(m))); err != nil {
			return err
		}
	}
	return nil
}

// Shared lists the mailboxes of others on which an account has rights, by
// owner and name.
func (e *Engine) Shared(ctx context.Context, by store.Actor) (list []store.SharedMailbox, err error) {
	err = e.read(ctx, "list shared mailboxes", func(c *conn) error {
		list, err = sharedWith(c, by.Account)
		return err
	})
	slices.SortFunc(list, func(a, b store.SharedMailbox) int {
		return cmp.Or(cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Name, b.Name))
	})
	return list, err
}

// sharedWith starts from what the ACLs have for an account and for anyone, so
// that accounts which share nothing cost nothing.
func sharedWith(c *conn, account store.AccountID) (list []store.SharedMailbox, err error) {
	if account == 0 {
		return nil, nil
	}
	grants := map[store.MailboxID]store.Grants{}
	err = c.query("SELECT grantee, rights, denied, mailbox FROM acl WHERE grantee IN (0, ?)", func(r row) error {
		at := store.MailboxID(r.int(3))
		grants[at] = append(grants[at], grantOf(r))
		return nil
	}, account)
	if err != nil {
		return nil, err
	}
	err = c.query(selectMailbox+"WHERE m.id IN (SELECT mailbox FROM acl WHERE grantee IN (0, ?1)) AND m.account <> ?1", func(r row) error {
		m := mailboxOf(r)
		m.Subscribed = false
		if have := grants[m.ID].Of(account); have.Visible() {
			list = append(list, store.SharedMailbox{Mailbox: m, Rights: have})
		}
		return nil
	}, account)
	if err != nil {
		return nil, err
	}
	owners := map[store.AccountID]string{}
	for i := range list {
		id := list[i].ID.Account()
		if owners[id] == "" {
			if owners[id], err = accountName(c, id); err != nil {
				return nil, err
			}
		}
		list[i].Owner = owners[id]
	}
	return list, nil
}

func accountName(c *conn, id store.AccountID) (string, error) {
	r, ok, err := c.first("SELECT name FROM account WHERE id = ?", id)
	if err == nil && !ok {
		err = store.Errorf(store.NotFound, "no account %d", id)
	}
	if err != nil {
		return "", err
	}
	return r.text(0), nil
}

// SharedByName finds a mailbox of any account on which the actor has rights.
func (e *Engine) SharedByName(ctx context.Context, by store.Actor, owner store.AccountID, name string) (s store.SharedMailbox, err error) {
	err = e.read(ctx, "find a shared mailbox", func(c *conn) error {
		m, err := foundMailbox(mailboxByName(c, owner, name))
		if err != nil {
			return err
		}
		s = store.SharedMailbox{Mailbox: m}
		if s.Rights, err = rightsOn(c, by, m.ID); err != nil {
			return err
		}
		if err := s.Rights.Allow(0); err != nil {
			return err
		}
		s.Subscribed = s.Subscribed && by.Account == owner
		s.Owner, err = accountName(c, owner)
		return err
	})
	if err != nil {
		return store.SharedMailbox{}, err
	}
	return s, nil
}
