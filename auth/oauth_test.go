package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-sasl"

	"tandem/store"
)

// provider is a small OpenID provider.
type provider struct {
	*httptest.Server
	rsa    *rsa.PrivateKey
	ec     *ecdsa.PrivateKey
	ed     ed25519.PrivateKey
	broken atomic.Bool
	hidden atomic.Bool // the keys are not in the set
	asked  atomic.Int32
}

func startProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{}
	var err error
	if p.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	if p.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	if _, p.ed, err = ed25519.GenerateKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /keys", p.serveKeys)
	mux.HandleFunc("POST /introspect", p.introspect)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.asked.Add(1)
		if p.broken.Load() {
			http.Error(w, "out of order", http.StatusInternalServerError)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (p *provider) serveKeys(w http.ResponseWriter, _ *http.Request) {
	point, _ := p.ec.PublicKey.Bytes()
	keys := []map[string]string{
		{"kty": "RSA", "kid": "r", "use": "sig", "n": b64(p.rsa.N.Bytes()), "e": b64(big.NewInt(int64(p.rsa.E)).Bytes())},
		{"kty": "EC", "kid": "e", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])},
		{"kty": "OKP", "kid": "d", "crv": "Ed25519", "x": b64(p.ed.Public().(ed25519.PublicKey))},
		{"kty": "RSA", "kid": "weak", "n": b64([]byte{1, 2, 3}), "e": "AQAB"},
		{"kty": "oct", "kid": "secret", "k": "AAAA"},
	}
	if p.hidden.Load() {
		keys = keys[3:]
	}
	json.NewEncoder(w).Encode(map[string]any{"keys": keys})
}

func (p *provider) introspect(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	if user != "tandem" || password != "s%3Aecret" { // RFC 6749 section 2.3.1 encodes both
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return
	}
	answer := map[string]any{"active": false}
	if r.FormValue("token") == "good" {
		answer = map[string]any{"active": true, "email": "alice@example.org", "scope": "openid mail", "aud": "mail"}
	}
	json.NewEncoder(w).Encode(answer)
}

