package sqlite

import (
	"context"

	"tandem/store"
)

const accountColumns = `id, name, enabled, pop3_delete, created, admin, bytes, messages, mailboxes,
	max_bytes, max_messages, max_mailboxes, pop3_see, pop3_from, pop3_mark_seen`

func (e *Engine) accountOf(r row) store.Account {
	return store.Account{ID: store.AccountID(r.int(0)), Name: r.text(1), Enabled: r.int(2) != 0,
		POP3Delete: store.DeletePolicy(r.text(3)), Created: r.time(4), Admin: r.int(5) != 0,
		Used:    store.Resources{Storage: r.int(6), Messages: r.int(7), Mailboxes: r.int(8)},
		Quota:   e.quotaOf(r[9], r[10], r[11]),
		POP3See: store.SeeRule(r.text(12)), POP3From: store.MessageID(r.int(13)), POP3MarkSeen: r.int(14) != 0}
}

// Accounts lists all accounts by name.
func (e *Engine) Accounts(ctx context.Context) ([]store.Account, error) {
	return e.accounts(ctx, "SELECT "+accountColumns+" FROM account ORDER BY name")
}

// AccountsByLocalPart finds the accounts named local@anything.
func (e *Engine) AccountsByLocalPart(ctx context.Context, local string) ([]store.Account, error) {
	// 'A' follows '@'.
	return e.accounts(ctx, "SELECT "+accountColumns+" FROM account WHERE name > ? AND name < ? ORDER BY name", local+"@", local+"A")
}

func (e *Engine) accounts(ctx context.Context, sql string, args ...any) (list []store.Account, err error) {
	err = e.read(ctx, "list accounts", func(c *conn) error {
		return c.query(sql, func(r row) error {
			list = append(list, e.accountOf(r))
			return nil
		}, args...)
	})
	return list, err
}

// Account finds an account by its id.
func (e *Engine) Account(ctx context.Context, id store.AccountID) (store.Account, error) {
	return e.oneAccount(ctx, "SELECT "+accountColumns+" FROM account WHERE id = ?", id)
}

// AccountByName finds an account by its exact name.
func (e *Engine) AccountByName(ctx context.Context, name string) (store.Account, error) {
	return e.oneAccount(ctx, "SELECT "+accountColumns+" FROM account WHERE name = ?", name)
}

func (e *Engine) oneAccount(ctx context.Context, sql string, key any) (a store.Account, err error) {
	err = e.read(ctx, "find an account", func(c *conn) error {
		r, ok, err := c.first(sql, key)
		if err == nil && !ok {
			err = store.Errorf(store.NotFound, "no account %v", key)
		}
		if err == nil {
			a = e.accountOf(r)
		}
		return err
	})
	return a, err
}

