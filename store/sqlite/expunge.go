package sqlite

import (
	"context"

	"tandem/store"
)

// Expunge removes entries, leaving tombstones. No message or body is touched.
func (e *Engine) Expunge(ctx context.Context, by store.Actor, id store.MailboxID, uids store.UIDSet, onlyDeleted bool) (store.Expunge, error) {
	rows, err := e.rowsIn(ctx, id, uids)
	if err != nil {
		return store.Expunge{}, err
	}
	var gone store.Expunge
	err = e.writeBulk(ctx, "expunge", rows, func(t *tx) error {
		m, err := t.mailbox(by, id, store.RightExpunge)
		if err != nil {
			return err
		}
		gone, err = t.expunge(m, uids, onlyDeleted)
		if err != nil || gone.ModSeq == 0 {
			return err
		}
		return t.journal(by, id.Account(), record{verb: "expunge", mailbox: id, modseq: gone.ModSeq, uids: gone.UIDs})
	})
	return gone, err
}

// expunge removes entries; ModSeq is 0 if there were none.
func (t *tx) expunge(m *mailboxRow, uids store.UIDSet, onlyDeleted bool) (store.Expunge, error) {
	if onlyDeleted && m.Deleted == 0 {
		return store.Expunge{}, nil
	}
	uids = clip(uids, m.UIDNext)
	var p picked
	for _, r := range uids {
		err := t.query(`SELECT uid, flags, size FROM entry WHERE mailbox = ? AND uid BETWEEN ? AND ?
			AND (flags & 8 OR NOT ?)`, func(r row) error {
			p.add(store.UID(r.int(0)), store.Flags(r.int(1)), r.int(2))
			return nil
		}, m.ID, r.Start, r.Stop, onlyDeleted)
		if err != nil {
			return store.Expunge{}, err
		}
	}
	return t.bury(m, uids, onlyDeleted, &p)
}

// What becomes of entries that make way for tombstones (tombstone.fate).
const (
	fateExpunged = 0 // they can be brought back
	fateMoved    = 1 // their messages live on where they went
	fateBack     = 2 // they were brought back
)

// picked sums up entries that are about to go.
type picked struct {
	fate    int
	uids    store.UIDSet
	n       int
	unseen  int
	deleted int
	bytes   int64
}

func (p *picked) add(uid store.UID, flags store.Flags, size int64) {
	p.uids.Add(uid)
	p.n++
	p.bytes += size
	if flags&store.FlagSeen == 0 {
		p.unseen++
	}
	if flags&store.FlagDeleted != 0 {
		p.deleted++
	}
}

// bury turns the entries of ranges (8 is \Deleted) into tombstones. p must be
// what the ranges hold.
func (t *tx) bury(m *mailboxRow, ranges store.UIDSet, onlyDeleted bool, p *picked) (store.Expunge, error) {
	if p.n == 0 {
		return store.Expunge{}, nil
	}
	modseq, err := t.draw(m)
	if err != nil {
		return store.Expunge{}, err
	}
	if len(p.uids) < max(len(ranges), rowByRow) {
		ranges, onlyDeleted = p.uids, false
	}
	var sum int64
	for _, r := range ranges {
		if _, err := t.exec(`INSERT INTO tombstone (mailbox, modseq, uid, message, entry_modseq, flags, saved, size, internal, removed_at, more_keywords, fate)
			SELECT mailbox, ?, uid, message, modseq, flags, saved, size, internal, ?, more_keywords, ?
			FROM entry WHERE mailbox = ? AND uid BETWEEN ? AND ? AND (flags & 8 OR NOT ?)`,
			modseq, t.now, p.fate, m.ID, r.Start, r.Stop, onlyDeleted); err != nil {
			return store.Expunge{}, err
		}
		n, err := t.exec("DELETE FROM entry WHERE mailbox = ? AND uid BETWEEN ? AND ? AND (flags & 8 OR NOT ?)", m.ID, r.Start, r.Stop, onlyDeleted)
		if err != nil {
			return store.Expunge{}, err
		}
		sum += n
	}
	if sum != int64(p.n) {
		return store.Expunge{}, store.Errorf(store.Internal, "expunge: %d rows went, want %d", sum, p.n)
	}
	if p.fate == fateExpunged && t.e.showing.Load() && !m.ID.RecentlyDeleted() {
		if err := t.show(m.ID, p.uids[0].Start, p.uids[len(p.uids)-1].Stop, modseq); err != nil {
			return store.Expunge{}, err
		}
	}
	m.Messages -= p.n
	m.Unseen -= p.unseen
	m.Deleted -= p.deleted
	m.Bytes -= p.bytes
	t.change(m).Expunged = p.uids
	return store.Expunge{ModSeq: modseq, UIDs: p.uids}, nil
}
