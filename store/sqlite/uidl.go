package sqlite

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"tandem/store"
)

// goodUIDL reports whether an imported UIDL can be kept: RFC 1939 section 7,
// and none that we might derive.
func (t *tx) goodUIDL(uidl string) bool {
	if len(uidl) < 1 || len(uidl) > 70 || strings.HasPrefix(uidl, t.e.storeID) {
		return false
	}
	for i := range len(uidl) {
		if uidl[i] < 0x21 || uidl[i] > 0x7e {
			return false
		}
	}
	return true
}

// uidlTaken reports whether a mailbox has, or had as far as tombstones tell,
// an imported UIDL for another message than id.
func (t *tx) uidlTaken(mailbox store.MailboxID, uidl string, id store.MessageID) (bool, error) {
	lo := mailbox.Account().FirstMessage()
	return t.exists(`SELECT 1 FROM message_uidl u WHERE u.uidl = ?1 AND u.message >= ?2 AND u.message < ?3 AND u.message <> ?4
		AND (EXISTS (SELECT 1 FROM entry e WHERE e.message = u.message AND e.mailbox = ?5)
			OR EXISTS (SELECT 1 FROM tombstone x WHERE x.message = u.message AND x.mailbox = ?5))`,
		uidl, lo, lo+1<<40, id, mailbox)
}

// overrideUIDLs gives entries from first on, new in m, a UIDL of their own
// where the message's would not do: m has the message already, or has or had
// that UIDL for another one.
func (t *tx) overrideUIDLs(m *mailboxRow, first store.UID) error {
	var clash []store.UID
	err := t.query(`SELECT n.uid FROM entry n WHERE n.mailbox = ?1 AND n.uid >= ?2
		AND EXISTS (SELECT 1 FROM entry o WHERE o.message = n.message AND o.mailbox = n.mailbox AND o.uid < n.uid)`, func(r row) error {
		clash = append(clash, store.UID(r.int(0)))
		return nil
	}, m.ID, first)
	if err != nil {
		return err
	}
	more, err := t.importedClashes(m, first)
	if err != nil {
		return err
	}
	for _, uid := range append(clash, more...) {
		if _, err := t.exec("INSERT OR IGNORE INTO uidl_override (mailbox, uid, uidl) VALUES (?, ?, ?)", m.ID, uid, t.entryUIDL(m.ID, uid)); err != nil {
			return err
		}
	}
	return nil
}

// importedClashes finds new entries whose imported UIDL another message of the
// mailbox has or had.
func (t *tx) importedClashes(m *mailboxRow, first store.UID) (clash []store.UID, err error) {
	lo := m.ID.Account().FirstMessage()
	any, err := t.exists("SELECT 1 FROM message_uidl WHERE message >= ? AND message < ?", lo, lo+1<<40)
	if err != nil || !any {
		return nil, err
	}
	type imported struct {
		uid     store.UID
		message store.MessageID
		uidl    string
	}
	var list []imported
	err = t.query(`SELECT e.uid, e.message, u.uidl FROM entry e CROSS JOIN message_uidl u ON u.message = e.message
		WHERE e.mailbox = ? AND e.uid >= ?`, func(r row) error {
		list = append(list, imported{store.UID(r.int(0)), store.MessageID(r.int(1)), r.text(2)})
		return nil
	}, m.ID, first)
	if err != nil {
		return nil, err
	}
	for _, i := range list {
		taken, err := t.uidlTaken(m.ID, i.uidl, i.message)
		if err != nil {
			return nil, err
		}
		if taken {
			clash = append(clash, i.uid)
		}
	}
	return clash, nil
}

// entryUIDL is a UIDL made from what never comes again: a mailbox's id and a
// UID in it. The dot keeps it apart from store.DefaultUIDL.
func (t *tx) entryUIDL(id store.MailboxID, uid store.UID) string {
	return t.e.storeID + strconv.FormatInt(int64(id), 36) + "." + strconv.FormatUint(uint64(uid), 36)
}

