package store

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Scope is a set of protocols a credential is good for.
type Scope uint8

// The scopes. A new account's password has ScopeAll.
const (
	ScopeIMAP Scope = 1 << iota
	ScopePOP3
	ScopeSMTP
	ScopeWeb

	ScopeAll = ScopeIMAP | ScopePOP3 | ScopeSMTP | ScopeWeb
)

// Account is one person's mail: the owner of mailboxes, keywords, counters.
type Account struct {
	ID      AccountID
	Name    string // lower case, "alice" or "alice@example.org"
	Enabled bool
	Created time.Time
	Admin   bool      // may set the quotas of all accounts
	Used    Resources // what its mailboxes hold
	Quota   Resources // what they may hold; the server's defaults are filled in

	// What holds for credentials that say nothing of their own; see Device.
	POP3Delete   DeletePolicy
	POP3See      SeeRule
	POP3From     MessageID // the next message when since-now was set
	POP3MarkSeen bool
}

// Credential is one password of an account.
type Credential struct {
	ID         CredentialID
	Account    AccountID
	Label      string     // "" for the account's own password
	Hash       string     // "$argon2id$..." or Dovecot's "{SCHEME}..."
	KeepScheme bool       // true: never re-hash at login
	Keys       *ScramKeys // nil: the account has no salt yet
	Scope      Scope
	Created    time.Time
	LastUsed   time.Time // zero: never
	LastAddr   string
	LastClient string    // what it called itself, else its protocol; "": not known
	Expires    time.Time // zero: never

	// Policies of its own; zero values are the account's. See Device.
	POP3Delete   DeletePolicy
	POP3See      SeeRule
	POP3From     MessageID // the next message when since-now was set
	POP3MarkSeen Switch
	Born         MessageID // the next message when it was made
}

// NewAccount is what CreateAccounts makes.
type NewAccount struct {
	Name       string
	Hash       string
	KeepScheme bool
	Keys       *ScramKeys // of the password; nil: none
	Admin      bool
}

// AccountUpdate changes the fields that are not nil.
type AccountUpdate struct {
	Enabled      *bool
	POP3Delete   *DeletePolicy
	POP3See      *SeeRule
	POP3MarkSeen *bool
	Password     *NewPassword
	Admin        *bool

	// Limits of the quota: 0 for none, QuotaDefault for the server's.
	MaxStorage   *int64 // octets
	MaxMessages  *int64
	MaxMailboxes *int64
}

// NewPassword replaces the account's own password.
type NewPassword struct {
	Hash       string
	KeepScheme bool
	Keys       *ScramKeys // nil: none
}

// CredentialUse is one successful login, for the last-use columns.
type CredentialUse struct {
	Credential CredentialID
	Time       time.Time
	Addr       string
	Client     string // what the client called itself, or its protocol; "": the last one stays
}

// CanonicalAccountName folds name to the form it is stored in and checks it:
// 1 to 255 bytes, no control characters, spaces or slashes, at most one '@'.
func CanonicalAccountName(name string) (string, error) {
	name = strings.ToLower(strings.TrimSpace(name))
	local, domain, at := strings.Cut(name, "@")
	bad := name == "" || len(name) > 255 || local == "" || at && domain == "" || strings.Contains(domain, "@")
	for _, r := range name {
		bad = bad || r <= ' ' || r == 0x7f || r == '/' || r == '\\' || r == '"' || r == '<' || r == '>' || r == ':' || r == '*' || r == '%' || r == 0xfffd
	}
	if bad {
		return "", Errorf(Invalid, "account name %q: want alice or alice@example.org", name)
	}
	return name, nil
}

// Accounts lists all accounts by name.
func (s *Store) Accounts(ctx context.Context) ([]Account, error) { return s.engine.Accounts(ctx) }

// Account finds an account by its exact name. NotFound if there is none.
func (s *Store) Account(ctx context.Context, name string) (Account, error) {
	name, err := CanonicalAccountName(name)
	if err != nil {
		return Account{}, err
	}
	return s.engine.AccountByName(ctx, name)
}

// CreateAccounts makes accounts with their standard mailboxes; all or nothing.
// A name that exists gets the new hash when replace is set, else Exists.
func (s *Store) CreateAccounts(ctx context.Context, list []NewAccount, replace bool) error {
	for i := range list {
		name, err := CanonicalAccountName(list[i].Name)
		if err != nil {
			return err
		}
		if name == Anyone || name[0] == '-' { // RFC 4314 section 2: these mean something else in an ACL
			return Errorf(Invalid, "account name %q: it would be taken for other than an account where rights are given", name)
		}
		list[i].Name = name
	}
	defer s.accountsChanged()
	return s.engine.CreateAccounts(ctx, list, replace)
}

