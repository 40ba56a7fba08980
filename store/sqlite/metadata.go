package sqlite

import (
	"context"
	"strings"

	"tandem/store"
)

// metadataKey says which rows an entry of a mailbox, or of the server, is among.
func metadataKey(by store.Actor, at store.MailboxID, shared bool) (owner, reader store.AccountID) {
	switch {
	case at != 0:
		owner = at.Account()
	case !shared:
		owner = by.Account
	}
	if !shared {
		reader = by.Account
	}
	return owner, reader
}

// mayAnnotate checks the right to see annotations and set private ones, or to
// set shared ones.
func mayAnnotate(c *conn, by store.Actor, at store.MailboxID, setShared bool) error {
	have, err := rightsOn(c, by, at)
	if err != nil {
		return err
	}
	return have.AllowAnnotations(setShared)
}

func isShared(name string) bool { return strings.HasPrefix(name, "/shared/") }

// Metadata lists what an actor may see of the annotations of a mailbox, or with
// 0 of the server.
func (e *Engine) Metadata(ctx context.Context, by store.Actor, at store.MailboxID) (list []store.MetadataEntry, err error) {
	err = e.readOnce(ctx, "read metadata", func(c *conn) error {
		if at != 0 {
			if err := mayAnnotate(c, by, at, false); err != nil {
				return err
			}
			if _, err := foundMailbox(mailboxByID(c, at)); err != nil {
				return err
			}
		}
		for _, shared := range []bool{false, true} {
			owner, reader := metadataKey(by, at, shared)
			err := c.query("SELECT name, value FROM metadata WHERE account = ? AND mailbox = ? AND reader = ? ORDER BY name", func(r row) error {
				list = append(list, store.MetadataEntry{Name: r.text(0), Value: append([]byte{}, r.blob(1)...)})
				return nil
			}, owner, at, reader)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return list, err
}

// SetMetadata sets and removes annotations.
func (e *Engine) SetMetadata(ctx context.Context, by store.Actor, at store.MailboxID, list []store.MetadataEntry) error {
	if at == 0 && by.Account == 0 {
		return store.Errorf(store.Invalid, "metadata of the server is set by an account")
	}
	bytes := 0
	for i := range list {
		bytes += len(list[i].Value)
	}
	if bytes > 0 {
		if err := e.space.check(ctx, "set metadata"); err != nil {
			return err
		}
	}
	return e.write(ctx, "set metadata", bytes, func(t *tx) error {
		var names []string
		shared := false
		for i := range list {
			names = append(names, list[i].Name)
			shared = shared || isShared(list[i].Name)
		}
		if at != 0 {
			if err := mayAnnotate(t.conn, by, at, shared); err != nil {
				return err
			}
			m, err := t.mailbox(by, at, 0)
			if err != nil {
				return err
			}
			if _, err := t.draw(m); err != nil { // RFC 7162 section 3.2
				return err
			}
		}
		grew := map[store.AccountID]bool{}
		for i := range list {
			owner, err := t.setEntry(by, at, &list[i])
			if err != nil {
				return err
			}
			grew[owner] = grew[owner] || !list[i].Unset
		}
		for owner, grown := range grew {
			if !grown {
				continue
			}
			if err := t.metadataFits(by, owner); err != nil {
				return err
			}
		}
		account := by.Account
		if at != 0 {
			account = at.Account()
		}
		t.publishMetadata(by, account, at, names)
		return t.journal(by, account, record{verb: "metadata", mailbox: at, detail: strings.Join(names, "\n")})
	})
}

// publishMetadata says which annotations have changed, to each of those whom
// they concern.
func (t *tx) publishMetadata(by store.Actor, account store.AccountID, at store.MailboxID, names []string) {
	if m := t.mailboxes[at]; m != nil {
		c := t.change(m)
		c.Metadata, c.Reader = names, by.Account
		return
	}
	var own, all []string
	for _, name := range names {
		if isShared(name) {
			all = append(all, name)
		} else {
			own = append(own, name)
		}
	}
	if len(own) > 0 {
		c := t.change(&mailboxRow{Mailbox: store.Mailbox{ID: store.MailboxID(account.FirstMessage())}})
		c.Metadata, c.Reader = own, account
	}
	if len(all) > 0 {
		t.change(&mailboxRow{}).Metadata = all
	}
}

// setEntry sets or removes one annotation and gives its owner.
func (t *tx) setEntry(by store.Actor, at store.MailboxID, e *store.MetadataEntry) (store.AccountID, error) {
	shared := isShared(e.Name)
	owner, reader := metadataKey(by, at, shared)
	if shared && at == 0 {
		if err := t.administrator(by); err != nil {
			return 0, err
		}
	}
	if e.Unset {
		_, err := t.exec("DELETE FROM metadata WHERE account = ? AND mailbox = ? AND reader = ? AND name = ?", owner, at, reader, e.Name)
		return owner, err
	}
	_, err := t.exec("INSERT OR REPLACE INTO metadata (account, mailbox, reader, name, value) VALUES (?, ?, ?, ?, ?)",
		owner, at, reader, e.Name, notNull(e.Value))
	return owner, err
}

// copyMetadata gives a new mailbox the owner's annotations of another, if they
// fit.
func (t *tx) copyMetadata(by store.Actor, from, to *mailboxRow) error {
	owner := from.ID.Account()
	_, err := t.exec(`INSERT INTO metadata (account, mailbox, reader, name, value)
		SELECT account, ?1, reader, name, value FROM metadata
		WHERE account = ?2 AND mailbox = ?3 AND reader IN (0, ?2)`, to.ID, owner, from.ID)
	if err != nil {
		return err
	}
	if err = t.metadataFits(by, owner); err != nil && store.KindOf(err) == store.Limit {
		_, err = t.exec("DELETE FROM metadata WHERE account = ? AND mailbox = ?", owner, to.ID)
	}
	return err
}

// metadataFits bounds what an account has of its own and shared, and by
// themselves what each other account keeps there for its own eyes.
func (t *tx) metadataFits(by store.Actor, owner store.AccountID) error {
	sql := "SELECT ifnull(sum(length(name) + length(value)), 0) FROM metadata WHERE account = ?1 AND reader IN (0, ?1)"
	args := []any{owner}
	if by.Account != owner {
		sql = `SELECT max(ifnull(sum(iif(reader IN (0, ?1), length(name) + length(value), 0)), 0),
			ifnull(sum(iif(reader = ?2, length(name) + length(value), 0)), 0)) FROM metadata WHERE account = ?1`
		args = append(args, by.Account)
	}
	n, err := t.integer(sql, args...)
	if err == nil && n > store.MetadataTotal {
		err = store.Errorf(store.Limit, "an account may have %d octets of metadata", store.MetadataTotal)
	}
	return err
}

// administrator is Forbidden unless the actor is one, or the administration.
func (t *tx) administrator(by store.Actor) error {
	if by.Account == 0 && by.Protocol == "admin" {
		return nil
	}
	ok, err := t.exists("SELECT 1 FROM account WHERE id = ? AND admin AND enabled", by.Account)
	if err == nil && !ok {
		err = store.Errorf(store.Forbidden, "that is for administrators")
	}
	return err
}
