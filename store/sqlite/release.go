package sqlite

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"tandem/store"
)

// device is one of those whose deletions a message waits for, if the numbers say
// that it sees the message.
type device struct {
	credential store.CredentialID
	born       store.MessageID // it was there when this message and later ones arrived
	next       store.UID       // it has listed what lies below
	from       store.MessageID // its rule: from this message on
	since      uint32          // from this INTERNALDATE on
	floor      store.UID       // from this UID on
}

// devicesOf gives the devices that count for a mailbox now.
func devicesOf(c *conn, m *store.Mailbox, now time.Time, retired time.Duration) (list []device, err error) {
	account := m.ID.Account()
	lo := account.FirstMessage()
	var newest []int
	err = c.query(`SELECT c.id, c.label, c.born, c.created, iif(c.pop3_see = '', a.pop3_see, c.pop3_see),
			iif(c.pop3_see = '', max(a.pop3_from, c.born), c.pop3_from), l.next,
			(SELECT max(x.time) FROM pop3_listed x WHERE x.credential = c.id AND x.mailbox >= ?3 AND x.mailbox < ?3 + (1 << 40))
		FROM credential c JOIN account a ON a.id = c.account LEFT JOIN pop3_listed l ON l.mailbox = ?1 AND l.credential = c.id
		WHERE c.account = ?2 AND c.revoked IS NULL AND c.scope & ?4 AND ifnull(c.expires, ?6) > ?5`, func(r row) error {
		opened, everOpened := !r.null(6), !r.null(7)
		if !opened && (everOpened || r.text(1) == "" || m.Name != "INBOX") {
			return nil // it has nothing to do with this maildrop
		}
		if used := max(r.int(3), r.int(7)); retired > 0 && now.Unix()-used >= int64(retired/time.Second) {
			return nil
		}
		d := store.Device{See: store.SeeRule(r.text(4))}
		dev := device{credential: store.CredentialID(r.int(0)), born: store.MessageID(r.int(2)), next: store.UID(r.int(6)), since: d.Since(now)}
		if d.See == store.SeeSinceNow {
			dev.from = store.MessageID(r.int(5))
		}
		list, newest = append(list, dev), append(newest, d.See.Newest())
		return nil
	}, m.ID, account, lo, store.ScopePOP3, now, int64(math.MaxInt64))
	if err != nil {
		return nil, err
	}
	for i, n := range newest {
		if n == 0 {
			continue
		}
		floor, err := c.integer(`SELECT e.uid FROM entry e WHERE e.mailbox = ? AND NOT EXISTS
			(SELECT 1 FROM pop3_hidden h WHERE h.credential = ? AND h.mailbox = e.mailbox AND h.message = e.message) ORDER BY e.uid DESC LIMIT 1 OFFSET ?`,
			m.ID, list[i].credential, n-1)
		if err != nil {
			return nil, err
		}
		list[i].floor = store.UID(floor)
	}
	return list, nil
}

// holds gives the entries of a range of UIDs that a device has yet to delete.
func (d *device) holds(c *conn, id store.MailboxID, within store.UIDRange) (set store.UIDSet, err error) {
	err = c.query(`SELECT e.uid FROM entry e WHERE e.mailbox = ? AND e.uid BETWEEN ? AND ? AND (e.message >= ? OR e.uid < ?)
		AND e.message >= ? AND e.internal >= ?
		AND NOT EXISTS (SELECT 1 FROM pop3_hidden h WHERE h.credential = ? AND h.mailbox = e.mailbox AND h.message = e.message)
		ORDER BY e.uid`, func(r row) error {
		set.Add(store.UID(r.int(0)))
		return nil
	}, id, max(within.Start, d.floor), within.Stop, d.born, d.next, d.from, d.since, d.credential)
	return set, err
}

// released gives the entries among uids that no device has yet to delete.
func released(c *conn, m *store.Mailbox, uids store.UIDSet, now time.Time, retired time.Duration) (store.UIDSet, error) {
	if len(uids) == 0 {
		return nil, nil
	}
	devices, err := devicesOf(c, m, now, retired)
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(devices) && len(uids) > 0; i++ {
		held, err := devices[i].holds(c, m.ID, store.UIDRange{Start: uids[0].Start, Stop: uids[len(uids)-1].Stop})
		if err != nil {
			return nil, err
		}
		uids = store.Difference(uids, held)
	}
	return uids, nil
}

