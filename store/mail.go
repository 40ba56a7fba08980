package store

import (
	"strconv"
	"strings"
	"time"
)

// AccountID names an account; 1 and up, never reused, below 1<<23.
type AccountID int64

// MailboxID names a mailbox: account<<40 | n. Never reused.
type MailboxID int64

// MessageID names a message: account<<40 | n. Never reused. A message is what
// never changes; where it lies and its flags are an Entry.
type MessageID int64

// CredentialID names a credential. Never reused.
type CredentialID int64

// BodyID names stored message bytes, which several messages may share.
type BodyID int64

// UID is a message's number in a mailbox (RFC 3501 section 2.3.1.1).
type UID uint32

// ModSeq is a value of an account's change counter (RFC 7162). Each verb draws
// one value per mailbox that it changes, so all changes of an account have one
// order.
type ModSeq uint64

const accountShift = 40

// RecentlyDeletedBit is set in the ids of the mailboxes Recently Deleted.
const RecentlyDeletedBit = 1 << 39

// RecentlyDeleted reports whether the mailbox shows what was expunged: only the
// store changes it, and what it holds counts in no quota.
func (id MailboxID) RecentlyDeleted() bool { return id&RecentlyDeletedBit != 0 }

// Account gives the owner.
func (id MailboxID) Account() AccountID { return AccountID(id >> accountShift) }

// Account gives the owner.
func (id MessageID) Account() AccountID { return AccountID(id >> accountShift) }

// FirstMessage is the id below all messages of an account; the same shift
// makes mailbox ids.
func (a AccountID) FirstMessage() int64 { return int64(a) << accountShift }

// Flags are an entry's flags: bits 0-7 the system flags below, bits 8-62 the
// account's keywords 0-54. Bit 63 says that keywords from the 55th on are set
// too; they are in a bitmap beside the entry (Member.More).
type Flags uint64

// The system flags. FlagPOP3Trashed is not a flag to clients: it marks what a
// POP3 QUIT put into Trash, and no copy or move carries it along.
const (
	FlagSeen Flags = 1 << iota
	FlagAnswered
	FlagFlagged
	FlagDeleted
	FlagDraft
	FlagPOP3Trashed
	FlagMore Flags = 1 << 63

	keywordShift = 8
	// InlineKeywords is how many keywords fit into Flags.
	InlineKeywords = 55

	// SystemFlags are those that clients and deliveries may set.
	SystemFlags = FlagSeen | FlagAnswered | FlagFlagged | FlagDeleted | FlagDraft
)

// KeywordFlag gives the flag bit of keyword number n < InlineKeywords.
func KeywordFlag(n int) Flags { return 1 << (keywordShift + n) }

// FlagSet is all flags of one entry. More is a bitmap of the keywords from
// InlineKeywords on (bit 0 of byte 0 is keyword 55), without trailing zero
// bytes; "" almost always. Bits has FlagMore exactly when More is not empty.
type FlagSet struct {
	Bits Flags
	More string
}

// Has reports whether keyword number n is set.
func (f FlagSet) Has(n int) bool {
	if n < InlineKeywords {
		return f.Bits&KeywordFlag(n) != 0
	}
	n -= InlineKeywords
	return n/8 < len(f.More) && f.More[n/8]&(1<<(n%8)) != 0
}

// With gives f with keyword n set or cleared.
func (f FlagSet) With(n int, on bool) FlagSet {
	if n < InlineKeywords {
		if on {
			f.Bits |= KeywordFlag(n)
		} else {
			f.Bits &^= KeywordFlag(n)
		}
		return f
	}
	n -= InlineKeywords
	more := make([]byte, max(len(f.More), n/8+1))
	copy(more, f.More)
	if on {
		more[n/8] |= 1 << (n % 8)
	} else {
		more[n/8] &^= 1 << (n % 8)
	}
	for len(more) > 0 && more[len(more)-1] == 0 {
		more = more[:len(more)-1]
	}
	f.More = string(more)
	f.Bits &^= FlagMore
	if f.More != "" {
		f.Bits |= FlagMore
	}
	return f
}

// FlagOp says how SetFlags changes flags.
type FlagOp uint8

// The operations of IMAP STORE. FlagsReplace leaves FlagPOP3Trashed alone.
const (
	FlagsAdd FlagOp = iota
	FlagsRemove
	FlagsReplace
)

// Entry is a message in a mailbox: 40 bytes, as held by the shared index.
// Times are Unix seconds, clamped to 1970..2106.
type Entry struct {
	UID      UID
	Size     uint32 // octets of BODY[] = RFC822.SIZE = POP3 LIST size
	Message  MessageID
	ModSeq   ModSeq
	Flags    Flags
	Internal uint32 // INTERNALDATE
	Saved    uint32 // SAVEDATE (RFC 8514)
}

