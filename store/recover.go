package store

import (
	"context"
	"iter"
	"time"
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
	// clients do that cannot move, and is still there.
	Elsewhere bool
}

// Restored is an entry that was brought back.
type Restored struct {
	Grave
	Mailbox MailboxID // where it is now
	UID     UID
}
