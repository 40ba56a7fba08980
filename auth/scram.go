package auth

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"log/slog"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/xdg-go/scram"

	"tandem/store"
)

// SCRAM says when SCRAM is offered.
type SCRAM string

// The values of SCRAM.
const (
	SCRAMOff  SCRAM = "off" // never, and no keys are made; the default
	SCRAMOn   SCRAM = "on"  // always: who has no keys yet cannot log in with it
	SCRAMAuto SCRAM = "auto"
	// SCRAMAuto offers it when each credential of every enabled account has
	// keys: clients take the strongest mechanism offered and try no other.
)

const (
	// RFC 7677 section 4 asks for 4,096 at least; Cyrus SASL's client, which
	// mbsync uses, takes 65,536 at most.
	scramIterations = 50_000
	scramSalt       = 16 // bytes

	stateTime = 5 * time.Second // for the store to say whether SCRAM is offered
)

// scramHash is SCRAM with one hash function.
type scramHash struct {
	name  string
	hash  scram.HashGeneratorFcn
	size  int // of the hash
	ready func(store.ScramState) bool
	keys  func(*store.ScramKeys) []byte
}

var (
	scramSHA256 = scramHash{"SCRAM-SHA-256", scram.SHA256, 32, // RFC 7677
		func(s store.ScramState) bool { return s.SHA256 }, func(k *store.ScramKeys) []byte { return k.SHA256 }}
	scramSHA1 = scramHash{"SCRAM-SHA-1", scram.SHA1, 20, // RFC 5802
		func(s store.ScramState) bool { return s.SHA1 }, func(k *store.ScramKeys) []byte { return k.SHA1 }}
)

// mechanism gives the SASL mechanism, with or without channel binding.
func (h scramHash) mechanism(plus bool) mechanism {
	name := h.name
	if plus {
		name += "-PLUS"
	}
	return mechanism{
		name: name,
		offered: func(a *Authenticator, at Attempt) bool {
			return a.offersSCRAM(h, at) && (!plus || bindingOf(at).IsSupported())
		},
		start: func(x *Exchange) sasl.Server { return &scramServer{x: x, hash: h, plus: plus} },
	}
}

func (a *Authenticator) offersSCRAM(h scramHash, at Attempt) bool {
	if at.Scope == store.ScopeSMTP || h.name == scramSHA1.name && !a.sha1 {
		return false // a mail server asks once what there is, and keeps it
	}
	if a.scram != SCRAMAuto {
		return a.scram == SCRAMOn
	}
	ctx, cancel := context.WithTimeout(context.Background(), stateTime)
	defer cancel()
	state, err := a.accounts.Scram(ctx)
	return err == nil && h.ready(state)
}

// bindingOf gives what binds a login to its connection: tls-exporter (RFC 9266),
// which needs TLS 1.3.
//
// POP3 has none. Work-around for mutt 2.2.12 and neomutt 20220429 as of Debian 12
// (2026-11-23): they choose -PLUS without having the binding, and their POP3 takes
// the answer to its cancellation for that to the next command; no login is left.
func bindingOf(at Attempt) scram.ChannelBinding {
	if at.Scope == store.ScopePOP3 {
		return scram.ChannelBinding{}
	}
	if at.Conn == nil || at.Conn.Version < tls.VersionTLS13 {
		return scram.ChannelBinding{}
	}
	data, err := at.Conn.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
	if err != nil {
		return scram.ChannelBinding{}
	}
	return scram.ChannelBinding{Type: scram.ChannelBindingTLSExporter, Data: data}
}

// MakeScramKeys makes the keys of a password under a new salt, those for
// SCRAM-SHA-1 only if asked. nil: SASLprep (RFC 4013) refuses the password.
func MakeScramKeys(password string, sha1 bool) *store.ScramKeys {
	salt := make([]byte, scramSalt)
	rand.Read(salt) // never fails
	return scramKeys(password, salt, scramIterations, sha1)
}

// MoreScramKeys makes the keys of a further password of an account, under the
// salt that its other keys have (nil: there are none yet).
func MoreScramKeys(password string, others *store.ScramKeys, sha1 bool) *store.ScramKeys {
	if others == nil {
		return MakeScramKeys(password, sha1)
	}
	return scramKeys(password, others.Salt, others.Iterations, sha1)
}

