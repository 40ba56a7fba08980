package sqlite

import (
	"context"

	"tandem/store"
)

// Copy copies or moves entries to a mailbox.
func (e *Engine) Copy(ctx context.Context, by store.Actor, from, to store.MailboxID, uids store.UIDSet, move bool, maxKeywords int) (store.Copied, error) {
	if err := e.space.check(ctx, "copy messages"); err != nil {
		return store.Copied{}, err
	}
	rows, err := e.rowsIn(ctx, from, uids)
	if err != nil {
		return store.Copied{}, err
	}
	var res store.Copied
	err = e.writeBulk(ctx, "copy messages", rows, func(t *tx) error {
		need := store.RightRead
		if move { // RFC 6851 section 4.2: it does what COPY, STORE and EXPUNGE do
			need |= store.RightMark | store.RightExpunge
		}
		source, err := t.mailbox(by, from, need)
		if err != nil {
			return err
		}
		dest, err := t.mailbox(by, to, store.RightInsert)
		if err != nil {
			return err
		}
		have, err := rightsOn(t.conn, by, to)
		if err != nil {
			return err
		}
		across := from.Account() != to.Account()
		res, err = t.copyEntries(source, dest, uids, copyMode{move: move, lost: ^have.Flags(), maxKeywords: maxKeywords})
		if err == nil && (across || !move) {
			err = t.copyFits(by, to.Account())
		}
		if err != nil || len(res.Source) == 0 {
			return err
		}
		rec := record{verb: "copy", mailbox: from, other: to, modseq: dest.HighestModSeq, uids: res.Source, otherUIDs: res.Dest}
		if move {
			rec.verb = "move"
		}
		if across {
			return t.journalAcross(by, rec, source.HighestModSeq)
		}
		return t.journal(by, from.Account(), rec)
	})
	return res, err
}

// journalAcross notes in both accounts what went from one to the other: in the
// source's as the copy or move it is, with the source's modseq, in the other's
// as "receive", the mailboxes the other way round.
func (t *tx) journalAcross(by store.Actor, r record, sourceModSeq store.ModSeq) error {
	in := record{verb: "receive", mailbox: r.other, other: r.mailbox, modseq: r.modseq, uids: r.otherUIDs, otherUIDs: r.uids}
	if err := t.journal(by, in.mailbox.Account(), in); err != nil {
		return err
	}
	r.modseq = sourceModSeq
	return t.journal(by, r.mailbox.Account(), r)
}

// copyMode says what copyEntries does beside copying.
type copyMode struct {
	move        bool
	flags       store.Flags // set on the copies
	lost        store.Flags // left out on them
	maxKeywords int         // of the account they go to, when it is another
}

// copyEntries gives dest an entry for each entry of uids, in UID order, and
// for a move buries those. Source and Dest are empty if there were none.
func (t *tx) copyEntries(source, dest *mailboxRow, uids store.UIDSet, mode copyMode) (store.Copied, error) {
	res := store.Copied{UIDValidity: dest.UIDValidity}
	uids = clip(uids, source.UIDNext)
	lot, err := t.readLot(source, uids)
	if err != nil || lot.n == 0 {
		return res, err
	}
	all, err := t.carry(lot, source, dest, mode)
	if err != nil {
		return res, err
	}
	first, err := t.takeUIDs(dest, lot.n)
	if err != nil {
		return res, err
	}
	modseq, err := t.draw(dest)
	if err != nil {
		return res, err
	}
	lot.become(first, modseq, store.ClampTime(t.now), mode.flags)
	if err := t.insertLot(source.ID, dest.ID, lot, mode.flags); err != nil {
		return res, err
	}
	for i := range lot.entries {
		dest.count(lot.entries[i].Flags, int64(lot.entries[i].Size), 1)
	}
	c := t.change(dest)
	c.Added, c.More, c.Keywords = lot.entries, lot.more, all
	if mode.move {
		if source.ID.Account() == dest.ID.Account() {
			lot.fate = fateMoved // else its owner has lost it, and may bring it back
		}
		if _, err := t.bury(source, uids, false, &lot.picked); err != nil {
			return res, err
		}
	}
	res.Source = lot.uids
	res.Dest = store.UIDSet{{Start: first, Stop: first + store.UID(lot.n) - 1}}
	return res, t.overrideUIDLs(dest, first)
}

// lot is the entries of one copy: as they were, then as they become.
type lot struct {
	picked
	ranges  []lotRange
	entries []store.Entry
	more    map[store.UID]string
	changed bool // entries are not as their rows
}

// lotRange is a range of source UIDs that holds n entries.
type lotRange struct {
	store.UIDRange
	n int
}

func (t *tx) readLot(m *mailboxRow, uids store.UIDSet) (*lot, error) {
	l := &lot{entries: make([]store.Entry, 0, min(uids.Len(), m.Messages)), more: map[store.UID]string{}}
	for _, span := range uids {
		before := l.n
		err := t.query(selectEntries+"WHERE mailbox = ? AND uid BETWEEN ? AND ? ORDER BY uid", func(r row) error {
			e := entryOf(r)
			l.add(e.UID, e.Flags, int64(e.Size))
			if more := r.blob(7); len(more) > 0 {
				l.more[e.UID] = string(more)
			}
			l.entries = append(l.entries, e)
			return nil
		}, m.ID, span.Start, span.Stop)
		if err != nil {
			return nil, err
		}
		if l.n > before {
			l.ranges = append(l.ranges, lotRange{span, l.n - before})
		}
	}
	return l, nil
}

// become turns the entries into their copies, from the UID first on.
func (l *lot) become(first store.UID, modseq store.ModSeq, saved uint32, flags store.Flags) {
	more := map[store.UID]string{}
	for i := range l.entries {
		e := &l.entries[i]
		uid := first + store.UID(i)
		if e.Flags&store.FlagMore != 0 {
			more[uid] = l.more[e.UID]
		}
		e.UID, e.ModSeq, e.Saved = uid, modseq, saved
		e.Flags = e.Flags&^store.FlagPOP3Trashed | flags
	}
	l.more = more
}

// insertLot writes the copies: one by one when they are few or differ from
// their rows, else by the range of source UIDs (32 is FlagPOP3Trashed).
func (t *tx) insertLot(source, dest store.MailboxID, l *lot, flags store.Flags) error {
	if l.n <= rowByRow || len(l.ranges) == l.n || l.changed {
		for i := range l.entries {
			e := &l.entries[i]
			if err := t.insertEntry(dest, e, l.more[e.UID]); err != nil {
				return err
			}
		}
		return nil
	}
	first := l.entries[0]
	uid := first.UID
	for _, r := range l.ranges {
		n, err := t.exec(`INSERT INTO entry (mailbox, uid, message, modseq, flags, saved, size, internal, more_keywords)
			SELECT ?, ? - 1 + row_number() OVER (ORDER BY uid), message, ?, (flags & ~32) | ?, ?, size, internal, more_keywords
			FROM entry WHERE mailbox = ? AND uid BETWEEN ? AND ?`,
			dest, uid, first.ModSeq, flags, first.Saved, source, r.Start, r.Stop)
		if err != nil {
			return err
		}
		if n != int64(r.n) {
			return store.Errorf(store.Internal, "copy: %d rows were made, want %d", n, r.n)
		}
		uid += store.UID(r.n)
	}
	return nil
}
