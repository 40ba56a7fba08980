package sqlite

import (
	"slices"

	"tandem/store"
	"tandem/store/message"
)

// carry readies entries for their new mailbox: without the flags that the
// actor may not set there (RFC 4314 section 4, COPY), and in another account
// with keywords and messages of its own. all is that account's keywords if they
// grew.
func (t *tx) carry(l *lot, source, dest *mailboxRow, mode copyMode) (all []string, err error) {
	if mode.lost != 0 {
		l.lose(mode.lost)
	}
	from, to := source.ID.Account(), dest.ID.Account()
	if from == to {
		return nil, nil
	}
	// The lower account first, wherever both are changed.
	for _, id := range []store.AccountID{min(from, to), max(from, to)} {
		if _, err := t.account(id); err != nil {
			return nil, err
		}
	}
	l.changed = true
	if all, err = t.translateKeywords(l, from, to, mode.maxKeywords); err != nil {
		return nil, err
	}
	return all, t.adoptMessages(l, source.ID, to)
}

// lose takes flags off the entries.
func (l *lot) lose(lost store.Flags) {
	l.changed = true
	for i := range l.entries {
		e := &l.entries[i]
		e.Flags &^= lost
		if lost&store.FlagMore != 0 {
			delete(l.more, e.UID)
		}
	}
}

// translateKeywords gives the entries the keywords of the same names in another
// account, where they are made as needed.
func (t *tx) translateKeywords(l *lot, from, to store.AccountID, limit int) (all []string, err error) {
	names, err := keywordsOf(t.conn, from)
	if err != nil {
		return nil, err
	}
	const systemFlags = store.Flags(1)<<8 - 1
	become := map[store.FlagSet]store.FlagSet{} // of the keywords alone
	for i := range l.entries {
		e := &l.entries[i]
		old := store.FlagSet{Bits: e.Flags &^ systemFlags, More: l.more[e.UID]}
		if old.Bits == 0 {
			continue
		}
		set, known := become[old]
		if !known {
			var grown []string
			if set, grown, err = t.keywords(to, namesIn(old, names), true, limit); err != nil {
				return nil, err
			}
			if grown != nil {
				all = grown
			}
			become[old] = set
		}
		e.Flags = e.Flags&systemFlags | set.Bits
		delete(l.more, e.UID)
		if set.More != "" {
			l.more[e.UID] = set.More
		}
	}
	return all, nil
}

func namesIn(f store.FlagSet, names []string) (list []string) {
	for n, name := range names {
		if f.Has(n) {
			list = append(list, name)
		}
	}
	return list
}

// adoptMessages gives an account messages of its own for the entries of
// another's: the same body, EMAILID, THREADID and dates, but a UIDL of their
// own. Several entries of one message get one.
func (t *tx) adoptMessages(l *lot, source store.MailboxID, to store.AccountID) error {
	a, err := t.account(to)
	if err != nil {
		return err
	}
	first := store.MessageID(a.id.FirstMessage() | a.nextMessage)
	adopted := make(map[store.MessageID]store.MessageID, l.n)
	var olds []store.MessageID
	for i := range l.entries {
		e := &l.entries[i]
		id, known := adopted[e.Message]
		if !known {
			id = first + store.MessageID(len(olds))
			adopted[e.Message] = id
			olds = append(olds, e.Message)
		}
		e.Message = id
	}
	a.nextMessage += int64(len(olds))
	a.dirty = true
	if len(olds) == l.n && l.n > rowByRow {
		err = t.adoptRanges(l, source, first)
	} else {
		err = t.adoptEach(olds, first)
	}
	if err == nil {
		err = t.adoptForms(olds, adopted)
	}
	if err == nil {
		err = t.adoptThreads(first, first+store.MessageID(len(olds))-1)
	}
	return err
}

const (
	messageInto = "INSERT INTO message (id, body, size, header_size, internal, emailid, threadid, structure_crc, structure, prefix_crc, prefix) "
	messageFrom = ", m.body, m.size, m.header_size, m.internal, m.emailid, m.threadid, m.structure_crc, m.structure, m.prefix_crc, m.prefix FROM "
)

// adoptRanges makes the messages of a lot in which none is twice, numbered in
// the order of its entries.
func (t *tx) adoptRanges(l *lot, source store.MailboxID, first store.MessageID) error {
	for _, r := range l.ranges {
		n, err := t.exec(messageInto+"SELECT ? - 1 + row_number() OVER (ORDER BY e.uid)"+messageFrom+
			"entry e JOIN message m ON m.id = e.message WHERE e.mailbox = ? AND e.uid BETWEEN ? AND ?", first, source, r.Start, r.Stop)
		if err != nil {
			return err
		}
		if n != int64(r.n) {
			return store.Errorf(store.Corrupt, "mailbox %d: %d messages of %d entries are missing", source, int64(r.n)-n, r.n)
		}
		first += store.MessageID(r.n)
	}
	return nil
}

func (t *tx) adoptEach(olds []store.MessageID, first store.MessageID) error {
	for i, old := range olds {
		n, err := t.exec(messageInto+"SELECT ?"+messageFrom+"message m WHERE m.id = ?", first+store.MessageID(i), old)
		if err != nil {
			return err
		}
		if n == 0 {
			return store.Errorf(store.Corrupt, "message %d is missing", old)
		}
	}
	return nil
}

// adoptForms takes along the forms for clients without UTF-8, of which there
// are few.
func (t *tx) adoptForms(olds []store.MessageID, adopted map[store.MessageID]store.MessageID) error {
	var have []store.MessageID
	err := t.query("SELECT message FROM message_utf8 WHERE message BETWEEN ? AND ?", func(r row) error {
		if id := store.MessageID(r.int(0)); adopted[id] != 0 {
			have = append(have, id)
		}
		return nil
	}, slices.Min(olds), slices.Max(olds))
	if err != nil {
		return err
	}
	for _, old := range have {
		if _, err := t.exec("INSERT INTO message_utf8 (message, size, edits, crc) SELECT ?, size, edits, crc FROM message_utf8 WHERE message = ?", adopted[old], old); err != nil {
			return err
		}
	}
	return nil
}

// adoptThreads has answers to messages join their threads in their new account.
// One whose structure cannot be read only starts no thread there.
func (t *tx) adoptThreads(first, last store.MessageID) error {
	type named struct {
		ref    int64
		thread string
	}
	var list []named
	err := t.query("SELECT threadid, structure FROM message WHERE id BETWEEN ? AND ?", func(r row) error {
		if st, err := message.Decode(r.blob(1)); err == nil && st.MessageID != "" {
			list = append(list, named{threadRef(st.MessageID), r.text(0)})
		}
		return nil
	}, first, last)
	if err != nil {
		return err
	}
	for _, n := range list {
		if _, err := t.exec("INSERT OR IGNORE INTO thread_ref (account, ref, thread) VALUES (?, ?, ?)", first.Account(), n.ref, n.thread); err != nil {
			return err
		}
	}
	return nil
}
