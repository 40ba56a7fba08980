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

// MaxGrants is how many accounts an ACL may name.
const MaxGrants = 1000

// OwnerRights are what the owner may do with a mailbox: everything, but to look
// at Recently Deleted, which nobody else can be given rights on.
func (id MailboxID) OwnerRights() Rights {
	if id.RecentlyDeleted() {
		return RightLookup | RightRead
	}
	return AllRights
}

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

// Grant is what a mailbox's ACL has for one account, or with Account 0 for
// anyone.
type Grant struct {
	Account AccountID
	Rights  Rights
	Denied  Rights // taken away from what any grant gives
}

// Grants are a mailbox's ACL; its owner, who has all rights, is not in it.
type Grants []Grant

// Of gives an account's rights: what it and anyone are given, less what is
// denied to either (RFC 4314 section 2).
func (g Grants) Of(account AccountID) Rights {
	var have, denied Rights
	for i := range g {
		if g[i].Account == 0 || g[i].Account == account {
			have |= g[i].Rights
			denied |= g[i].Denied
		}
	}
	return have &^ denied
}

// ACLChange is a change of what an ACL has for one grantee.
type ACLChange struct {
	Grantee  AccountID // 0: anyone
	Negative bool      // of what is denied
	Rights   Rights
	Op       ACLOp
}

// Side gives the rights of a grant that the change is about.
func (c ACLChange) Side(g *Grant) *Rights {
	if c.Negative {
		return &g.Denied
	}
	return &g.Rights
}

// Apply gives a grant as the change leaves it.
func (c ACLChange) Apply(g Grant) Grant {
	side := c.Side(&g)
	switch c.Op {
	case ACLAdd:
		*side |= c.Rights
	case ACLRemove:
		*side &^= c.Rights
	default:
		*side = c.Rights
	}
	return g
}

// visible are the rights any of which lets its holder know of a mailbox (RFC
// 4314 section 4, MYRIGHTS).
const visible = RightLookup | RightRead | RightInsert | RightCreate | RightDelete | RightAdminister

// Visible reports whether these rights let their holder know of the mailbox.
// To all others it is not there (RFC 4314 section 6).
func (r Rights) Visible() bool { return r&visible != 0 }

// Allow is nil when need is among r, else NotFound for one who may not know of
// the mailbox, and Forbidden for one who may.
func (r Rights) Allow(need Rights) error {
	switch {
	case !r.Visible():
		return Errorf(NotFound, "no such mailbox")
	case !r.Has(need):
		return Errorf(Forbidden, "that needs the rights %q on the mailbox, and there are %q", need, r)
	}
	return nil
}

// AllowAnnotations is nil when r lets its holder see a mailbox's annotations and
// set private ones: l and any of r, s, w, i, p (RFC 5464 section 3.3); to set
// shared ones it takes l and w.
func (r Rights) AllowAnnotations(setShared bool) error {
	const anyOf = RightRead | RightSeen | RightWrite | RightInsert | RightPost
	need := RightLookup
	switch {
	case setShared:
		need |= RightWrite
	case r&anyOf == 0:
		need |= RightRead
	}
	return r.Allow(need)
}

// Flags gives the flags that may be changed under r (RFC 4314 section 4):
// s is for \Seen, t for \Deleted, w for all others and for keywords.
func (r Rights) Flags() Flags {
	var may Flags
	if r.Has(RightSeen) {
		may |= FlagSeen
	}
	if r.Has(RightMark) {
		may |= FlagDeleted
	}
	if r.Has(RightWrite) {
		may |= ^(FlagSeen | FlagDeleted)
	}
	return may
}

// SharedMailbox is a mailbox of another account on which an account has
// rights.
type SharedMailbox struct {
	Mailbox        // Subscribed is the owner's affair: false here
	Owner   string // the owner's account name
	Rights  Rights
}

// ACL lists who has rights on a mailbox, the owner first, then by identifier.
// It needs RightAdminister: Forbidden without; NotFound when the actor may not
// know of the mailbox.
func (s *Store) ACL(ctx context.Context, by Actor, id MailboxID) ([]ACLEntry, error) {
	return s.engine.ACL(ctx, by, id)
}

// SetACL changes an entry of a mailbox's ACL: needs RightAdminister. The
// identifier may be any name the account logs in with, Anyone, or either after
// a "-". Invalid for one that is no account; Forbidden for what would take
// rights away from the owner; Limit beyond MaxGrants.
func (s *Store) SetACL(ctx context.Context, by Actor, id MailboxID, identifier string, rights Rights, op ACLOp) error {
	// Who may not know of the mailbox, or not administer it, is told so and not
	// which accounts there are.
	have, err := s.Rights(ctx, by, id)
	if err == nil {
		err = have.Allow(RightAdminister)
	}
	if err != nil {
		return err
	}
	change := ACLChange{Rights: rights & AllRights, Op: op}
	if change.Grantee, change.Negative, err = s.Grantee(ctx, identifier); err != nil {
		return err
	}
	return s.engine.SetACL(ctx, by, id, change)
}

// Grantee finds whom an identifier of an ACL means: an account, or 0 for
// Anyone. Invalid if nobody.
func (s *Store) Grantee(ctx context.Context, identifier string) (id AccountID, negative bool, err error) {
	name, negative := strings.CutPrefix(identifier, "-")
	if name == Anyone {
		return 0, negative, nil
	}
	a, err := s.findLogin(ctx, name)
	if err != nil && KindOf(err) == NotFound {
		err = Errorf(Invalid, "no account %.100q to give rights to", name)
	}
	return a.ID, negative, err
}

// DeleteACL removes an entry of a mailbox's ACL, if there is one: needs
// RightAdminister.
func (s *Store) DeleteACL(ctx context.Context, by Actor, id MailboxID, identifier string) error {
	return s.SetACL(ctx, by, id, identifier, 0, ACLSet)
}

// Rights gives what the actor may do with a mailbox. NotFound if it may not
// know of it.
func (s *Store) Rights(ctx context.Context, by Actor, id MailboxID) (Rights, error) {
	return s.engine.Rights(ctx, by, id)
}

// Shared lists the mailboxes of other accounts on which the actor has any
// right by which it may know of them, by owner and name.
func (s *Store) Shared(ctx context.Context, by Actor) ([]SharedMailbox, error) {
	list, err := s.engine.Shared(ctx, by)
	for i := range list {
		list[i].Mailbox = s.withRecent(list[i].Mailbox)
	}
	return list, err
}

// MailboxOf finds a mailbox of an account by name, with the actor's rights on
// it. NotFound if there is none that the actor may know of.
func (s *Store) MailboxOf(ctx context.Context, by Actor, owner AccountID, name string) (SharedMailbox, error) {
	name, err := CanonicalMailboxName(name)
	if err != nil {
		return SharedMailbox{}, Errorf(NotFound, "no such mailbox")
	}
	m, err := s.engine.SharedByName(ctx, by, owner, name)
	if err == nil {
		m.Mailbox = s.withRecent(m.Mailbox)
	}
	return m, err
}

// SharedAccount is the name of the account whose mailboxes belong to nobody in
// particular. There need not be one.
func (s *Store) SharedAccount() string { return s.opts.SharedAccount }
