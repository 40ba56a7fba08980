package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"tandem/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// book is the store's side of auth in memory.
type book struct {
	mu       sync.Mutex
	accounts map[string]store.Account
	creds    map[store.AccountID][]store.Credential
	touched  []store.CredentialUse
	broken   error
}

func newBook() *book {
	return &book{accounts: map[string]store.Account{}, creds: map[store.AccountID][]store.Credential{}}
}

// add makes an account with one credential and returns that.
func (b *book) add(name, hash string) *store.Credential {
	b.mu.Lock()
	defer b.mu.Unlock()
	id := store.AccountID(len(b.accounts) + 1)
	b.accounts[name] = store.Account{ID: id, Name: name, Enabled: true}
	b.creds[id] = []store.Credential{{
		ID: store.CredentialID(id), Account: id, Hash: hash, Scope: store.ScopeAll,
	}}
	return &b.creds[id][0]
}

func (b *book) FindLogin(_ context.Context, login string) (store.Account, []store.Credential, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken != nil {
		return store.Account{}, nil, b.broken
	}
	a, ok := b.accounts[strings.ToLower(login)]
	if !ok {
		return a, nil, store.Errorf(store.NotFound, "no account")
	}
	return a, slices.Clone(b.creds[a.ID]), nil
}

func (b *book) SetCredentialHash(_ context.Context, id store.CredentialID, old, hash string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := &b.creds[store.AccountID(id)][0]
	if c.Hash != old {
		return store.Errorf(store.NotFound, "changed meanwhile")
	}
	c.Hash = hash
	return nil
}

func (b *book) SetScramKeys(_ context.Context, id store.CredentialID, hash string, keys store.ScramKeys) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c := &b.creds[store.AccountID(id)][0]; c.Hash == hash {
		c.Keys = &keys
	}
	return nil
}

func (b *book) Scram(context.Context) (store.ScramState, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	state := store.ScramState{Secret: make([]byte, 32), SHA256: true, SHA1: true}
	for _, list := range b.creds {
		for _, c := range list {
			state.SHA256 = state.SHA256 && c.Keys != nil && c.Keys.SHA256 != nil
			state.SHA1 = state.SHA1 && c.Keys != nil && c.Keys.SHA1 != nil
		}
	}
	return state, b.broken
}

func (b *book) FoldLogin(login string) string {
	return strings.TrimSuffix(strings.ToLower(login), "@own.example")
}

func (b *book) TouchCredential(u store.CredentialUse) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.touched = append(b.touched, u)
}

func (b *book) hash(id store.CredentialID) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.creds[store.AccountID(id)][0].Hash
}

// quick is the cheapest stored hash, for tests about other things.
func quick(password string) string { return "{PLAIN}" + password }

var here = netip.MustParseAddr("127.0.0.1")

func attempt(login, password string) Attempt {
	return Attempt{Login: login, Password: password, Scope: store.ScopeIMAP, Remote: here, TLS: true, Protocol: "imap"}
}

// open returns an Authenticator that does not wait, and its log.
func open(t testing.TB, b *book, cfg Config) (*Authenticator, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	a := New(b, cfg)
	t.Cleanup(a.Close)
	return a, &log
}

func TestRightPassword(t *testing.T) {
	b := newBook()
	b.add("alice@example.org", HashPassword("right"))
	a, log := open(t, b, Config{})
	for range 2 { // from the hash, then from the cache
		id, err := a.Verify(t.Context(), attempt("alice@example.org", "right"))
		if err != nil || id.Name != "alice@example.org" || id.Account != 1 || id.Credential != 1 {
			t.Fatalf("%+v, %v", id, err)
		}
	}
	if len(b.touched) != 2 || b.touched[0].Addr != "127.0.0.1" || b.touched[0].Time.IsZero() {
		t.Errorf("noted uses: %+v", b.touched)
	}
	if strings.Contains(log.String(), "right") {
		t.Errorf("the password is in the log: %s", log)
	}
}

