package sqlite

import (
	"fmt"

	"tandem/store"
)

// reference is a rule between tables: rows of sql break it, mend takes what
// breaks it away.
type reference struct {
	sql  string
	text string // for the first two columns
	mend func(t *tx, r row) error
}

// alive leaves out accounts whose removal is not over.
const alive = " AND %s >> 40 NOT IN (SELECT id FROM removed_account) LIMIT 1000"

var references = []reference{
	{"SELECT mailbox, uid FROM entry e WHERE NOT EXISTS (SELECT 1 FROM mailbox m WHERE m.id = e.mailbox)" + fmt.Sprintf(alive, "mailbox"),
		"mailbox %d, UID %d: there is no such mailbox", func(t *tx, r row) error {
			_, err := t.exec("DELETE FROM entry WHERE mailbox = ? AND uid = ?", r.int(0), r.int(1))
			return err
		}},
	{"SELECT mailbox, uid FROM entry e WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.id = e.message)" + fmt.Sprintf(alive, "mailbox"),
		"mailbox %d, UID %d: its message is missing", func(t *tx, r row) error {
			m, err := foundMailbox(mailboxByID(t.conn, store.MailboxID(r.int(0))))
			if err != nil {
				return err
			}
			uid := store.UID(r.int(1))
			_, err = t.expunge(t.rowOf(m), store.UIDSet{{Start: uid, Stop: uid}}, false)
			return err
		}},
	{"SELECT e.mailbox, e.uid FROM entry e JOIN message m ON m.id = e.message WHERE (m.size <> e.size OR m.internal <> e.internal)" + fmt.Sprintf(alive, "e.mailbox"),
		"mailbox %d, UID %d: size or date is not its message's", func(t *tx, r row) error {
			_, err := t.exec(`UPDATE entry SET (size, internal) = (SELECT m.size, m.internal FROM message m WHERE m.id = entry.message)
				WHERE mailbox = ? AND uid = ?`, r.int(0), r.int(1))
			return err
		}},
	{"SELECT mailbox, uid FROM entry WHERE message >> 40 <> mailbox >> 40" + fmt.Sprintf(alive, "mailbox"),
		"mailbox %d, UID %d: its message is another account's", nil},
	{"SELECT mailbox, uid FROM entry JOIN tombstone USING (mailbox, uid) WHERE 1" + fmt.Sprintf(alive, "mailbox"),
		"mailbox %d, UID %d: there and expunged at once", nil},
	{`SELECT mailbox, grantee FROM acl x WHERE NOT EXISTS (SELECT 1 FROM mailbox m WHERE m.id = x.mailbox)
		OR grantee <> 0 AND NOT EXISTS (SELECT 1 FROM account a WHERE a.id = x.grantee) LIMIT 1000`,
		"mailbox %d: rights are given on it to account %d, and one of the two is not there", func(t *tx, r row) error {
			_, err := t.exec("DELETE FROM acl WHERE mailbox = ? AND grantee = ?", r.int(0), r.int(1))
			return err
		}},
	{`SELECT mailbox, uid FROM entry e WHERE mailbox >> 39 & 1 AND NOT EXISTS (SELECT 1 FROM tombstone x
		WHERE x.message = e.message AND x.shown = e.uid AND x.fate = 0 AND x.mailbox >> 40 = e.mailbox >> 40) LIMIT 1000`,
		"mailbox %d, UID %d: shows what was not expunged", func(t *tx, r row) error {
			return t.unshow(store.MailboxID(r.int(0)).Account(), []store.UID{store.UID(r.int(1))})
		}},
	{"SELECT mailbox, account FROM metadata x WHERE mailbox <> 0 AND NOT EXISTS (SELECT 1 FROM mailbox m WHERE m.id = x.mailbox) LIMIT 1000",
		"mailbox %d of account %d has metadata, but there is no such mailbox", func(t *tx, r row) error {
			_, err := t.exec("DELETE FROM metadata WHERE mailbox = ? AND account = ?", r.int(0), r.int(1))
			return err
		}},
	{"SELECT id, body FROM message m WHERE NOT EXISTS (SELECT 1 FROM body b WHERE b.id = m.body)" + fmt.Sprintf(alive, "id"),
		"message %d: its body %d is missing", nil},
	{`SELECT id, body FROM message m WHERE NOT EXISTS (SELECT 1 FROM entry e WHERE e.message = m.id)
		AND NOT EXISTS (SELECT 1 FROM tombstone x WHERE x.message = m.id)` + fmt.Sprintf(alive, "id"),
		"message %d with body %d: nothing names it", func(t *tx, r row) error { return t.dropMessageIfUnused(store.MessageID(r.int(0))) }},
	{"SELECT id, size FROM body b WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.body = b.id) LIMIT 1000",
		"body %d of %d octets: no message names it", func(t *tx, r row) error { return t.dropBodyIfUnused(store.BodyID(r.int(0))) }},
	{"SELECT id, length(data) FROM chunk k WHERE NOT EXISTS (SELECT 1 FROM body b WHERE b.id = " + chunkBody + ")" +
		" AND NOT EXISTS (SELECT 1 FROM staged s WHERE s.body = " + chunkBody + ") LIMIT 1000",
		"chunk %d of %d octets: it belongs to no body", func(t *tx, r row) error {
			_, err := t.exec("DELETE FROM chunk AS k WHERE id = ? AND NOT EXISTS (SELECT 1 FROM body b WHERE b.id = "+chunkBody+")", r.int(0))
			return err
		}},
	{`SELECT mailbox, uid FROM tombstone x WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.id = x.message)` + fmt.Sprintf(alive, "mailbox"),
		"mailbox %d, UID %d: it was expunged, and what is kept of it is not there", func(t *tx, r row) error {
			id, uid := store.MailboxID(r.int(0)), store.UID(r.int(1))
			if _, err := t.exec(`UPDATE mailbox SET pruned_modseq = max(pruned_modseq,
				ifnull((SELECT modseq FROM tombstone WHERE mailbox = ?1 AND uid = ?2), 0)) WHERE id = ?1`, id, uid); err != nil {
				return err
			}
			if _, err := t.exec("DELETE FROM tombstone WHERE mailbox = ? AND uid = ?", id, uid); err != nil {
				return err
			}
			if _, err := t.exec("DELETE FROM uidl_override WHERE mailbox = ? AND uid = ?", id, uid); err != nil {
				return err
			}
			return t.forgetMailbox(id)
		}},
	{`SELECT mailbox, uid FROM tombstone x WHERE shown IS NOT NULL AND NOT EXISTS (SELECT 1 FROM entry e
		WHERE e.message = x.message AND e.uid = x.shown AND e.mailbox >> 39 & 1)` + fmt.Sprintf(alive, "mailbox"),
		"mailbox %d, UID %d: Recently Deleted should show it", func(t *tx, r row) error {
			_, err := t.exec("UPDATE tombstone SET shown = NULL WHERE mailbox = ? AND uid = ?", r.int(0), r.int(1)) // until the next start
			return err
		}},
	{`SELECT id, (SELECT count(*) FROM tombstone x WHERE x.mailbox = d.id) AS n FROM deleted_mailbox d
		WHERE (n = 0 OR EXISTS (SELECT 1 FROM mailbox m WHERE m.id = d.id))` + fmt.Sprintf(alive, "id"),
		"mailbox %d with %d expunged messages: it is remembered as deleted, and was not or has none", func(t *tx, r row) error {
			_, err := t.exec("DELETE FROM deleted_mailbox WHERE id = ?", r.int(0))
			return err
		}},
	{`SELECT mailbox, uid FROM uidl_override o WHERE NOT EXISTS (SELECT 1 FROM entry e WHERE e.mailbox = o.mailbox AND e.uid = o.uid)
		AND NOT EXISTS (SELECT 1 FROM tombstone x WHERE x.mailbox = o.mailbox AND x.uid = o.uid)` + fmt.Sprintf(alive, "mailbox"),
		"mailbox %d, UID %d: it has a UIDL and never was", func(t *tx, r row) error {
			_, err := t.exec("DELETE FROM uidl_override WHERE mailbox = ? AND uid = ?", r.int(0), r.int(1))
			return err
		}},
	strayOf("message_uidl", "message %d is not there, and has an imported UIDL (row %d)"),
	strayOf("message_utf8", "message %d is not there, and has a form for readers without UTF-8 (row %d)"),
	{`SELECT credential, message FROM pop3_hidden h WHERE (NOT EXISTS (SELECT 1 FROM message m WHERE m.id = h.message)
		OR NOT EXISTS (SELECT 1 FROM credential c WHERE c.id = h.credential))` + fmt.Sprintf(alive, "mailbox"),
		"credential %d has deleted message %d over POP3, and one of the two is not there", func(t *tx, r row) error {
			_, err := t.exec("DELETE FROM pop3_hidden WHERE credential = ? AND message = ?", r.int(0), r.int(1))
			return err
		}},
	// Of mailboxes that are gone some are kept: see forgetListings.
	{`SELECT credential, mailbox FROM pop3_listed l WHERE NOT EXISTS (SELECT 1 FROM credential c WHERE c.id = l.credential
		AND c.account = l.mailbox >> 40)` + fmt.Sprintf(alive, "mailbox"),
		"credential %d has listed mailbox %d, and is not there", func(t *tx, r row) error {
			_, err := t.exec("DELETE FROM pop3_listed WHERE credential = ? AND mailbox = ?", r.int(0), r.int(1))
			return err
		}},
	{"SELECT reader, count(*) FROM metadata x WHERE reader <> 0 AND NOT EXISTS (SELECT 1 FROM account a WHERE a.id = x.reader) GROUP BY reader",
		"account %d has %d private annotations, and is not there", func(t *tx, r row) error {
			_, err := t.exec("DELETE FROM metadata WHERE reader = ?", r.int(0))
			return err
		}},
	{"SELECT account, id FROM mailbox m WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.id = m.account AND m.id >> 40 = a.id) LIMIT 1000",
		"account %d is not there, and has mailbox %d", nil},
	ownerless("credential"), ownerless("subscription"), ownerless("keyword"), ownerless("thread_ref"), ownerless("import_ledger"), ownerless("journal"),
	{"SELECT account, count(*) FROM metadata x WHERE account <> 0 AND NOT EXISTS (SELECT 1 FROM account a WHERE a.id = x.account) GROUP BY account",
		"account %d is not there, and has %d annotations", func(t *tx, r row) error {
			_, err := t.exec("DELETE FROM metadata WHERE account = ?", r.int(0))
			return err
		}},
}

// strayOf is the rule that each row of a table has its message.
func strayOf(table, text string) reference {
	return reference{"SELECT message, rowid FROM " + table + " x WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.id = x.message)" +
		fmt.Sprintf(alive, "message"), text, func(t *tx, r row) error {
		_, err := t.exec("DELETE FROM "+table+" WHERE message = ?", r.int(0))
		return err
	}}
}

// ownerless is the rule that each row of a table has its account.
func ownerless(table string) reference {
	return reference{"SELECT account, count(*) FROM " + table + ` x WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.id = x.account)
		AND account NOT IN (SELECT id FROM removed_account) GROUP BY account`,
		"account %d is not there, and has %d rows of " + table, func(t *tx, r row) error {
			_, err := t.exec("DELETE FROM "+table+" WHERE account = ?", r.int(0))
			return err
		}}
}

// chunkBody is the body that chunk k belongs to.
const chunkBody = "CASE WHEN k.id < 1 << 40 THEN k.id - k.id % 16384 ELSE k.id END"
