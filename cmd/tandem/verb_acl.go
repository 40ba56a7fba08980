package main

import (
	"context"
	"fmt"

	"tandem/store"
)

// aclRequest is about the ACL of one mailbox; without an identifier nothing is
// changed.
type aclRequest struct {
	Account    string      `json:"account"`
	Mailbox    string      `json:"mailbox"`
	Make       bool        `json:"make"` // the mailbox, when it is missing
	Identifier string      `json:"identifier"`
	Rights     string      `json:"rights"`
	Op         store.ACLOp `json:"op"`
}

// aclEntry is an entry of an ACL as printed.
type aclEntry struct {
	Identifier string `json:"identifier"`
	Rights     string `json:"rights"`
}

var aclChange = verb[aclRequest, []aclEntry]{"acl",
	func(ctx context.Context, s *store.Store, req aclRequest) ([]aclEntry, error) {
		by := administrator
		owner, err := s.Account(ctx, req.Account)
		if err != nil {
			return nil, err
		}
		box, err := aclMailbox(ctx, s, by, owner.ID, req)
		if err != nil {
			return nil, err
		}
		if req.Identifier != "" {
			rights, err := store.ParseRights(req.Rights)
			if err != nil {
				return nil, err
			}
			if err := s.SetACL(ctx, by, box, req.Identifier, rights, req.Op); err != nil {
				return nil, err
			}
		}
		list, err := s.ACL(ctx, by, box)
		out := make([]aclEntry, len(list))
		for i := range list {
			out[i] = aclEntry{list[i].Identifier, list[i].Rights.String()}
		}
		return out, err
	}}

// aclMailbox finds the mailbox of a request, or makes it.
func aclMailbox(ctx context.Context, s *store.Store, by store.Actor, owner store.AccountID, req aclRequest) (store.MailboxID, error) {
	found, err := s.MailboxOf(ctx, by, owner, req.Mailbox)
	switch {
	case store.KindOf(err) == store.NotFound && req.Identifier != "" && !req.Make:
		return 0, fmt.Errorf("%w (--make makes it)", err)
	case store.KindOf(err) != store.NotFound || !req.Make:
		return found.ID, err
	}
	if _, _, err := s.Grantee(ctx, req.Identifier); err != nil {
		return 0, err // before anything is made
	}
	if _, err := store.ParseRights(req.Rights); err != nil {
		return 0, err
	}
	made, err := s.CreateMailbox(ctx, by, owner, store.NewMailbox{Name: req.Mailbox})
	if err != nil {
		return 0, err
	}
	return made.ID, nil
}
