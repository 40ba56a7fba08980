package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"tandem/store"
)

// checkRows is how many findings of one kind a check gathers.
const checkRows = 1000

// checker is one run of Check.
type checker struct {
	e      *Engine
	ctx    context.Context
	repair bool
	say    func(string)
	lines  []string // not yet said: nothing of the caller runs in a read
}

// Check verifies the file itself, what rows say of each other, counters, and
// every stored byte. With repair it mends counters, structures, entries without
// a message and rows that nothing names. Mail goes on meanwhile; the WAL grows
// until the first half is over.
func (e *Engine) Check(ctx context.Context, repair bool, finding func(string)) error {
	k := &checker{e: e, ctx: ctx, repair: repair, say: finding}
	e.checking.Store(true)
	err := k.rows()
	e.checking.Store(false)
	for _, step := range []func() error{k.counters, k.uses, k.bodies, k.structures, k.forms} {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = k.passDamage(step())
		}
		k.flush()
	}
	return classify("check the store", err)
}

// passDamage makes a finding of a step that met something it cannot read: the
// other steps go on.
func (k *checker) passDamage(err error) error {
	if err != nil && store.KindOf(classify("", err)) == store.Corrupt {
		k.note("%v", err)
		return nil
	}
	return err
}

func (k *checker) note(format string, args ...any) {
	k.lines = append(k.lines, fmt.Sprintf(format, args...))
}

func (k *checker) flush() {
	for _, line := range k.lines {
		k.say(line)
	}
	k.lines = nil
}

// rows looks at the file and at references on a connection of its own: it
// would hold the gate for too long.
func (k *checker) rows() (err error) {
	c, err := openConn(dsn(k.e.path, "mode=rw&_query_only=1&_busy_timeout="+busyTimeout))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	err = c.query("PRAGMA integrity_check(100)", func(r row) error {
		if r.text(0) != "ok" {
			k.note("database: %s", strings.ReplaceAll(r.text(0), "\n", "; "))
		}
		return nil
	})
	if err != nil {
		k.note("database: %v", err)
	}
	if damaged := len(k.lines) > 0; damaged && k.repair {
		k.reindex()
	}
	k.flush()
	for _, ref := range references {
		if err := k.ctx.Err(); err != nil {
			return err
		}
		if err := k.reference(c, ref); err != nil {
			return err
		}
	}
	return nil
}

// reindex makes the indexes anew: they are what can be made from the rest.
func (k *checker) reindex() {
	err := k.e.write(k.ctx, "make indexes anew", 0, func(t *tx) error {
		_, err := t.exec("REINDEX")
		return err
	})
	if err != nil {
		k.note("database: %v", err)
	}
}

func (k *checker) reference(c *conn, ref reference) error {
	var broken []row
	err := c.query(ref.sql, func(r row) error {
		k.note(ref.text, r.int(0), r.int(1))
		broken = append(broken, append(row(nil), r...))
		return nil
	})
	if err != nil {
		k.note("database: %v", err)
		return nil // go on with what can be read
	}
	if len(broken) == checkRows {
		k.note("there may be more of these: check again after a repair")
	}
	k.flush()
	if !k.repair || ref.mend == nil || len(broken) == 0 {
		return nil
	}
	return k.e.writeBulk(k.ctx, "mend the store", len(broken), func(t *tx) error {
		for _, r := range broken {
			if err := ref.mend(t, r); err != nil {
				return err
			}
		}
		return nil
	})
}

// dropBodyIfUnused removes a body that no message names.
func (t *tx) dropBodyIfUnused(id store.BodyID) error {
	used, err := t.exists("SELECT 1 FROM message WHERE body = ?", id)
	if err != nil || used {
		return err
	}
	return dropBody(t.conn, id)
}

// tally is what a mailbox's entries and tombstones add up to.
type tally struct {
	messages, unseen, deleted int
	bytes                     int64
	lastUID                   store.UID
	modseq                    store.ModSeq
}

func tallyOf(c *conn, id store.MailboxID) (t tally, err error) {
	r, _, err := c.first(`SELECT count(*), ifnull(sum(flags & 1 = 0), 0), ifnull(sum(flags & 8 <> 0), 0), ifnull(sum(size), 0),
		ifnull(max(uid), 0), ifnull(max(modseq), 0) FROM entry WHERE mailbox = ?`, id)
	if err != nil {
		return t, err
	}
	t = tally{int(r.int(0)), int(r.int(1)), int(r.int(2)), r.int(3), store.UID(r.int(4)), store.ModSeq(r.int(5))}
	r, _, err = c.first("SELECT ifnull(max(uid), 0), ifnull(max(modseq), 0) FROM tombstone WHERE mailbox = ?", id)
	if err != nil {
		return t, err
	}
	t.lastUID = max(t.lastUID, store.UID(r.int(0)))
	t.modseq = max(t.modseq, store.ModSeq(r.int(1)))
	return t, nil
}

