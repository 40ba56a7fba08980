package sqlite

import (
	"context"
	"iter"
	"strconv"
	"strings"

	"tandem/store"
	"tandem/store/message"
)

const (
	journalPage   = 1000   // rows given at a time
	journalStride = 50_000 // rows looked at in one batch
	maxPlaces     = 32     // that a statement looks for
)

// Journal gives rows of an account's journal, a page at a time.
func (e *Engine) Journal(ctx context.Context, owner store.AccountID, q store.JournalQuery) iter.Seq2[*store.JournalRow, error] {
	return func(yield func(*store.JournalRow, error) bool) {
		s := newJournalScan(owner, q)
		for !s.over {
			var page []store.JournalRow
			err := e.readOnce(ctx, "read the journal", func(c *conn) (err error) {
				page, err = s.page(c)
				return err
			})
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range page {
				if !yield(&page[i], nil) {
					return
				}
			}
		}
	}
}

// journalScan is how far a reading of the journal has come.
type journalScan struct {
	owner store.AccountID
	q     store.JournalQuery
	next  int64 // the row to look at next, 0: at the end
	over  bool
	sql   string
	args  []any // behind the first three
}

func newJournalScan(owner store.AccountID, q store.JournalQuery) *journalScan {
	s := &journalScan{owner: owner, q: q, next: q.From}
	s.sql = `SELECT n, time, verb, credential, session, protocol, remote, ifnull(mailbox, 0), ifnull(other_mailbox, 0), uids, other_uids, detail
		FROM journal WHERE account = ? AND n BETWEEN ? AND ?`
	if q.ByClients {
		s.sql += " AND (protocol IN ('imap', 'pop3') OR verb = 'undo')"
	}
	if len(q.Places) > 0 && len(q.Places) <= maxPlaces {
		var any []string
		for _, p := range q.Places {
			// A set of one UID is compared, others are looked at later.
			any = append(any, "mailbox = ? AND (uids = ? OR uids GLOB '*[:,]*' OR detail GLOB '*seen*')",
				"other_mailbox = ? AND (other_uids = ? OR other_uids GLOB '*[:,]*')")
			uid := strconv.FormatUint(uint64(p.UID), 10)
			s.args = append(s.args, p.Mailbox, uid, p.Mailbox, uid)
		}
		s.sql += " AND (" + strings.Join(any, " OR ") + ")"
	}
	if q.Backward {
		s.sql += " ORDER BY n DESC"
	} else {
		s.sql += " ORDER BY n"
	}
	return s
}

// page reads the next rows.
func (s *journalScan) page(c *conn) (page []store.JournalRow, err error) {
	r, _, err := c.first("SELECT (SELECT min(n) FROM journal WHERE account = ?1), (SELECT max(n) FROM journal WHERE account = ?1)", s.owner)
	if err != nil {
		return nil, err
	}
	oldest, newest := r.int(0), r.int(1)
	lo, hi := max(s.next, oldest), newest
	if s.q.Backward {
		lo, hi = oldest, newest
		if s.next > 0 {
			hi = min(hi, s.next)
		}
		lo = max(lo, hi-journalStride+1)
	} else {
		hi = min(hi, lo+journalStride-1)
	}
	if lo > hi || newest == 0 {
		s.over = true
		return nil, nil
	}
	err = c.query(s.sql, func(r row) error {
		j, err := journalRowOf(r)
		if err != nil {
			return err
		}
		page = append(page, j)
		if len(page) == journalPage {
			return errStop
		}
		return nil
	}, append([]any{s.owner, lo, hi}, s.args...)...)
	switch {
	case err != nil:
		return nil, err
	case len(page) == journalPage && s.q.Backward:
		s.next = page[len(page)-1].N - 1
	case len(page) == journalPage:
		s.next = page[len(page)-1].N + 1
	case s.q.Backward:
		s.next = lo - 1
	default:
		s.next = hi + 1
	}
	s.over = s.q.Backward && s.next < oldest || s.next > newest
	return page, nil
}

func journalRowOf(r row) (j store.JournalRow, err error) {
	j = store.JournalRow{N: r.int(0), Time: r.time(1), Verb: r.text(2), Credential: store.CredentialID(r.int(3)), Session: r.text(4),
		Protocol: r.text(5), Remote: r.text(6), Mailbox: store.MailboxID(r.int(7)), Other: store.MailboxID(r.int(8)), Detail: r.text(11)}
	if j.UIDs, err = parseSet(r.text(9)); err != nil {
		return j, err
	}
	if j.OtherUIDs, err = parseSet(r.text(10)); err != nil {
		return j, err
	}
	if j.Other != 0 {
		j.Moved = j.UIDs
	}
	if j.Verb != "quit" {
		return j, nil
	}
	lines := strings.Split(j.Detail, "\n")
	j.Policy = store.DeletePolicy(lines[0])
	for _, line := range lines[1:] {
		what, set, _ := strings.Cut(line, " ")
		switch what {
		case "seen":
			j.Seen, err = parseSet(set)
		case "moved":
			j.Moved, err = parseSet(set)
		}
		if err != nil {
			return j, err
		}
	}
	return j, nil
}

