package sqlite

import (
	"math"
	"slices"
	"time"

	"tandem/store"
)

// tx is one request's part of a write transaction: the rows it has read and
// changed of accounts and mailboxes, which flush writes back, and what is to
// be published. It is used by the writer goroutine alone, for one run.
type tx struct {
	*conn
	e   *Engine
	now time.Time

	accounts  map[store.AccountID]*accountRow
	mailboxes map[store.MailboxID]*mailboxRow
	changed   []*store.Change // in the order made; their Mailbox is filled in by flush
	changes   []store.Change  // set by flush
}

// accountRow holds the counters of an account.
type accountRow struct {
	id          store.AccountID
	modseq      store.ModSeq
	nextMailbox int64
	nextMessage int64
	nextJournal int64
	dirty       bool

	name  string
	used  store.Resources // as the row has it
	now   store.Resources // as flush leaves it
	quota store.Resources // its limits
}

// mailboxRow is a mailbox's row; gone once the verb has removed it.
type mailboxRow struct {
	store.Mailbox
	dirty bool
	gone  bool

	before store.Resources // what the row stood for when it was read
}

func newTx(e *Engine) *tx {
	return &tx{conn: e.w, e: e, now: e.opts.Now(),
		accounts: map[store.AccountID]*accountRow{}, mailboxes: map[store.MailboxID]*mailboxRow{}}
}

// account gives an account's counters.
func (t *tx) account(id store.AccountID) (*accountRow, error) {
	if a := t.accounts[id]; a != nil {
		return a, nil
	}
	r, ok, err := t.first(`SELECT modseq, next_mailbox, next_message, next_journal, name, bytes, messages, mailboxes,
		max_bytes, max_messages, max_mailboxes FROM account WHERE id = ?`, id)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, store.Errorf(store.NotFound, "no account %d", id)
	}
	used := store.Resources{Storage: r.int(5), Messages: r.int(6), Mailboxes: r.int(7)}
	a := &accountRow{id: id, modseq: store.ModSeq(r.int(0)), nextMailbox: r.int(1), nextMessage: r.int(2), nextJournal: r.int(3),
		name: r.text(4), used: used, now: used, quota: t.e.quotaOf(r[8], r[9], r[10])}
	t.accounts[id] = a
	return a, nil
}

// owner gives the counters of an account of which an actor wants to change
// what only the owner may, and the administration.
func (t *tx) owner(by store.Actor, id store.AccountID) (*accountRow, error) {
	if !mayChange(by, id) {
		return nil, store.Errorf(store.NotFound, "no account %d that is yours", id)
	}
	return t.account(id)
}

// mailbox gives the row of a mailbox for a verb that needs all these rights.
func (t *tx) mailbox(by store.Actor, id store.MailboxID, need store.Rights) (*mailboxRow, error) {
	if err := allowed(t.conn, by, id, need); err != nil {
		return nil, err
	}
	if m := t.mailboxes[id]; m != nil && !m.gone {
		return m, nil
	}
	found, ok, err := mailboxByID(t.conn, id)
	if err != nil {
		return nil, err
	}
	if !ok || t.mailboxes[id] != nil {
		return nil, errNoMailbox()
	}
	m := rowBefore(found)
	t.mailboxes[id] = m
	return m, nil
}

// rowOf gives the row of a mailbox just read, or the one changed already.
func (t *tx) rowOf(found store.Mailbox) *mailboxRow {
	m := t.mailboxes[found.ID]
	if m == nil {
		m = rowBefore(found)
		t.mailboxes[found.ID] = m
	}
	return m
}

// draw takes the next change number of the account for a change of m.
func (t *tx) draw(m *mailboxRow) (store.ModSeq, error) {
	a, err := t.account(m.ID.Account())
	if err != nil {
		return 0, err
	}
	a.modseq++
	a.dirty = true
	m.HighestModSeq = a.modseq
	m.dirty = true
	return a.modseq, nil
}

// change begins a change of m to be published; the caller fills it in.
func (t *tx) change(m *mailboxRow) *store.Change {
	c := &store.Change{Mailbox: m.Mailbox, ModSeq: m.HighestModSeq}
	t.changed = append(t.changed, c)
	return c
}

// flush writes the counters back and completes what is to be published.
func (t *tx) flush() error {
	if err := t.countUses(); err != nil {
		return err
	}
	for _, a := range t.accounts {
		if !a.dirty {
			continue
		}
		if _, err := t.exec(`UPDATE account SET modseq = ?, next_mailbox = ?, next_message = ?, next_journal = ?,
			bytes = ?, messages = ?, mailboxes = ? WHERE id = ?`, a.modseq, a.nextMailbox, a.nextMessage, a.nextJournal,
			a.now.Storage, a.now.Messages, a.now.Mailboxes, a.id); err != nil {
			return err
		}
	}
	for _, m := range t.mailboxes {
		if !m.dirty || m.gone {
			continue
		}
		if _, err := t.exec(`UPDATE mailbox SET name = ?, use = ?, messages = ?, unseen = ?, deleted = ?, bytes = ?, uidnext = ?,
			highestmodseq = ?, pruned_modseq = ?, recent_from = ? WHERE id = ?`, m.Name, m.Use, m.Messages, m.Unseen, m.Deleted,
			m.Bytes, int64(m.UIDNext), m.HighestModSeq, m.PrunedModSeq, m.RecentFrom, m.ID); err != nil {
			return err
		}
	}
	t.changes = make([]store.Change, 0, len(t.changed))
	for _, c := range t.changed {
		if m := t.mailboxes[c.Mailbox.ID]; m != nil {
			c.Mailbox = m.Mailbox
		}
		t.changes = append(t.changes, *c)
	}
	return nil
}

// takeUIDs gives n UIDs in a row.
func (t *tx) takeUIDs(m *mailboxRow, n int) (store.UID, error) {
	first := m.UIDNext
	if int64(first)+int64(n) > math.MaxUint32 {
		return 0, store.Errorf(store.Limit, "the mailbox %q has used up its UIDs", m.Name)
	}
	m.UIDNext += store.UID(n)
	m.dirty = true
	return first, nil
}

// counter draws the next value of one of the store's counters, which then
// stands at it plus step.
func (t *tx) counter(key string, step int64) (int64, error) {
	v, err := t.integer("SELECT value FROM store WHERE key = ?", key)
	if err != nil {
		return 0, err
	}
	_, err = t.exec("UPDATE store SET value = ? WHERE key = ?", v+step, key)
	return v, err
}

// count adds an entry's share to the mailbox's counters, or takes it away.
func (m *mailboxRow) count(flags store.Flags, size int64, sign int) {
	m.dirty = true
	m.Messages += sign
	m.Bytes += int64(sign) * size
	m.countFlags(flags, sign)
}

func (m *mailboxRow) countFlags(flags store.Flags, sign int) {
	m.dirty = true
	if flags&store.FlagSeen == 0 {
		m.Unseen += sign
	}
	if flags&store.FlagDeleted != 0 {
		m.Deleted += sign
	}
}

// clip gives the part of set below next: no statement looks further.
func clip(set store.UIDSet, next store.UID) store.UIDSet {
	var out store.UIDSet
	for _, r := range set {
		if r.Start >= next {
			break
		}
		out = append(out, store.UIDRange{Start: r.Start, Stop: min(r.Stop, next-1)})
	}
	return slices.Clip(out)
}
