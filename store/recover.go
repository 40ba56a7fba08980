package store

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"tandem/store/message"
)

// RecoveryEngine is the part of Engine that brings back what was deleted. What
// comes back gets new UIDs; its flags, INTERNALDATE, EMAILID, THREADID and UIDL
// are the old ones.
type RecoveryEngine interface {
	// Undo takes back what a POP3 session deleted with its QUIT, in one
	// transaction. NotFound when no QUIT of the session that deleted anything is
	// in the journal, or its account is not the actor's. Doing it again does
	// nothing.
	Undo(ctx context.Context, by Actor, session string) (Undone, error)
	// Expunged lists what Undelete can bring back, of what was removed at since
	// or later, ordered by mailbox and UID.
	Expunged(ctx context.Context, owner AccountID, since time.Time) iter.Seq2[*ExpungedEntry, error]
	// Undelete brings back expunged entries in one transaction, each to the
	// mailbox it was in: made again if it is gone, INBOX when nobody knows its
	// name. \Deleted is left off. UIDs that cannot be brought back are passed
	// over.
	Undelete(ctx context.Context, by Actor, owner AccountID, list []Grave) ([]Restored, error)

	// ShowExpunged says whether, from now on, each account has a read-only mailbox
	// of what can be brought back, Recently Deleted (MailboxID.RecentlyDeleted),
	// made with its first message. It catches up with what was expunged before, or
	// takes the mailboxes away, in bounded transactions.
	ShowExpunged(ctx context.Context, on bool) error
	// MailboxesFor lists the mailboxes of all accounts that have a special use
	// and are not empty.
	MailboxesFor(ctx context.Context, use SpecialUse) ([]MailboxID, error)
	// ExpungeOld expunges the entries that have all of mark and a SAVEDATE before
	// a time, a bounded number per transaction. It gives the oldest SAVEDATE of
	// those left that have mark, zero if there is none.
	ExpungeOld(ctx context.Context, id MailboxID, mark Flags, before time.Time) (oldest time.Time, err error)
}

// Undone tells what Undo did. Of the Deleted messages, each is counted in one of
// Restored, Shown, Already, Filed and Lost.
type Undone struct {
	Account AccountID
	Session string
	Time    time.Time    // of the QUIT
	Policy  DeletePolicy // that was carried out
	Mailbox string       // the maildrop

	Deleted  int
	Restored int            // brought back now
	Shown    int            // never away: the device that had deleted them sees them again
	Already  int            // were back
	Filed    map[string]int // left in the mailbox where they were filed meanwhile
	Lost     int            // no longer kept
	UIDs     UIDSet         // of the Restored
}

// Grave names an expunged entry.
type Grave struct {
	Mailbox MailboxID
	UID     UID
}

// ExpungedEntry is an entry that can be brought back.
type ExpungedEntry struct {
	Entry             // as it was
	Mailbox MailboxID // it was in
	Name    string    // of that mailbox, "" when nobody knows
	Gone    bool      // the mailbox was deleted
	Removed time.Time
	// Elsewhere says that the message was copied on to another mailbox, as
	// clients do that cannot move, and is still there; or that it was copied back
	// from Recently Deleted and expunged again, which is another entry here.
	Elsewhere bool
}

// Restored is an entry that was brought back.
type Restored struct {
	Grave
	Mailbox MailboxID // where it is now
	UID     UID
}

// Undo takes back what a POP3 session deleted with its QUIT; see RecoveryEngine.
func (s *Store) Undo(ctx context.Context, by Actor, session string) (Undone, error) {
	out, err := s.engine.Undo(ctx, by, session)
	return out, s.watchRoom(err)
}

// ExpungedFilter chooses among expunged mail. Texts are looked for as SEARCH
// does, in any case; "" fits all.
type ExpungedFilter struct {
	Since   time.Time // expunged then or later
	Mailbox string    // the whole name of the mailbox it was in
	From    string
	Subject string
	// Copies adds what was copied on to another mailbox and is still there.
	Copies bool
}

// ExpungedMail is an expunged entry with what a person knows it by.
type ExpungedMail struct {
	ExpungedEntry
	EmailID       string
	From, Subject string // decoded
}

// Expunged lists the mail of an account that Undelete can bring back.
func (s *Store) Expunged(ctx context.Context, account AccountID, f ExpungedFilter) iter.Seq2[*ExpungedMail, error] {
	from, subject := message.Fold(f.From), message.Fold(f.Subject)
	fits := func(m *ExpungedMail) bool {
		return (from == "" || strings.Contains(message.Fold(m.From), from)) &&
			(subject == "" || strings.Contains(message.Fold(m.Subject), subject))
	}
	return func(yield func(*ExpungedMail, error) bool) {
		page := make([]*ExpungedMail, 0, expungedPage)
		flush := func() bool {
			defer func() { page = page[:0] }()
			if err := s.describe(ctx, page); err != nil {
				yield(nil, err)
				return false
			}
			for _, m := range page {
				if fits(m) && !yield(m, nil) {
					return false
				}
			}
			return true
		}
		for x, err := range s.engine.Expunged(ctx, account, f.Since) {
			if err != nil {
				yield(nil, err)
				return
			}
			if f.Mailbox != "" && x.Name != f.Mailbox || x.Elsewhere && !f.Copies {
				continue
			}
			page = append(page, &ExpungedMail{ExpungedEntry: *x})
			if len(page) == expungedPage && !flush() {
				return
			}
		}
		flush()
	}
}

const (
	expungedPage  = 256    // messages described at a time
	undeleteBatch = 20_000 // brought back in a transaction
)

// describe fills in what the messages of a page say of themselves.
func (s *Store) describe(ctx context.Context, page []*ExpungedMail) error {
	ids := make([]MessageID, len(page))
	for i, m := range page {
		ids[i] = m.Message
	}
	slices.Sort(ids)
	about := map[MessageID]*Message{}
	for m, err := range s.engine.Messages(ctx, slices.Compact(ids), Want{Structure: true}) {
		if err != nil && KindOf(err) != Corrupt {
			return err
		}
		if err == nil {
			about[m.ID] = m
		}
	}
	for _, m := range page {
		if a := about[m.Message]; a != nil {
			m.EmailID = a.EmailID
			m.From, m.Subject = a.Head()
		}
	}
	return nil
}

// Head gives the decoded From and Subject of a message whose structure was
// wanted.
func (m *Message) Head() (from, subject string) {
	wire, err := message.EnvelopeOf(m.Structure)
	if err != nil {
		return "", ""
	}
	e, err := message.ParseEnvelope(wire)
	if err != nil {
		return "", ""
	}
	var list []string
	for _, a := range e.From {
		address := a.Mailbox
		if a.Host != "" {
			address += "@" + a.Host
		}
		if name := message.DecodeText([]byte(a.Name)); name != "" {
			address = name + " <" + address + ">"
		}
		list = append(list, address)
	}
	return strings.Join(list, ", "), message.DecodeText([]byte(e.Subject))
}

// Undelete brings back expunged entries of an account; see RecoveryEngine. Many
// are brought back in several transactions; the result tells how far it came.
func (s *Store) Undelete(ctx context.Context, by Actor, account AccountID, list []Grave) (out []Restored, err error) {
	for batch := range slices.Chunk(list, undeleteBatch) {
		back, err := s.engine.Undelete(ctx, by, account, batch)
		if err != nil {
			return out, s.watchRoom(err)
		}
		out = append(out, back...)
	}
	return out, nil
}
