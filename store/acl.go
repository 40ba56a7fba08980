package store

import (
	"context"
	"strings"
)

// Rights are what an account may do with a mailbox (RFC 4314 section 2.1), a
// bit for each letter.
type Rights uint16

// The rights.
const (
	RightLookup     Rights = 1 << iota // l: it is listed, and may be subscribed to
	RightRead                          // r: SELECT, STATUS, COPY from it
	RightSeen                          // s: \Seen
	RightWrite                         // w: flags other than \Seen and \Deleted; shared metadata
	RightInsert                        // i: APPEND, COPY into it
	RightPost                          // p: kept, but nothing rests on it
	RightCreate                        // k: mailboxes below it
	RightDelete                        // x: DELETE, RENAME of it
	RightMark                          // t: \Deleted
	RightExpunge                       // e: EXPUNGE
	RightAdminister                    // a: its ACL

	// AllRights are those of a mailbox's owner, always.
	AllRights = RightAdminister<<1 - 1
)

// rightLetters names the rights from bit 0 on.
const rightLetters = "lrswipkxtea"

// The rights of RFC 2086 as they are understood here (RFC 4314 section 2.1.1):
// c is k and x, d is t and e.
const (
	obsoleteCreate = RightCreate | RightDelete
	obsoleteDelete = RightMark | RightExpunge
)

// ParseRights reads letters in any order. Invalid for one that is no right.
func ParseRights(letters string) (r Rights, err error) {
	for _, c := range letters {
		i := strings.IndexRune(rightLetters, c)
		switch {
		case c == 'c':
			r |= obsoleteCreate
		case c == 'd':
			r |= obsoleteDelete
		case i >= 0:
			r |= 1 << i
		default:
			return 0, Errorf(Invalid, "%q is not a right: there are %s", c, rightLetters)
		}
	}
	return r, nil
}

// String writes the letters of RFC 4314.
func (r Rights) String() string {
	var b strings.Builder
	for i := range len(rightLetters) {
		if r&(1<<i) != 0 {
			b.WriteByte(rightLetters[i])
		}
	}
	return b.String()
}

// WithObsolete writes the letters of RFC 4314 and those of RFC 2086 any part
// of which is there, as ACL and MYRIGHTS must (RFC 4314 section 2.1.1).
func (r Rights) WithObsolete() string {
	s := r.String()
	if r&obsoleteCreate != 0 {
		s += "c"
	}
	if r&obsoleteDelete != 0 {
		s += "d"
	}
	return s
}

// Has reports whether all of need is among r.
func (r Rights) Has(need Rights) bool { return r&need == need }

// Anyone is the identifier that stands for every account.
const Anyone = "anyone"

// ACLEntry gives an account, or with Anyone all of them, rights; with a "-"
// before the name it takes them away from what the others give.
type ACLEntry struct {
	Identifier string // account name or Anyone, with "-" before it for what is withheld
	Rights     Rights
}

// ACLOp says what SetACL does with an entry's rights.
type ACLOp uint8

// The operations of SETACL. An entry without rights is removed.
const (
	ACLSet ACLOp = iota
	ACLAdd
	ACLRemove
)

// SharedMailbox is a mailbox of another account on which an account has
// rights.
type SharedMailbox struct {
	Mailbox        // Subscribed is the owner's affair: false here
	Owner   string // the owner's account name
	Rights  Rights
}

// ACL lists who has rights on a mailbox, the owner first, then by identifier.
// It needs RightAdminister: Forbidden without; NotFound without any right.
func (s *Store) ACL(ctx context.Context, by Actor, id MailboxID) ([]ACLEntry, error) {
	return nil, Errorf(Internal, "not there yet")
}

// SetACL changes an entry of a mailbox's ACL: needs RightAdminister. Invalid
// for an identifier that is no account; Forbidden for one that would take
// rights away from the owner.
func (s *Store) SetACL(ctx context.Context, by Actor, id MailboxID, identifier string, rights Rights, op ACLOp) error {
	return Errorf(Internal, "not there yet")
}

// DeleteACL removes an entry of a mailbox's ACL, if there is one: needs
// RightAdminister.
func (s *Store) DeleteACL(ctx context.Context, by Actor, id MailboxID, identifier string) error {
	return s.SetACL(ctx, by, id, identifier, 0, ACLSet)
}

// Rights gives what the actor may do with a mailbox. NotFound if that is
// nothing.
func (s *Store) Rights(ctx context.Context, by Actor, id MailboxID) (Rights, error) {
	return 0, Errorf(Internal, "not there yet")
}

// Shared lists the mailboxes of other accounts on which the actor has any
// right, by owner and name.
func (s *Store) Shared(ctx context.Context, by Actor) ([]SharedMailbox, error) {
	return nil, Errorf(Internal, "not there yet")
}
