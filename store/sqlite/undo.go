package sqlite

import (
	"context"
	"strings"
	"time"

	"tandem/store"
)

// Undo takes back what a POP3 session deleted with its QUIT.
func (e *Engine) Undo(ctx context.Context, by store.Actor, session string) (store.Undone, error) {
	var out store.Undone
	q, err := e.quitOf(ctx, by, session)
	if err != nil {
		return out, err
	}
	if err := e.space.check(ctx, "undo a session"); err != nil {
		return out, err
	}
	err = e.writeBulk(ctx, "undo a session", q.uids.Len(), func(t *tx) error {
		u := &undo{tx: t, by: by, quit: q, done: store.Undone{Account: q.account, Session: session, Time: q.time,
			Policy: q.policy, Mailbox: q.name, Deleted: q.uids.Len()}}
		if err := u.run(); err != nil {
			return err
		}
		out = u.done
		return nil
	})
	return out, err
}

// quit is what the journal tells of a QUIT that deleted something.
type quit struct {
	account    store.AccountID
	time       time.Time
	credential store.CredentialID
	policy     store.DeletePolicy
	mailbox    store.MailboxID
	name       string // of the mailbox, as far as it is known
	trash      store.MailboxID
	uids       store.UIDSet
	moved      store.UIDSet // of uids, to trash
	became     store.UIDSet // there
	next       store.UID    // of the mailbox: from here on its entries came later
	braked     bool
}

// hides reports whether the mailbox keeps what the session deleted.
func (q *quit) hides() bool { return q.policy == store.DeleteKeep || q.policy == store.DeleteShared }

// quitOf finds the QUIT of a session.
func (e *Engine) quitOf(ctx context.Context, by store.Actor, session string) (q quit, err error) {
	err = e.readOnce(ctx, "find a session", func(c *conn) error {
		r, ok, err := c.first(`SELECT account, time, credential, mailbox, other_mailbox, uids, other_uids, detail
			FROM journal WHERE session = ? AND verb = 'quit' AND uids IS NOT NULL`, session)
		if err != nil {
			return err
		}
		if !ok || !mayChange(by, store.AccountID(r.int(0))) {
			return store.Errorf(store.NotFound, "no POP3 session %q that deleted anything is in the journal", session)
		}
		if q, err = quitFrom(r); err != nil {
			return err
		}
		q.name, err = pastName(c, q.mailbox)
		return err
	})
	return q, err
}

// quitFrom reads the row of a QUIT; record says what it looks like.
func quitFrom(r row) (q quit, err error) {
	lines := strings.Split(r.text(7), "\n")
	q = quit{account: store.AccountID(r.int(0)), time: r.time(1), credential: store.CredentialID(r.int(2)),
		policy: store.DeletePolicy(lines[0]), mailbox: store.MailboxID(r.int(3)), trash: store.MailboxID(r.int(4))}
	for _, f := range []struct {
		to   *store.UIDSet
		text string
	}{{&q.uids, r.text(5)}, {&q.became, r.text(6)}} {
		if *f.to, err = parseSet(f.text); err != nil {
			return q, err
		}
	}
	if q.trash != 0 {
		q.moved = q.uids
	}
	for _, line := range lines[1:] {
		what, text, _ := strings.Cut(line, " ")
		set, err := store.UIDSet(nil), error(nil)
		if what == "moved" || what == "next" {
			set, err = parseSet(text)
		}
		switch {
		case err != nil:
			return q, err
		case what == "moved":
			q.moved = set
		case what == "next" && len(set) > 0:
			q.next = set[0].Start
		case what == "brake":
			q.braked = true
		}
	}
	if q.moved.Len() != q.became.Len() {
		err = store.Errorf(store.Corrupt, "the journal says that %d messages became %d", q.moved.Len(), q.became.Len())
	}
	return q, err
}

