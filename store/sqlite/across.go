package sqlite

import (
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
	return all, t.adoptMessages(l, to)
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
func (t *tx) adoptMessages(l *lot, to store.AccountID) error {
	a, err := t.account(to)
	if err != nil {
		return err
	}
	adopted := map[store.MessageID]store.MessageID{}
	for i := range l.entries {
		e := &l.entries[i]
		id, known := adopted[e.Message]
		if !known {
			id = store.MessageID(a.id.FirstMessage() | a.nextMessage)
			a.nextMessage++
			a.dirty = true
			if err := t.adoptMessage(e.Message, id); err != nil {
				return err
			}
			adopted[e.Message] = id
		}
		e.Message = id
	}
	return nil
}

func (t *tx) adoptMessage(old, id store.MessageID) error {
	n, err := t.exec(`INSERT INTO message (id, body, size, header_size, internal, emailid, threadid, structure_crc, structure, prefix_crc, prefix)
		SELECT ?, body, size, header_size, internal, emailid, threadid, structure_crc, structure, prefix_crc, prefix
		FROM message WHERE id = ?`, id, old)
	if err != nil {
		return err
	}
	if n == 0 {
		return store.Errorf(store.Corrupt, "message %d is missing", old)
	}
	if _, err := t.exec("INSERT INTO message_utf8 (message, size, edits) SELECT ?, size, edits FROM message_utf8 WHERE message = ?", id, old); err != nil {
		return err
	}
	return t.adoptThread(id)
}

// adoptThread has answers to a message join its thread in its new account. One
// whose structure cannot be read only starts no thread there.
func (t *tx) adoptThread(id store.MessageID) error {
	r, ok, err := t.first("SELECT threadid, structure FROM message WHERE id = ?", id)
	if err != nil || !ok {
		return err
	}
	st, err := message.Decode(r.blob(1))
	if err != nil || st.MessageID == "" {
		return nil
	}
	_, err = t.exec("INSERT OR IGNORE INTO thread_ref (account, ref, thread) VALUES (?, ?, ?)", id.Account(), threadRef(st.MessageID), r.text(0))
	return err
}
