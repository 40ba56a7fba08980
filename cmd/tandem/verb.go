package main

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"tandem/store"
)

// verb is one administrative act over an open store. The command line runs it
// directly, or names it to the server, which runs the same function.
type verb[Req, Res any] struct {
	name string
	run  func(context.Context, *store.Store, Req) (Res, error)
}

// done is the result of verbs that have nothing to tell.
type done struct{}

// register makes the verb a request of the control socket.
func (v verb[Req, Res]) register(mux *http.ServeMux, s *store.Store) {
	mux.HandleFunc("POST /v1/"+v.name, func(w http.ResponseWriter, r *http.Request) {
		var req Req
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControlRequest)).Decode(&req); err != nil {
			writeControlError(w, store.Errorf(store.Invalid, "read the request: %w", err))
			return
		}
		res, err := v.run(r.Context(), s, req)
		if err != nil {
			writeControlError(w, err)
			return
		}
		writeControlResult(w, res)
	})
}

// registerVerbs makes every verb a request, but for the streaming ones.
func registerVerbs(mux *http.ServeMux, s *store.Store) {
	for _, v := range []interface {
		register(*http.ServeMux, *store.Store)
	}{accountCreate, accountList, accountUpdate, accountRemove, accountSalt, passwordAdd, passwordList, passwordSet, passwordRevoke, aclChange, storeCheck, sessionUndo, mailUndelete, sessionList, messageStory,
		uidlList, uidlSet} {
		v.register(mux, s)
	}
}

// accountInfo is an account as printed.
type accountInfo struct {
	Name         string             `json:"name"`
	Enabled      bool               `json:"enabled"`
	POP3Delete   store.DeletePolicy `json:"pop3_delete"`
	POP3See      store.SeeRule      `json:"pop3_see"`
	POP3MarkSeen bool               `json:"pop3_mark_seen"`
	Created      time.Time          `json:"created"`
	Admin        bool               `json:"admin"`
	Used         resources          `json:"used"`
	Quota        resources          `json:"quota"`
}

// resources are amounts used, or limits (0: none).
type resources struct {
	Storage   int64 `json:"storage"`
	Messages  int64 `json:"messages"`
	Mailboxes int64 `json:"mailboxes"`
}

func infoOf(a store.Account) accountInfo {
	return accountInfo{a.Name, a.Enabled, a.POP3Delete, a.POP3See, a.POP3MarkSeen, a.Created.UTC(), a.Admin, resources(a.Used), resources(a.Quota)}
}

type createRequest struct {
	Accounts []store.NewAccount `json:"accounts"`
	Replace  bool               `json:"replace"` // a name that exists gets the new hash
}

type createResult struct {
	Names []string `json:"names"` // as stored
}

var accountCreate = verb[createRequest, createResult]{"account/create",
	func(ctx context.Context, s *store.Store, req createRequest) (createResult, error) {
		if err := s.CreateAccounts(ctx, req.Accounts, req.Replace); err != nil {
			return createResult{}, err
		}
		var res createResult
		for _, a := range req.Accounts {
			name, err := store.CanonicalAccountName(a.Name)
			if err != nil {
				return createResult{}, err
			}
			res.Names = append(res.Names, name)
		}
		return res, nil
	}}

var accountList = verb[done, []accountInfo]{"account/list",
	func(ctx context.Context, s *store.Store, _ done) ([]accountInfo, error) {
		accounts, err := s.Accounts(ctx)
		list := make([]accountInfo, len(accounts))
		for i, a := range accounts {
			list[i] = infoOf(a)
		}
		return list, err
	}}

type updateRequest struct {
	Name   string              `json:"name"`
	Update store.AccountUpdate `json:"update"`
}

var accountUpdate = verb[updateRequest, accountInfo]{"account/update",
	func(ctx context.Context, s *store.Store, req updateRequest) (accountInfo, error) {
		a, err := s.Account(ctx, req.Name)
		if err != nil {
			return accountInfo{}, err
		}
		if req.Update != (store.AccountUpdate{}) {
			if err := s.UpdateAccount(ctx, a.ID, req.Update); err != nil {
				return accountInfo{}, err
			}
			if a, err = s.Account(ctx, req.Name); err != nil {
				return accountInfo{}, err
			}
		}
		return infoOf(a), nil
	}}

// accountSalt gives the salt that keys of a new password of the account have to
// lie under, because its app passwords have keys; null when any will do.
var accountSalt = verb[removeRequest, *store.ScramKeys]{"account/salt",
	func(ctx context.Context, s *store.Store, req removeRequest) (*store.ScramKeys, error) {
		a, err := s.Account(ctx, req.Name)
		if err != nil {
			return nil, err
		}
		creds, err := s.Credentials(ctx, a.ID)
		for _, c := range creds {
			if c.Label != "" && c.Keys != nil && (c.Keys.SHA256 != nil || c.Keys.SHA1 != nil) {
				return &store.ScramKeys{Salt: c.Keys.Salt, Iterations: c.Keys.Iterations}, err
			}
		}
		return nil, err
	}}

type removeRequest struct {
	Name string `json:"name"`
}

var accountRemove = verb[removeRequest, done]{"account/remove",
	func(ctx context.Context, s *store.Store, req removeRequest) (done, error) {
		a, err := s.Account(ctx, req.Name)
		if err != nil {
			return done{}, err
		}
		return done{}, s.RemoveAccount(ctx, a.ID)
	}}

type checkRequest struct {
	Repair bool `json:"repair"`
}

type checkResult struct {
	Findings []string `json:"findings"`
}

// maxFindings bounds what a check of a badly damaged store says.
const maxFindings = 10000

var storeCheck = verb[checkRequest, checkResult]{"check",
	func(ctx context.Context, s *store.Store, req checkRequest) (checkResult, error) {
		res := checkResult{Findings: []string{}}
		err := s.Check(ctx, req.Repair, func(finding string) {
			if len(res.Findings) < maxFindings {
				res.Findings = append(res.Findings, finding)
			}
		})
		return res, err
	}}
