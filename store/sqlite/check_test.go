package sqlite

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"tandem/store"
)

// TestCheckKnowsEveryTable breaks rows of each table by hand: check says so, and
// --repair mends what can be mended. alice is account 1, bob 2, nobody 9.
func TestCheckKnowsEveryTable(t *testing.T) {
	copyOf := fullCopies(t)
	const nowhere, gone, message = "(9 << 40 | 7)", "(1 << 40 | 77)", "(SELECT max(id) FROM message WHERE id < 2 << 40)"
	for _, x := range []struct {
		sql, finding string
		left         bool // nothing can be done
	}{
		{sql: "INSERT INTO acl VALUES (" + gone + ", 2, 1, 0)", finding: "rights are given on it to account 2"},
		{sql: "INSERT INTO acl SELECT id, 9, 1, 0 FROM mailbox WHERE account = 1 AND name = 'INBOX'", finding: "rights are given on it to account 9"},
		{sql: "INSERT INTO credential (id, account, label, hash, keep_scheme, scope, created) VALUES (1, 9, '', '', 0, 1, 0) ON CONFLICT DO UPDATE SET account = 9",
			finding: "account 9 is not there, and has 1 rows of credential"},
		{sql: "UPDATE store SET value = 1 WHERE key = 'credential'", finding: "a counter stands below"},
		{sql: "UPDATE store SET value = 1 WHERE key = 'account'", finding: "a counter stands below"},
		{sql: "INSERT INTO pop3_listed SELECT mailbox, 99, 1, 1 FROM pop3_listed LIMIT 1", finding: "credential 99 has listed"},
		{sql: "INSERT INTO pop3_hidden SELECT 99, mailbox, message, 0 FROM pop3_hidden LIMIT 1", finding: "credential 99 has deleted"},
		{sql: "INSERT INTO pop3_hidden SELECT credential, mailbox, " + gone + ", 0 FROM pop3_hidden WHERE mailbox < 2 << 40 LIMIT 1", finding: "one of the two is not there"},
		{sql: "INSERT INTO message_uidl VALUES (" + gone + ", 'x')", finding: "is not there, and has an imported UIDL"},
		{sql: "INSERT INTO message_utf8 VALUES (" + gone + ", 1, x'', 0)", finding: "is not there, and has a form"},
		{sql: "UPDATE message_utf8 SET size = size + 1 WHERE message < 2 << 40", finding: "its downgraded form is damaged"},
		{sql: "UPDATE message_utf8 SET crc = crc + 1 WHERE message < 2 << 40", finding: "its downgraded form is damaged"},
		{sql: "INSERT INTO uidl_override SELECT id, 77, 'x' FROM mailbox WHERE account = 1 AND name = 'INBOX'", finding: "UID 77: it has a UIDL and never was"},
		{sql: "INSERT INTO deleted_mailbox VALUES (" + gone + ", 'x', '')", finding: "it is remembered as deleted"},
		{sql: "INSERT INTO deleted_mailbox SELECT id, name, use FROM mailbox WHERE account = 1 AND name = 'INBOX'", finding: "it is remembered as deleted"},
		{sql: "UPDATE tombstone SET message = " + gone + " WHERE mailbox = (SELECT id FROM mailbox WHERE account = 1 AND name = 'INBOX') AND uid = 3", finding: "what is kept of it is not there"},
		{sql: "UPDATE tombstone SET shown = 99 WHERE shown IS NOT NULL AND mailbox < 2 << 40", finding: "Recently Deleted should show it"},
		{sql: "UPDATE tombstone SET shown = NULL WHERE shown IS NOT NULL AND mailbox < 2 << 40", finding: "shows what was not expunged"},
		{sql: "INSERT INTO metadata VALUES (9, 0, 9, '/private/x', x'00')", finding: "account 9 has 1 private annotations"},
		{sql: "INSERT INTO metadata VALUES (9, 0, 0, '/shared/x', x'00')", finding: "account 9 is not there, and has 1 annotations"},
		{sql: "INSERT INTO metadata VALUES (1, " + gone + ", 0, '/shared/x', x'00')", finding: "has metadata, but there is no such mailbox"},
		{sql: "INSERT INTO subscription VALUES (9, 'x')", finding: "rows of subscription"},
		{sql: "INSERT INTO keyword VALUES (9, 1, 'x')", finding: "rows of keyword"},
		{sql: "INSERT INTO thread_ref VALUES (9, 1, 'x')", finding: "rows of thread_ref"},
		{sql: "INSERT INTO import_ledger VALUES (9, 'x')", finding: "rows of import_ledger"},
		{sql: "INSERT INTO journal (account, n, time, verb, credential, session, protocol, remote) VALUES (9, 1, 1, 'x', 0, '', '', '')", finding: "rows of journal"},
		{sql: "UPDATE mailbox SET account = 9 WHERE account = 2 AND name = 'Sent'", finding: "account 9 is not there, and has mailbox", left: true},
		{sql: "DELETE FROM message WHERE id = " + message, finding: "its message is missing"},
		{sql: "UPDATE message SET body = 99 WHERE id = " + message, finding: "its body 99 is missing", left: true},
		{sql: "INSERT INTO entry SELECT " + nowhere + ", uid, message, modseq, flags, saved, size, internal, NULL FROM entry LIMIT 1", finding: "there is no such mailbox"},
		{sql: "UPDATE account SET bytes = 1 WHERE id = 2", finding: "its mailboxes hold other than"},
		{sql: "UPDATE mailbox SET unseen = 99 WHERE account = 2 AND name = 'INBOX'", finding: "counters say"},
	} {
		t.Run(x.sql[:min(len(x.sql), 40)], func(t *testing.T) {
			f := copyOf(t)
			f.sql(x.sql)
			for _, repair := range []bool{false, true} {
				if found := strings.Join(f.check(repair), "\n"); !strings.Contains(found, x.finding) {
					t.Fatalf("found:\n%s\nwant %q", found, x.finding)
				}
			}
			f.check(true) // of what the first repair set free
			if !x.left {
				f.wantClean()
			}
		})
	}
}

// TestADamagedFormIsNeverServed changes what readers without UTF-8 get of a
// message, and mends it from the message.
func TestADamagedFormIsNeverServed(t *testing.T) {
	f := newFull(t)
	form := func() (text string, err error) {
		for m, err := range f.Messages(t.Context(), []store.MessageID{store.MessageID(f.integer("SELECT min(message) FROM message_utf8"))}, store.Want{}) {
			f.must(err)
			edits, err := f.Downgrade(t.Context(), m)
			for _, e := range edits {
				text += string(e.New)
			}
			return text, err
		}
		return "", nil
	}
	before, err := form()
	f.must(err)
	f.must(f.write(t.Context(), "test", 0, func(t *tx) error {
		r, _, err := t.first("SELECT edits FROM message_utf8 ORDER BY message")
		if err != nil {
			return err
		}
		blob := bytes.Clone(r.blob(0))
		blob[len(blob)-3] ^= 1
		_, err = t.exec("UPDATE message_utf8 SET edits = ?", blob)
		return err
	}))
	_, err = form()
	f.wantKind(err, store.Corrupt)
	f.check(true)
	after, err := form()
	f.must(err)
	if after != before || before == "" {
		t.Errorf("the form was %q and is %q", before, after)
	}
	f.must(f.Prune(t.Context(), time.Now().Add(time.Hour), nil))
	f.wantClean()
}
