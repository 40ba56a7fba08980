package store

import (
	"context"
	"iter"
	"time"

	"tandem/store/message"
)

// Engine is what a database must do for a Store: whole mail operations, each
// retryable, each in one transaction. Package storetest holds the conformance
// suite.
//
// Rules for every engine:
//   - A verb that changes mail returns only after its commit is on disk.
//   - After each commit, in commit order, publish (given to Start) is called
//     from one goroutine with that commit's changes, before the verb returns.
//   - Verbs take effect whole or not at all. A verb's context is looked at
//     before its request joins a transaction, never after.
//   - Every verb takes the actor and checks its rights on the mailbox in its
//     own transaction: the owner has all of them, so has an Actor with Account
//     0 and Protocol "admin" or "lmtp", all others what the mailbox's ACL gives
//     them. Who may not know of a mailbox (Rights.Visible) is answered as if
//     there were none: NotFound. Who lacks a right is Forbidden. Verbs that
//     take no actor are for Store, which has checked.
//   - UID, UIDVALIDITY, modseq and ids come from counters in rows, in the same
//     transaction; they are never reused and never go back.
//   - Each verb that changes a mailbox writes one journal row in its own
//     transaction (two mailboxes, as in a move: one row that names both).
//   - An account's use is kept in the same transaction. What would take it
//     above its quota is OverQuota: insertions and copies, a move never, new
//     mailboxes; but not what the protocol "admin" does (imports).
//   - No statement is open while a caller's loop body or callback runs.
type Engine interface {
	// Start gives the engine its publisher, before any other verb.
	Start(publish func([]Change))
	Close() error
	// StoreID is the random id made at the store's birth: 10 characters [0-9a-z].
	StoreID() string
	// Health is nil while the engine takes writes, else why it does not.
	Health() error

	AccountEngine
	DeviceEngine
	MailboxEngine
	MessageEngine
	UpkeepEngine
	RecoveryEngine
	StoryEngine
}

// AccountEngine is the part of Engine about accounts and credentials. Names
// arrive canonical.
type AccountEngine interface {
	Accounts(ctx context.Context) ([]Account, error)
	Account(ctx context.Context, id AccountID) (Account, error)
	AccountByName(ctx context.Context, name string) (Account, error)
	// AccountsByLocalPart finds the accounts named local@anything.
	AccountsByLocalPart(ctx context.Context, local string) ([]Account, error)
	// CreateAccounts makes the accounts, their password credential (label "",
	// ScopeAll) and StandardMailboxes (subscribed). All or nothing.
	CreateAccounts(ctx context.Context, list []NewAccount, replace bool) error
	UpdateAccount(ctx context.Context, id AccountID, u AccountUpdate) error
	// SetQuota replaces all limits of an account. Forbidden unless the actor is
	// the administration, or an account that is an administrator.
	SetQuota(ctx context.Context, by Actor, id AccountID, limits Resources) error
	// RemoveAccount publishes a Deleted change for each mailbox.
	RemoveAccount(ctx context.Context, id AccountID) error
	// Credentials lists those that are not revoked, the account's own first.
	Credentials(ctx context.Context, id AccountID) ([]Credential, error)
	SetCredentialHash(ctx context.Context, id CredentialID, old, hash string) error
	NoteCredentialUses(ctx context.Context, uses []CredentialUse) error
	// SetScramKeys does nothing when the hash is no longer hash. Keys under
	// another salt than that of the account's other keys are left out.
	SetScramKeys(ctx context.Context, id CredentialID, hash string, keys ScramKeys) error
	Scram(ctx context.Context) (ScramState, error)
	// Keywords lists the account's keywords; the index is the number.
	Keywords(ctx context.Context, id AccountID) ([]string, error)
}

