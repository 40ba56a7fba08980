package storetest

import (
	"maps"
	"slices"

	"tandem/store"
)

// model is one account's mailboxes as the rules say they must be, held in
// memory as simply as can be.
type model struct {
	modseq   store.ModSeq
	boxes    map[store.MailboxID]*box
	keywords []string
}

// box is a mailbox of the model.
type box struct {
	row     store.Mailbox
	entries map[store.UID]store.Entry
	gone    []store.Expunge
}

func newModel(rows []store.Mailbox) *model {
	m := &model{modseq: 1, boxes: map[store.MailboxID]*box{}}
	for _, row := range rows {
		m.boxes[row.ID] = &box{row: row, entries: map[store.UID]store.Entry{}}
	}
	return m
}

// draw gives the next modseq of the account to b.
func (m *model) draw(b *box) store.ModSeq {
	m.modseq++
	b.row.HighestModSeq = m.modseq
	return m.modseq
}

// flags gives the bits of flags and keywords, making keywords when create.
func (m *model) flags(f store.Flags, keywords []string, create bool) store.Flags {
	for _, k := range keywords {
		n := slices.Index(m.keywords, k)
		if n < 0 && create {
			n = len(m.keywords)
			m.keywords = append(m.keywords, k)
		}
		if n >= 0 {
			f |= store.KeywordFlag(n)
		}
	}
	return f
}

// in lists the entries of uids, ascending.
func (b *box) in(uids store.UIDSet) (list []store.Entry) {
	for _, uid := range slices.Sorted(maps.Keys(b.entries)) {
		if contains(uids, uid) {
			list = append(list, b.entries[uid])
		}
	}
	return list
}

// add puts e into b under the next UID.
func (b *box) add(e store.Entry, modseq store.ModSeq) store.UID {
	e.UID, e.ModSeq = b.row.UIDNext, modseq
	b.entries[e.UID] = e
	b.row.UIDNext++
	return e.UID
}

func (m *model) setFlags(b *box, c store.FlagsChange) {
	var changed []store.Entry
	eligible := false
	for _, e := range b.in(c.UIDs) {
		eligible = eligible || c.UnchangedSince == nil || e.ModSeq <= *c.UnchangedSince
	}
	if !eligible {
		return
	}
	bits := m.flags(c.Flags, c.Keywords, c.Op != store.FlagsRemove)
	for _, e := range b.in(c.UIDs) {
		if c.UnchangedSince != nil && e.ModSeq > *c.UnchangedSince {
			continue
		}
		old := e.Flags
		switch c.Op {
		case store.FlagsAdd:
			e.Flags |= bits
		case store.FlagsRemove:
			e.Flags &^= bits
		default:
			e.Flags = bits | old&store.FlagPOP3Trashed
		}
		if e.Flags != old {
			changed = append(changed, e)
		}
	}
	if len(changed) == 0 {
		return
	}
	modseq := m.draw(b)
	for _, e := range changed {
		e.ModSeq = modseq
		b.entries[e.UID] = e
	}
}

func (m *model) copy(from, to *box, uids store.UIDSet, move bool, saved uint32, mark store.Flags) {
	list := from.in(uids)
	if len(list) == 0 {
		return
	}
	modseq := m.draw(to)
	for _, e := range list {
		e.Flags = e.Flags&^store.FlagPOP3Trashed | mark
		e.Saved = saved
		to.add(e, modseq)
	}
	if move {
		m.remove(from, list)
	}
}

func (m *model) expunge(b *box, uids store.UIDSet, onlyDeleted bool) {
	list := b.in(uids)
	if onlyDeleted {
		list = slices.DeleteFunc(list, func(e store.Entry) bool { return e.Flags&store.FlagDeleted == 0 })
	}
	if len(list) > 0 {
		m.remove(b, list)
	}
}

func (m *model) remove(b *box, list []store.Entry) {
	gone := store.Expunge{ModSeq: m.draw(b)}
	for _, e := range list {
		delete(b.entries, e.UID)
		gone.UIDs.Add(e.UID)
	}
	b.gone = append(b.gone, gone)
}

// expected gives the row with its counters.
func (b *box) expected() store.Mailbox {
	row := b.row
	row.Messages, row.Unseen, row.Deleted, row.Bytes = len(b.entries), 0, 0, 0
	for _, e := range b.entries {
		row.Bytes += int64(e.Size)
		if e.Flags&store.FlagSeen == 0 {
			row.Unseen++
		}
		if e.Flags&store.FlagDeleted != 0 {
			row.Deleted++
		}
	}
	return row
}
