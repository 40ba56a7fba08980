package auth

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"time"

	"tandem/store"
)

// What a login can end with besides an Identity. Front ends tell them apart
// with errors.Is.
var (
	// ErrFailed is the one answer to a wrong name or password, a disabled
	// account or a missing scope. IMAP: NO [AUTHENTICATIONFAILED] (RFC 5530
	// section 3); POP3: -ERR [AUTH] (RFC 3206 section 5).
	ErrFailed = errors.New("authentication failed")
	// ErrBusy says that nothing was decided: too many logins wait, or the store
	// does not answer. Say goodbye rather than no, or clients ask their users
	// for a new password. IMAP: BYE [UNAVAILABLE]; POP3: -ERR [SYS/TEMP].
	ErrBusy = errors.New("temporary authentication failure")
	// ErrPrivacyRequired says that passwords are not taken without TLS here.
	// IMAP: NO [PRIVACYREQUIRED] (RFC 5530 section 3).
	ErrPrivacyRequired = errors.New("password refused without TLS")
	// ErrNotAuthorized says that the password was right, but the client asked
	// to act as somebody else. IMAP: NO [AUTHORIZATIONFAILED] (RFC 5530 section 3).
	ErrNotAuthorized = errors.New("not authorized to act as that user")
	// ErrMechanism says that there is no such SASL mechanism.
	ErrMechanism = errors.New("unsupported authentication mechanism")
	// ErrMalformed says that a SASL response was not what its mechanism has.
	// IMAP: BAD.
	ErrMalformed = errors.New("malformed authentication response")
)

// The most that is looked at; what is longer fails like any wrong password.
const (
	maxLogin    = 255  // bytes
	maxPassword = 1024 // bytes
)

// Plaintext says where passwords are taken before TLS.
type Plaintext string

// The values of Plaintext.
const (
	PlaintextLoopback Plaintext = "loopback" // from this host only; the default
	PlaintextNever    Plaintext = "never"
	PlaintextAlways   Plaintext = "always"
)

// Config configures an Authenticator. The zero value takes passwords before TLS
// from loopback only and does not delay failures.
type Config struct {
	Plaintext Plaintext // "" is PlaintextLoopback

	// Trusted are networks many people share (webmail, a proxy): failures from
	// there are counted by address and login, as those from this host are.
	Trusted []netip.Prefix

	SCRAM     SCRAM // "" is SCRAMOff
	SCRAMSHA1 bool  // offer SCRAM-SHA-1 beside SCRAM-SHA-256

	OAuth       OAuth // where access tokens are checked
	ClientCerts bool  // verified certificates of clients name accounts

	FailedLoginDelay    bool // whether failing replies wait
	FailedLoginsPending int  // replies to one source that wait at once; 0 is no limit
	Hashes              int  // computed at once; 0 is the number of cores
	HashesWaiting       int  // logins that wait to be hashed; 0 is no limit

	Log *slog.Logger // nil is slog.Default
}

// Accounts is what auth needs of the store; *store.Store has it.
type Accounts interface {
	FindLogin(ctx context.Context, login string) (store.Account, []store.Credential, error)
	SetCredentialHash(ctx context.Context, id store.CredentialID, old, hash string) error
	SetScramKeys(ctx context.Context, id store.CredentialID, hash string, keys store.ScramKeys) error
	Scram(ctx context.Context) (store.ScramState, error)
	FoldLogin(login string) string
	TouchCredential(u store.CredentialUse)
}

// Attempt is one try to log in.
type Attempt struct {
	Login    string
	Password string
	Scope    store.Scope          // what the identity is for
	Remote   netip.Addr           // the client's address; the zero Addr is a unix socket
	TLS      bool                 // the client's connection is private
	Conn     *tls.ConnectionState // of the client's connection; nil: no TLS, or it ends elsewhere
	Protocol string               // for the log: "imap", "pop3", "smtp"
	Session  string               // for the log

	// Mailboxes says that a login may be name+mailbox; see Identity.Mailbox.
	Mailboxes bool
	mailbox   string // of such a login

	// MaxDelay bounds the wait of a failing reply, for callers that give up
	// earlier. Zero is no bound but ctx's.
	MaxDelay time.Duration
}

// Identity is who a client proved to be.
type Identity struct {
	Account    store.AccountID
	Name       string // of the account, as it is stored
	Credential store.CredentialID
	Label      string      // of the credential; "" is the account's own password
	Scope      store.Scope // what the credential is good for
	Mailbox    string      // what the login named behind a plus, as the client wrote it; "" for none
}