// ImportScramKeys makes keys for what ImportHash was given, when that tells the
// password; else nil.
func ImportScramKeys(hash string, sha1 bool) *store.ScramKeys {
	password, ok := plainPassword(hash)
	if !ok {
		return nil
	}
	return MakeScramKeys(password, sha1)
}

func scramKeys(password string, salt []byte, iterations int, sha1 bool) *store.ScramKeys {
	keys := &store.ScramKeys{Salt: salt, Iterations: iterations}
	if keys.SHA256 = scramSHA256.derive(password, keys); keys.SHA256 == nil {
		return nil
	}
	if sha1 {
		keys.SHA1 = scramSHA1.derive(password, keys)
	}
	return keys
}

// derive gives StoredKey and ServerKey, or nil.
func (h scramHash) derive(password string, k *store.ScramKeys) []byte {
	client, err := h.hash.NewClient("", password, "")
	if err != nil || password == "" {
		return nil
	}
	made, err := client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: string(k.Salt), Iters: k.Iterations})
	if err != nil {
		return nil
	}
	return append(made.StoredKey, made.ServerKey...)
}

// missingKeys makes the keys that a credential lacks, of its password. nil:
// none are missing, or there can be none.
func (a *Authenticator) missingKeys(c store.Credential, password string) *store.ScramKeys {
	k := c.Keys
	switch {
	case a.scram == SCRAMOff:
		return nil
	case k == nil:
		k = MakeScramKeys(password, a.sha1)
	case k.SHA256 != nil && (k.SHA1 != nil || !a.sha1):
		return nil
	default:
		k = scramKeys(password, k.Salt, k.Iterations, a.sha1)
	}
	if k == nil {
		a.log.Info("no SCRAM keys can be made of the password: SASLprep refuses it", "credential", int64(c.ID))
	}
	return k
}

// scramServer is SCRAM's server. All credentials of an account have one salt,
// so there is a conversation for each, alike up to the client's proof, which is
// tried against them all.
type scramServer struct {
	x    *Exchange
	hash scramHash
	plus bool

	step    int // messages of the client that were taken
	account store.Account
	creds   []store.Credential // with keys; none: the account cannot log in so
	talks   []*scram.ServerConversation
	unfit   string // for the log: why there are no creds
	broken  error  // of the store
}

// Next implements sasl.Server.
func (s *scramServer) Next(response []byte) (challenge []byte, done bool, err error) {
	if response == nil && s.step == 0 {
		return []byte{}, false, nil
	}
	s.step++
	switch s.step {
	case 1:
		challenge, err = s.first(response)
		return challenge, false, err
	case 2:
		challenge, err = s.final(response)
		return challenge, false, err
	case 3: // the client has checked our signature
		if len(response) == 0 && s.x.id.Account != 0 {
			return nil, true, nil
		}
	}
	return nil, false, ErrMalformed
}

// first takes client-first-message and gives server-first-message (RFC 5802
// section 5).
func (s *scramServer) first(message []byte) ([]byte, error) {
	// RFC 5802 section 6: "p" belongs to the -PLUS mechanism and to no other.
	if bytes.HasPrefix(message, []byte("p=")) != s.plus {
		return nil, ErrMalformed
	}
	nonce := rand.Text()
	answer, err := s.talk(nonce, s.lookup).Step(string(message))
	if err != nil {
		return nil, s.refuse(answer, err)
	}
	for i := range s.creds[min(1, len(s.creds)):] {
		found := s.stored(s.creds[i+1])
		_, err := s.talk(nonce, func(string) (scram.StoredCredentials, error) { return found, nil }).Step(string(message))
		if err != nil {
			return nil, ErrMalformed
		}
	}
	return []byte(answer), nil
}

// talk begins a conversation. With the connection's channel binding it refuses a
// client that believes there is none here: somebody took -PLUS out of the list
// of mechanisms (RFC 5802 section 6).
func (s *scramServer) talk(nonce string, find scram.CredentialLookup) *scram.ServerConversation {
	server, err := s.hash.hash.NewServer(find)
	if err != nil {
		panic("auth: SCRAM: " + err.Error()) // it never fails
	}
	t := server.WithNonceGenerator(func() string { return nonce }).NewConversationWithChannelBinding(bindingOf(s.x.at))
	s.talks = append(s.talks, t)
	return t
}

