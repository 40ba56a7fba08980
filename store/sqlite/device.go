package sqlite

import (
	"context"
	"time"

	"tandem/store"
)

const credentialColumns = `c.id, c.account, c.label, c.hash, c.keep_scheme, c.scope, c.created, c.last_used, c.last_addr,
	c.last_client, c.expires, c.pop3_delete, c.pop3_see, c.pop3_from, c.pop3_mark_seen, c.born,
	a.scram_salt, a.scram_iterations, c.scram_sha256, c.scram_sha1`

func credentialOf(r row) store.Credential {
	return store.Credential{ID: store.CredentialID(r.int(0)), Account: store.AccountID(r.int(1)), Label: r.text(2),
		Hash: r.text(3), KeepScheme: r.int(4) != 0, Scope: store.Scope(r.int(5)), Created: r.time(6), LastUsed: r.time(7), LastAddr: r.text(8),
		LastClient: r.text(9), Expires: r.time(10), POP3Delete: store.DeletePolicy(r.text(11)), POP3See: store.SeeRule(r.text(12)),
		POP3From: store.MessageID(r.int(13)), POP3MarkSeen: switchOf(r, 14), Born: store.MessageID(r.int(15)),
		Keys: scramKeysOf(r, 16)}
}

// switchOf reads a column that is 0, 1 or NULL.
func switchOf(r row, i int) store.Switch {
	switch {
	case r.null(i):
		return store.SwitchUnset
	case r.int(i) != 0:
		return store.SwitchYes
	}
	return store.SwitchNo
}

func switchValue(s store.Switch) any {
	if s == store.SwitchUnset {
		return nil
	}
	return s == store.SwitchYes
}

// timeOrNull is a time as stored where it may be missing.
func timeOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

// Credentials lists an account's credentials, its own password first.
func (e *Engine) Credentials(ctx context.Context, id store.AccountID) (list []store.Credential, err error) {
	err = e.read(ctx, "list credentials", func(c *conn) error {
		return c.query("SELECT "+credentialColumns+` FROM credential c JOIN account a ON a.id = c.account
			WHERE c.account = ? AND c.revoked IS NULL ORDER BY c.label`, func(r row) error {
			list = append(list, credentialOf(r))
			return nil
		}, id)
	})
	return list, err
}

// nextMessage is the id that the account's next message gets.
func (t *tx) nextMessage(id store.AccountID) (store.MessageID, error) {
	a, err := t.account(id)
	if err != nil {
		return 0, err
	}
	return store.MessageID(id.FirstMessage() | a.nextMessage), nil
}