// Authenticator checks logins. It is safe for concurrent use.
type Authenticator struct {
	accounts    Accounts
	log         *slog.Logger
	plaintext   Plaintext
	scram       SCRAM
	sha1        bool
	slots       *slots
	cache       *cache
	limiter     *limiter // nil: failures do not wait
	tokens      *tokens  // nil: no access tokens
	clientCerts bool
	dummy       matcher // of a hash that nobody has, to be as slow for unknown names

	rehashing sync.WaitGroup
}

// New returns an Authenticator over accounts.
func New(accounts Accounts, cfg Config) *Authenticator {
	a := &Authenticator{
		accounts:    accounts,
		log:         cfg.Log,
		plaintext:   cfg.Plaintext,
		scram:       cfg.SCRAM,
		clientCerts: cfg.ClientCerts,
		sha1:        cfg.SCRAMSHA1,
		cache:       newCache(),
	}
	if a.log == nil {
		a.log = slog.Default()
	}
	if a.plaintext == "" {
		a.plaintext = PlaintextLoopback
	}
	if a.scram == "" {
		a.scram = SCRAMOff
	}
	if cfg.OAuth.enabled() {
		a.tokens = newTokens(cfg.OAuth)
	}
	if cfg.FailedLoginDelay {
		a.limiter = newLimiter(cfg.Trusted, cfg.FailedLoginsPending)
	}
	hashes := cfg.Hashes
	if hashes <= 0 {
		hashes = runtime.GOMAXPROCS(0)
	}
	a.slots = newSlots(hashes, cfg.HashesWaiting)
	dummy, err := parseHash(hashPrefix() + strings.Repeat("A", 22) + "$" + strings.Repeat("A", 43))
	if err != nil {
		panic("auth: dummy hash: " + err.Error()) // a programming error in this package
	}
	a.dummy = dummy
	return a
}

// Close waits for what logins left to be written (new hashes).
func (a *Authenticator) Close() { a.rehashing.Wait() }

// PasswordsAllowed reports whether a password may be sent over a connection:
// it is private, or the policy does not mind.
func (a *Authenticator) PasswordsAllowed(tls bool, remote netip.Addr) bool {
	switch {
	case tls || a.plaintext == PlaintextAlways:
		return true
	case a.plaintext == PlaintextNever:
		return false
	}
	return !remote.IsValid() || remote.Unmap().IsLoopback()
}

// Verify checks a login and its password. A failing reply has waited when it
// comes back; a right password never does. See the errors of this package for
// what else may come.
func (a *Authenticator) Verify(ctx context.Context, at Attempt) (Identity, error) {
	if !a.PasswordsAllowed(at.TLS, at.Remote) {
		a.logAttempt(at, slog.LevelWarn, "login refused: no TLS")
		return Identity{}, ErrPrivacyRequired
	}
	a.named(ctx, &at, at.Login)
	cred, acct, reason, err := a.check(ctx, at)
	switch {
	case err != nil:
		a.logAttempt(at, undecided(ctx, err), "login not decided", "err", err)
		return Identity{}, ErrBusy
	case reason != "":
		return Identity{}, a.refused(ctx, at, reason)
	}
	return a.admitted(at, acct, cred), nil
}

// refused ends an attempt that failed, after its wait. reason is for the log.
func (a *Authenticator) refused(ctx context.Context, at Attempt, reason string) error {
	a.logAttempt(at, slog.LevelWarn, "login failed", "reason", reason)
	a.delay(ctx, at)
	return ErrFailed
}

// admitted notes a login and gives its identity.
func (a *Authenticator) admitted(at Attempt, acct store.Account, cred store.Credential) Identity {
	if a.limiter != nil {
		a.limiter.success(at.Remote, at.Login)
	}
	a.accounts.TouchCredential(store.CredentialUse{
		Credential: cred.ID, Time: time.Now(), Addr: addrString(at.Remote), Client: at.Protocol,
	})
	a.logAttempt(at, slog.LevelInfo, "login", "account", acct.Name, "credential", cred.Label)
	return Identity{
		Account: acct.ID, Name: acct.Name,
		Credential: cred.ID, Label: cred.Label, Scope: cred.Scope, Mailbox: at.mailbox,
	}
}

// undecided says how bad it is that a login was not decided.
func undecided(ctx context.Context, err error) slog.Level {
	switch {
	case ctx.Err() != nil: // the client is gone, or the server stops
		return slog.LevelInfo
	case errors.Is(err, ErrBusy): // a limit was hit
		return slog.LevelWarn
	}
	return slog.LevelError
}

