package imapd

import (
	"context"
	"strings"

	"github.com/xdg-go/stringprep"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// extACL is RFC 4314. A mailbox's owner has all rights, which nobody can take
// away; flags are the mailbox's, not each user's.
func extACL() extension {
	return extension{
		name:         "ACL",
		rfc:          "RFC 4314",
		capabilities: everywhere("ACL", "RIGHTS=texk"), // section 2.2: rights that RFC 2086 did not have
		commands: []command{
			row("GETACL", loggedIn, 0, parseName, (*session).getACL),
			row("SETACL", loggedIn, 0, parseSetACL, (*session).setACL),
			row("DELETEACL", loggedIn, 0, parseGrantee, (*session).deleteACL),
			row("LISTRIGHTS", loggedIn, 0, parseGrantee, (*session).listRights),
			row("MYRIGHTS", loggedIn, 0, parseName, (*session).myRights),
		},
	}
}

// extListMyRights is RFC 8440.
func extListMyRights() extension {
	return extension{
		name:         "LIST-MYRIGHTS",
		rfc:          "RFC 8440",
		capabilities: everywhere("LIST-MYRIGHTS"),
		listReturns: []listReturn{{
			name: "MYRIGHTS",
			after: func(_ context.Context, s *session, _ *listArgs, n *listNode) error {
				if n.box != nil {
					s.writeMyRights(n.name, n.rights)
				}
				return nil
			},
		}},
	}
}

// aclArgs is what the commands about an entry of an ACL are given.
type aclArgs struct {
	mailbox    string
	identifier string // prepared
	given      string // as the client wrote it
	rights     store.Rights
	op         store.ACLOp
}

// parseGrantee reads a mailbox and an identifier. One that SASLprep refuses, or
// of which it leaves nothing, is BAD (RFC 4314 section 3).
func parseGrantee(_ *session, d *wire.Decoder) (a aclArgs) {
	d.SP()
	a.mailbox = d.Mailbox()
	d.SP()
	a.given = d.Astring()
	var err error
	a.identifier, err = stringprep.SASLprep.Prepare(a.given)
	if (err != nil || a.identifier == "") && d.Err() == nil {
		d.Fail("That cannot be an identifier")
	}
	return a
}

// parseSetACL is RFC 4314 section 3.1. What is no right is BAD.
func parseSetACL(s *session, d *wire.Decoder) aclArgs {
	a := parseGrantee(s, d)
	d.SP()
	letters := d.Astring()
	switch {
	case strings.HasPrefix(letters, "+"):
		a.op, letters = store.ACLAdd, letters[1:]
	case strings.HasPrefix(letters, "-"):
		a.op, letters = store.ACLRemove, letters[1:]
	}
	rights, err := store.ParseRights(letters)
	if err != nil && d.Err() == nil {
		d.Fail("%s", capital(err.Error()))
	}
	a.rights = rights
	return a
}

// getACL is RFC 4314 section 3.3.
func (s *session) getACL(ctx context.Context, name string) error {
	box, err := s.mailbox(ctx, name, store.RightAdminister)
	if err != nil {
		return err
	}
	list, err := s.srv.cfg.Store.ACL(ctx, s.actor, box.ID)
	if err != nil {
		return err
	}
	s.enc.Raw("* ACL ").Mailbox(box.Name)
	for _, e := range list {
		s.enc.SP().String(e.Identifier).SP().Raw(e.Rights.WithObsolete())
	}
	s.enc.CRLF()
	return nil
}

func (s *session) setACL(ctx context.Context, a aclArgs) error {
	box, err := s.mailbox(ctx, a.mailbox, store.RightAdminister)
	if err != nil {
		return err
	}
	return s.srv.cfg.Store.SetACL(ctx, s.actor, box.ID, a.identifier, a.rights, a.op)
}

// deleteACL is RFC 4314 section 3.2.
func (s *session) deleteACL(ctx context.Context, a aclArgs) error {
	box, err := s.mailbox(ctx, a.mailbox, store.RightAdminister)
	if err != nil {
		return err
	}
	return s.srv.cfg.Store.DeleteACL(ctx, s.actor, box.ID, a.identifier)
}

// listRights is RFC 4314 section 3.4: the owner has all rights always, of which
// none can be withheld; others have none unless given, each by itself.
func (s *session) listRights(ctx context.Context, a aclArgs) error {
	box, err := s.mailbox(ctx, a.mailbox, store.RightAdminister)
	if err != nil {
		return err
	}
	grantee, negative, err := s.srv.cfg.Store.Grantee(ctx, a.identifier)
	if err != nil {
		return err
	}
	all := store.AllRights.WithObsolete()
	s.enc.Raw("* LISTRIGHTS ").Mailbox(box.Name).SP().String(a.given)
	switch owner := grantee == box.ID.Account(); {
	case owner && negative:
		s.enc.Raw(` ""`)
	case owner:
		s.enc.SP().Raw(all)
	default:
		s.enc.Raw(` "" `).Raw(strings.Join(strings.Split(all, ""), " "))
	}
	s.enc.CRLF()
	return nil
}

// myRights is RFC 4314 section 3.5.
func (s *session) myRights(ctx context.Context, name string) error {
	box, have, err := s.mailboxRights(ctx, name)
	if err != nil {
		return err
	}
	s.writeMyRights(box.Name, have)
	return nil
}

func (s *session) writeMyRights(name string, have store.Rights) {
	s.enc.Raw("* MYRIGHTS ").Mailbox(name).SP().Raw(have.WithObsolete()).CRLF()
}