// InternalDate gives INTERNALDATE in UTC.
func (e *Entry) InternalDate() time.Time { return time.Unix(int64(e.Internal), 0).UTC() }

// SaveDate gives SAVEDATE in UTC.
func (e *Entry) SaveDate() time.Time { return time.Unix(int64(e.Saved), 0).UTC() }

// ClampTime gives t as stored in an entry.
func ClampTime(t time.Time) uint32 {
	return uint32(min(max(t.Unix(), 0), 1<<32-1))
}

// UIDRange is Start..Stop, both included, Start <= Stop.
type UIDRange struct{ Start, Stop UID }

// UIDSet is ranges in ascending order that neither overlap nor touch.
type UIDSet []UIDRange

// AllUIDs is every UID there can be.
func AllUIDs() UIDSet { return UIDSet{{1, 1<<32 - 1}} }

// Add appends uid, which must be above all in the set, merging runs.
func (s *UIDSet) Add(uid UID) { s.AddRange(UIDRange{uid, uid}) }

// AddRange appends r, which must lie above all in the set, merging runs.
func (s *UIDSet) AddRange(r UIDRange) {
	if n := len(*s); n > 0 && (*s)[n-1].Stop+1 == r.Start {
		(*s)[n-1].Stop = r.Stop
		return
	}
	*s = append(*s, r)
}

// Len counts the UIDs in the set.
func (s UIDSet) Len() int {
	n := 0
	for _, r := range s {
		n += int(r.Stop-r.Start) + 1
	}
	return n
}

// String writes the set as IMAP does: 1:4,7.
func (s UIDSet) String() string {
	var b strings.Builder
	for i, r := range s {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatUint(uint64(r.Start), 10))
		if r.Stop > r.Start {
			b.WriteByte(':')
			b.WriteString(strconv.FormatUint(uint64(r.Stop), 10))
		}
	}
	return b.String()
}

// SpecialUse is a mailbox attribute of RFC 6154, with its backslash, or "".
type SpecialUse string

// The special uses of RFC 6154, RFC 8457 and RFC 9979.
const (
	UseAll       SpecialUse = `\All`
	UseArchive   SpecialUse = `\Archive`
	UseDrafts    SpecialUse = `\Drafts`
	UseFlagged   SpecialUse = `\Flagged`
	UseImportant SpecialUse = `\Important`
	UseJunk      SpecialUse = `\Junk`
	UseMemos     SpecialUse = `\Memos`
	UseScheduled SpecialUse = `\Scheduled`
	UseSent      SpecialUse = `\Sent`
	UseSnoozed   SpecialUse = `\Snoozed`
	UseTrash     SpecialUse = `\Trash`
)

// StandardMailboxes are what a new account gets, subscribed, beside INBOX.
func StandardMailboxes() []NewMailbox {
	return []NewMailbox{{"INBOX", ""}, {"Drafts", UseDrafts}, {"Sent", UseSent}, {"Junk", UseJunk}, {"Trash", UseTrash}, {"Archive", UseArchive}}
}

// NewMailbox is a mailbox to be made.
type NewMailbox struct {
	Name string
	Use  SpecialUse
}

// Mailbox is a mailbox's row: its name and the counters kept with every change.
type Mailbox struct {
	ID          MailboxID
	Name        string // UTF-8, '/' between the parts; "INBOX" in capitals
	Use         SpecialUse
	Subscribed  bool
	MailboxID   string // stored random value (RFC 8474), 1-255 of [A-Za-z0-9_-]
	UIDValidity uint32

	Messages      int
	Unseen        int   // without \Seen
	Deleted       int   // with \Deleted
	Bytes         int64 // sum of sizes
	UIDNext       UID
	HighestModSeq ModSeq // 1 in a mailbox that never changed
	PrunedModSeq  ModSeq // tombstones up to this are gone
	RecentFrom    UID    // UIDs from here on are \Recent to the next session; live value in memory
}

// Actor says who does a verb, and how: for rights and the journal.
type Actor struct {
	Account    AccountID
	Credential CredentialID // 0: none (delivery, administration)
	Session    string       // unique per connection, "" for administration
	Protocol   string       // "imap", "pop3", "lmtp", "web", "admin"
	Remote     string       // peer address, may be ""
}

// DefaultUIDL is the UIDL of a message that did not bring one of its own: it
// belongs to the message, not to the mailbox or its UIDVALIDITY (RFC 1939
// section 7: 1 to 70 characters from 0x21 to 0x7E).
func DefaultUIDL(storeID string, id MessageID) string {
	return storeID + strconv.FormatUint(uint64(id), 36)
}
