package sqlite

import (
	"context"

	"tandem/store"
)

// selectEntries reads entries for entryOf; column 7 is the bitmap of keywords
// beyond the 55th.
const selectEntries = "SELECT uid, size, message, modseq, flags, internal, saved, more_keywords FROM entry "

func entryOf(r row) store.Entry {
	return store.Entry{UID: store.UID(r.int(0)), Size: uint32(r.int(1)), Message: store.MessageID(r.int(2)),
		ModSeq: store.ModSeq(r.int(3)), Flags: store.Flags(r.int(4)), Internal: uint32(r.int(5)), Saved: uint32(r.int(6))}
}

// LoadIndex reads a mailbox's row and entries and its expunges later than
// since, all of one moment.
func (e *Engine) LoadIndex(ctx context.Context, id store.MailboxID, since store.ModSeq) (*store.LoadedIndex, error) {
	x := &store.LoadedIndex{More: map[store.UID]string{}}
	err := e.readOnce(ctx, "load a mailbox", func(c *conn) (err error) {
		if x.Mailbox, err = foundMailbox(mailboxByID(c, id)); err != nil {
			return err
		}
		x.Entries = make([]store.Entry, 0, x.Mailbox.Messages)
		err = c.query(selectEntries+"WHERE mailbox = ? ORDER BY uid", func(r row) error {
			entry := entryOf(r)
			x.Entries = append(x.Entries, entry)
			if more := r.blob(7); len(more) > 0 {
				x.More[entry.UID] = string(more)
			}
			return nil
		}, id)
		if err != nil {
			return err
		}
		if since < x.Mailbox.PrunedModSeq {
			var h holes
			for i := range x.Entries {
				h.member(x.Entries[i].UID)
			}
			x.Expunges = h.record(x.Mailbox)
		}
		kept, err := expungesAfter(c, id, max(since, x.Mailbox.PrunedModSeq))
		x.Expunges = append(x.Expunges, kept...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return x, nil
}

// Expunges gives the expunges later than since.
func (e *Engine) Expunges(ctx context.Context, id store.MailboxID, since store.ModSeq) (list []store.Expunge, err error) {
	err = e.readOnce(ctx, "read expunges", func(c *conn) error {
		m, err := foundMailbox(mailboxByID(c, id))
		if err != nil {
			return err
		}
		if since < m.PrunedModSeq {
			var h holes
			err := c.query("SELECT uid FROM entry WHERE mailbox = ? ORDER BY uid", func(r row) error {
				h.member(store.UID(r.int(0)))
				return nil
			}, id)
			if err != nil {
				return err
			}
			list = h.record(m)
		}
		kept, err := expungesAfter(c, id, max(since, m.PrunedModSeq))
		list = append(list, kept...)
		return err
	})
	return list, err
}

// holes gathers the UIDs that no entry has. RFC 7162 section 3.2.10.2 allows
// reporting more than was expunged since; deriving the answer from the
// tombstones that are left would report less.
type holes struct {
	set  store.UIDSet
	last store.UID
}

// member notes the next UID in use.
func (h *holes) member(uid store.UID) {
	if uid > h.last+1 {
		h.set.AddRange(store.UIDRange{Start: h.last + 1, Stop: uid - 1})
	}
	h.last = uid
}

func (h *holes) record(m store.Mailbox) []store.Expunge {
	h.member(m.UIDNext)
	if len(h.set) == 0 {
		return nil
	}
	return []store.Expunge{{ModSeq: m.PrunedModSeq, UIDs: h.set}}
}

func expungesAfter(c *conn, id store.MailboxID, since store.ModSeq) (list []store.Expunge, err error) {
	err = c.query("SELECT modseq, uid FROM tombstone WHERE mailbox = ? AND modseq > ? ORDER BY modseq, uid", func(r row) error {
		modseq := store.ModSeq(r.int(0))
		if n := len(list); n == 0 || list[n-1].ModSeq != modseq {
			list = append(list, store.Expunge{ModSeq: modseq})
		}
		list[len(list)-1].UIDs.Add(store.UID(r.int(1)))
		return nil
	}, id, since)
	return list, err
}

// Tombstones finds kept tombstones of these UIDs, as entries as they were, by
// UID.
func (e *Engine) Tombstones(ctx context.Context, id store.MailboxID, uids store.UIDSet) (list []store.Entry, err error) {
	err = e.readOnce(ctx, "read expunged entries", func(c *conn) error {
		for _, span := range uids {
			err := c.query(`SELECT uid, size, message, entry_modseq, flags, internal, saved FROM tombstone
				WHERE mailbox = ? AND uid BETWEEN ? AND ? ORDER BY uid`, func(r row) error {
				list = append(list, entryOf(r))
				return nil
			}, id, span.Start, span.Stop)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return list, err
}