// delay holds a failing reply back.
func (a *Authenticator) delay(ctx context.Context, at Attempt) {
	if a.limiter == nil {
		return
	}
	if at.MaxDelay > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, at.MaxDelay)
		defer cancel()
	}
	a.limiter.failure(ctx, at.Remote, at.Login, at.Password)
}

// check finds the credential that at proves. reason, for the log, says why
// there is none; err that it could not be found out.
func (a *Authenticator) check(ctx context.Context, at Attempt) (c store.Credential, acct store.Account, reason string, err error) {
	var creds []store.Credential
	if len(at.Login) <= maxLogin && len(at.Password) <= maxPassword {
		acct, creds, err = a.accounts.FindLogin(ctx, at.Login)
		if err != nil && store.KindOf(err) != store.NotFound {
			return c, acct, "", err
		}
	}
	unknown := err != nil || acct.ID == 0
	usable := creds[:0:0]
	for _, c := range creds {
		if at.Scope != 0 && c.Scope&at.Scope == at.Scope {
			usable = append(usable, c)
		}
	}
	// App passwords first: they were made at random and are quick to check.
	if len(usable) > 1 && usable[0].Label == "" {
		usable = append(usable[1:], usable[0])
	}
	c, ok, err := a.match(ctx, usable, at.Password)
	switch {
	case err != nil:
		return c, acct, "", err
	case unknown:
		reason = "unknown user"
	case len(usable) == 0:
		reason = "no credential for this protocol"
	case !ok:
		reason = "wrong password"
	case !acct.Enabled:
		reason = "account disabled"
	}
	return c, acct, reason, nil
}

// match returns the credential whose password it is. Its work is the same for
// an account without credentials as for one with a hash of ours.
func (a *Authenticator) match(ctx context.Context, creds []store.Credential, password string) (store.Credential, bool, error) {
	for _, c := range creds {
		if a.cache.has(c.ID, c.Hash, password) {
			return c, true, nil
		}
	}
	if err := a.slots.acquire(ctx); err != nil {
		return store.Credential{}, false, err
	}
	defer a.slots.release()
	worked, list := false, forms(password)
	for _, c := range creds {
		m, err := parseHash(c.Hash)
		if err != nil {
			a.log.Error("stored hash cannot be verified", "credential", int64(c.ID), "err", err)
			continue
		}
		for _, form := range list {
			// C's crypt(3) stops at a NUL; we do not let the rest go unlooked at.
			if m([]byte(form)) && form != "" && !strings.Contains(form, "\x00") {
				a.cache.add(c.ID, c.Hash, password)
				a.renew(ctx, c, form)
				return c, true, nil
			}
		}
		worked = worked || upToDate(c.Hash)
	}
	if !worked {
		for _, form := range list {
			a.dummy([]byte(form))
		}
	}
	return store.Credential{}, false, nil
}

// renew gives a credential that was imported a hash of ours, and SCRAM keys to
// one that has none. The writing is not waited for: no login waits for the
// store's writer.
func (a *Authenticator) renew(ctx context.Context, c store.Credential, password string) {
	keys := a.missingKeys(c, password)
	hash := c.Hash
	if !c.KeepScheme && !upToDate(c.Hash) {
		hash = HashPassword(password)
	}
	if hash == c.Hash && keys == nil {
		return
	}
	ctx = context.WithoutCancel(ctx)
	a.rehashing.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		if hash != c.Hash {
			if err := a.accounts.SetCredentialHash(ctx, c.ID, c.Hash, hash); err != nil {
				a.log.Warn("password not re-hashed, the next login tries again", "credential", int64(c.ID), "err", err)
				return
			}
			a.cache.add(c.ID, hash, password)
		}
		if keys == nil {
			return
		}
		if err := a.accounts.SetScramKeys(ctx, c.ID, hash, *keys); err != nil {
			a.log.Warn("SCRAM keys not kept, a later login tries again", "credential", int64(c.ID), "err", err)
		}
	})
}

func (a *Authenticator) logAttempt(at Attempt, level slog.Level, msg string, more ...any) {
	args := append([]any{
		"protocol", at.Protocol, "session", at.Session, "login", logString(at.Login),
		"remote", addrString(at.Remote), "tls", at.TLS,
	}, more...)
	a.log.Log(context.Background(), level, msg, args...)
}

// logString bounds what a stranger can put into one line of the log; the
// handler quotes it.
func logString(s string) string {
	if len(s) > 256 {
		s = s[:256]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

func addrString(a netip.Addr) string {
	if !a.IsValid() {
		return "local"
	}
	return a.Unmap().String()
}
