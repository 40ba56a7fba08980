package auth

import (
	"encoding/json"
	"errors"
	"log/slog"
	"strings"

	"github.com/emersion/go-sasl"

	"tandem/store"
)

// bearer gives OAUTHBEARER (RFC 7628) or XOAUTH2, which is older and has no RFC.
// The token is as good as a password to whoever reads it.
func bearer(name string, parse func(string) (login, token string, ok bool), refusal bearerRefusal) mechanism {
	return mechanism{
		name: name, password: true,
		offered: func(a *Authenticator, _ Attempt) bool { return a.tokens != nil },
		start:   func(x *Exchange) sasl.Server { return &bearerServer{x: x, parse: parse, refusal: refusal} },
	}
}

// bearerRefusal is what a client is told of a token that is not taken.
type bearerRefusal struct {
	Status  string `json:"status"`
	Schemes string `json:"schemes,omitempty"`
	Scope   string `json:"scope,omitempty"`
}

func oauthBearer() mechanism {
	return bearer("OAUTHBEARER", parseOAuthBearer, bearerRefusal{Status: "invalid_token"}) // RFC 7628 section 3.2.2
}

func xoauth2() mechanism {
	return bearer("XOAUTH2", parseXOAuth2, bearerRefusal{Status: "401", Schemes: "bearer"})
}

type bearerServer struct {
	x       *Exchange
	parse   func(string) (login, token string, ok bool)
	refusal bearerRefusal
	done    bool
	failed  error // told to the client; its answer ends the exchange
}

// Next implements sasl.Server.
func (s *bearerServer) Next(response []byte) (challenge []byte, done bool, err error) {
	switch {
	case s.failed != nil: // RFC 7628 section 3.2.3: a dummy response
		return nil, false, s.failed
	case s.done:
		return nil, false, ErrMalformed
	case response == nil:
		return []byte{}, false, nil
	}
	s.done = true
	login, token, ok := s.parse(string(response))
	if !ok {
		return nil, false, ErrMalformed
	}
	switch err := s.x.token(login, token); {
	case err == nil:
		return nil, true, nil
	case !errors.Is(err, ErrFailed) && !errors.Is(err, ErrNotAuthorized):
		return nil, false, err
	default:
		s.failed = err
	}
	s.refusal.Scope = strings.Join(s.x.auth.tokens.cfg.Scopes, " ")
	challenge, err = json.Marshal(s.refusal)
	return challenge, false, err
}

// token ends an exchange of an access token. login is whom the client says it
// is, "" if it leaves that to the token.
func (x *Exchange) token(login, token string) error {
	a := x.auth
	a.named(x.ctx, &x.at, login)
	x.at.Password = token
	name, reason, err := a.tokens.check(x.ctx, token)
	if err == nil && reason == "" {
		return x.asserted(name)
	}
	return x.undone(reason, err)
}

// asserted ends an exchange whose client is name, as somebody trusted says. A
// login that it gave must mean the same account.
func (x *Exchange) asserted(name string) error {
	a, login := x.auth, x.at.Login
	if login == "" {
		x.at.Login = name
	}
	acct, cred, reason, err := a.ownCredential(x, name)
	if err != nil || reason != "" {
		return x.undone(reason, err)
	}
	if login != "" {
		other, _, err := a.accounts.FindLogin(x.ctx, login)
		if err != nil && store.KindOf(err) != store.NotFound {
			return x.undone("", err)
		}
		if err != nil || other.ID != acct.ID {
			a.logAttempt(x.at, slog.LevelWarn, "login refused: may not act as that user", "is", logString(name))
			a.delay(x.ctx, x.at)
			return ErrNotAuthorized
		}
	}
	x.id = a.admitted(x.at, acct, cred)
	return nil
}

// undone ends an exchange that failed for reason or, with err, was not decided.
func (x *Exchange) undone(reason string, err error) error {
	if err != nil {
		x.auth.logAttempt(x.at, undecided(x.ctx, err), "login not decided", "err", err)
		return ErrBusy
	}
	return x.auth.refused(x.ctx, x.at, reason)
}

// ownCredential finds the account of name and its own password's credential,
// which says what a login that needs no password of ours is good for.
func (a *Authenticator) ownCredential(x *Exchange, name string) (acct store.Account, c store.Credential, reason string, err error) {
	if len(name) > maxLogin {
		return acct, c, "unknown user", nil
	}
	acct, creds, err := a.accounts.FindLogin(x.ctx, name)
	switch {
	case store.KindOf(err) == store.NotFound && err != nil:
		return acct, c, "unknown user", nil
	case err != nil:
		return acct, c, "", err
	case !acct.Enabled:
		return acct, c, "account disabled", nil
	}
	for _, c := range creds {
		if c.Label == "" && x.at.Scope != 0 && c.Scope&x.at.Scope == x.at.Scope {
			return acct, c, "", nil
		}
	}
	return acct, c, "no credential for this protocol", nil
}

// parseOAuthBearer reads RFC 7628 section 3.1:
// n,a=alice@example.org,^Ahost=imap.example.org^Aport=993^Aauth=Bearer TOKEN^A^A
func parseOAuthBearer(message string) (login, token string, ok bool) {
	header, pairs, found := strings.Cut(message, "\x01")
	gs2 := strings.Split(header, ",")
	if !found || len(gs2) != 3 || gs2[0] != "n" && gs2[0] != "y" || gs2[2] != "" {
		return "", "", false
	}
	if gs2[1] != "" {
		name, isName := strings.CutPrefix(gs2[1], "a=")
		if login, ok = unescapeName(name); !isName || !ok || login == "" {
			return "", "", false
		}
	}
	token, ok = bearerToken(pairs)
	return login, token, ok
}

// unescapeName undoes what RFC 5801 section 4 does to a saslname.
func unescapeName(s string) (string, bool) {
	name := strings.NewReplacer("=2C", ",", "=3D", "=").Replace(s)
	return name, strings.Count(s, "=") == strings.Count(s, "=2C")+strings.Count(s, "=3D")
}

// parseXOAuth2 reads user=alice@example.org^Aauth=Bearer TOKEN^A^A.
func parseXOAuth2(message string) (login, token string, ok bool) {
	user, pairs, _ := strings.Cut(message, "\x01")
	login, ok = strings.CutPrefix(user, "user=")
	if !ok || login == "" {
		return "", "", false
	}
	token, ok = bearerToken(pairs)
	return login, token, ok
}

// bearerToken finds the token among key=value pairs that each end in ^A, with
// another ^A at the end.
func bearerToken(pairs string) (token string, ok bool) {
	pairs, ended := strings.CutSuffix(pairs, "\x01\x01")
	for pair := range strings.SplitSeq(pairs, "\x01") {
		key, value, _ := strings.Cut(pair, "=")
		if key != "auth" {
			continue
		}
		scheme, rest, _ := strings.Cut(value, " ")
		if value == "" && !ok { // asks what a token must be for (RFC 7628 section 4.3)
			ok = true
			continue
		}
		if ok || !strings.EqualFold(scheme, "Bearer") { // given twice, or of another kind
			return "", false
		}
		token, ok = strings.TrimLeft(rest, " "), true
	}
	return token, ok && ended
}