// UpdateAccount changes an account. The sessions of one that is disabled end.
func (s *Store) UpdateAccount(ctx context.Context, id AccountID, u AccountUpdate) error {
	if u.POP3Delete != nil && !u.POP3Delete.Valid() || u.POP3See != nil && !u.POP3See.Valid() {
		return Errorf(Invalid, "no such policy")
	}
	defer s.accountsChanged()
	if err := s.engine.UpdateAccount(ctx, id, u); err != nil {
		return err
	}
	if u.Enabled != nil && !*u.Enabled {
		s.hangUpAll(id)
	}
	return nil
}

// RemoveAccount removes an account with all its mail, and what it was granted
// by others. Its sessions are ended: they might be in a mailbox that is shared
// with anyone.
func (s *Store) RemoveAccount(ctx context.Context, id AccountID) error {
	defer s.accountsChanged()
	if err := s.engine.RemoveAccount(ctx, id); err != nil {
		return err
	}
	s.hangUpAll(id)
	return nil
}

// FindLogin finds the account a login name means, with its credentials that are
// good now:
// x finds the account x, else the only account x@...; x@d finds x@d, else x
// when d is one of our domains. NotFound otherwise. Disabled accounts are
// found too; the caller refuses them.
func (s *Store) FindLogin(ctx context.Context, login string) (Account, []Credential, error) {
	a, err := s.findLogin(ctx, login)
	if err != nil {
		return Account{}, nil, err
	}
	creds, err := s.engine.Credentials(ctx, a.ID)
	now := s.opts.Now()
	creds = slices.DeleteFunc(creds, func(c Credential) bool { return c.Expired(now) })
	return a, creds, err
}

func (s *Store) findLogin(ctx context.Context, login string) (Account, error) {
	name, err := CanonicalAccountName(login)
	if err != nil {
		return Account{}, Errorf(NotFound, "no account %q", login)
	}
	local, domain, at := strings.Cut(name, "@")
	if at {
		return s.ResolveAddress(ctx, local, domain)
	}
	a, err := s.engine.AccountByName(ctx, name)
	if KindOf(err) != NotFound {
		return a, err
	}
	found, err := s.engine.AccountsByLocalPart(ctx, name)
	if err == nil && len(found) != 1 {
		err = Errorf(NotFound, "no account %q", login)
	}
	if err != nil {
		return Account{}, err
	}
	return found[0], nil
}

// ResolveAddress finds the account of a mail address: x@d, else x when d is
// one of our domains (the host name or a configured one). NotFound otherwise.
// It does not look at subaddresses.
func (s *Store) ResolveAddress(ctx context.Context, local, domain string) (Account, error) {
	local, domain = strings.ToLower(local), strings.ToLower(domain)
	a, err := s.engine.AccountByName(ctx, local+"@"+domain)
	if KindOf(err) != NotFound || !s.OwnDomain(domain) {
		return a, err
	}
	return s.engine.AccountByName(ctx, local)
}

// OwnDomain reports whether mail for x@domain may go to the account x.
func (s *Store) OwnDomain(domain string) bool {
	for _, d := range s.opts.Domains {
		if strings.EqualFold(d, domain) {
			return true
		}
	}
	return false
}

// NoteClient notes what the client of a login calls itself.
func (s *Store) NoteClient(id CredentialID, client string) {
	s.usesMu.Lock()
	defer s.usesMu.Unlock()
	u := s.uses[id]
	u.Credential, u.Client = id, client
	if u.Time.IsZero() {
		u.Time = s.opts.Now()
	}
	s.uses[id] = u
}

// SetCredentialHash replaces a credential's hash if it is still old.
func (s *Store) SetCredentialHash(ctx context.Context, id CredentialID, old, hash string) error {
	return s.engine.SetCredentialHash(ctx, id, old, hash)
}

// TouchCredential notes a successful login. It never waits: uses are gathered
// and written with the next upkeep.
func (s *Store) TouchCredential(u CredentialUse) {
	s.usesMu.Lock()
	defer s.usesMu.Unlock()
	if u.Client == "" {
		u.Client = s.uses[u.Credential].Client
	}
	s.uses[u.Credential] = u
}