// DeviceEngine is the part of Engine about app passwords and what POP3 does with
// them. The devices of a message in a mailbox are the account's credentials for
// POP3, neither revoked nor expired, whose rule lets them see it, that
//   - were made before the message or have listed it (Listing), and
//   - have opened the mailbox as a maildrop; for INBOX also app passwords that
//     have opened none yet; and
//   - have opened a maildrop, or were made, less than the retired time ago.
type DeviceEngine interface {
	// AddCredential makes an app password. Exists, Limit; the keys are left out
	// if they are not under the account's salt.
	AddCredential(ctx context.Context, id AccountID, n NewCredential) (Credential, error)
	UpdateCredential(ctx context.Context, id AccountID, label string, u CredentialUpdate) error
	// RevokeCredential ends a credential for good; its label is free again.
	RevokeCredential(ctx context.Context, id AccountID, label string) (CredentialID, error)
	// NoteListings writes what devices have listed; Next never goes back.
	NoteListings(ctx context.Context, list []Listing) error
	// Quit is a POP3 UPDATE state of the owner in one transaction: the deletions under the
	// policy, then \Seen. DeleteTrash makes the \Trash mailbox when missing and
	// sets FlagPOP3Trashed; in the \Trash mailbox itself it expunges.
	// DeleteShared hides, and does as DeleteTrash with what all of a message's
	// devices have hidden, one at least of them under DeleteShared in this place.
	// Forbidden when the credential was revoked.
	Quit(ctx context.Context, by Actor, id MailboxID, q Quit) (QuitResult, error)
	// Hidden gives the messages that a credential deleted in a mailbox under
	// DeleteKeep or DeleteShared, ascending. They stay hidden when they are moved
	// away and back.
	Hidden(ctx context.Context, id MailboxID, credential CredentialID) ([]MessageID, error)
	// LeastDays is the smallest N of the rules days=N of enabled accounts and of
	// credentials that are not revoked; 0: there is none.
	LeastDays(ctx context.Context) (int, error)
	// Release does what DeleteShared does, where only devices that do not count
	// any more held mail back.
	Release(ctx context.Context, retired time.Duration) error
}