// CreateAccounts makes accounts with a password credential and the standard
// mailboxes, all or none.
func (e *Engine) CreateAccounts(ctx context.Context, list []store.NewAccount, replace bool) error {
	return e.writeBulk(ctx, "create accounts", 16*len(list), func(t *tx) error {
		for _, n := range list {
			if err := t.createAccount(n, replace); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *tx) createAccount(n store.NewAccount, replace bool) error {
	r, ok, err := t.first("SELECT id FROM account WHERE name = ?", n.Name)
	if err != nil {
		return err
	}
	if ok && !replace {
		return store.Errorf(store.Exists, "the account %q exists already", n.Name)
	}
	if ok {
		return t.setPassword(store.AccountID(r.int(0)), store.NewPassword{Hash: n.Hash, KeepScheme: n.KeepScheme, Keys: n.Keys})
	}
	last, err := t.counter("account", 1)
	if err != nil {
		return err
	}
	id := store.AccountID(last + 1)
	if id >= 1<<23 {
		return store.Errorf(store.Limit, "the store has used up its account numbers")
	}
	_, err = t.exec(`INSERT INTO account (id, name, enabled, created, pop3_delete, admin, modseq, next_mailbox, next_message, next_journal)
		VALUES (?, ?, 1, ?, ?, ?, 1, 1, 1, 1)`, id, n.Name, t.now, store.DeleteTrash, n.Admin)
	if err != nil {
		return err
	}
	if err := t.setPassword(id, store.NewPassword{Hash: n.Hash, KeepScheme: n.KeepScheme, Keys: n.Keys}); err != nil {
		return err
	}
	a, err := t.account(id)
	if err != nil {
		return err
	}
	for _, m := range store.StandardMailboxes() {
		if _, err := t.insertMailbox(a, m); err != nil {
			return err
		}
		if _, err := t.exec("INSERT INTO subscription (account, name) VALUES (?, ?)", id, m.Name); err != nil {
			return err
		}
	}
	return nil
}

// setPassword replaces the account's own password, or gives it its first.
func (t *tx) setPassword(id store.AccountID, p store.NewPassword) error {
	r, ok, err := t.first("SELECT id FROM credential WHERE account = ? AND label = ''", id)
	if err != nil {
		return err
	}
	if ok {
		own := store.CredentialID(r.int(0))
		if _, err := t.exec("UPDATE credential SET hash = ?, keep_scheme = ? WHERE id = ?", p.Hash, p.KeepScheme, own); err != nil {
			return err
		}
		return t.putScramKeys(id, own, p.Keys)
	}
	last, err := t.counter("credential", 1)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO credential (id, account, label, hash, keep_scheme, scope, created) VALUES (?, ?, '', ?, ?, ?, ?)`,
		last+1, id, p.Hash, p.KeepScheme, store.ScopeAll, t.now)
	if err != nil {
		return err
	}
	return t.putScramKeys(id, store.CredentialID(last+1), p.Keys)
}

// UpdateAccount changes the fields of an account that are given.
func (e *Engine) UpdateAccount(ctx context.Context, id store.AccountID, u store.AccountUpdate) error {
	return e.write(ctx, "change an account", 0, func(t *tx) error {
		if _, err := t.account(id); err != nil {
			return err
		}
		if u.Enabled != nil {
			if _, err := t.exec("UPDATE account SET enabled = ? WHERE id = ?", *u.Enabled, id); err != nil {
				return err
			}
		}
		if u.POP3Delete != nil {
			if _, err := t.exec("UPDATE account SET pop3_delete = ? WHERE id = ?", *u.POP3Delete, id); err != nil {
				return err
			}
		}
		if u.POP3See != nil {
			next, err := t.nextMessage(id)
			if err != nil {
				return err
			}
			if _, err := t.exec("UPDATE account SET pop3_see = ?, pop3_from = ? WHERE id = ?", *u.POP3See, next, id); err != nil {
				return err
			}
		}
		if u.POP3MarkSeen != nil {
			if _, err := t.exec("UPDATE account SET pop3_mark_seen = ? WHERE id = ?", *u.POP3MarkSeen, id); err != nil {
				return err
			}
		}
		if u.Admin != nil {
			if _, err := t.exec("UPDATE account SET admin = ? WHERE id = ?", *u.Admin, id); err != nil {
				return err
			}
		}
		if u.Password != nil {
			if err := t.setPassword(id, *u.Password); err != nil {
				return err
			}
		}
		return t.setLimits(id, u.MaxStorage, u.MaxMessages, u.MaxMailboxes)
	})
}

// RemoveAccount removes an account. One transaction takes away all that can be
// found of it; its mail is then removed in steps, which Prune goes on with if
// ctx ends first.
func (e *Engine) RemoveAccount(ctx context.Context, id store.AccountID) error {
	err := e.write(ctx, "remove an account", 0, func(t *tx) error { return t.removeAccount(id) })
	if err != nil {
		return err
	}
	e.forgetDevices(id)
	if err := e.sweepAccount(ctx, id); err != nil && ctx.Err() == nil {
		e.opts.Logger.Warn("mail of a removed account is left for later", "account", int64(id), "err", err)
	}
	return nil
}

func (t *tx) removeAccount(id store.AccountID) error {
	if _, err := t.account(id); err != nil {
		return err
	}
	if err := t.dropGrants(id); err != nil {
		return err
	}
	list, err := mailboxesOf(t.conn, id)
	if err != nil {
		return err
	}
	for _, m := range list {
		r := rowBefore(m)
		r.gone = true
		t.mailboxes[m.ID] = r
		c := t.change(r)
		c.Deleted, c.List, c.ACL = true, true, true
	}
	for _, sql := range []string{
		"DELETE FROM account WHERE id = ?",
		"DELETE FROM credential WHERE account = ?",
		"DELETE FROM mailbox WHERE account = ?",
		"DELETE FROM subscription WHERE account = ?",
		"DELETE FROM keyword WHERE account = ?",
		"DELETE FROM metadata WHERE account = ?1 OR reader = ?1",
		"INSERT INTO removed_account (id) VALUES (?)",
	} {
		if _, err := t.exec(sql, id); err != nil {
			return err
		}
	}
	return nil
}

// SetCredentialHash replaces a hash if it is still old.
func (e *Engine) SetCredentialHash(ctx context.Context, id store.CredentialID, old, hash string) error {
	return e.write(ctx, "renew a password hash", 0, func(t *tx) error {
		_, err := t.exec("UPDATE credential SET hash = ? WHERE id = ? AND hash = ?", hash, id, old)
		return err
	})
}

// NoteCredentialUses writes last-use times, never back in time.
func (e *Engine) NoteCredentialUses(ctx context.Context, uses []store.CredentialUse) error {
	return e.write(ctx, "note logins", 0, func(t *tx) error {
		for _, u := range uses {
			if _, err := t.exec(`UPDATE credential SET last_used = ?1, last_addr = ifnull(?2, last_addr), last_client = ifnull(?4, last_client)
				WHERE id = ?3 AND ifnull(last_used, 0) <= ?1`, u.Time, orNull(u.Addr), u.Credential, orNull(u.Client)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Keywords lists an account's keywords; the index is the number.
func (e *Engine) Keywords(ctx context.Context, id store.AccountID) (list []string, err error) {
	err = e.read(ctx, "list keywords", func(c *conn) error {
		list, err = keywordsOf(c, id)
		return err
	})
	return list, err
}
