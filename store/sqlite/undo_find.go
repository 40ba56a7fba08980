package sqlite

import (
	"strings"

	"tandem/store"
)

// casualty is one message that a session deleted and that its mailbox does not
// have any more.
type casualty struct {
	uid    store.UID // in the maildrop
	before grave     // its tombstone there, if known
	known  bool

	there      store.UID // in the trash, 0 if the QUIT did not put it there
	trashed    trashed   // its entry in the trash
	inTrash    bool
	after      grave // its tombstone in the trash
	wasInTrash bool

	filed string // the mailbox where it was put after the QUIT
}

// message is the one that it was an entry of, 0 when nothing is left that tells.
func (x *casualty) message() store.MessageID {
	switch {
	case x.known:
		return x.before.entry.Message
	case x.inTrash:
		return x.trashed.Message
	}
	return x.after.entry.Message
}

// trashed is an entry of the trash.
type trashed struct {
	mailbox store.MailboxID
	store.Entry
	more string
}

// collect finds out what became of messages and what is to be done for them.
func (u *undo) collect(uids store.UIDSet) error {
	if len(uids) == 0 {
		return nil
	}
	graves, err := u.graves(u.quit.mailbox, uids)
	if err != nil {
		return err
	}
	trashGraves, err := u.graves(u.quit.trash, u.quit.became)
	if err != nil {
		return err
	}
	inTrash, err := u.inTrash(uids)
	if err != nil {
		return err
	}
	filed, err := u.filedSince(uids)
	if err != nil {
		return err
	}
	if err := u.findReturned(); err != nil {
		return err
	}
	became := map[store.UID]store.UID{}
	c := cursor{set: u.quit.became}
	for uid := range all(u.quit.moved) {
		became[uid] = c.next()
	}
	for uid := range all(uids) {
		x := casualty{uid: uid, there: became[uid], filed: filed[uid]}
		x.before, x.known = graves[uid]
		x.after, x.wasInTrash = trashGraves[x.there]
		x.trashed, x.inTrash = inTrash[uid]
		if err := u.decide(&x); err != nil {
			return err
		}
	}
	return nil
}

// decide counts a casualty and has it brought back if it can be.
func (u *undo) decide(x *casualty) error {
	switch {
	case x.known && x.before.fate == fateBack:
		u.done.Already++
	case u.returned[x.message()]: // by a copy, which may have left it in the trash too
		u.done.Already++
	case x.filed != "" && x.filed == u.quit.name: // made again meanwhile, and the message put there
		u.done.Already++
	case x.inTrash:
		u.bring(x, x.trashed.Entry, x.trashed.more)
		u.dug = append(u.dug, store.Grave{Mailbox: x.trashed.mailbox, UID: x.trashed.UID})
	case !x.known && x.wasInTrash && x.after.fate == fateBack:
		u.done.Already++
	case x.filed != "":
		u.left(x.filed)
	case u.quit.hides() && x.there == 0: // somebody else took it away
		u.done.Lost++
	case x.wasInTrash && x.after.fate == fateExpunged:
		u.bring(x, x.after.entry, x.after.more)
		u.closed = append(u.closed, store.Grave{Mailbox: u.quit.trash, UID: x.there})
	case x.known && x.before.fate == fateExpunged:
		u.bring(x, x.before.entry, x.before.more)
	case x.known:
		return u.exhume(x, x.before.entry.Message)
	case x.wasInTrash:
		return u.exhume(x, x.after.entry.Message)
	default:
		u.done.Lost++
	}
	return nil
}

// bring has a message made again of an entry that it has or had: its flags, but
// \Deleted and SAVEDATE as the session found them.
func (u *undo) bring(x *casualty, e store.Entry, more string) {
	e.Flags &^= store.FlagDeleted | store.FlagPOP3Trashed
	e.Saved = store.ClampTime(u.now)
	if x.known {
		e.Flags |= x.before.entry.Flags & store.FlagDeleted
		e.Saved = x.before.entry.Saved
	}
	was := store.Grave{Mailbox: u.quit.mailbox, UID: x.uid}
	u.back = append(u.back, revival{was, e, more})
	u.closed = append(u.closed, was)
}

