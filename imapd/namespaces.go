package imapd

import (
	"context"
	"strings"

	"tandem/store"
)

// The prefixes of names that are not one's own (RFC 2342): mailboxes of other
// accounts, by the account's name, and those of the account that belongs to
// nobody in particular. A mailbox of one's own that was named so before hides
// what is behind the name.
const (
	othersPrefix = "Other Users/"
	sharedPrefix = "Shared/"
)

// isForeign says whether a name is in a namespace other than one's own.
func isForeign(name string) bool {
	return inTree(name, strings.TrimSuffix(othersPrefix, "/")) || inTree(name, strings.TrimSuffix(sharedPrefix, "/"))
}

// cutForeign splits a foreign name into what is before the name that the owner
// knows the mailbox by, and that; ok is false for the levels above mailboxes.
func cutForeign(name string) (prefix, inner string, ok bool) {
	if inner, found := strings.CutPrefix(name, sharedPrefix); found {
		return sharedPrefix, inner, inner != ""
	}
	rest, found := strings.CutPrefix(name, othersPrefix)
	if !found {
		return "", "", false
	}
	owner, inner, _ := strings.Cut(rest, "/")
	return othersPrefix + owner + "/", inner, owner != "" && inner != ""
}

// foldForeign gives a foreign name as lists show it: INBOX, and all below it, are
// one for their owner in any case.
func foldForeign(name string) string {
	prefix, inner, ok := cutForeign(name)
	if folded, err := store.CanonicalMailboxName(inner); ok && err == nil {
		return prefix + folded
	}
	return name
}

// foreignName gives the name of another's mailbox as this session knows it.
func (s *session) foreignName(owner, inner string) string {
	if owner == s.srv.cfg.Store.SharedAccount() {
		return sharedPrefix + inner
	}
	return othersPrefix + owner + "/" + inner
}

// errNoMailbox is the answer to a name of nothing, and to one of what this user
// may not know of: it must not tell the two apart (RFC 4314 section 6).
func errNoMailbox() error { return store.Errorf(store.NotFound, "no such mailbox") }

// mailbox finds the mailbox of a name, on which the user needs rights. This is
// the only way from a name to a mailbox: what it gives bears the name by which
// the client knows it.
func (s *session) mailbox(ctx context.Context, name string, need store.Rights) (store.Mailbox, error) {
	box, have, err := s.mailboxRights(ctx, name)
	if err == nil {
		err = have.Allow(need)
	}
	return box, err
}

// mailboxRights finds the mailbox of a name, and what the user may do with it.
func (s *session) mailboxRights(ctx context.Context, name string) (store.Mailbox, store.Rights, error) {
	box, err := s.srv.cfg.Store.Mailbox(ctx, s.actor, name)
	switch {
	case err == nil:
		return box, box.ID.OwnerRights(), nil
	case store.KindOf(err) != store.NotFound:
		return box, 0, err
	case !isForeign(name):
		return box, 0, errNoMailbox()
	}
	prefix, inner, err := s.splitName(ctx, name)
	if err != nil {
		return box, 0, err
	}
	shared, err := s.srv.cfg.Store.MailboxOf(ctx, s.actor, prefix.owner, inner)
	if store.KindOf(err) == store.NotFound && err != nil {
		return box, 0, errNoMailbox()
	}
	box = shared.Mailbox
	box.Name, box.Use = prefix.name+box.Name, "" // special uses are for their owner's clients
	return box, shared.Rights, err
}

// location is where the mailboxes of an account are.
type location struct {
	owner store.AccountID
	name  string // what is before their names, "" before one's own
}

// splitName finds the account in which a name is or would be, and what the
// mailbox is called there. NotFound for names that no mailbox can have.
func (s *session) splitName(ctx context.Context, name string) (in location, inner string, err error) {
	if !isForeign(name) {
		return location{owner: s.actor.Account}, name, nil
	}
	prefix, inner, ok := cutForeign(name)
	if !ok {
		return location{}, "", errNoMailbox()
	}
	owner := s.srv.cfg.Store.SharedAccount()
	if prefix != sharedPrefix {
		owner = strings.TrimSuffix(strings.TrimPrefix(prefix, othersPrefix), "/")
	}
	a, err := s.srv.cfg.Store.Account(ctx, owner)
	switch {
	case err == nil && a.ID != s.actor.Account && s.foreignName(a.Name, "") == prefix:
		return location{owner: a.ID, name: prefix}, inner, nil
	case err == nil, store.KindOf(err) == store.NotFound, store.KindOf(err) == store.Invalid:
		return location{}, "", errNoMailbox()
	}
	return location{}, "", err
}

// shared lists the mailboxes of others that the user may know of, by the names
// by which the client knows them.
func (s *session) shared(ctx context.Context) ([]store.SharedMailbox, error) {
	list, err := s.srv.cfg.Store.Shared(ctx, s.actor)
	for i := range list {
		list[i].Name, list[i].Use = s.foreignName(list[i].Owner, list[i].Name), ""
	}
	return list, err
}

// mayRead says whether a name in a list is of a mailbox that may be looked into.
func (n *listNode) mayRead() bool { return n.box != nil && n.rights.Has(store.RightRead) }
