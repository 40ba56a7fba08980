package store

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// DeletePolicy says what a POP3 DELE followed by QUIT means.
type DeletePolicy string

// The policies; DeleteTrash is the default of an account.
const (
	DeleteTrash   DeletePolicy = "trash"   // out of INBOX into the \Trash mailbox
	DeleteExpunge DeletePolicy = "expunge" // gone, as POP3 has always had it
	DeleteKeep    DeletePolicy = "keep"    // this device no longer sees it, the mailbox keeps it
	DeleteShared  DeletePolicy = "shared"  // the same, until every POP3 device has deleted it; then as trash
)

// Valid reports whether there is such a policy.
func (p DeletePolicy) Valid() bool {
	switch p {
	case DeleteTrash, DeleteExpunge, DeleteKeep, DeleteShared:
		return true
	}
	return false
}

// SeeRule says which mail a POP3 device sees of what it has not deleted: "all";
// "since-now", what arrived after the rule was set; "days=N", what has an
// INTERNALDATE of the last N days; "newest=N", the N highest UIDs.
type SeeRule string

// The rules without a number. SeeAll is the default of an account.
const (
	SeeAll      SeeRule = "all"
	SeeSinceNow SeeRule = "since-now"
)

const (
	maxSeeDays   = 36_500
	maxSeeNewest = 1_000_000_000
)

// Valid reports whether there is such a rule.
func (r SeeRule) Valid() bool {
	return r == SeeAll || r == SeeSinceNow || r.Days() > 0 || r.Newest() > 0
}

// Days is N of days=N, else 0.
func (r SeeRule) Days() int { return r.number("days=", maxSeeDays) }

// Newest is N of newest=N, else 0.
func (r SeeRule) Newest() int { return r.number("newest=", maxSeeNewest) }

func (r SeeRule) number(prefix string, max int) int {
	digits, ok := strings.CutPrefix(string(r), prefix)
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 1 || n > max || strconv.Itoa(n) != digits {
		return 0
	}
	return n
}

// Switch is yes or no, or says nothing.
type Switch string

// The values of Switch. In a credential SwitchUnset is the account's setting.
const (
	SwitchUnset Switch = ""
	SwitchYes   Switch = "yes"
	SwitchNo    Switch = "no"
)

// Device is what POP3 sessions with a credential go by: its own policies, and
// the account's where it has none.
type Device struct {
	Label    string // of the credential
	Delete   DeletePolicy
	See      SeeRule
	From     MessageID // the first message of since-now, 0 under other rules
	MarkSeen bool      // RETR marks \Seen, at QUIT
}

// Since is the INTERNALDATE from which on a device sees mail; 0: of any date.
func (d *Device) Since(now time.Time) uint32 {
	days := d.See.Days()
	if days == 0 {
		return 0
	}
	return ClampTime(now.AddDate(0, 0, -days))
}

// DeviceOf puts a credential's policies and its account's together.
func DeviceOf(a Account, c Credential) Device {
	d := Device{Label: c.Label, Delete: c.POP3Delete, See: c.POP3See, MarkSeen: c.POP3MarkSeen == SwitchYes}
	if d.Delete == "" {
		d.Delete = a.POP3Delete
	}
	from := c.POP3From
	if d.See == "" {
		// "Now" is when the account's rule was set or, for later credentials,
		// when they were made.
		d.See, from = a.POP3See, max(a.POP3From, c.Born)
	}
	if d.See == SeeSinceNow {
		d.From = from
	}
	if c.POP3MarkSeen == SwitchUnset {
		d.MarkSeen = a.POP3MarkSeen
	}
	return d
}

// Device gives what POP3 sessions of a credential go by. NotFound when it was
// revoked or has expired.
func (s *Store) Device(ctx context.Context, account AccountID, id CredentialID) (Device, error) {
	a, err := s.engine.Account(ctx, account)
	if err != nil {
		return Device{}, err
	}
	list, err := s.engine.Credentials(ctx, account)
	if err != nil {
		return Device{}, err
	}
	for _, c := range list {
		if c.ID == id && !c.Expired(s.opts.Now()) {
			return DeviceOf(a, c), nil
		}
	}
	return Device{}, Errorf(NotFound, "the credential was revoked")
}

// Quit is what a POP3 UPDATE state has to do.
type Quit struct {
	Deleted UIDSet // those without an entry count as done
	Seen    UIDSet // to be marked \Seen
	Policy  DeletePolicy

	// The brake on bulk deletions: DeleteExpunge is carried out as DeleteTrash
	// when the credential never deleted anything before and Deleted is more than
	// half of the Visible messages, which are more than Brake. Brake 0: never.
	Visible int
	Brake   int

	// Filled in by View.Quit.
	Retired  time.Duration // devices unused for so long are not waited for; 0: all are
	Listings []Listing     // of the account, as far as they may not be written yet
}