// FindMessages finds messages by what a key has.
func (e *Engine) FindMessages(ctx context.Context, owner store.AccountID, key store.MessageKey) (ids []store.MessageID, err error) {
	if key.MessageID != "" {
		return e.byMessageID(ctx, owner, key.MessageID)
	}
	err = e.readOnce(ctx, "find a message", func(c *conn) error {
		add := func(r row) error {
			ids = append(ids, store.MessageID(r.int(0)))
			return nil
		}
		lo := owner.FirstMessage()
		hi := (owner + 1).FirstMessage()
		switch {
		case key.EmailID != "":
			return c.query("SELECT id FROM message WHERE id >= ? AND id < ? AND emailid = ?", add, lo, hi, key.EmailID)
		case key.UIDL != "":
			return e.byUIDL(c, owner, key.UIDL, add)
		case key.Place.Mailbox >= store.MailboxID(lo) && key.Place.Mailbox < store.MailboxID(hi):
			return c.query(`SELECT message FROM entry WHERE mailbox = ?1 AND uid = ?2
				UNION SELECT message FROM tombstone WHERE mailbox = ?1 AND uid = ?2`, add, key.Place.Mailbox, key.Place.UID)
		}
		return nil
	})
	return ids, err
}

// byUIDL finds the messages of which a maildrop shows a UIDL, or did.
func (e *Engine) byUIDL(c *conn, owner store.AccountID, uidl string, add func(row) error) error {
	lo, hi := owner.FirstMessage(), (owner + 1).FirstMessage()
	if digits, ours := strings.CutPrefix(uidl, e.storeID); ours && !strings.Contains(digits, ".") {
		id, err := strconv.ParseInt(digits, 36, 64)
		if err != nil {
			return nil
		}
		return c.query("SELECT id FROM message WHERE id = ? AND id >= ? AND id < ?", add, id, lo, hi)
	}
	return c.query(`SELECT message FROM message_uidl WHERE uidl = ?1 AND message >= ?2 AND message < ?3
		UNION SELECT ifnull((SELECT message FROM entry e WHERE e.mailbox = o.mailbox AND e.uid = o.uid),
			(SELECT message FROM tombstone x WHERE x.mailbox = o.mailbox AND x.uid = o.uid))
		FROM uidl_override o WHERE o.mailbox >= ?2 AND o.mailbox < ?3 AND o.uidl = ?1`, add, uidl, lo, hi)
}

// byMessageID finds the messages of a Message-ID through their thread.
func (e *Engine) byMessageID(ctx context.Context, owner store.AccountID, messageID string) (ids []store.MessageID, err error) {
	var thread []store.MessageID
	err = e.readOnce(ctx, "find a message", func(c *conn) error {
		r, ok, err := c.first("SELECT thread FROM thread_ref WHERE account = ? AND ref = ?", owner, threadRef(messageID))
		if err != nil || !ok {
			return err
		}
		return c.query("SELECT id FROM message WHERE id >= ? AND id < ? AND threadid = ?", func(r row) error {
			thread = append(thread, store.MessageID(r.int(0)))
			return nil
		}, owner.FirstMessage(), (owner + 1).FirstMessage(), r.text(0))
	})
	if err != nil {
		return nil, err
	}
	for m, err := range e.Messages(ctx, thread, store.Want{Structure: true}) {
		if err != nil {
			return nil, err
		}
		if s, err := message.Decode(m.Structure); err == nil && s.MessageID == messageID {
			ids = append(ids, m.ID)
		}
	}
	return ids, nil
}

// Places gives where a message is and was.
func (e *Engine) Places(ctx context.Context, id store.MessageID) (list []store.Place, err error) {
	err = e.readOnce(ctx, "find where a message is", func(c *conn) error {
		return c.query(`SELECT mailbox, uid, 0 AS gone FROM entry WHERE message = ?1 AND mailbox >> 39 & 1 = 0
			UNION ALL SELECT mailbox, uid, 1 FROM tombstone WHERE message = ?1 AND mailbox >> 39 & 1 = 0 ORDER BY gone, mailbox, uid`, func(r row) error {
			list = append(list, store.Place{Mailbox: store.MailboxID(r.int(0)), UID: store.UID(r.int(1)), Gone: r.int(2) != 0})
			return nil
		}, id)
	})
	return list, err
}

// MailboxNames names an account's mailboxes, also deleted ones.
func (e *Engine) MailboxNames(ctx context.Context, owner store.AccountID) (map[store.MailboxID]string, error) {
	names := map[store.MailboxID]string{}
	err := e.readOnce(ctx, "list mailboxes", func(c *conn) error {
		return c.query(`SELECT id, name FROM deleted_mailbox WHERE id >= ?2 AND id < ?3
			UNION ALL SELECT id, name FROM mailbox WHERE account = ?1`, func(r row) error {
			names[store.MailboxID(r.int(0))] = r.text(1)
			return nil
		}, owner, owner.FirstMessage(), (owner + 1).FirstMessage())
	})
	return names, err
}

// CredentialNames names credentials.
func (e *Engine) CredentialNames(ctx context.Context, ids []store.CredentialID) (map[store.CredentialID]store.CredentialName, error) {
	names := map[store.CredentialID]store.CredentialName{}
	err := e.readOnce(ctx, "name credentials", func(c *conn) error {
		looked := map[store.CredentialID]bool{0: true}
		for _, id := range ids {
			if looked[id] {
				continue
			}
			looked[id] = true
			err := c.query("SELECT a.name, c.label FROM credential c JOIN account a ON a.id = c.account WHERE c.id = ?", func(r row) error {
				names[id] = store.CredentialName{Account: r.text(0), Label: r.text(1)}
				return nil
			}, id)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return names, err
}