func TestFailuresAreAlike(t *testing.T) {
	b := newBook()
	b.add("alice", quick("right"))
	b.add("popper", quick("right")).Scope = store.ScopePOP3
	b.add("gone", quick("right"))
	gone := b.accounts["gone"]
	gone.Enabled = false
	b.accounts["gone"] = gone
	b.add("damaged", "{NO-SUCH}x")
	b.add("empty", "{SHA256.HEX}e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
	a, log := open(t, b, Config{})
	for _, c := range []struct{ name, login, password, reason string }{
		{"wrong password", "alice", "wrong", "wrong password"},
		{"case differs", "alice", "Right", "wrong password"},
		{"unknown user", "nobody", "right", "unknown user"},
		{"no name", "", "right", "unknown user"},
		{"no password", "alice", "", "wrong password"},
		{"no password, hash of none", "empty", "", "wrong password"},
		{"NUL behind the password", "alice", "right\x00", "wrong password"},
		{"other protocol", "popper", "right", "no credential for this protocol"},
		{"disabled", "gone", "right", "account disabled"},
		{"unreadable hash", "damaged", "right", "wrong password"},
		{"long name", strings.Repeat("a", 70000), "right", "unknown user"},
		{"long password", "alice", strings.Repeat("a", 70000), "unknown user"},
	} {
		log.Reset()
		id, err := a.Verify(t.Context(), attempt(c.login, c.password))
		if err != ErrFailed || id != (Identity{}) {
			t.Errorf("%s: %+v, %v", c.name, id, err)
		}
		if !strings.Contains(log.String(), c.reason) || len(log.String()) > 2000 {
			t.Errorf("%s: log %.2000s", c.name, log)
		}
	}
	none := attempt("alice", "right")
	none.Scope = 0
	if _, err := a.Verify(t.Context(), none); err != ErrFailed {
		t.Errorf("an attempt for nothing: %v", err)
	}
	if len(b.touched) != 0 {
		t.Errorf("failures noted as uses: %+v", b.touched)
	}
}

// TestUnknownNamesTakeAsLong: each failing login computes one hash with
// today's parameters: that of the account, or the dummy. BenchmarkWrongPassword
// has the times.
func TestUnknownNamesTakeAsLong(t *testing.T) {
	b := newBook()
	b.add("alice", HashPassword("right"))
	b.add("kept", quick("right")).KeepScheme = true
	a, _ := open(t, b, Config{})
	dummy, dummies := a.dummy, 0
	a.dummy = func(password []byte) bool {
		dummies++
		return dummy(password)
	}
	for _, c := range []struct {
		login string
		want  int
	}{{"alice", 0}, {"nobody", 1}, {"kept", 1}} {
		dummies = 0
		if _, err := a.Verify(t.Context(), attempt(c.login, "wrong")); err != ErrFailed {
			t.Errorf("%s: %v", c.login, err)
		}
		if dummies != c.want {
			t.Errorf("%s: the dummy was hashed %d times, want %d", c.login, dummies, c.want)
		}
	}
	none := attempt("alice", "wrong")
	none.Scope = store.ScopeWeb << 1 // no credential is good for it
	dummies = 0
	if a.Verify(t.Context(), none); dummies != 1 {
		t.Errorf("without a credential for the protocol the dummy was hashed %d times", dummies)
	}
}

func BenchmarkWrongPassword(b *testing.B) {
	book := newBook()
	book.add("alice", HashPassword("right"))
	book.add("kept", quick("right")).KeepScheme = true
	a, _ := open(b, book, Config{})
	for _, login := range []string{"alice", "nobody", "kept"} {
		b.Run(login, func(b *testing.B) {
			for b.Loop() {
				a.Verify(b.Context(), attempt(login, "wrong"))
			}
		})
	}
}

func TestPasswordsBeforeTLS(t *testing.T) {
	b := newBook()
	b.add("alice", quick("right"))
	far := netip.MustParseAddr("192.0.2.1")
	for _, c := range []struct {
		policy Plaintext
		remote netip.Addr
		tls    bool
		want   error
	}{
		{"", here, false, nil},
		{"", netip.MustParseAddr("::1"), false, nil},
		{"", netip.MustParseAddr("::ffff:127.0.0.1"), false, nil},
		{"", netip.Addr{}, false, nil}, // unix socket
		{"", far, false, ErrPrivacyRequired},
		{"", far, true, nil},
		{PlaintextNever, here, false, ErrPrivacyRequired},
		{PlaintextNever, far, true, nil},
		{PlaintextAlways, far, false, nil},
	} {
		a, _ := open(t, b, Config{Plaintext: c.policy})
		at := attempt("alice", "right")
		at.Remote, at.TLS = c.remote, c.tls
		if _, err := a.Verify(t.Context(), at); err != c.want {
			t.Errorf("%q %v tls=%v: %v, want %v", c.policy, c.remote, c.tls, err, c.want)
		}
		if offered := len(a.Mechanisms(Attempt{TLS: c.tls, Remote: c.remote, Scope: store.ScopeIMAP})) > 0; offered != (c.want == nil) {
			t.Errorf("%q %v tls=%v: offered %v", c.policy, c.remote, c.tls, offered)
		}
		if _, err := a.Start(t.Context(), "PLAIN", at); err != c.want {
			t.Errorf("%q %v tls=%v: Start: %v, want %v", c.policy, c.remote, c.tls, err, c.want)
		}
	}
}

func TestImportedHashBecomesOursAtLogin(t *testing.T) {
	b := newBook()
	mine := b.add("alice", "{SHA512-CRYPT}$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1").ID
	kept := b.add("bob", quick("secret"))
	kept.KeepScheme = true
	a, _ := open(t, b, Config{})
	for _, login := range []string{"alice", "bob"} {
		if _, err := a.Verify(t.Context(), attempt(login, "secret")); err != nil {
			t.Fatal(err)
		}
	}
	a.Close()
	if h := b.hash(mine); !strings.HasPrefix(h, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("alice's hash is %s", h)
	}
	if h := b.hash(kept.ID); h != quick("secret") {
		t.Errorf("bob's hash is %s", h)
	}
	if _, err := a.Verify(t.Context(), attempt("alice", "secret")); err != nil {
		t.Error(err)
	}
	if _, err := a.Verify(t.Context(), attempt("alice", "Secret")); err != ErrFailed {
		t.Error(err)
	}
}

func TestChangedPasswordIsNotCached(t *testing.T) {
	b := newBook()
	c := b.add("alice", HashPassword("old"))
	a, _ := open(t, b, Config{})
	if _, err := a.Verify(t.Context(), attempt("alice", "old")); err != nil {
		t.Fatal(err)
	}
	c.Hash = HashPassword("new")
	if _, err := a.Verify(t.Context(), attempt("alice", "old")); err != ErrFailed {
		t.Errorf("the old password: %v", err)
	}
	if _, err := a.Verify(t.Context(), attempt("alice", "new")); err != nil {
		t.Errorf("the new password: %v", err)
	}
}

func TestCacheIsBounded(t *testing.T) {
	c := newCache()
	for i := range cacheSize + 100 {
		c.add(store.CredentialID(i), "hash", "password")
	}
	if n := len(c.entries); n != cacheSize {
		t.Errorf("%d entries", n)
	}
	if last := store.CredentialID(cacheSize + 99); !c.has(last, "hash", "password") || c.has(last, "hash", "passwor") {
		t.Error("the last one is not known")
	}
}

func TestStoreTroubleIsNotAWrongPassword(t *testing.T) {
	b := newBook()
	b.broken = errors.New("disk on fire")
	a, log := open(t, b, Config{})
	if _, err := a.Verify(t.Context(), attempt("alice", "right")); err != ErrBusy {
		t.Errorf("err = %v, want ErrBusy", err)
	}
	if !strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("log %s", log)
	}
	// A client that went away is no trouble.
	log.Reset()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	a.Verify(gone, attempt("alice", "right"))
	if !strings.Contains(log.String(), "level=INFO") {
		t.Errorf("log %s", log)
	}
	// A limit is one for the operator to know.
	if l := undecided(t.Context(), ErrBusy); l != slog.LevelWarn {
		t.Errorf("too many waiting is logged as %v", l)
	}
}