// token makes a JWT with the key named kid.
func (p *provider) token(alg, kid string, c map[string]any) string {
	header, _ := json.Marshal(map[string]string{"alg": alg, "kid": kid, "typ": "at+jwt"})
	payload, _ := json.Marshal(c)
	signed := b64(header) + "." + b64(payload)
	sum := sha256.Sum256([]byte(signed))
	var signature []byte
	switch alg {
	case "RS256":
		signature, _ = rsa.SignPKCS1v15(rand.Reader, p.rsa, crypto.SHA256, sum[:])
	case "PS256":
		signature, _ = rsa.SignPSS(rand.Reader, p.rsa, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	case "ES256":
		r, s, _ := ecdsa.Sign(rand.Reader, p.ec, sum[:])
		signature = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	case "EdDSA":
		signature = ed25519.Sign(p.ed, []byte(signed))
	case "HS256": // with the public key for a secret
		m := hmac.New(sha256.New, p.rsa.N.Bytes())
		m.Write([]byte(signed))
		signature = m.Sum(nil)
	}
	return signed + "." + b64(signature)
}

func (p *provider) jwks() OAuth {
	return OAuth{JWKS: p.URL + "/keys", Issuer: "https://id.example", Audience: []string{"mail", "other"}, Scopes: []string{"mail"}}
}

// said are the claims of a good token, with changes; nil takes one away.
func said(changes map[string]any) map[string]any {
	c := map[string]any{
		"iss": "https://id.example", "aud": []string{"mail"}, "scope": "openid mail", "email": "alice@example.org",
		"exp": time.Now().Add(time.Minute).Unix(), "nbf": time.Now().Unix(),
	}
	for k, v := range changes {
		if c[k] = v; v == nil {
			delete(c, k)
		}
	}
	return c
}

// bear runs OAUTHBEARER with a library's client.
func bear(t *testing.T, a *Authenticator, login, token string) (Identity, error) {
	t.Helper()
	x, err := a.Start(t.Context(), "OAUTHBEARER", attempt("", ""))
	if err != nil {
		t.Fatal(err)
	}
	_, first, err := sasl.NewOAuthBearerClient(&sasl.OAuthBearerOptions{Username: login, Token: token, Host: "imap.example.org", Port: 993}).Start()
	if err != nil {
		t.Fatal(err)
	}
	challenge, done, err := x.Next(first)
	if err == nil && !done {
		if !strings.Contains(string(challenge), `"status":"invalid_token"`) {
			t.Errorf("challenge %s", challenge)
		}
		if _, done, err = x.Next([]byte{1}); err == nil || done {
			t.Fatal("logged in after a refusal")
		}
	}
	return x.Identity(), err
}

func TestTokensThatAreJWTs(t *testing.T) {
	p := startProvider(t)
	b := newBook()
	b.add("alice@example.org", quick("x"))
	b.add("bob@example.org", quick("x"))
	b.add("popper@example.org", quick("x")).Scope = store.ScopePOP3
	a, log := open(t, b, Config{OAuth: p.jwks()})
	for alg, kid := range map[string]string{"RS256": "r", "PS256": "r", "ES256": "e", "EdDSA": "d"} {
		for _, login := range []string{"", "alice@example.org", "ALICE@example.org"} {
			id, err := bear(t, a, login, p.token(alg, kid, said(nil)))
			if err != nil || id.Name != "alice@example.org" || id.Credential != 1 {
				t.Errorf("%s for %q: %+v, %v", alg, login, id, err)
			}
		}
	}
	if n := p.asked.Load(); n != 1 {
		t.Errorf("the provider was asked %d times for its keys", n)
	}
	good := p.token("ES256", "e", said(nil))
	cut := strings.LastIndex(good, ".") + 1
	for name, c := range map[string]struct{ login, token, reason string }{
		"no algorithm":       {"", p.token("none", "r", said(nil)), "signed with a key"},
		"public key as MAC":  {"", p.token("HS256", "r", said(nil)), "signed with a key"},
		"key of another use": {"", p.token("RS256", "e", said(nil)), "wrong signature"},
		"weak key":           {"", p.token("RS256", "weak", said(nil)), "signed with a key"},
		"wrong signature":    {"", good[:cut] + b64(make([]byte, 64)), "wrong signature"},
		"no signature":       {"", good[:cut], "wrong signature"},
		"opaque":             {"", "abc", "no JSON Web Token"},
		"empty":              {"", "", "malformed token"},
		"odd characters":     {"", "a b", "malformed token"},
		"expired":            {"", p.token("ES256", "e", said(map[string]any{"exp": time.Now().Add(-time.Hour).Unix()})), "expired"},
		"never expires":      {"", p.token("ES256", "e", said(map[string]any{"exp": nil})), "never expires"},
		"expiry no number":   {"", p.token("ES256", "e", said(map[string]any{"exp": "tomorrow"})), "never expires"},
		"not yet":            {"", p.token("ES256", "e", said(map[string]any{"nbf": time.Now().Add(time.Hour).Unix()})), "not yet valid"},
		"other issuer":       {"", p.token("ES256", "e", said(map[string]any{"iss": "https://evil.example"})), "another issuer"},
		"no issuer":          {"", p.token("ES256", "e", said(map[string]any{"iss": nil})), "another issuer"},
		"other audience":     {"", p.token("ES256", "e", said(map[string]any{"aud": "calendar"})), "another audience"},
		"no audience":        {"", p.token("ES256", "e", said(map[string]any{"aud": nil})), "another audience"},
		"no scope":           {"", p.token("ES256", "e", said(map[string]any{"scope": "mailbox"})), "without the scope"},
		"no address":         {"", p.token("ES256", "e", said(map[string]any{"email": nil})), "without the claim"},
		"unverified address": {"", p.token("ES256", "e", said(map[string]any{"email_verified": false})), "unverified"},
		"nobody here":        {"", p.token("ES256", "e", said(map[string]any{"email": "carol@example.org"})), "unknown user"},
		"other protocol":     {"", p.token("ES256", "e", said(map[string]any{"email": "popper@example.org"})), "no credential"},
		"unknown login":      {"carol@example.org", good, "may not act"},
	} {
		log.Reset()
		want := ErrFailed
		if c.login != "" {
			want = ErrNotAuthorized
		}
		if id, err := bear(t, a, c.login, c.token); err != want || id != (Identity{}) || !strings.Contains(log.String(), c.reason) {
			t.Errorf("%s: %+v, %v, log %s", name, id, err, log)
		}
		if c.token != "" && strings.Contains(log.String(), c.token) && len(c.token) > 10 {
			t.Errorf("%s: the token is in the log", name)
		}
	}
	if _, err := bear(t, a, "bob@example.org", good); err != ErrNotAuthorized {
		t.Errorf("alice's token for bob: %v", err)
	}
}

func TestProviderOutOfOrder(t *testing.T) {
	p := startProvider(t)
	b := newBook()
	b.add("alice@example.org", quick("x"))
	a, _ := open(t, b, Config{OAuth: p.jwks()})
	p.broken.Store(true)
	if _, err := bear(t, a, "", p.token("ES256", "e", said(nil))); err != ErrBusy {
		t.Errorf("no keys: %v", err)
	}
	p.broken.Store(false)
	if _, err := bear(t, a, "", p.token("ES256", "e", said(nil))); err != ErrBusy || p.asked.Load() != 1 {
		t.Errorf("asked again at once: %v", err)
	}
	a.tokens.tried = time.Now().Add(-2 * firstPause)
	if _, err := bear(t, a, "", p.token("ES256", "e", said(nil))); err != nil {
		t.Errorf("the provider is back: %v", err)
	}
	p.broken.Store(true)
	a.tokens.fetched = time.Now().Add(-2 * keysTime)
	a.tokens.tried = a.tokens.fetched
	for range 3 {
		if _, err := bear(t, a, "", p.token("ES256", "e", said(nil))); err != nil {
			t.Errorf("with the keys of before: %v", err)
		}
	}
	if n := p.asked.Load(); n != 3 {
		t.Errorf("asked %d times", n)
	}
}

func TestKeysAreFetchedAgain(t *testing.T) {
	p := startProvider(t)
	b := newBook()
	b.add("alice@example.org", quick("x"))
	a, _ := open(t, b, Config{OAuth: p.jwks()})
	p.hidden.Store(true)
	if _, err := bear(t, a, "", p.token("ES256", "e", said(nil))); err != ErrFailed {
		t.Fatal(err)
	}
	p.hidden.Store(false)
	if _, err := bear(t, a, "", p.token("ES256", "e", said(nil))); err != ErrFailed {
		t.Errorf("asked again within a minute: %v", err)
	}
	a.tokens.tried = time.Now().Add(-2 * keysPause)
	if _, err := bear(t, a, "", p.token("ES256", "e", said(nil))); err != nil {
		t.Errorf("a new key: %v", err)
	}
}

func TestIntrospection(t *testing.T) {
	p := startProvider(t)
	b := newBook()
	b.add("alice@example.org", quick("x"))
	cfg := OAuth{Introspection: p.URL + "/introspect", ClientID: "tandem", ClientSecret: "s:ecret", Scopes: []string{"mail"}, Audience: []string{"mail"}}
	a, log := open(t, b, Config{OAuth: cfg})
	if id, err := bear(t, a, "", "good"); err != nil || id.Name != "alice@example.org" {
		t.Errorf("%+v, %v", id, err)
	}
	if _, err := bear(t, a, "", "revoked"); err != ErrFailed || !strings.Contains(log.String(), "token not active") {
		t.Errorf("%v, log %s", err, log)
	}
	cfg.ClientSecret = "old"
	a, _ = open(t, b, Config{OAuth: cfg})
	if _, err := bear(t, a, "", "good"); err != ErrBusy {
		t.Errorf("the provider does not know us: %v", err)
	}
	p.Close()
	if _, err := bear(t, a, "", "good"); err != ErrBusy {
		t.Errorf("no provider: %v", err)
	}
}

func TestXOAuth2(t *testing.T) {
	p := startProvider(t)
	b := newBook()
	b.add("alice@example.org", quick("x"))
	a, _ := open(t, b, Config{OAuth: p.jwks()})
	next := func(message string) (string, bool, *Exchange, error) {
		x, err := a.Start(t.Context(), "XOAUTH2", attempt("", ""))
		if err != nil {
			t.Fatal(err)
		}
		if challenge, _, err := x.Next(nil); len(challenge) > 0 || err != nil {
			t.Fatal(challenge, err)
		}
		challenge, done, err := x.Next([]byte(message))
		return string(challenge), done, x, err
	}
	_, done, x, err := next("user=alice@example.org\x01auth=Bearer " + p.token("RS256", "r", said(nil)) + "\x01\x01")
	if !done || err != nil || x.Identity().Name != "alice@example.org" {
		t.Errorf("%v, %v", done, err)
	}
	challenge, done, x, err := next("user=alice@example.org\x01auth=Bearer nothing\x01\x01")
	if done || err != nil || challenge != `{"status":"401","schemes":"bearer","scope":"mail"}` {
		t.Errorf("%s, %v, %v", challenge, done, err)
	}
	if _, done, err := x.Next([]byte{}); done || err != ErrFailed {
		t.Errorf("after the refusal: %v, %v", done, err)
	}
	for _, message := range []string{
		"", "user=", "auth=Bearer x\x01\x01", "user=a\x01auth=Basic x\x01\x01", "user=a\x01auth=Bearer x", "user=a\x01\x01",
		"user=a\x01auth=Bearer x\x01auth=Bearer y\x01\x01",
	} {
		if challenge, done, _, err := next(message); err != ErrMalformed {
			t.Errorf("%q: %q %v %v", message, challenge, done, err)
		}
	}
}

func TestTokensNeedPrivacyAndAProvider(t *testing.T) {
	b := newBook()
	a, _ := open(t, b, Config{})
	if _, err := a.Start(t.Context(), "OAUTHBEARER", attempt("", "")); err != ErrMechanism || a.Offers("XOAUTH2", attempt("", "")) {
		t.Errorf("without a provider: %v", err)
	}
	a, _ = open(t, b, Config{Plaintext: PlaintextNever, OAuth: OAuth{JWKS: "http://127.0.0.1:1/"}})
	clear := attempt("", "")
	clear.TLS = false
	if _, err := a.Start(t.Context(), "OAUTHBEARER", clear); err != ErrPrivacyRequired || a.Offers("XOAUTH2", clear) || !a.Offers("XOAUTH2", attempt("", "")) {
		t.Errorf("without TLS: %v", err)
	}
}

func TestParseOAuthBearer(t *testing.T) {
	for message, want := range map[string][2]string{
		"n,a=alice@example.org,\x01host=h\x01port=143\x01auth=Bearer tok\x01\x01": {"alice@example.org", "tok"},
		"y,,\x01auth=bearer  tok\x01\x01":                                         {"", "tok"},
		"n,a=a=2Cb=3Dc,\x01auth=Bearer tok\x01\x01":                               {"a,b=c", "tok"},
		"n,,\x01auth=Bearer \x01\x01":                                             {"", ""},
		"n,,\x01auth=\x01\x01":                                                    {"", ""}, // RFC 7628 section 4.3
	} {
		login, token, ok := parseOAuthBearer(message)
		if !ok || login != want[0] || token != want[1] {
			t.Errorf("%q: %q %q %v", message, login, token, ok)
		}
	}
	for _, message := range []string{
		"", "\x01", "n", "n,,", "p=tls-exporter,,\x01auth=Bearer t\x01\x01", "n,a=,\x01auth=Bearer t\x01\x01", "n,b=x,\x01auth=Bearer t\x01\x01",
		"n,a=x=2D,\x01auth=Bearer t\x01\x01", "n,,\x01auth=Bearer t\x01", "n,,x\x01auth=Bearer t\x01\x01", "n,,\x01\x01",
		"n,,\x01auth=\x01auth=Bearer t\x01\x01",
	} {
		if _, _, ok := parseOAuthBearer(message); ok {
			t.Errorf("%q was taken", message)
		}
	}
}

func FuzzTokens(f *testing.F) {
	f.Add("n,a=alice,\x01auth=Bearer eyJhbGciOiJSUzI1NiJ9.e30.AA\x01\x01", `{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}`)
	f.Add("user=a\x01auth=Bearer a.b.c\x01\x01", `{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"},{"kty":"OKP","crv":"Ed25519","x":""}]}`)
	f.Add("e30.e30.", `{"exp":1e400,"aud":[1],"scope":{}}`)
	checker := newTokens(OAuth{JWKS: "x", Scopes: []string{"a"}})
	f.Fuzz(func(t *testing.T, message, text string) {
		_, token, _ := parseOAuthBearer(message)
		parseXOAuth2(message)
		keys, _ := parseJWKS([]byte(text))
		for _, s := range []string{token, message} {
			parsed, err := parseJWT(s)
			if err != nil {
				continue
			}
			if _, err := verifyJWT(parsed, keys); err == nil {
				t.Fatalf("%q is signed by %q", s, text)
			}
		}
		if c, err := parseClaims([]byte(text)); err == nil && checker.refusal(c) == "" && len(c.texts("scp"))+len(c.text("scope")) == 0 {
			t.Fatalf("taken: %s", text)
		}
	})
}

func TestClientCertificates(t *testing.T) {
	b := newBook()
	b.add("alice@example.org", quick("x"))
	b.add("bob", quick("x"))
	b.add("popper", quick("x")).Scope = store.ScopePOP3
	a, log := open(t, b, Config{ClientCerts: true})
	for _, c := range []struct {
		cn, address, login, want string
		err                      error
	}{
		{"", "alice@example.org", "", "alice@example.org", nil},
		{"", "alice@example.org", "Alice@example.org", "alice@example.org", nil},
		{"bob", "", "", "bob", nil},
		{"bob", "", "bob", "bob", nil},
		{"bob", "", "alice@example.org", "", ErrNotAuthorized},
		{"bob", "alice@example.org", "bob", "", ErrNotAuthorized}, // addresses go before the common name
		{"", "carol@example.org alice@example.org", "", "alice@example.org", nil},
		{"", "alice@example.org bob", "bob", "bob", nil},
		{"", "alice@example.org bob", "popper", "", ErrNotAuthorized},
		{"carol", "", "", "", ErrFailed},
		{"popper", "", "", "", ErrFailed},
	} {
		at := attempt("", "")
		cert, roots := clientCert(t, c.cn, c.address)
		state, _ := tlsPair(t, 0, &cert, roots)
		at.Conn = &state
		if !a.Offers("EXTERNAL", at) {
			t.Fatalf("%+v: not offered", c)
		}
		x, err := a.Start(t.Context(), "EXTERNAL", at)
		if err != nil {
			t.Fatal(err)
		}
		if challenge, _, err := x.Next(nil); len(challenge) > 0 || err != nil {
			t.Fatal(challenge, err)
		}
		_, done, err := x.Next([]byte(c.login))
		if !errors.Is(err, c.err) || done != (c.err == nil) || x.Identity().Name != c.want {
			t.Errorf("%+v: %v, %+v, log %s", c, err, x.Identity(), log)
		}
	}
	plain, _ := tlsPair(t, 0, nil, nil)
	at := attempt("", "")
	for _, conn := range []*tlsState{nil, &plain} {
		at.Conn = conn
		if _, err := a.Start(t.Context(), "EXTERNAL", at); err != ErrMechanism || a.Offers("EXTERNAL", at) {
			t.Errorf("without a certificate: %v", err)
		}
	}
}
