package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xdg-go/scram"

	"tandem/store"
)

// withKeys gives an account whose only credential has keys.
func withKeys(b *book, name, password string) *store.Credential {
	c := b.add(name, HashPassword(password))
	c.Keys = MakeScramKeys(password, true)
	return c
}

// client is the other side's SCRAM, of a library.
func client(t *testing.T, h scram.HashGeneratorFcn, login, password string) *scram.Client {
	t.Helper()
	c, err := h.NewClient(login, password, "")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// converse runs an exchange to its end. The client must be satisfied with the
// server's signature.
func converse(ctx context.Context, a *Authenticator, mech string, at Attempt, c *scram.ClientConversation) (Identity, error) {
	at.Login, at.Password = "", ""
	x, err := a.Start(ctx, mech, at)
	if err != nil {
		return Identity{}, err
	}
	var challenge []byte
	for {
		text, err := c.Step(string(challenge))
		if err != nil {
			return Identity{}, errors.Join(errors.New("the client refuses the server"), err)
		}
		var done bool
		if challenge, done, err = x.Next([]byte(text)); err != nil {
			return Identity{}, err
		}
		if done {
			if !c.Valid() {
				return Identity{}, errors.New("the client has not seen the server's signature")
			}
			return x.Identity(), nil
		}
	}
}

func TestScramLogsIn(t *testing.T) {
	b := newBook()
	withKeys(b, "alice@example.org", "pencil")
	a, log := open(t, b, Config{SCRAM: SCRAMAuto, SCRAMSHA1: true})
	for mech, h := range map[string]scram.HashGeneratorFcn{"SCRAM-SHA-256": scram.SHA256, "scram-sha-1": scram.SHA1} {
		id, err := converse(t.Context(), a, mech, attempt("", ""), client(t, h, "alice@example.org", "pencil").NewConversation())
		if err != nil || id.Name != "alice@example.org" || id.Credential != 1 {
			t.Errorf("%s: %+v, %v", mech, id, err)
		}
	}
	if len(b.touched) != 2 || !strings.Contains(log.String(), "msg=login") || strings.Contains(log.String(), "pencil") {
		t.Errorf("uses %+v, log %s", b.touched, log)
	}
}

func TestScramTriesTheProofAgainstEachCredential(t *testing.T) {
	b := newBook()
	own := withKeys(b, "alice", "own")
	more := []store.Credential{*own}
	for i, label := range []string{"phone", "laptop", "popper"} {
		c := *own
		c.ID, c.Label, c.Hash = store.CredentialID(10+i), label, "x"
		c.Keys = scramKeys(label, own.Keys.Salt, own.Keys.Iterations, false)
		if label == "popper" {
			c.Scope = store.ScopePOP3
		}
		more = append(more, c)
	}
	b.creds[1] = more
	a, _ := open(t, b, Config{SCRAM: SCRAMOn})
	for password, want := range map[string]string{"own": "", "phone": "phone", "laptop": "laptop"} {
		id, err := converse(t.Context(), a, "SCRAM-SHA-256", attempt("", ""), client(t, scram.SHA256, "alice", password).NewConversation())
		if err != nil || id.Label != want {
			t.Errorf("password %s: %+v, %v", password, id, err)
		}
	}
	_, err := converse(t.Context(), a, "SCRAM-SHA-256", attempt("", ""), client(t, scram.SHA256, "alice", "popper").NewConversation())
	if err != ErrFailed {
		t.Errorf("a password for POP3 only: %v", err)
	}
}

func TestScramFailuresAreAlike(t *testing.T) {
	b := newBook()
	withKeys(b, "alice", "right")
	withKeys(b, "popper", "right").Scope = store.ScopePOP3
	b.add("keyless", quick("right"))
	withKeys(b, "gone", "right")
	gone := b.accounts["gone"]
	gone.Enabled = false
	b.accounts["gone"] = gone
	a, log := open(t, b, Config{SCRAM: SCRAMOn})
	for _, c := range []struct{ login, password, reason string }{
		{"alice", "wrong", "wrong password"},
		{"nobody", "right", "unknown user"},
		{"keyless", "right", "no SCRAM keys"},
		{"popper", "right", "no SCRAM keys"},
		{"gone", "right", "account disabled"},
		{"gone", "wrong", "wrong password"},
		{strings.Repeat("a", 2000), "right", "unknown user"},
	} {
		log.Reset()
		id, err := converse(t.Context(), a, "SCRAM-SHA-256", attempt("", ""), client(t, scram.SHA256, c.login, c.password).NewConversation())
		if err != ErrFailed || id != (Identity{}) {
			t.Errorf("%.20s: %+v, %v", c.login, id, err)
		}
		if !strings.Contains(log.String(), c.reason) || log.Len() > 2000 {
			t.Errorf("%.20s: log %.2000s", c.login, log)
		}
	}
	b.broken = errors.New("disk")
	if _, err := converse(t.Context(), a, "SCRAM-SHA-256", attempt("", ""), client(t, scram.SHA256, "alice", "right").NewConversation()); err != ErrBusy {
		t.Errorf("store broken: %v", err)
	}
}

// saltOf gives what the server tells of a name: the salt and the iterations.
func saltOf(t *testing.T, a *Authenticator, login string) string {
	t.Helper()
	x, err := a.Start(t.Context(), "SCRAM-SHA-256", attempt("", ""))
	if err != nil {
		t.Fatal(err)
	}
	challenge, _, err := x.Next([]byte("n,,n=" + login + ",r=abc"))
	if err != nil {
		t.Fatal(err)
	}
	_, salt, _ := strings.Cut(string(challenge), ",")
	return salt
}

func TestSaltsOfUnknownNamesStay(t *testing.T) {
	b := newBook()
	withKeys(b, "alice", "right")
	a, _ := open(t, b, Config{SCRAM: SCRAMOn})
	again, _ := open(t, b, Config{SCRAM: SCRAMOn})
	known, unknown := saltOf(t, a, "alice"), saltOf(t, a, "nobody")
	if len(known) != len(unknown) || known[strings.Index(known, ","):] != unknown[strings.Index(unknown, ","):] {
		t.Errorf("%s looks different from %s", known, unknown)
	}
	if unknown == saltOf(t, a, "somebody") {
		t.Error("all unknown names have one salt")
	}
	for _, login := range []string{"nobody", "NoBody", "nobody@own.example"} {
		if got := saltOf(t, again, login); got != unknown {
			t.Errorf("%s: %s, then %s", login, unknown, got)
		}
	}
}

func TestScramIsOfferedWhenAllHaveKeys(t *testing.T) {
	b := newBook()
	withKeys(b, "alice", "right")
	b.add("kept", quick("secret")).KeepScheme = true
	a, _ := open(t, b, Config{SCRAM: SCRAMAuto})
	offers := func() bool { return slices.Contains(a.Mechanisms(attempt("", "")), "SCRAM-SHA-256") }
	if offers() {
		t.Fatal("SCRAM is offered although one account has no keys")
	}
	if _, err := a.Start(t.Context(), "SCRAM-SHA-256", attempt("", "")); err != ErrMechanism {
		t.Errorf("begun all the same: %v", err)
	}
	if _, err := a.Verify(t.Context(), attempt("kept", "secret")); err != nil {
		t.Fatal(err)
	}
	a.Close() // waits for the keys
	if !offers() {
		t.Fatal("the first login made no keys")
	}
	if b.hash(2) != quick("secret") {
		t.Errorf("the kept hash is now %s", b.hash(2))
	}
	if _, err := converse(t.Context(), a, "SCRAM-SHA-256", attempt("", ""), client(t, scram.SHA256, "kept", "secret").NewConversation()); err != nil {
		t.Error(err)
	}
	if slices.Contains(a.Mechanisms(attempt("", "")), "SCRAM-SHA-1") {
		t.Error("SCRAM-SHA-1 is offered without being asked for")
	}
	smtp := attempt("", "")
	smtp.Scope = store.ScopeSMTP
	if slices.Contains(a.Mechanisms(smtp), "SCRAM-SHA-256") {
		t.Error("offered for submission")
	}
}

func TestImportedHashGetsKeysAndOurHash(t *testing.T) {
	b := newBook()
	b.add("alice", "{SHA256}"+"K9tT1tWMmBDbGQnsAtWkrVnDeBAlsPXuYxsm0r9hPVo=") // not the password
	b.add("bob", quick("secret"))
	a, _ := open(t, b, Config{SCRAM: SCRAMAuto})
	if _, err := a.Verify(t.Context(), attempt("bob", "secret")); err != nil {
		t.Fatal(err)
	}
	a.Close()
	if c := b.creds[2][0]; !upToDate(c.Hash) || c.Keys == nil || c.Keys.SHA1 != nil {
		t.Errorf("credential %+v", c)
	}
	if _, err := a.Verify(t.Context(), attempt("alice", "secret")); err != ErrFailed {
		t.Fatal(err)
	}
	a.Close()
	if b.creds[1][0].Keys != nil {
		t.Error("a wrong password made keys")
	}
}

// tlsPair gives both ends' state of a handshake, or nil without TLS 1.3.
func tlsPair(t *testing.T, version uint16, clientCert *tls.Certificate, roots *x509.CertPool) (server, client tls.ConnectionState) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, leaf, leaf, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	near, far := net.Pipe()
	serverConfig := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MaxVersion: version}
	clientConfig := &tls.Config{InsecureSkipVerify: true, MaxVersion: version}
	if clientCert != nil {
		serverConfig.ClientAuth, serverConfig.ClientCAs = tls.VerifyClientCertIfGiven, roots
		clientConfig.Certificates = []tls.Certificate{*clientCert}
	}
	s, c := tls.Server(near, serverConfig), tls.Client(far, clientConfig)
	done := make(chan error, 1)
	go func() {
		err := s.Handshake()
		if err == nil {
			_, err = s.Write([]byte("x"))
		}
		done <- err
	}()
	_, err = c.Read(make([]byte, 1))
	if err := errors.Join(err, <-done); err != nil {
		t.Fatal(err)
	}
	near.Close()
	far.Close()
	return s.ConnectionState(), c.ConnectionState()
}