// MailboxEngine is the part of Engine about mailboxes. Names arrive checked
// and canonical; looking up is case-sensitive (INBOX arrives in capitals).
type MailboxEngine interface {
	// Mailboxes lists the account's mailboxes ordered by name, with counters.
	Mailboxes(ctx context.Context, owner AccountID) ([]Mailbox, error)
	Mailbox(ctx context.Context, id MailboxID) (Mailbox, error)
	MailboxByName(ctx context.Context, owner AccountID, name string) (Mailbox, error)
	// CreateMailbox makes a mailbox and its missing parents, each with the ACL of
	// the one above it. Exists if it is there. Limit beyond maxMailboxes (0:
	// none). A special use that another mailbox of the account has gives Exists.
	// Others than the owner need RightCreate on the nearest mailbox above it.
	CreateMailbox(ctx context.Context, by Actor, owner AccountID, m NewMailbox, maxMailboxes int) (Mailbox, error)
	// DeleteMailbox removes the mailbox with its entries (kept as tombstones
	// for undelete), never INBOX (Forbidden). Children stay. The name's UIDs are
	// not reused since a new mailbox gets a higher UIDVALIDITY. It needs
	// RightDelete.
	DeleteMailbox(ctx context.Context, by Actor, id MailboxID) error
	// RenameMailbox renames id to name and its children with it, making missing
	// parents of the new name. Ids, UIDs, UIDVALIDITY stay. Exists if any new
	// name is taken. Renaming INBOX (RFC 3501 section 6.3.5) makes a new mailbox
	// of that name and moves all messages there; INBOX and its children stay.
	// Others than the owner need RightDelete on it, and RightCreate on the
	// nearest mailbox above the new name. ACLs stay.
	RenameMailbox(ctx context.Context, by Actor, id MailboxID, name string, maxMailboxes int) error
	// Subscriptions lists subscribed names ordered; some may not exist.
	Subscriptions(ctx context.Context, owner AccountID) ([]string, error)
	SetSubscribed(ctx context.Context, by Actor, owner AccountID, name string, on bool) error
	// LoadIndex reads, in one read transaction, the mailbox row, all its
	// entries by UID, the more-keywords bitmaps, and the expunges later than
	// since in modseq order (for since below PrunedModSeq: every UID below
	// UIDNEXT that no entry has, as one record of modseq PrunedModSeq, then the
	// kept ones).
	LoadIndex(ctx context.Context, id MailboxID, since ModSeq) (*LoadedIndex, error)
	// Expunges gives the same expunge records alone.
	Expunges(ctx context.Context, id MailboxID, since ModSeq) ([]Expunge, error)
	// Tombstones finds kept tombstones of these UIDs, as entries as they were.
	Tombstones(ctx context.Context, id MailboxID, uids UIDSet) ([]Entry, error)
	// DeletedBytes sums up the sizes of the entries with \Deleted. It needs
	// RightRead.
	DeletedBytes(ctx context.Context, by Actor, id MailboxID) (int64, error)
	// CountFrom counts the entries with UIDs from one on. It needs RightRead.
	CountFrom(ctx context.Context, by Actor, id MailboxID, from UID) (int, error)
	// Metadata lists the annotations of a mailbox, or with 0 of the server, that
	// the actor may see: its own private ones and the shared ones, each by name.
	Metadata(ctx context.Context, by Actor, at MailboxID) ([]MetadataEntry, error)
	// SetMetadata sets and removes annotations, all or none. They go with their
	// mailbox. Limit above MetadataTotal; Forbidden to set shared ones of the
	// server unless the actor may set quotas. Both need RightLookup and one of
	// RightRead, RightSeen, RightWrite, RightInsert and RightPost, setting shared
	// ones RightWrite.
	SetMetadata(ctx context.Context, by Actor, at MailboxID, list []MetadataEntry) error
	// Grants lists who has rights on a mailbox beside its owner; none if there
	// is no such mailbox.
	Grants(ctx context.Context, id MailboxID) (Grants, error)
	// Rights gives the actor's rights on a mailbox.
	Rights(ctx context.Context, by Actor, id MailboxID) (Rights, error)
	// ACL lists a mailbox's ACL, the owner first; SetACL changes it. Both need
	// RightAdminister. Forbidden is what takes rights away from the owner, Limit
	// one account more than MaxGrants.
	ACL(ctx context.Context, by Actor, id MailboxID) ([]ACLEntry, error)
	SetACL(ctx context.Context, by Actor, id MailboxID, change ACLChange) error
	// Shared lists the mailboxes of others that the actor may know of, by owner
	// and name. SharedByName finds any one, of its own account too.
	Shared(ctx context.Context, by Actor) ([]SharedMailbox, error)
	SharedByName(ctx context.Context, by Actor, owner AccountID, name string) (SharedMailbox, error)
	// SaveRecent raises the RecentFrom of mailboxes; those gone are passed over.
	SaveRecent(ctx context.Context, recent map[MailboxID]UID) error
}

// LoadedIndex is what LoadIndex reads.
type LoadedIndex struct {
	Mailbox  Mailbox
	Entries  []Entry
	More     map[UID]string
	Expunges []Expunge
}

// Expunge is one verb's removals in a mailbox.
type Expunge struct {
	ModSeq ModSeq
	UIDs   UIDSet
}