// left counts a message that stays where it was filed.
func (u *undo) left(mailbox string) {
	if u.done.Filed == nil {
		u.done.Filed = map[string]int{}
	}
	u.done.Filed[mailbox]++
}

// exhume deals with a message that was moved on from where the session left it:
// it stays where it is, or is brought back if it was expunged there.
func (u *undo) exhume(x *casualty, message store.MessageID) error {
	r, ok, err := u.first("SELECT m.name FROM entry e JOIN mailbox m ON m.id = e.mailbox WHERE e.message = ? AND m.id >> 39 & 1 = 0 LIMIT 1", message)
	if err != nil {
		return err
	}
	if ok {
		u.left(r.text(0))
		return nil
	}
	found := false
	err = u.query(strings.Replace(selectGraves, " FROM", ", mailbox FROM", 1)+
		"WHERE message = ? AND fate = 0 AND removed_at >= ? ORDER BY removed_at DESC LIMIT 1", func(r row) error {
		g := graveOf(r)
		found = true
		u.bring(x, g.entry, g.more)
		u.closed = append(u.closed, store.Grave{Mailbox: store.MailboxID(r.int(10)), UID: g.entry.UID})
		return nil
	}, message, u.quit.time)
	if !found {
		u.done.Lost++
	}
	return err
}

// inTrash finds the messages that are still where the QUIT has put them, or where
// a later one of a shared deletion, the store's upkeep or an undelete has, by the
// UIDs they had.
func (u *undo) inTrash(uids store.UIDSet) (map[store.UID]trashed, error) {
	found := map[store.UID]trashed{}
	put := func(r row) error {
		found[store.UID(r.int(8))] = trashed{store.MailboxID(r.int(9)), entryOf(r), string(r.blob(7))}
		return nil
	}
	before := map[store.UID]store.UID{}
	c := cursor{set: u.quit.moved}
	for there := range all(u.quit.became) {
		before[there] = c.next()
	}
	for _, span := range u.quit.became {
		err := u.query(selectEntries+"WHERE mailbox = ? AND uid BETWEEN ? AND ?", func(r row) error {
			e := entryOf(r)
			found[before[e.UID]] = trashed{u.quit.trash, e, string(r.blob(7))}
			return nil
		}, u.quit.trash, span.Start, span.Stop)
		if err != nil {
			return nil, err
		}
	}
	if len(found) == u.quit.moved.Len() && !u.quit.hides() {
		return found, nil
	}
	for _, span := range uids { // 32 is FlagPOP3Trashed
		err := u.query(`SELECT e.uid, e.size, e.message, e.modseq, e.flags, e.internal, e.saved, e.more_keywords, x.uid, e.mailbox
			FROM tombstone x JOIN entry e ON e.message = x.message
			WHERE x.mailbox = ? AND x.uid BETWEEN ? AND ? AND e.flags & 32`, put, u.quit.mailbox, span.Start, span.Stop)
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// findReturned finds the messages that were put into the maildrop after the QUIT.
func (u *undo) findReturned() error {
	u.returned = map[store.MessageID]bool{}
	return u.query("SELECT message FROM entry WHERE mailbox = ? AND uid >= ?", func(r row) error {
		u.returned[store.MessageID(r.int(0))] = true
		return nil
	}, u.quit.mailbox, u.quit.next)
}

// filedSince finds the other mailboxes into which messages of expunged entries were
// put after the QUIT.
func (u *undo) filedSince(uids store.UIDSet) (map[store.UID]string, error) {
	found := map[store.UID]string{}
	for _, span := range uids {
		err := u.query(`SELECT x.uid, m.name FROM tombstone x JOIN entry e ON e.message = x.message JOIN mailbox m ON m.id = e.mailbox
			WHERE x.mailbox = ?1 AND x.uid BETWEEN ?2 AND ?3 AND e.saved >= ?4 AND e.mailbox <> ?1 AND m.id >> 39 & 1 = 0`, func(r row) error {
			// Of several the maildrop counts, which may have been made again.
			if uid := store.UID(r.int(0)); found[uid] == "" || found[uid] != u.quit.name {
				found[uid] = r.text(1)
			}
			return nil
		}, u.quit.mailbox, span.Start, span.Stop, u.quit.time)
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}