// AddCredential makes an app password.
func (e *Engine) AddCredential(ctx context.Context, id store.AccountID, n store.NewCredential) (made store.Credential, err error) {
	err = e.write(ctx, "add an app password", 0, func(t *tx) error {
		next, err := t.nextMessage(id)
		if err != nil {
			return err
		}
		taken, err := t.exists("SELECT 1 FROM credential WHERE account = ? AND label = ? AND revoked IS NULL", id, n.Label)
		if err != nil {
			return err
		}
		if taken {
			return store.Errorf(store.Exists, "there is an app password %q already", n.Label)
		}
		many, err := t.integer("SELECT count(*) FROM credential WHERE account = ? AND label <> '' AND revoked IS NULL", id)
		if err != nil {
			return err
		}
		if many >= store.MaxCredentials {
			return store.Errorf(store.Limit, "an account has at most %d app passwords", store.MaxCredentials)
		}
		last, err := t.counter("credential", 1)
		if err != nil {
			return err
		}
		own := store.CredentialID(last + 1)
		_, err = t.exec(`INSERT INTO credential (id, account, label, hash, keep_scheme, scope, created, expires, pop3_delete, pop3_see,
			pop3_from, pop3_mark_seen, born) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, own, id, n.Label, n.Hash, n.KeepScheme,
			n.Scope, t.now, timeOrNull(n.Expires), n.POP3Delete, n.POP3See, next, switchValue(n.POP3MarkSeen), next)
		if err != nil {
			return err
		}
		if err := t.putScramKeys(id, own, n.Keys); err != nil {
			return err
		}
		r, _, err := t.first("SELECT "+credentialColumns+" FROM credential c JOIN account a ON a.id = c.account WHERE c.id = ?", own)
		if err == nil {
			made = credentialOf(r)
		}
		return err
	})
	e.forgetDevices(id)
	return made, err
}

// appPassword finds an account's app password.
func (t *tx) appPassword(id store.AccountID, label string) (store.CredentialID, error) {
	r, ok, err := t.first("SELECT id FROM credential WHERE account = ? AND label = ? AND label <> '' AND revoked IS NULL", id, label)
	if err == nil && !ok {
		err = store.Errorf(store.NotFound, "no app password %q", label)
	}
	if err != nil {
		return 0, err
	}
	return store.CredentialID(r.int(0)), nil
}

// UpdateCredential changes the fields of an app password that are given.
func (e *Engine) UpdateCredential(ctx context.Context, id store.AccountID, label string, u store.CredentialUpdate) error {
	defer e.forgetDevices(id)
	return e.write(ctx, "change an app password", 0, func(t *tx) error {
		next, err := t.nextMessage(id)
		if err != nil {
			return err
		}
		own, err := t.appPassword(id, label)
		if err != nil {
			return err
		}
		set := func(sql string, args ...any) {
			if err == nil {
				_, err = t.exec("UPDATE credential SET "+sql+" WHERE id = ?", append(args, own)...)
			}
		}
		if u.Scope != nil {
			set("scope = ?", *u.Scope)
		}
		if u.Expires != nil {
			set("expires = ?", timeOrNull(*u.Expires))
		}
		if u.POP3Delete != nil {
			set("pop3_delete = ?", *u.POP3Delete)
		}
		if u.POP3See != nil {
			set("pop3_see = ?, pop3_from = ?", *u.POP3See, next)
		}
		if u.POP3MarkSeen != nil {
			set("pop3_mark_seen = ?", switchValue(*u.POP3MarkSeen))
		}
		return err
	})
}

// RevokeCredential ends an app password. Its row stays as long as the journal.
func (e *Engine) RevokeCredential(ctx context.Context, id store.AccountID, label string) (own store.CredentialID, err error) {
	err = e.write(ctx, "revoke an app password", 0, func(t *tx) error {
		if own, err = t.appPassword(id, label); err != nil {
			return err
		}
		_, err := t.exec("UPDATE credential SET revoked = ? WHERE id = ?", t.now, own)
		return err
	})
	e.forgetDevices(id)
	return own, err
}

// NoteListings writes what devices have listed.
func (e *Engine) NoteListings(ctx context.Context, list []store.Listing) error {
	return e.write(ctx, "note what devices have listed", 0, func(t *tx) error { return t.noteListings(list) })
}

func (t *tx) noteListings(list []store.Listing) error {
	for _, l := range list {
		// Of a mailbox that is gone nothing is kept.
		_, err := t.exec(`INSERT INTO pop3_listed (mailbox, credential, next, time)
			SELECT ?1, ?2, ?3, ?4 FROM mailbox WHERE id = ?1
			ON CONFLICT (mailbox, credential) DO UPDATE SET next = max(next, ?3), time = max(time, ?4)`,
			l.Mailbox, l.Credential, l.Next, l.Time)
		if err != nil {
			return err
		}
	}
	return nil
}

// forgetListings forgets what devices have listed of a mailbox that goes, but
// not the last that a device ever listed: it would seem to have opened nothing.
func (t *tx) forgetListings(id store.MailboxID) error {
	lo := id.Account().FirstMessage()
	_, err := t.exec(`DELETE FROM pop3_listed WHERE mailbox = ?1 AND EXISTS (SELECT 1 FROM pop3_listed o
		WHERE o.mailbox >= ?2 AND o.mailbox < ?3 AND o.mailbox <> ?1 AND o.credential = pop3_listed.credential)`, id, lo, lo+1<<40)
	return err
}

// forgetRevoked forgets credentials that were revoked before a time, of which
// the journal tells no more and that hide no message.
func (e *Engine) forgetRevoked(ctx context.Context, before time.Time) error {
	const which = `SELECT id FROM credential c WHERE c.revoked < ? AND NOT EXISTS (SELECT 1 FROM pop3_hidden h WHERE h.credential = c.id) LIMIT 1000`
	for {
		n := 0
		err := e.read(ctx, "look for revoked credentials", func(c *conn) error {
			n = 0
			return c.query(which, func(row) error { n++; return nil }, before)
		})
		if err != nil || n == 0 {
			return err
		}
		err = e.write(ctx, "forget revoked credentials", 0, func(t *tx) error {
			if _, err := t.exec("DELETE FROM pop3_listed WHERE credential IN ("+which+")", before); err != nil {
				return err
			}
			_, err := t.exec("DELETE FROM credential WHERE id IN ("+which+")", before)
			return err
		})
		if err != nil {
			return err
		}
	}
}

// Hidden gives the messages that a credential deleted in a maildrop and the
// mailbox keeps, or kept when it had them.
func (e *Engine) Hidden(ctx context.Context, id store.MailboxID, credential store.CredentialID) (list []store.MessageID, err error) {
	err = e.readOnce(ctx, "read what a device has deleted", func(c *conn) error {
		return c.query("SELECT message FROM pop3_hidden WHERE credential = ? AND mailbox = ? ORDER BY message", func(r row) error {
			list = append(list, store.MessageID(r.int(0)))
			return nil
		}, credential, id)
	})
	return list, err
}

// LeastDays is the smallest N of the rules days=N.
func (e *Engine) LeastDays(ctx context.Context) (days int, err error) {
	err = e.read(ctx, "look at the rules of devices", func(c *conn) error {
		n, err := c.integer(`SELECT min(CAST(substr(see, 6) AS INTEGER)) FROM
			(SELECT pop3_see AS see FROM account WHERE enabled UNION ALL
			SELECT c.pop3_see FROM credential c JOIN account a ON a.id = c.account WHERE a.enabled AND c.revoked IS NULL)
			WHERE see LIKE 'days=%'`)
		days = int(n)
		return err
	})
	return days, err
}