// lookup finds the keys of the account's first credential, or some that nobody
// has: a stranger must not see who has an account.
func (s *scramServer) lookup(login string) (scram.StoredCredentials, error) {
	a, at := s.x.auth, &s.x.at
	s.x.given = login
	a.named(s.x.ctx, at, login)
	login = at.Login
	state, err := a.accounts.Scram(s.x.ctx)
	var creds []store.Credential
	if err == nil && len(login) <= maxLogin {
		s.account, creds, err = a.accounts.FindLogin(s.x.ctx, login)
	}
	if err != nil && store.KindOf(err) != store.NotFound {
		s.broken = err
		return scram.StoredCredentials{}, err
	}
	fake := scram.StoredCredentials{StoredKey: make([]byte, s.hash.size), ServerKey: make([]byte, s.hash.size)}
	rand.Read(fake.StoredKey) // never fails
	salt := hmac.New(sha256.New, state.Secret)
	salt.Write([]byte(a.accounts.FoldLogin(login)))
	fake.KeyFactors = scram.KeyFactors{Salt: string(salt.Sum(nil)[:scramSalt]), Iters: scramIterations}
	s.unfit = "unknown user"
	for _, c := range creds {
		s.unfit = "no SCRAM keys for this protocol"
		if c.Keys == nil {
			continue
		}
		fake.KeyFactors = scram.KeyFactors{Salt: string(c.Keys.Salt), Iters: c.Keys.Iterations}
		if at.Scope != 0 && c.Scope&at.Scope == at.Scope && len(s.hash.keys(c.Keys)) == 2*s.hash.size {
			s.creds = append(s.creds, c)
		}
	}
	if len(s.creds) == 0 {
		return fake, nil
	}
	return s.stored(s.creds[0]), nil
}

func (s *scramServer) stored(c store.Credential) scram.StoredCredentials {
	keys := s.hash.keys(c.Keys)
	return scram.StoredCredentials{
		KeyFactors: scram.KeyFactors{Salt: string(c.Keys.Salt), Iters: c.Keys.Iterations},
		StoredKey:  keys[:s.hash.size], ServerKey: keys[s.hash.size:],
	}
}

// final takes client-final-message and gives server-final-message.
func (s *scramServer) final(message []byte) (answer []byte, err error) {
	var problem string
	for i, t := range s.talks {
		text, wrong := t.Step(string(message))
		switch {
		case wrong != nil:
			problem, err = text, wrong
		case i < len(s.creds):
			return []byte(text), s.proved(s.creds[i], t.AuthzID())
		}
	}
	return nil, s.refuse(problem, err)
}

// proved ends the exchange for a client that has the password of c.
func (s *scramServer) proved(c store.Credential, authzid string) error {
	a, at := s.x.auth, s.x.at
	if !s.account.Enabled {
		return a.refused(s.x.ctx, at, "account disabled")
	}
	return s.x.admit(authzid, s.account, c)
}

// refuse ends the exchange; problem is what SCRAM would say to the client.
func (s *scramServer) refuse(problem string, err error) error {
	a, at := s.x.auth, s.x.at
	at.Password = rand.Text() // for the limiter: each failure is another guess
	switch {
	case s.broken != nil:
		a.logAttempt(at, undecided(s.x.ctx, s.broken), "login not decided", "err", s.broken)
		return ErrBusy
	case !strings.HasPrefix(problem, "e="):
		return ErrMalformed
	case problem != scram.ErrInvalidProof:
		return a.refused(s.x.ctx, at, "SCRAM: "+strings.TrimPrefix(problem, "e="))
	case len(s.creds) == 0:
		return a.refused(s.x.ctx, at, s.unfit)
	}
	return a.refused(s.x.ctx, at, "wrong password")
}

// admit ends an exchange whose client proved that it is acct. authzid is whom it
// wants to act as, "" for itself.
func (x *Exchange) admit(authzid string, acct store.Account, c store.Credential) error {
	if authzid != "" && authzid != x.given && !strings.EqualFold(prepare(authzid), acct.Name) {
		x.auth.logAttempt(x.at, slog.LevelWarn, "login refused: may not act as that user", "as", logString(authzid))
		return ErrNotAuthorized
	}
	x.id = x.auth.admitted(x.at, acct, c)
	return nil
}