// QuitResult tells what Quit did.
type QuitResult struct {
	Policy  DeletePolicy // as carried out
	Bulk    bool         // the conditions of the brake held, whatever the policy
	Deleted int          // entries that were there to be deleted
	Left    int          // entries that left the mailbox
}

// Listing says that a device has listed a maildrop: what lies below Next, as far
// as its rule lets it see that. Those in memory are written with the account's
// next QUIT or the next upkeep, so a crash forgets at most those of sessions that
// did not end with QUIT.
type Listing struct {
	Mailbox    MailboxID
	Credential CredentialID
	Next       UID
	Time       time.Time
}

type listingKey struct {
	mailbox    MailboxID
	credential CredentialID
}

// NoteListed says that the actor's credential has listed the mailbox as a POP3
// maildrop. It does not wait for the writer.
func (v *View) NoteListed() {
	v.s.usesMu.Lock()
	defer v.s.usesMu.Unlock()
	v.s.listed[listingKey{v.row.ID, v.by.Credential}] = Listing{v.row.ID, v.by.Credential, v.next, v.s.opts.Now()}
}

// listings gives those of an account that are in memory, or of all with 0.
func (s *Store) listings(account AccountID) (list []Listing) {
	s.usesMu.Lock()
	defer s.usesMu.Unlock()
	for k, l := range s.listed {
		if account == 0 || k.mailbox.Account() == account {
			list = append(list, l)
		}
	}
	return list
}

// NewlyListed reports whether the actor's credential has listed more of the
// mailbox than is on disk, as far as is known since the store was opened.
func (v *View) NewlyListed() bool {
	v.s.usesMu.Lock()
	defer v.s.usesMu.Unlock()
	k := listingKey{v.row.ID, v.by.Credential}
	return v.s.listed[k].Next > v.s.written[k]
}

// flushListings writes them.
func (s *Store) flushListings(ctx context.Context) error {
	list := s.listings(0)
	if len(list) == 0 {
		return nil
	}
	if err := s.engine.NoteListings(ctx, list); err != nil {
		return err
	}
	s.listingsWritten(list)
	return nil
}

func (s *Store) listingsWritten(list []Listing) {
	s.usesMu.Lock()
	defer s.usesMu.Unlock()
	for _, l := range list {
		k := listingKey{l.Mailbox, l.Credential}
		s.written[k] = max(s.written[k], l.Next)
		if s.listed[k] == l {
			delete(s.listed, k)
		}
	}
}

// Quit is a POP3 UPDATE state; see DeviceEngine.
func (v *View) Quit(ctx context.Context, q Quit) (QuitResult, error) {
	q.Retired, q.Listings = v.s.opts.DeviceRetired, v.s.listings(v.row.ID.Account())
	res, err := v.s.engine.Quit(ctx, v.by, v.row.ID, q)
	if err == nil {
		v.s.listingsWritten(q.Listings)
	}
	return res, err
}

// Hidden gives the messages that the actor's credential deleted in the view's
// mailbox under DeleteKeep or DeleteShared, ascending; some may be gone.
func (v *View) Hidden(ctx context.Context) ([]MessageID, error) {
	return v.s.engine.Hidden(ctx, v.row.ID, v.by.Credential)
}

// NewCredential is an app password to be made.
type NewCredential struct {
	Label        string
	Hash         string
	KeepScheme   bool
	Keys         *ScramKeys // under the salt of the account's other keys; nil: none
	Scope        Scope
	Expires      time.Time // zero: never
	POP3Delete   DeletePolicy
	POP3See      SeeRule
	POP3MarkSeen Switch
}

// CredentialUpdate changes the fields that are not nil.
type CredentialUpdate struct {
	Scope        *Scope
	Expires      *time.Time // zero: never
	POP3Delete   *DeletePolicy
	POP3See      *SeeRule
	POP3MarkSeen *Switch
}

const maxLabel = 64 // bytes

// checkLabel refuses what could not be told apart from the account's own
// password, or be printed in a line.
func checkLabel(label string) error {
	bad := label == "" || len(label) > maxLabel || strings.TrimSpace(label) != label
	for _, r := range label {
		bad = bad || r < ' ' || r == 0x7f || r == 0xfffd
	}
	if bad {
		return Errorf(Invalid, "label %q: want 1 to %d bytes in one line", label, maxLabel)
	}
	return nil
}

