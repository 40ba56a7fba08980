package sqlite

import (
	"context"

	"tandem/store"
)

// quotaOf gives an account's limits from its columns, of which NULL means the
// server's default.
func (e *Engine) quotaOf(storage, messages, mailboxes any) store.Resources {
	limit := func(column any, normal int64) int64 {
		if n, ok := column.(int64); ok {
			return n
		}
		return normal
	}
	d := e.opts.Quota
	return store.Resources{Storage: limit(storage, d.Storage), Messages: limit(messages, d.Messages), Mailboxes: limit(mailboxes, d.Mailboxes)}
}

// applyTo adds to an account's use what the row has changed by.
func (m *mailboxRow) applyTo(use *store.Resources) {
	if m.ID.RecentlyDeleted() {
		return
	}
	use.Storage += m.Bytes - m.before.Storage
	use.Messages += int64(m.Messages) - m.before.Messages
	use.Mailboxes -= m.before.Mailboxes
	if !m.gone {
		use.Mailboxes++
	}
}

// fits gives OverQuota when this request, with so many more octets and
// messages, takes the account above its quota. Imports may.
func (t *tx) fits(by store.Actor, a *accountRow, bytes int64, messages int) error {
	if by.Protocol == "admin" {
		return nil
	}
	now := t.holds(a)
	now.Storage += bytes
	now.Messages += int64(messages)
	return a.quota.Exceeded(a.used, now)
}

// holds gives what an account holds as this request leaves it.
func (t *tx) holds(a *accountRow) store.Resources {
	now := a.used
	for _, m := range t.mailboxes {
		if m.ID.Account() == a.id {
			m.applyTo(&now)
		}
	}
	return now
}

// copyFits is fits for a copy that has been made.
func (t *tx) copyFits(by store.Actor, id store.AccountID) error {
	a, err := t.account(id)
	if err != nil {
		return err
	}
	return t.fits(by, a, 0, 0)
}

// countUses adds up what the accounts of changed mailboxes hold, and notes the
// levels a use rose above on one of the changes to be published.
func (t *tx) countUses() error {
	for _, a := range t.accounts {
		a.now = a.used
	}
	for _, m := range t.mailboxes {
		a, err := t.account(m.ID.Account())
		if err != nil && store.KindOf(err) == store.NotFound {
			continue // it is being removed
		}
		if err != nil {
			return err
		}
		m.applyTo(&a.now)
	}
	for _, a := range t.accounts {
		if a.now == a.used {
			continue
		}
		a.dirty = true
		if crossed := a.quota.Crossed(a.name, a.used, a.now); len(crossed) > 0 {
			t.noteCrossed(a.id, crossed)
		}
	}
	return nil
}

func (t *tx) noteCrossed(id store.AccountID, crossed []store.QuotaLevel) {
	for _, c := range t.changed {
		if c.Mailbox.ID.Account() == id {
			c.Crossed = crossed
			return
		}
	}
}

// rowBefore is a mailbox's row as it was found, for its account's use.
func rowBefore(found store.Mailbox) *mailboxRow {
	return &mailboxRow{Mailbox: found, before: store.Resources{Storage: found.Bytes, Messages: int64(found.Messages), Mailboxes: 1}}
}

// setLimit writes one limit; QuotaDefault becomes NULL.
func (t *tx) setLimit(id store.AccountID, column string, limit *int64) error {
	if limit == nil {
		return nil
	}
	if *limit < store.QuotaDefault {
		return store.Errorf(store.Invalid, "a limit of %d", *limit)
	}
	var v any
	if *limit != store.QuotaDefault {
		v = *limit
	}
	_, err := t.exec("UPDATE account SET "+column+" = ? WHERE id = ?", v, id)
	return err
}

// setLimits writes the limits that are given.
func (t *tx) setLimits(id store.AccountID, storage, messages, mailboxes *int64) error {
	err := t.setLimit(id, "max_bytes", storage)
	if err == nil {
		err = t.setLimit(id, "max_messages", messages)
	}
	if err == nil {
		err = t.setLimit(id, "max_mailboxes", mailboxes)
	}
	return err
}

// SetQuota replaces the limits of an account, for administrators.
func (e *Engine) SetQuota(ctx context.Context, by store.Actor, id store.AccountID, q store.Resources) error {
	return e.write(ctx, "set a quota", 0, func(t *tx) error {
		if err := t.administrator(by); err != nil {
			return err
		}
		if _, err := t.account(id); err != nil {
			return err
		}
		if err := t.setLimits(id, &q.Storage, &q.Messages, &q.Mailboxes); err != nil {
			return err
		}
		return t.journal(by, id, record{verb: "quota"})
	})
}

// DeletedBytes sums up the sizes of a mailbox's entries with \Deleted (8).
func (e *Engine) DeletedBytes(ctx context.Context, by store.Actor, id store.MailboxID) (n int64, err error) {
	err = e.read(ctx, "sum up what is deleted", func(c *conn) error {
		if err := allowed(c, by, id, store.RightRead); err != nil {
			return err
		}
		n, err = c.integer("SELECT ifnull(sum(size), 0) FROM entry WHERE mailbox = ? AND flags & 8", id)
		return err
	})
	return n, err
}

// CountFrom counts a mailbox's entries with UIDs from one on.
func (e *Engine) CountFrom(ctx context.Context, by store.Actor, id store.MailboxID, from store.UID) (n int, err error) {
	err = e.read(ctx, "count what is recent", func(c *conn) error {
		if err := allowed(c, by, id, store.RightRead); err != nil {
			return err
		}
		count, err := c.integer("SELECT count(*) FROM entry WHERE mailbox = ? AND uid >= ?", id, from)
		n = int(count)
		return err
	})
	return n, err
}

// useSum is what the mailboxes of account a add up to.
const useSum = "(SELECT ifnull(sum(m.messages), 0), ifnull(sum(m.bytes), 0), count(*) FROM mailbox m WHERE m.account = a.id AND m.id >> 39 & 1 = 0)"

// uses compares what accounts are said to hold with what their mailboxes do.
func (k *checker) uses() error {
	wrong := false
	err := k.e.readOnce(k.ctx, "compare uses", func(c *conn) error {
		return c.query("SELECT name, messages, bytes, mailboxes FROM account a WHERE (messages, bytes, mailboxes) <> "+useSum, func(r row) error {
			wrong = true
			k.note("account %s: its mailboxes hold other than %d messages, %d octets in %d mailboxes", r.text(0), r.int(1), r.int(2), r.int(3))
			return nil
		})
	})
	if err != nil || !wrong || !k.repair {
		return err
	}
	return k.e.write(k.ctx, "mend uses", 0, func(t *tx) error {
		_, err := t.exec("UPDATE account AS a SET (messages, bytes, mailboxes) = " + useSum)
		return err
	})
}