// mend sets a row's counters to what t says; it reports whether they differed.
func (t tally) mend(m *store.Mailbox) bool {
	was := *m
	m.Messages, m.Unseen, m.Deleted, m.Bytes = t.messages, t.unseen, t.deleted, t.bytes
	m.UIDNext = max(m.UIDNext, t.lastUID+1)
	m.HighestModSeq = max(m.HighestModSeq, t.modseq)
	return *m != was
}

// counters compares the counters in rows with what they count, a mailbox at a
// time.
func (k *checker) counters() error {
	if err := k.passDamage(k.accountCounters()); err != nil {
		return err
	}
	var ids []store.MailboxID
	err := k.e.read(k.ctx, "list mailboxes", func(c *conn) error {
		return c.query("SELECT id FROM mailbox ORDER BY id", func(r row) error {
			ids = append(ids, store.MailboxID(r.int(0)))
			return nil
		})
	})
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := k.passDamage(k.mailboxCounters(id)); err != nil {
			return err
		}
		k.flush()
	}
	return nil
}

func (k *checker) mailboxCounters(id store.MailboxID) error {
	wrong := false
	err := k.e.readOnce(k.ctx, "count a mailbox", func(c *conn) error {
		m, ok, err := mailboxByID(c, id)
		if err != nil || !ok {
			return err
		}
		t, err := tallyOf(c, id)
		if err != nil {
			return err
		}
		right := m
		if wrong = t.mend(&right); wrong {
			k.note("mailbox %d (%s): counters say %s, the entries %s", id, m.Name, counterText(m), counterText(right))
		}
		return nil
	})
	if err != nil || !wrong || !k.repair {
		return err
	}
	return k.e.write(k.ctx, "mend counters", 0, func(t *tx) error {
		found, ok, err := mailboxByID(t.conn, id)
		if err != nil || !ok {
			return err
		}
		sum, err := tallyOf(t.conn, id)
		if err != nil {
			return err
		}
		m := t.rowOf(found)
		if sum.mend(&m.Mailbox) {
			m.dirty = true
			t.change(m)
		}
		return nil
	})
}

func counterText(m store.Mailbox) string {
	return fmt.Sprintf("messages=%d unseen=%d deleted=%d bytes=%d uidnext=%d modseq=%d", m.Messages, m.Unseen, m.Deleted, m.Bytes, m.UIDNext, m.HighestModSeq)
}

// accountCounters finds counters that stand below what they have given out:
// they would give it out again.
func (k *checker) accountCounters() error {
	const lowCounters = `SELECT a.name, a.modseq < ifnull((SELECT max(highestmodseq) FROM mailbox m WHERE m.account = a.id), 0)
		OR a.next_mailbox <= ifnull((SELECT max(id & 0x7fffffffff) FROM mailbox m WHERE m.account = a.id), 0)
		OR a.next_message <= ifnull((SELECT max(id) FROM message m WHERE m.id >= a.id << 40 AND m.id < (a.id + 1) << 40), 0) & 0xffffffffff
		OR a.next_journal <= ifnull((SELECT max(n) FROM journal j WHERE j.account = a.id), 0) AS low FROM account a WHERE low
		UNION ALL SELECT 'the store', 1 FROM store WHERE key = 'uidvalidity' AND value < (SELECT max(uidvalidity) FROM mailbox)
			OR key = 'account' AND value < (SELECT max(id) FROM account) OR key = 'credential' AND value < (SELECT max(id) FROM credential)`
	wrong := false
	err := k.e.readOnce(k.ctx, "compare counters", func(c *conn) error {
		return c.query(lowCounters, func(r row) error {
			wrong = true
			k.note("account %s: a counter stands below what it has given out", r.text(0))
			return nil
		})
	})
	k.flush()
	if err != nil || !wrong || !k.repair {
		return err
	}
	return k.e.write(k.ctx, "mend counters", 0, func(t *tx) error {
		for _, sql := range []string{
			`UPDATE account AS a SET modseq = max(modseq, ifnull((SELECT max(highestmodseq) FROM mailbox m WHERE m.account = a.id), 0)),
				next_mailbox = max(next_mailbox, 1 + (ifnull((SELECT max(id & 0x7fffffffff) FROM mailbox m WHERE m.account = a.id), 0))),
				next_message = max(next_message, 1 + (ifnull((SELECT max(id) FROM message m WHERE m.id >= a.id << 40 AND m.id < (a.id + 1) << 40), 0) & 0xffffffffff)),
				next_journal = max(next_journal, 1 + ifnull((SELECT max(n) FROM journal j WHERE j.account = a.id), 0))`,
			`UPDATE store SET value = max(value, ifnull((SELECT max(uidvalidity) FROM mailbox), 0)) WHERE key = 'uidvalidity'`,
			`UPDATE store SET value = max(value, ifnull((SELECT max(id) FROM account), 0)) WHERE key = 'account'`,
			`UPDATE store SET value = max(value, ifnull((SELECT max(id) FROM credential), 0)) WHERE key = 'credential'`,
		} {
			if _, err := t.exec(sql); err != nil {
				return err
			}
		}
		return nil
	})
}