// sharedIn gives the entries of a mailbox that a device deleted under
// DeleteShared and that wait for others.
func sharedIn(c *conn, id store.MailboxID) (set store.UIDSet, err error) {
	var uids []store.UID
	err = c.query(`SELECT e.uid FROM credential c CROSS JOIN pop3_hidden h ON h.credential = c.id
			CROSS JOIN entry e ON e.mailbox = h.mailbox AND e.uid = h.uid
		WHERE c.account = ? AND c.pop3_shared AND h.mailbox = ?`, func(r row) error {
		uids = append(uids, store.UID(r.int(0)))
		return nil
	}, id.Account(), id)
	slices.Sort(uids)
	for _, uid := range slices.Compact(uids) {
		set.Add(uid)
	}
	return set, err
}

// Release moves to Trash what was deleted under DeleteShared and only devices
// held back that do not count any more. A mailbox is looked at again only when
// something has changed of its devices that can set mail free.
func (e *Engine) Release(ctx context.Context, retired time.Duration) error {
	var boxes []store.MailboxID
	err := e.readOnce(ctx, "look for devices that share mail", func(c *conn) (err error) {
		boxes, err = sharedMaildrops(c)
		return err
	})
	if err != nil {
		return err
	}
	for _, id := range boxes {
		var devices string
		free := 0
		err := e.readOnce(ctx, "look for mail that all devices have deleted", func(c *conn) error {
			m, ok, err := mailboxByID(c, id)
			if err != nil || !ok {
				return err
			}
			if devices, err = devicesText(c, &m, e.opts.Now(), retired); err != nil || !e.devicesChanged(id, devices) {
				return err
			}
			_, set, err := releasable(c, id, e.opts.Now(), retired)
			free = set.Len()
			return err
		})
		if err == nil && free > 0 {
			err = e.writeBulk(ctx, "release mail", free, func(t *tx) error { return t.release(id, retired) })
		}
		if err != nil {
			return err
		}
		e.noteDevices(id, devices)
	}
	return nil
}

// sharedMaildrops lists the mailboxes that may have entries deleted under
// DeleteShared: the maildrops of accounts of which a device ever did so.
func sharedMaildrops(c *conn) (list []store.MailboxID, err error) {
	err = c.query(`SELECT m.id FROM (SELECT DISTINCT account FROM credential WHERE pop3_shared) c
		JOIN mailbox m ON m.account = c.account
		WHERE m.name = 'INBOX' OR EXISTS (SELECT 1 FROM pop3_listed l WHERE l.mailbox = m.id)`, func(r row) error {
		list = append(list, store.MailboxID(r.int(0)))
		return nil
	})
	return list, err
}

// devicesText writes down which devices a mailbox has and what they see, by the
// hour. As long as it is the same, only QUITs set mail free, and they see to it.
func devicesText(c *conn, m *store.Mailbox, now time.Time, retired time.Duration) (string, error) {
	list, err := devicesOf(c, m, now, retired)
	for i := range list {
		list[i].next = 0 // it only grows, and sets nothing free
		list[i].since /= uint32(time.Hour / time.Second)
	}
	return fmt.Sprintf("%v", list), err
}

func (e *Engine) devicesChanged(id store.MailboxID, devices string) bool {
	e.devicesMu.Lock()
	defer e.devicesMu.Unlock()
	return e.devices[id] != devices
}

// forgetDevices has Release look at an account's maildrops again: a device that
// comes and goes between two looks may have held back mail.
func (e *Engine) forgetDevices(account store.AccountID) {
	e.devicesMu.Lock()
	defer e.devicesMu.Unlock()
	maps.DeleteFunc(e.devices, func(id store.MailboxID, _ string) bool { return id.Account() == account })
}

func (e *Engine) noteDevices(id store.MailboxID, devices string) {
	e.devicesMu.Lock()
	defer e.devicesMu.Unlock()
	if e.devices == nil {
		e.devices = map[store.MailboxID]string{}
	}
	e.devices[id] = devices
}

// releasable gives the entries of a mailbox that Release moves. A mailbox that
// is gone has none.
func releasable(c *conn, id store.MailboxID, now time.Time, retired time.Duration) (m store.Mailbox, set store.UIDSet, err error) {
	m, ok, err := mailboxByID(c, id)
	if err != nil || !ok {
		return m, nil, err
	}
	waiting, err := sharedIn(c, id)
	if err != nil {
		return m, nil, err
	}
	set, err = released(c, &m, waiting, now, retired)
	return m, set, err
}

func (t *tx) release(id store.MailboxID, retired time.Duration) error {
	found, free, err := releasable(t.conn, id, t.now, retired)
	if err != nil || len(free) == 0 {
		return err
	}
	m := t.rowOf(found)
	rec, err := t.quitTrash(m, free)
	if err != nil {
		return err
	}
	rec.verb, rec.mailbox, rec.modseq = "release", id, m.HighestModSeq
	return t.journal(store.Actor{Protocol: "admin"}, id.Account(), rec)
}