func binding(t *testing.T, state tls.ConnectionState) scram.ChannelBinding {
	t.Helper()
	data, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
	if err != nil {
		t.Fatal(err)
	}
	return scram.ChannelBinding{Type: scram.ChannelBindingTLSExporter, Data: data}
}

func TestChannelBinding(t *testing.T) {
	b := newBook()
	withKeys(b, "alice", "right")
	a, log := open(t, b, Config{SCRAM: SCRAMAuto, SCRAMSHA1: true})
	near, far := tlsPair(t, tls.VersionTLS13, nil, nil)
	_, other := tlsPair(t, tls.VersionTLS13, nil, nil)
	bound := attempt("", "")
	bound.Conn = &near
	if got := strings.Join(a.Mechanisms(bound), " "); got != "SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-1 PLAIN LOGIN" {
		t.Errorf("offered: %s", got)
	}
	alice := client(t, scram.SHA256, "alice", "right")
	wrongType := binding(t, far)
	wrongType.Type = scram.ChannelBindingTLSServerEndpoint
	for name, c := range map[string]struct {
		mech string
		conv *scram.ClientConversation
		want error
		log  string
	}{
		"bound":                         {"SCRAM-SHA-256-PLUS", alice.NewConversationWithChannelBinding(binding(t, far)), nil, "msg=login"},
		"bound, SHA-1":                  {"SCRAM-SHA-1-PLUS", client(t, scram.SHA1, "alice", "right").NewConversationWithChannelBinding(binding(t, far)), nil, "msg=login"},
		"client without binding":        {"SCRAM-SHA-256", alice.NewConversation(), nil, "msg=login"},
		"somebody in between":           {"SCRAM-SHA-256-PLUS", alice.NewConversationWithChannelBinding(binding(t, other)), ErrFailed, "channel-bindings-dont-match"},
		"-PLUS taken out of the list":   {"SCRAM-SHA-256", alice.NewConversationAdvertisingChannelBinding(), ErrFailed, "server-does-support-channel-binding"},
		"another type of binding":       {"SCRAM-SHA-256-PLUS", alice.NewConversationWithChannelBinding(wrongType), ErrFailed, "unsupported-channel-binding-type"},
		"-PLUS without binding":         {"SCRAM-SHA-256-PLUS", alice.NewConversation(), ErrMalformed, ""},
		"binding without -PLUS":         {"SCRAM-SHA-256", alice.NewConversationWithChannelBinding(binding(t, far)), ErrMalformed, ""},
		"-PLUS, but bound in name only": {"SCRAM-SHA-256-PLUS", alice.NewConversationAdvertisingChannelBinding(), ErrMalformed, ""},
	} {
		log.Reset()
		if _, err := converse(t.Context(), a, c.mech, bound, c.conv); err != c.want || !strings.Contains(log.String(), c.log) {
			t.Errorf("%s: %v, log %s", name, err, log)
		}
	}
	// Without TLS 1.3 there is no -PLUS, and a client may say that it sees none.
	older, _ := tlsPair(t, tls.VersionTLS12, nil, nil)
	bound.Conn = &older
	if a.Offers("SCRAM-SHA-256-PLUS", bound) || !a.Offers("SCRAM-SHA-256", bound) {
		t.Errorf("TLS 1.2: offered %v", a.Mechanisms(bound))
	}
	if _, err := converse(t.Context(), a, "SCRAM-SHA-256", bound, alice.NewConversationAdvertisingChannelBinding()); err != nil {
		t.Errorf("TLS 1.2: %v", err)
	}
	if _, err := a.Start(t.Context(), "SCRAM-SHA-256-PLUS", bound); err != ErrMechanism {
		t.Errorf("-PLUS with TLS 1.2: %v", err)
	}
}