// UIDLs gives the UIDLs of a mailbox's entries that are not derived from their
// message's id.
func (e *Engine) UIDLs(ctx context.Context, id store.MailboxID) (map[store.UID]string, error) {
	out := map[store.UID]string{}
	err := e.readOnce(ctx, "read UIDLs", func(c *conn) error {
		if _, err := foundMailbox(mailboxByID(c, id)); err != nil {
			return err
		}
		note := func(r row) error {
			out[store.UID(r.int(0))] = r.text(1)
			return nil
		}
		lo := id.Account().FirstMessage()
		err := c.query(`SELECT e.uid, u.uidl FROM message_uidl u CROSS JOIN entry e ON e.message = u.message
			WHERE u.message >= ? AND u.message < ? AND e.mailbox = ?`, note, lo, lo+1<<40, id)
		if err != nil {
			return err
		}
		return c.query(`SELECT o.uid, o.uidl FROM uidl_override o WHERE o.mailbox = ?1
			AND EXISTS (SELECT 1 FROM entry e WHERE e.mailbox = ?1 AND e.uid = o.uid)`, note, id)
	})
	return out, err
}

// SetUIDLs gives entries of a mailbox UIDLs of another server.
func (e *Engine) SetUIDLs(ctx context.Context, by store.Actor, id store.MailboxID, list []store.NewUIDL) (outcomes []error, err error) {
	err = e.writeBulk(ctx, "set UIDLs", len(list), func(t *tx) error {
		m, err := t.mailbox(by, id, store.RightAdminister)
		if err != nil {
			return err
		}
		outcomes = make([]error, len(list))
		done := map[store.UID]bool{}
		for i, n := range list {
			changed, err := t.setUIDL(m, n)
			if err != nil && !isVerdict(err) {
				return err
			}
			outcomes[i] = err
			done[n.UID] = done[n.UID] || changed
		}
		var uids store.UIDSet
		for _, uid := range slices.Sorted(maps.Keys(done)) {
			if done[uid] {
				uids.Add(uid)
			}
		}
		if len(uids) == 0 {
			return nil
		}
		return t.journal(by, id.Account(), record{verb: "uidl", mailbox: id, uids: uids})
	})
	return outcomes, err
}

// setUIDL gives one entry a UIDL, unless it has it.
func (t *tx) setUIDL(m *mailboxRow, n store.NewUIDL) (changed bool, err error) {
	r, ok, err := t.first(`SELECT e.message, u.uidl, o.uidl FROM entry e LEFT JOIN message_uidl u ON u.message = e.message
		LEFT JOIN uidl_override o ON o.mailbox = e.mailbox AND o.uid = e.uid WHERE e.mailbox = ? AND e.uid = ?`, m.ID, n.UID)
	if err != nil {
		return false, err
	}
	if !ok {
		return false, store.Errorf(store.Expunged, "the message is gone")
	}
	id := store.MessageID(r.int(0))
	switch has := cmp.Or(r.text(2), r.text(1)); {
	case has == n.UIDL && has != "":
		return false, nil
	case !t.goodUIDL(n.UIDL):
		return false, store.Errorf(store.Invalid, "no UIDL (1 to 70 characters from ! to ~)")
	case r.text(2) != "":
		return false, store.Errorf(store.Exists, "the mailbox has the message twice")
	}
	if err := t.mayHaveUIDL(id, n.UIDL); err != nil {
		return false, err
	}
	_, err = t.exec("INSERT OR REPLACE INTO message_uidl (message, uidl) VALUES (?, ?)", id, n.UIDL)
	return err == nil, err
}

// mayHaveUIDL is nil when a message can be given a UIDL: no device has listed it
// in any maildrop, and in none has another message, or had, that UIDL.
func (t *tx) mayHaveUIDL(id store.MessageID, uidl string) error {
	listed, err := t.exists(`SELECT 1 FROM entry e JOIN pop3_listed l ON l.mailbox = e.mailbox
		WHERE e.message = ? AND e.uid < l.next`, id)
	if err != nil {
		return err
	}
	if listed {
		return store.Errorf(store.Forbidden, "a POP3 client has seen the message already")
	}
	var in []store.MailboxID
	err = t.query("SELECT mailbox FROM entry WHERE message = ?", func(r row) error {
		in = append(in, store.MailboxID(r.int(0)))
		return nil
	}, id)
	for _, mailbox := range in {
		taken, err := t.uidlTaken(mailbox, uidl, id)
		if err != nil {
			return err
		}
		if taken {
			return store.Errorf(store.Exists, "another message has it")
		}
	}
	return err
}
