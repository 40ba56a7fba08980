package main

import (
	"context"
	"strings"
	"time"

	"tandem/auth"
	"tandem/store"
)

// passwordInfo is an app password as printed.
type passwordInfo struct {
	Label string   `json:"label"`
	Scope []string `json:"scope"`

	// "" where the account's policy holds.
	POP3Delete   store.DeletePolicy `json:"pop3_delete"`
	POP3See      store.SeeRule      `json:"pop3_see"`
	POP3MarkSeen store.Switch       `json:"pop3_mark_seen"`

	Created    time.Time  `json:"created"`
	Expires    *time.Time `json:"expires"`
	LastUsed   *time.Time `json:"last_used"`
	LastAddr   string     `json:"last_address"`
	LastClient string     `json:"last_client"`
}

func passwordInfoOf(c store.Credential) passwordInfo {
	return passwordInfo{c.Label, scopeNames(c.Scope), c.POP3Delete, c.POP3See, c.POP3MarkSeen,
		c.Created.UTC(), known(c.Expires), known(c.LastUsed), c.LastAddr, c.LastClient}
}

// known is a time as printed: null when there is none.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// scopes are the names of scopes, in the order of their bits.
func scopes() []string { return []string{"imap", "pop3", "smtp", "web"} }

func scopeNames(s store.Scope) []string {
	names := []string{}
	for i, name := range scopes() {
		if s&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// parseScope reads names with commas between them. 0: one of them is none.
func parseScope(text string) (s store.Scope) {
next:
	for _, word := range strings.Split(text, ",") {
		for i, name := range scopes() {
			if strings.TrimSpace(word) == name {
				s |= 1 << i
				continue next
			}
		}
		return 0
	}
	return s
}

type passwordAddRequest struct {
	Account  string              `json:"account"`
	Password store.NewCredential `json:"password"` // without Hash and Keys

	SCRAM     bool `json:"scram"` // make keys
	SCRAMSHA1 bool `json:"scram_sha1"`
}

type passwordAddResult struct {
	Label    string `json:"label"`
	Password string `json:"password"`
}

// passwordAdd makes the password too, so that its SCRAM keys lie under the
// account's salt; it goes over the control socket once.
var passwordAdd = verb[passwordAddRequest, passwordAddResult]{"app-password/add",
	func(ctx context.Context, s *store.Store, req passwordAddRequest) (res passwordAddResult, err error) {
		a, err := s.Account(ctx, req.Account)
		if err != nil {
			return res, err
		}
		creds, err := s.Credentials(ctx, a.ID)
		if err != nil {
			return res, err
		}
		res = passwordAddResult{req.Password.Label, makePassword()}
		req.Password.Hash, req.Password.KeepScheme = auth.HashMade(res.Password), true
		if req.SCRAM && len(creds) > 0 {
			req.Password.Keys = auth.MoreScramKeys(res.Password, creds[0].Keys, req.SCRAMSHA1)
		}
		_, err = s.AddCredential(ctx, a.ID, req.Password)
		return res, err
	}}

type passwordRequest struct {
	Account string `json:"account"`
	Label   string `json:"label"`
}

var passwordList = verb[passwordRequest, []passwordInfo]{"app-password/list",
	func(ctx context.Context, s *store.Store, req passwordRequest) ([]passwordInfo, error) {
		a, err := s.Account(ctx, req.Account)
		if err != nil {
			return nil, err
		}
		creds, err := s.Credentials(ctx, a.ID)
		list := []passwordInfo{}
		for _, c := range creds {
			if c.Label != "" {
				list = append(list, passwordInfoOf(c))
			}
		}
		return list, err
	}}

type passwordSetRequest struct {
	passwordRequest
	Update store.CredentialUpdate `json:"update"`
}

var passwordSet = verb[passwordSetRequest, done]{"app-password/set",
	func(ctx context.Context, s *store.Store, req passwordSetRequest) (done, error) {
		a, err := s.Account(ctx, req.Account)
		if err != nil {
			return done{}, err
		}
		return done{}, s.UpdateCredential(ctx, a.ID, req.Label, req.Update)
	}}

var passwordRevoke = verb[passwordRequest, done]{"app-password/revoke",
	func(ctx context.Context, s *store.Store, req passwordRequest) (done, error) {
		a, err := s.Account(ctx, req.Account)
		if err != nil {
			return done{}, err
		}
		return done{}, s.RevokeCredential(ctx, a.ID, req.Label)
	}}
