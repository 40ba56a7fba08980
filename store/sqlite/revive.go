package sqlite

import (
	"math"
	"slices"

	"tandem/store"
)

// revival is an entry to be made again of what was removed.
type revival struct {
	was   store.Grave
	entry store.Entry // as it becomes, but for UID and modseq
	more  string
}

// revive gives m entries again, in the order of list, from the UID first on.
// They keep the UIDLs that they had where they were.
func (t *tx) revive(m *mailboxRow, list []revival) (first store.UID, err error) {
	if first, err = t.takeUIDs(m, len(list)); err != nil {
		return 0, err
	}
	modseq, err := t.draw(m)
	if err != nil {
		return 0, err
	}
	restart := m.Use == store.UseTrash || m.Use == store.UseJunk // else upkeep would expunge them again
	c := t.change(m)
	c.Added, c.More = make([]store.Entry, len(list)), map[store.UID]string{}
	for i := range list {
		e := &c.Added[i]
		*e = list[i].entry
		e.UID, e.ModSeq = first+store.UID(i), modseq
		if restart {
			e.Saved = store.ClampTime(t.now)
		}
		if err := t.insertEntry(m.ID, e, list[i].more); err != nil {
			return 0, err
		}
		m.count(e.Flags, int64(e.Size), 1)
		if list[i].more != "" {
			c.More[e.UID] = list[i].more
		}
	}
	if err := t.carryUIDLs(m, list, first); err != nil {
		return 0, err
	}
	if err := t.keepListed(m, list); err != nil {
		return 0, err
	}
	return first, t.freshUIDLs(m, first, abroad(m.ID, list))
}

// keepListed has POP3 devices that had listed some of list have listed them at
// their new UIDs too: under DeleteShared they wait for each of those.
func (t *tx) keepListed(m *mailboxRow, list []revival) error {
	least := store.UID(math.MaxUint32)
	for i := range list {
		if list[i].was.Mailbox == m.ID {
			least = min(least, list[i].was.UID)
		}
	}
	_, err := t.exec("UPDATE pop3_listed SET next = ? WHERE mailbox = ? AND next > ?", m.UIDNext, m.ID, least)
	return err
}

// abroad reports whether some of list were in another mailbox.
func abroad(home store.MailboxID, list []revival) bool {
	return slices.ContainsFunc(list, func(r revival) bool { return r.was.Mailbox != home })
}

// carryUIDLs gives the entries from first on the UIDLs of their own that they
// had before.
func (t *tx) carryUIDLs(m *mailboxRow, list []revival, first store.UID) error {
	own := map[store.Grave]string{}
	looked := map[store.MailboxID]bool{}
	for i := range list {
		id := list[i].was.Mailbox
		if looked[id] {
			continue
		}
		looked[id] = true
		err := t.query("SELECT uid, uidl FROM uidl_override WHERE mailbox = ?", func(r row) error {
			own[store.Grave{Mailbox: id, UID: store.UID(r.int(0))}] = r.text(1)
			return nil
		}, id)
		if err != nil {
			return err
		}
	}
	for i := range list {
		uidl, ok := own[list[i].was]
		if !ok {
			continue
		}
		if _, err := t.exec("INSERT INTO uidl_override (mailbox, uid, uidl) VALUES (?, ?, ?)", m.ID, first+store.UID(i), uidl); err != nil {
			return err
		}
	}
	return nil
}

// freshUIDLs gives entries from first on a UIDL of their own where another entry
// shows the one they had. Entries that came from other mailboxes may also meet
// imported UIDLs; in their own one, tombstones have kept those free.
func (t *tx) freshUIDLs(m *mailboxRow, first store.UID, abroad bool) error {
	var clash []store.UID
	err := t.query(`SELECT n.uid FROM entry n WHERE n.mailbox = ?1 AND n.uid >= ?2
		AND EXISTS (SELECT 1 FROM entry o WHERE o.message = n.message AND o.mailbox = n.mailbox AND o.uid < n.uid
			AND NOT EXISTS (SELECT 1 FROM uidl_override v WHERE v.mailbox = o.mailbox AND v.uid = o.uid))`, func(r row) error {
		clash = append(clash, store.UID(r.int(0)))
		return nil
	}, m.ID, first)
	if err != nil {
		return err
	}
	if abroad {
		more, err := t.importedClashes(m, first)
		if err != nil {
			return err
		}
		clash = append(clash, more...)
	}
	for _, uid := range clash {
		if _, err := t.exec("INSERT OR IGNORE INTO uidl_override (mailbox, uid, uidl) VALUES (?, ?, ?)", m.ID, uid, t.entryUIDL(m.ID, uid)); err != nil {
			return err
		}
	}
	return nil
}

// grave is a tombstone as it is read to be brought back.
type grave struct {
	entry   store.Entry // as it was
	more    string
	fate    int
	removed int64
}

// selectGraves reads tombstones for graveOf.
const selectGraves = `SELECT uid, size, message, entry_modseq, flags, internal, saved, more_keywords, fate, removed_at FROM tombstone `

func graveOf(r row) grave {
	return grave{entry: entryOf(r), more: string(r.blob(7)), fate: int(r.int(8)), removed: r.int(9)}
}

// graves reads the tombstones of a mailbox's UIDs.
func (t *tx) graves(id store.MailboxID, uids store.UIDSet) (map[store.UID]grave, error) {
	found := map[store.UID]grave{}
	for _, span := range uids {
		err := t.query(selectGraves+"WHERE mailbox = ? AND uid BETWEEN ? AND ?", func(r row) error {
			g := graveOf(r)
			found[g.entry.UID] = g
			return nil
		}, id, span.Start, span.Stop)
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// closeGraves notes that tombstones of an account were brought back.
func (t *tx) closeGraves(account store.AccountID, list []store.Grave) error {
	sets := map[store.MailboxID][]store.UID{}
	for _, g := range list {
		sets[g.Mailbox] = append(sets[g.Mailbox], g.UID)
	}
	var shown []store.UID
	for id, uids := range sets {
		set := setOf(uids)
		more, err := t.shownAs(id, set)
		if err != nil {
			return err
		}
		shown = append(shown, more...)
		for _, span := range set {
			if _, err := t.exec("UPDATE tombstone SET fate = ?, shown = NULL WHERE mailbox = ? AND uid BETWEEN ? AND ?",
				fateBack, id, span.Start, span.Stop); err != nil {
				return err
			}
		}
	}
	return t.unshow(account, shown)
}

// home gives the mailbox where entries of a mailbox belong that may be gone: one
// of its name then, made when there is none, else INBOX.
func (t *tx) home(a *accountRow, id store.MailboxID) (*mailboxRow, error) {
	m, ok, err := mailboxByID(t.conn, id)
	if err != nil {
		return nil, err
	}
	if ok {
		return t.rowOf(m), nil
	}
	name, use := "INBOX", store.SpecialUse("")
	r, ok, err := t.first("SELECT name, use FROM deleted_mailbox WHERE id = ?", id)
	if err != nil {
		return nil, err
	}
	if ok {
		name, use = r.text(0), store.SpecialUse(r.text(1))
	}
	if m, ok, err = mailboxByName(t.conn, a.id, name); err != nil || ok {
		return t.rowOf(m), err
	}
	taken, err := t.exists("SELECT 1 FROM mailbox WHERE account = ? AND use = ?", a.id, use)
	if err != nil {
		return nil, err
	}
	if taken {
		use = ""
	}
	return t.createMailbox(a, store.NewMailbox{Name: name, Use: use}, 0)
}