func TestTooManyWaiting(t *testing.T) {
	const waiting = 20
	s := newSlots(1, waiting)
	if err := s.acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	errs := make(chan error, waiting+10)
	for range waiting + 10 {
		wg.Go(func() { errs <- s.acquire(ctx) })
	}
	for range 10 { // those over the limit do not wait
		if err := <-errs; err != ErrBusy {
			t.Errorf("err = %v", err)
		}
	}
	s.release()
	if err := <-errs; err != nil {
		t.Errorf("the next in line: %v", err)
	}
	cancel()
	wg.Wait()
}

func TestPlain(t *testing.T) {
	b := newBook()
	b.add("alice", quick("right"))
	a, log := open(t, b, Config{})
	for _, c := range []struct {
		response string
		want     error
	}{
		{"\x00alice\x00right", nil},
		{"alice\x00alice\x00right", nil},
		{"ALICE\x00alice\x00right", nil},
		{"bob\x00alice\x00right", ErrNotAuthorized},
		{"bob\x00alice\x00wrong", ErrFailed},
		{"\x00alice\x00wrong", ErrFailed},
		{"\x00\x00", ErrFailed},
		{"", ErrMalformed},
		{"alice\x00right", ErrMalformed},
		{"\x00alice\x00ri\x00ght", ErrMalformed},
		{strings.Repeat("a", maxResponse+1), ErrMalformed},
	} {
		for _, initial := range []bool{true, false} {
			x, err := a.Start(t.Context(), "plain", attempt("", ""))
			if err != nil {
				t.Fatal(err)
			}
			if !initial {
				if ch, done, err := x.Next(nil); len(ch) != 0 || done || err != nil {
					t.Fatalf("without initial response: %q %v %v", ch, done, err)
				}
			}
			_, done, err := x.Next([]byte(c.response))
			if err != c.want || done != (err == nil) {
				t.Errorf("%.20q: done %v, %v; want %v", c.response, done, err, c.want)
			}
			if got := x.Identity().Name; (got == "alice") != (c.want == nil) {
				t.Errorf("%.20q: identity %q", c.response, got)
			}
		}
	}
	if !strings.Contains(log.String(), "may not act") || !strings.Contains(log.String(), "as=bob") {
		t.Errorf("the log has nothing of whom alice wanted to be: %s", log)
	}
	if _, err := a.Start(t.Context(), "CRAM-MD5", attempt("", "")); err != ErrMechanism {
		t.Errorf("CRAM-MD5: %v", err)
	}
}

