package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// OAuth says how access tokens are checked: by the provider itself
// (Introspection), or here with the provider's keys (JWKS). The zero value
// offers neither OAUTHBEARER nor XOAUTH2.
type OAuth struct {
	Introspection string // URL of the endpoint of RFC 7662; "": none
	ClientID      string // who we are to it
	ClientSecret  string

	JWKS   string // URL of the provider's keys (RFC 7517), for tokens that are JWTs
	Issuer string // what the claim iss must be; "": anything

	Audience []string // one of them must be in the claim aud; none: anything
	Scopes   []string // that the token must have, all of them
	Claim    string   // that names the account; "" is "email"

	Client *http.Client // nil: one of our own
}

func (o OAuth) enabled() bool { return o.Introspection != "" || o.JWKS != "" }

const (
	providerTime    = 10 * time.Second // for an answer of the provider
	providerBytes   = 1 << 20          // of it
	providerAsked   = 16               // at once
	providerWaiting = 256              // logins that wait to ask
	keysTime        = time.Hour        // how long keys are used without asking again
	keysPause       = time.Minute      // between two askings for keys that are not there
	firstPause      = 5 * time.Second  // the same, while there are no keys at all
	clockLeeway     = 30 * time.Second
)

// tokens checks access tokens.
type tokens struct {
	cfg    OAuth
	client *http.Client
	slots  *slots

	keysMu  sync.Mutex // held while the keys are fetched: one asking is enough
	keys    []jose.JSONWebKey
	fetched time.Time // the last success
	tried   time.Time
	failed  error // what came of that
}

func newTokens(cfg OAuth) *tokens {
	t := &tokens{cfg: cfg, client: cfg.Client, slots: newSlots(providerAsked, providerWaiting)}
	if t.cfg.Claim == "" {
		t.cfg.Claim = "email"
	}
	if t.client == nil {
		t.client = &http.Client{
			Timeout: providerTime,
			// Tokens and our secret go to the host that was configured.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return t
}

// check finds out whose a token is. reason, for the log, says why it is nobody's;
// err that it could not be found out.
func (t *tokens) check(ctx context.Context, token string) (login, reason string, err error) {
	if !validToken(token) {
		return "", "malformed token", nil
	}
	if err := t.slots.acquire(ctx); err != nil {
		return "", "", err
	}
	defer t.slots.release()
	ask := t.introspect
	if t.cfg.JWKS != "" {
		ask = t.verify
	}
	c, reason, err := ask(ctx, token)
	if reason == "" && err == nil {
		reason = t.refusal(c)
	}
	if reason != "" || err != nil {
		return "", reason, err
	}
	return c.text(t.cfg.Claim), "", nil
}

// validToken checks the characters (RFC 6750 section 2.1).
func validToken(token string) bool {
	return token != "" && strings.IndexFunc(token, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || r == '"' || r == '\\' || r == ','
	}) < 0
}

// refusal says what is wrong with the claims of a token that the provider made.
func (t *tokens) refusal(c claims) string {
	now := float64(time.Now().Unix())
	exp, expires := c.seconds("exp")
	nbf, begins := c.seconds("nbf")
	scopes := c.texts("scp")
	if s := c.text("scope"); s != "" {
		scopes = strings.Fields(s)
	}
	for _, want := range t.cfg.Scopes {
		if !slices.Contains(scopes, want) {
			return "token without the scope " + want
		}
	}
	switch {
	case !expires && t.cfg.JWKS != "":
		return "token that never expires"
	case expires && now > exp+clockLeeway.Seconds():
		return "token expired"
	case begins && now < nbf-clockLeeway.Seconds():
		return "token not yet valid"
	case t.cfg.Issuer != "" && c.text("iss") != t.cfg.Issuer && (t.cfg.JWKS != "" || c["iss"] != nil):
		return "token of another issuer"
	case len(t.cfg.Audience) > 0 && !slices.ContainsFunc(c.texts("aud"), func(s string) bool { return slices.Contains(t.cfg.Audience, s) }):
		return "token for another audience"
	case t.cfg.Claim == "email" && string(bytes.TrimSpace(c["email_verified"])) == "false":
		return "token with an unverified address"
	case c.text(t.cfg.Claim) == "":
		return "token without the claim " + t.cfg.Claim
	}
	return ""
}

// introspect asks the provider (RFC 7662 section 2).
func (t *tokens) introspect(ctx context.Context, token string) (claims, string, error) {
	form := url.Values{"token": {token}, "token_type_hint": {"access_token"}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.cfg.Introspection, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if t.cfg.ClientID != "" { // RFC 6749 section 2.3.1
		r.SetBasicAuth(url.QueryEscape(t.cfg.ClientID), url.QueryEscape(t.cfg.ClientSecret))
	}
	text, err := t.ask(r)
	if err != nil {
		return nil, "", err
	}
	c, err := parseClaims(text)
	if err != nil {
		return nil, "", errors.New("the OAuth provider's answer is no JSON object")
	}
	if string(bytes.TrimSpace(c["active"])) != "true" {
		return nil, "token not active", nil
	}
	return c, "", nil
}

// ask gives the body of a provider's answer.
func (t *tokens) ask(r *http.Request) ([]byte, error) {
	r.Header.Set("Accept", "application/json")
	answer, err := t.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("ask the OAuth provider: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask the OAuth provider: it answered %s", answer.Status)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, providerBytes+1))
	if err == nil && len(text) > providerBytes {
		err = errors.New("its answer is too long")
	}
	if err != nil {
		return nil, fmt.Errorf("ask the OAuth provider: %w", err)
	}
	return text, nil
}

// verify checks a JWT with the provider's keys; it gets them again when they
// lack the token's.
func (t *tokens) verify(ctx context.Context, token string) (claims, string, error) {
	parsed, err := parseJWT(token)
	if err != nil {
		return nil, err.Error(), nil
	}
	t.keysMu.Lock()
	defer t.keysMu.Unlock()
	if time.Since(t.fetched) > keysTime {
		err = t.fetch(ctx)
	}
	if t.fetched.IsZero() {
		return nil, "", err
	}
	payload, wrong := verifyJWT(parsed, t.keys)
	if errors.Is(wrong, errTokenKey) && time.Since(t.tried) > keysPause && t.fetch(ctx) == nil {
		payload, wrong = verifyJWT(parsed, t.keys)
	}
	if wrong != nil {
		return nil, wrong.Error(), nil
	}
	c, err := parseClaims(payload)
	if err != nil {
		return nil, err.Error(), nil
	}
	return c, "", nil
}

// fetch gets the provider's keys. After an error the old ones stay, and it is
// not asked again for a while. keysMu is held.
func (t *tokens) fetch(ctx context.Context) error {
	pause := keysPause
	if t.fetched.IsZero() {
		pause = firstPause
	}
	if time.Since(t.tried) < pause {
		return t.failed
	}
	t.tried = time.Now()
	t.failed = t.fetchNow(context.WithoutCancel(ctx)) // a client that leaves fails no others
	return t.failed
}

func (t *tokens) fetchNow(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, t.cfg.JWKS, http.NoBody)
	if err != nil {
		return err
	}
	text, err := t.ask(r)
	if err != nil {
		return err
	}
	keys, err := parseJWKS(text)
	if err != nil {
		return err
	}
	t.keys, t.fetched = keys, time.Now()
	return nil
}