// pastName gives the name of a mailbox that may be gone, "" when nobody knows.
func pastName(c *conn, id store.MailboxID) (string, error) {
	r, ok, err := c.first("SELECT name FROM mailbox WHERE id = ?1 UNION ALL SELECT name FROM deleted_mailbox WHERE id = ?1", id)
	if err != nil || !ok {
		return "", err
	}
	return r.text(0), nil
}

// undo is one run of Undo.
type undo struct {
	*tx
	by   store.Actor
	quit quit
	done store.Undone

	returned map[store.MessageID]bool // what others have put back into the maildrop

	back   []revival     // what is made again
	closed []store.Grave // tombstones that it comes from
	dug    []store.Grave // entries of the trash that go back
}

func (u *undo) run() error {
	a, err := u.owner(u.by, u.quit.account)
	if err != nil {
		return err
	}
	rec := record{verb: "undo", mailbox: u.quit.mailbox, detail: u.done.Session}
	lost := u.quit.uids
	if u.quit.hides() {
		if rec.uids, lost, err = u.show(); err != nil {
			return err
		}
	}
	if err := u.collect(lost); err != nil {
		return err
	}
	if len(u.back) > 0 {
		if err := u.restore(a, &rec); err != nil {
			return err
		}
	}
	if u.done.Restored+u.done.Shown == 0 {
		return nil
	}
	if u.quit.braked { // and so is the next one, if the client does it again
		if _, err := u.exec("UPDATE credential SET pop3_deleted = 0 WHERE id = ?", u.quit.credential); err != nil {
			return err
		}
	}
	return u.journal(u.by, a.id, rec)
}

// show lets the device see again what it deleted and the mailbox has kept; the
// mailbox has lost the others meanwhile.
func (u *undo) show() (shown, lost store.UIDSet, err error) {
	there := map[store.UID]bool{}
	for _, span := range u.quit.uids {
		err := u.query("SELECT uid FROM entry WHERE mailbox = ? AND uid BETWEEN ? AND ?", func(r row) error {
			there[store.UID(r.int(0))] = true
			return nil
		}, u.quit.mailbox, span.Start, span.Stop)
		if err != nil {
			return nil, nil, err
		}
		n, err := u.exec(`DELETE FROM pop3_hidden WHERE credential = ?1 AND mailbox = ?2 AND message IN
			(SELECT message FROM entry WHERE mailbox = ?2 AND uid BETWEEN ?3 AND ?4)`, u.quit.credential, u.quit.mailbox, span.Start, span.Stop)
		if err != nil {
			return nil, nil, err
		}
		u.done.Shown += int(n)
		if _, err = u.exec(`DELETE FROM pop3_hidden WHERE credential = ?1 AND mailbox = ?2 AND message IN
			(SELECT message FROM tombstone WHERE mailbox = ?2 AND uid BETWEEN ?3 AND ?4)`, u.quit.credential, u.quit.mailbox, span.Start, span.Stop); err != nil {
			return nil, nil, err
		}
	}
	for uid := range all(u.quit.uids) {
		if there[uid] {
			shown.Add(uid)
		} else {
			lost.Add(uid)
		}
	}
	u.done.Already = len(there) - u.done.Shown
	return shown, lost, nil
}

// restore makes the entries again and takes them out of the trash.
func (u *undo) restore(a *accountRow, rec *record) error {
	home, err := u.home(a, u.quit.mailbox)
	if err != nil {
		return err
	}
	first, err := u.revive(home, u.back)
	if err != nil {
		return err
	}
	if err := u.closeGraves(a.id, u.closed); err != nil {
		return err
	}
	if err := u.leaveTrash(); err != nil {
		return err
	}
	u.done.Mailbox, u.done.Restored = home.Name, len(u.back)
	u.done.UIDs = store.UIDSet{{Start: first, Stop: first + store.UID(len(u.back)) - 1}}
	if u.quit.hides() {
		if err := u.follow(home, first); err != nil {
			return err
		}
	}
	rec.other, rec.modseq, rec.otherUIDs = home.ID, home.HighestModSeq, u.done.UIDs
	rec.uids = nil
	for i := range u.back {
		rec.uids.Add(u.back[i].was.UID)
	}
	return u.fits(u.by, a, 0, 0)
}