func checkPolicies(del *DeletePolicy, see *SeeRule, mark *Switch, scope *Scope) error {
	switch {
	case del != nil && *del != "" && !del.Valid():
		return Errorf(Invalid, "no policy %q (trash, expunge, keep or shared)", *del)
	case see != nil && *see != "" && !see.Valid():
		return Errorf(Invalid, "no rule %q (all, since-now, days=N or newest=N)", *see)
	case mark != nil && *mark != SwitchUnset && *mark != SwitchYes && *mark != SwitchNo:
		return Errorf(Invalid, "%q is neither yes nor no", *mark)
	case scope != nil && (*scope == 0 || *scope&^ScopeAll != 0):
		return Errorf(Invalid, "a credential is good for one protocol at least")
	}
	return nil
}

// MaxCredentials is how many app passwords an account may have.
const MaxCredentials = 100

// AddCredential makes an app password. Exists while another has its label, Limit
// above MaxCredentials.
func (s *Store) AddCredential(ctx context.Context, account AccountID, n NewCredential) (Credential, error) {
	if err := checkLabel(n.Label); err != nil {
		return Credential{}, err
	}
	if err := checkPolicies(&n.POP3Delete, &n.POP3See, &n.POP3MarkSeen, &n.Scope); err != nil {
		return Credential{}, err
	}
	defer s.accountsChanged()
	return s.engine.AddCredential(ctx, account, n)
}

// UpdateCredential changes an app password. NotFound if there is none of that
// label.
func (s *Store) UpdateCredential(ctx context.Context, account AccountID, label string, u CredentialUpdate) error {
	if err := checkLabel(label); err != nil {
		return err
	}
	if err := checkPolicies(u.POP3Delete, u.POP3See, u.POP3MarkSeen, u.Scope); err != nil {
		return err
	}
	defer s.accountsChanged()
	return s.engine.UpdateCredential(ctx, account, label, u)
}

// RevokeCredential ends an app password and the sessions that were begun with
// it. What it alone held back under DeleteShared goes to Trash.
func (s *Store) RevokeCredential(ctx context.Context, account AccountID, label string) error {
	if err := checkLabel(label); err != nil {
		return err
	}
	defer s.accountsChanged()
	id, err := s.engine.RevokeCredential(ctx, account, label)
	if err != nil {
		return err
	}
	s.hangUp(id)
	if err := s.releaseMail(ctx); err != nil {
		return fmt.Errorf("the credential is revoked; what it held back waits for the next upkeep: %w", err)
	}
	return nil
}

// releaseMail moves what no device holds back any more.
func (s *Store) releaseMail(ctx context.Context) error {
	if err := s.flushListings(ctx); err != nil {
		return err
	}
	return s.engine.Release(ctx, s.opts.DeviceRetired)
}

// leastDays holds the answer of LeastDays until accounts change: every stranger
// may ask.
type leastDays struct {
	mu      sync.Mutex
	changes int
	known   bool
	days    int
}

// LeastDays is the smallest N of the rules days=N that accounts and credentials
// have; 0: none has one.
func (s *Store) LeastDays(ctx context.Context) (int, error) {
	c := &s.least
	c.mu.Lock()
	days, known, changes := c.days, c.known, c.changes
	c.mu.Unlock()
	if known {
		return days, nil
	}
	days, err := s.engine.LeastDays(ctx)
	if err != nil {
		return 0, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changes == changes {
		c.known, c.days = true, days
	}
	return days, nil
}

func (c *leastDays) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known = false
	c.changes++
}

// accountsChanged forgets what is kept in memory of all accounts together.
func (s *Store) accountsChanged() {
	s.scram.forget()
	s.least.forget()
}

// Expired reports whether a credential's time is over.
func (c *Credential) Expired(now time.Time) bool {
	return !c.Expires.IsZero() && !now.Before(c.Expires)
}

// Credentials lists an account's credentials that are not revoked, its own
// password first. Uses that are not on disk yet are in it.
func (s *Store) Credentials(ctx context.Context, account AccountID) ([]Credential, error) {
	list, err := s.engine.Credentials(ctx, account)
	s.usesMu.Lock()
	defer s.usesMu.Unlock()
	for i := range list {
		c := &list[i]
		if u, ok := s.uses[c.ID]; ok && !u.Time.Before(c.LastUsed) {
			c.LastUsed, c.LastAddr, c.LastClient = u.Time, cmp.Or(u.Addr, c.LastAddr), cmp.Or(u.Client, c.LastClient)
		}
	}
	return list, err
}