// The client's side of RFC 7677 section 3, less the iteration count.
func TestScramKeysAreThoseOfTheRFC(t *testing.T) {
	salt := []byte{0x5b, 0x6d, 0x99, 0x68, 0x9d, 0x12, 0x35, 0x8e, 0xec, 0xa0, 0x4b, 0x14, 0x12, 0x36, 0xfa, 0x81} // W22ZaJ0SNY7soEsUEjb6gQ==
	k := scramKeys("pencil", salt, 4096, false)
	b := newBook()
	b.add("user", quick("pencil")).Keys = k
	a, _ := open(t, b, Config{SCRAM: SCRAMOn})
	server, err := scram.SHA256.NewServer(func(string) (scram.StoredCredentials, error) {
		return (&scramServer{hash: scramSHA256}).stored(b.creds[1][0]), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	talk := server.WithNonceGenerator(func() string { return "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0" }).NewConversation()
	first, err := talk.Step("n,,n=user,r=rOprNGfwEbeRWgbNEkqO")
	if err != nil || first != "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096" {
		t.Fatal(first, err)
	}
	final, err := talk.Step("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
	if err != nil || final != "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=" {
		t.Fatal(final, err)
	}
	a.Close()
}

func TestScramPasswordsThatCannotBePrepared(t *testing.T) {
	for _, password := range []string{"", "bell\a", "\xff"} {
		if MakeScramKeys(password, true) != nil {
			t.Errorf("keys of %q", password)
		}
	}
	if MakeScramKeys("pa\u00adss\u00a0word", false) == nil {
		t.Error("no keys of a password that SASLprep takes")
	}
	if ImportScramKeys("{PLAIN}x", false) == nil || ImportScramKeys("$2y$10$xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", false) != nil {
		t.Error("keys of imports")
	}
}

func FuzzScram(f *testing.F) {
	for _, s := range []string{
		"n,,n=alice,r=abc", "y,,n=alice,r=abc", "p=tls-exporter,,n=alice,r=abc", "n,a=bob,n=alice,r=abc",
		"n,,m=x,n=alice,r=abc", "n,,n=a=2C=3D,r=", ",,,", "", "n,,n=alice,r=abc,x=y",
	} {
		f.Add([]byte(s), []byte("c=biws,r=abc,p=AAAA"))
		f.Add([]byte(s), []byte(",,"))
	}
	b := newBook()
	b.add("alice", quick("right")).Keys = MakeScramKeys("right", true)
	a := New(b, Config{SCRAM: SCRAMOn})
	f.Fuzz(func(t *testing.T, first, final []byte) {
		x, err := a.Start(t.Context(), "SCRAM-SHA-256", attempt("", ""))
		if err != nil {
			t.Fatal(err)
		}
		for _, message := range [][]byte{first, final, {}, final} {
			_, done, err := x.Next(message)
			if done {
				t.Fatalf("logged in by %q %q", first, final)
			}
			if err != nil {
				return
			}
		}
	})
}

type tlsState = tls.ConnectionState

// clientCert makes a certificate and the authority that signed it.
func clientCert(t *testing.T, cn, addresses string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), Subject: pkix.Name{CommonName: cn},
		IsCA: true, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	leaf.EmailAddresses = strings.Fields(addresses)
	der, err := x509.CreateCertificate(rand.Reader, leaf, leaf, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
