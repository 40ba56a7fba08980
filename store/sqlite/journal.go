package sqlite

import (
	"context"
	"strings"
	"time"

	"tandem/store"
)

// record is what a verb writes about itself.
//
// Of a "quit" uids are what it deleted and detail is lines: the policy carried
// out, then "moved SET" for what went to other_mailbox as other_uids when that is
// not all of uids (shared), "brake POLICY" when that policy was softened into the
// first line's, "next UID" for the mailbox's next UID then, and "seen SET" for what
// it marked \Seen. Undo reads it. A
// "release" is a move of what devices had deleted under shared and none of them
// holds back any more.
type record struct {
	verb      string
	mailbox   store.MailboxID
	other     store.MailboxID // 0: none
	modseq    store.ModSeq
	uids      store.UIDSet
	otherUIDs store.UIDSet
	detail    string
}

// journal writes one row about a verb in the account's journal.
func (t *tx) journal(by store.Actor, owner store.AccountID, r record) error {
	a, err := t.account(owner)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO journal (account, n, time, verb, credential, session, protocol, remote, mailbox, other_mailbox,
		modseq, uids, other_uids, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		owner, a.nextJournal, t.now, r.verb, by.Credential, by.Session, by.Protocol, by.Remote, orNull(int64(r.mailbox)),
		orNull(int64(r.other)), orNull(int64(r.modseq)), orNull(r.uids.String()), orNull(r.otherUIDs.String()), orNull(r.detail))
	a.nextJournal++
	a.dirty = true
	return err
}

// NoteReads writes one row of what a session read.
func (e *Engine) NoteReads(ctx context.Context, by store.Actor, id store.MailboxID, uids store.UIDSet) error {
	return e.write(ctx, "note what was read", 0, func(t *tx) error {
		if _, err := foundMailbox(mailboxByID(t.conn, id)); err != nil {
			return err
		}
		return t.journal(by, id.Account(), record{verb: "read", mailbox: id, uids: uids})
	})
}

// pruneJournalRows bounds one transaction of PruneJournal.
const pruneJournalRows = 1000

// PruneJournal forgets rows written before a time. An account's rows are in the
// order of time, so its first ones are looked at; those that a clock gone wrong
// has dated in the future are passed over.
func (e *Engine) PruneJournal(ctx context.Context, before time.Time) error {
	accounts, err := e.Accounts(ctx)
	if err != nil {
		return err
	}
	for _, a := range accounts {
		for {
			old, err := e.hasOldJournal(ctx, a.ID, before)
			if err != nil {
				return err
			}
			if !old {
				break
			}
			err = e.write(ctx, "prune the journal", 0, func(t *tx) error {
				_, err := t.exec(`DELETE FROM journal WHERE account = ?1 AND time < ?2 AND n IN
					(SELECT n FROM journal WHERE account = ?1 AND time <= ?4 ORDER BY n LIMIT ?3)`, a.ID, before, pruneJournalRows, t.now)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return e.forgetRevoked(ctx, before)
}

func (e *Engine) hasOldJournal(ctx context.Context, id store.AccountID, before time.Time) (old bool, err error) {
	err = e.read(ctx, "prune the journal", func(c *conn) error {
		r, ok, err := c.first("SELECT time FROM journal WHERE account = ? AND time <= ? ORDER BY n LIMIT 1", id, e.opts.Now())
		old = ok && r.int(0) < before.Unix()
		return err
	})
	return old, err
}

// orNull gives nil for a zero value.
func orNull[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}

// flagNames writes flags as IMAP does.
func flagNames(f store.Flags, keywords []string) string {
	names := []string{`\Seen`, `\Answered`, `\Flagged`, `\Deleted`, `\Draft`}
	var out []string
	for i, name := range names {
		if f&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return strings.Join(append(out, keywords...), " ")
}