// leaveTrash buries the entries of the trash that have gone back.
func (u *undo) leaveTrash() error {
	byMailbox := map[store.MailboxID][]store.UID{}
	for _, g := range u.dug {
		byMailbox[g.Mailbox] = append(byMailbox[g.Mailbox], g.UID)
	}
	for id, uids := range byMailbox {
		found, err := foundMailbox(mailboxByID(u.conn, id))
		if err != nil {
			return err
		}
		p := picked{fate: fateBack}
		set := setOf(uids)
		for _, span := range set {
			err := u.query("SELECT uid, flags, size FROM entry WHERE mailbox = ? AND uid BETWEEN ? AND ?", func(r row) error {
				p.add(store.UID(r.int(0)), store.Flags(r.int(1)), r.int(2))
				return nil
			}, id, span.Start, span.Stop)
			if err != nil {
				return err
			}
		}
		if _, err := u.bury(u.rowOf(found), set, false, &p); err != nil {
			return err
		}
	}
	return nil
}

// follow has messages wait at their new UIDs for the devices that have not deleted
// them under shared; the others have. What no device waits for, because the one
// whose QUIT is undone was revoked or sees other mail now, stays: it would go again
// at once.
func (u *undo) follow(home *mailboxRow, first store.UID) error {
	free, err := released(u.conn, &home.Mailbox, u.done.UIDs, u.now, 0)
	if err != nil {
		return err
	}
	var devices []store.CredentialID
	err = u.query("SELECT id FROM credential WHERE account = ? AND pop3_shared", func(r row) error {
		devices = append(devices, store.CredentialID(r.int(0)))
		return nil
	}, u.quit.account)
	if err != nil {
		return err
	}
	runs := u.runs(store.Difference(u.done.UIDs, free), first)
	for _, device := range devices {
		for i := range runs {
			if err := u.followRun(device, home, first, &runs[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// run is consecutive entries that became consecutive ones.
type run struct {
	was, became store.UIDRange
	from        store.MailboxID
}

// runs puts entries of the home, from first on, together.
func (u *undo) runs(became store.UIDSet, first store.UID) (list []run) {
	for uid := range all(became) {
		was := u.back[uid-first].was
		if n := len(list); n > 0 && list[n-1].from == was.Mailbox && list[n-1].was.Stop+1 == was.UID && list[n-1].became.Stop+1 == uid {
			list[n-1].was.Stop, list[n-1].became.Stop = was.UID, uid
			continue
		}
		list = append(list, run{store.UIDRange{Start: was.UID, Stop: was.UID}, store.UIDRange{Start: uid, Stop: uid}, was.Mailbox})
	}
	return list
}

// followRun gives what a device has hidden its new UIDs: one by one, or all of a
// run at once, which looks through all that the device has hidden.
func (u *undo) followRun(device store.CredentialID, home *mailboxRow, first store.UID, r *run) error {
	if n := int(r.was.Stop - r.was.Start + 1); n > max(rowByRow, len(u.back)/16) {
		_, err := u.exec("UPDATE OR IGNORE pop3_hidden SET mailbox = ?1, uid = uid - ?2 + ?3 WHERE credential = ?4 AND mailbox = ?5 AND uid BETWEEN ?2 AND ?6",
			home.ID, r.was.Start, r.became.Start, device, r.from, r.was.Stop)
		return err
	}
	for uid := r.became.Start; uid <= r.became.Stop; uid++ {
		b := &u.back[uid-first]
		_, err := u.exec("UPDATE OR IGNORE pop3_hidden SET mailbox = ?, uid = ? WHERE credential = ? AND message = ? AND mailbox = ? AND uid = ?",
			home.ID, uid, device, b.entry.Message, b.was.Mailbox, b.was.UID)
		if err != nil {
			return err
		}
	}
	return nil
}