// MessageEngine is the part of Engine about messages.
type MessageEngine interface {
	// NewBody begins a body too large for memory: it takes an id for chunks
	// that no message names yet. DropBody frees it; the engine frees all
	// leftovers when it opens a store.
	NewBody(ctx context.Context) (BodyID, error)
	// WriteChunks stores chunks first, first+1, ... of a body begun with NewBody.
	WriteChunks(ctx context.Context, id BodyID, first int, chunks [][]byte) error
	DropBody(ctx context.Context, id BodyID) error

	// Insert puts messages into mailboxes in one transaction. With atomic set
	// the first failure fails all; else each insertion has its own result, and
	// the error is for failures of the whole. New EMAILIDs are random; THREADID
	// is that of a known message the references name, else random. Keywords are
	// made as needed (Limit beyond maxKeywords). Insertions that share a *Body
	// share its stored bytes. It needs RightInsert; flags that the actor may not
	// set are left out.
	Insert(ctx context.Context, by Actor, list []Insertion, atomic bool, maxKeywords int) ([]Inserted, error)

	// Replace removes the entry uid of mailbox id and inserts a message, in one
	// transaction. Expunged when the entry is not there. It needs RightMark and
	// RightExpunge, and RightInsert where the message goes.
	Replace(ctx context.Context, by Actor, id MailboxID, uid UID, ins Insertion, maxKeywords int) (Inserted, error)

	// SetFlags changes flags of the entries in uids, as far as the actor may
	// (Rights.Flags); Forbidden when that is none of them.
	SetFlags(ctx context.Context, by Actor, id MailboxID, change FlagsChange, maxKeywords int) (FlagsResult, error)
	// Copy copies (or moves, in one transaction) entries to another mailbox, or
	// to itself; UIDs that have no entry are passed over. The copies have the
	// same message, flags without FlagPOP3Trashed, and a SAVEDATE of now. In
	// another account they have a message of its own with the same body,
	// prefix, EMAILID, THREADID and dates, its own UIDL, and keywords of the same
	// names (Limit beyond maxKeywords); OverQuota for a move, too. It needs
	// RightRead, to move RightMark and RightExpunge too, and RightInsert there;
	// flags that the actor may not set there are left out.
	Copy(ctx context.Context, by Actor, from, to MailboxID, uids UIDSet, move bool, maxKeywords int) (Copied, error)
	// Expunge removes entries in uids, those with \Deleted only when
	// onlyDeleted, leaving tombstones. It needs RightExpunge.
	Expunge(ctx context.Context, by Actor, id MailboxID, uids UIDSet, onlyDeleted bool) (Expunge, error)
	// Messages reads what never changes of messages, in the order of ids, in
	// pages; ids that are gone are passed over.
	Messages(ctx context.Context, ids []MessageID, want Want) iter.Seq2[*Message, error]
	// ReadChunks reads whole chunks of a body, checking digests (Corrupt).
	ReadChunk(ctx context.Context, body BodyID, n int) ([]byte, error)
	// UIDLs gives the UIDLs of entries of a mailbox that are not the message's
	// derived one (DefaultUIDL): imported ones and overrides.
	UIDLs(ctx context.Context, id MailboxID) (map[UID]string, error)
	// SetUIDLs gives entries of a mailbox UIDLs, in one transaction; the outcomes
	// are one for each: nil when the entry has that UIDL now, else Expunged,
	// Invalid when it can be none, Exists when another message of the mailbox has
	// or had it, Forbidden when a device has listed the message under another one
	// (Listing).
	SetUIDLs(ctx context.Context, by Actor, id MailboxID, list []NewUIDL) ([]error, error)
	// DowngradedSizes gives the sizes of the downgraded forms that entries of a
	// mailbox have (Body.UTF8), for readers without UTF-8.
	DowngradedSizes(ctx context.Context, id MailboxID) (map[UID]int64, error)
	// Downgrade gives the edits that make the downgraded form of a message, the
	// prefix included; none if it has no such form.
	Downgrade(ctx context.Context, m *Message) ([]message.Edit, error)

	// ImportSeen reports which keys an import ledger has. Insert adds the keys
	// of its insertions (Insertion.ImportKey).
	ImportSeen(ctx context.Context, account AccountID, keys []string) (map[string]bool, error)
}

// UpkeepEngine is the part of Engine about upkeep.
type UpkeepEngine interface {
	// NoteReads writes one journal row of what a session read.
	NoteReads(ctx context.Context, by Actor, id MailboxID, uids UIDSet) error
	// Prune forgets tombstones whose removal is older than before, keeping
	// those later than pinned[mailbox] when the mailbox is in pinned; then
	// removes messages and bodies that nothing names, a bounded number per
	// transaction, until done or ctx ends.
	Prune(ctx context.Context, before time.Time, pinned map[MailboxID]ModSeq) error
	// PruneJournal forgets rows of the journal written before a time, a bounded
	// number per transaction.
	PruneJournal(ctx context.Context, before time.Time) error
	// Room is nil while there is space for new mail, else Unavailable. It looks
	// at the disk anew.
	Room(ctx context.Context) error
	// Salvage finds what it can of a damaged mailbox's entries, by UID, from all
	// places that tell of them.
	Salvage(ctx context.Context, id MailboxID) ([]Entry, error)
	// Check verifies the store: counters, references, chunks, digests. Each
	// finding is one line for a person; repair mends what can be mended.
	Check(ctx context.Context, repair bool, finding func(string)) error
}