func TestLogin(t *testing.T) {
	b := newBook()
	b.add("alice", quick("right"))
	a, _ := open(t, b, Config{})
	for _, c := range []struct {
		name      string
		responses []string // "-" is none
		want      error
	}{
		{"asked twice", []string{"-", "alice", "right"}, nil},
		{"initial response", []string{"alice", "right"}, nil},
		{"wrong", []string{"-", "alice", "wrong"}, ErrFailed},
		{"empty", []string{"-", "", ""}, ErrFailed},
	} {
		x, err := a.Start(t.Context(), "LOGIN", attempt("", ""))
		if err != nil {
			t.Fatal(err)
		}
		var challenges []string
		var done bool
		for _, r := range c.responses {
			response := []byte(r)
			if r == "-" {
				response = nil
			}
			var ch []byte
			ch, done, err = x.Next(response)
			challenges = append(challenges, string(ch))
		}
		if err != c.want || done != (err == nil) {
			t.Errorf("%s: done %v, %v; want %v", c.name, done, err, c.want)
		}
		if c.responses[0] == "-" && challenges[0] != "Username:" || challenges[len(challenges)-2] != "Password:" {
			t.Errorf("%s: challenges %q", c.name, challenges)
		}
		if _, _, err := x.Next([]byte("more")); err != ErrMalformed {
			t.Errorf("%s: a response after the end: %v", c.name, err)
		}
	}
}

func BenchmarkCachedLogin(b *testing.B) {
	bk := newBook()
	bk.add("alice", HashPassword("right"))
	a := New(bk, Config{Log: slog.New(slog.DiscardHandler), FailedLoginDelay: true})
	for b.Loop() {
		if _, err := a.Verify(b.Context(), attempt("alice", "right")); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHash(b *testing.B) {
	for b.Loop() {
		HashPassword("right")
	}
}

func ExampleImportHash() {
	_, err := ImportHash("{CRYPT}abNANd1rDfiNc", true)
	fmt.Println(err)
	// Output: password scheme {CRYPT}: unsupported form of hash
}