// Body is the bytes of a message as they will be served, less the prefix.
// Header is the first part of them (the header block; at most 1 MiB). The
// rest is either Text, in memory, or the chunks of Stored. Immutable once an
// Ingest gave it; several insertions may share one.
type Body struct {
	Header    []byte
	Text      []byte // when Stored is 0
	Stored    BodyID // chunks 0.. hold the bytes after Header
	Size      int64
	Digest    [32]byte // SHA-256 of all bytes
	Structure []byte   // message.Structure in binary form

	MessageID  string   // without <>, "" if none
	References []string // oldest first

	// UTF8 says that the message came as an internationalized one. Downgrade
	// makes of Header and the rest what others are given (RFC 6858); the same is
	// done to the prefix of each insertion.
	UTF8      bool
	Downgrade []message.Edit
}

// ChunkSize is the size of all but the last chunk of a stored body.
const ChunkSize = 256 << 10

// Insertion is one message to put into one mailbox.
type Insertion struct {
	Mailbox   MailboxID
	Body      *Body
	Prefix    []byte // header lines of this copy alone (Return-Path, ...), whole lines with CRLF
	Flags     Flags  // system flags
	Keywords  []string
	Internal  time.Time
	UIDL      string // imported UIDL to keep if it is free in the mailbox, "" for our own
	ImportKey string // ledger key, "" for none
}

// Inserted is the outcome of one insertion.
type Inserted struct {
	Err         error // NotFound, Limit, OverQuota, ...; nil when stored
	UID         UID
	UIDValidity uint32
	Message     MessageID
}

// FlagsChange is what SetFlags does.
type FlagsChange struct {
	UIDs           UIDSet
	Op             FlagOp
	Flags          Flags    // system flags
	Keywords       []string // names; made as needed unless Op is FlagsRemove
	UnchangedSince *ModSeq  // RFC 7162 section 3.1.3; nil: unconditional
}

// FlagsResult tells what SetFlags did.
type FlagsResult struct {
	ModSeq   ModSeq       // 0 when no row changed
	Changed  []FlagChange // by UID
	Modified UIDSet       // entries that failed UnchangedSince
}

// FlagChange is the new flags of one entry.
type FlagChange struct {
	UID      UID
	Flags    FlagSet
	Previous ModSeq // the entry's modseq before this change
}

// Copied tells what Copy did: the entry Source[i] (counted through the ranges)
// became Dest[i].
type Copied struct {
	UIDValidity  uint32
	Source, Dest UIDSet
}

// Change is one committed change of one mailbox, as published.
type Change struct {
	Mailbox  Mailbox // the row after the change
	ModSeq   ModSeq
	Added    []Entry // ascending, above all earlier UIDs
	More     map[UID]string
	Flags    []FlagChange
	Expunged UIDSet
	Deleted  bool // the mailbox is gone
	// Keywords are all of the account's keywords when the verb made new ones.
	Keywords []string
	// List says that the list of mailboxes or subscriptions changed.
	List bool
	// Metadata names the annotations that were set or removed: the mailbox's, or,
	// when Mailbox has no UIDVALIDITY, the account's for the server, or, of
	// account 0, the server's shared ones.
	Metadata []string
	// Reader is whose private ones are among Metadata.
	Reader AccountID
	// ACL says that Grants are the mailbox's ACL from now on.
	ACL    bool
	Grants Grants
	// Crossed are the levels of the account's quota that the verb rose above.
	Crossed []QuotaLevel
}

// Want says what Messages reads beside ids, sizes and dates.
type Want struct {
	Structure bool
	Header    bool // Prefix and Header
	Text      bool // Text too, when it is one chunk; larger texts by ReadChunk
}

// Message is what never changes of a message.
type Message struct {
	ID        MessageID
	Body      BodyID
	Size      int64 // with the prefix
	Internal  uint32
	EmailID   string // RFC 8474
	ThreadID  string
	Structure []byte // when wanted: message.Structure in binary form

	PrefixSize int
	HeaderSize int    // of the body's Header, without the prefix
	Prefix     []byte // when Header is wanted
	Header     []byte
	Text       []byte // when wanted and in one chunk; nil else
}
