package imapd

import (
	"context"
	"strings"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// extQuota is RFC 9208. Every account is one quota root, named like it, which
// all its mailboxes are under. What has no limit is left out of QUOTA; STATUS's
// DELETED, which it asks for too, is among those of the base.
func extQuota() extension {
	return extension{
		name: "QUOTA",
		rfc:  "RFC 9208",
		capabilities: append(everywhere("QUOTA", "QUOTA=RES-STORAGE", "QUOTA=RES-MESSAGE", "QUOTA=RES-MAILBOX"),
			capability{name: "QUOTASET", states: loggedIn, word: quotaSetWord}),
		commands: []command{
			row("GETQUOTA", loggedIn, 0, parseQuotaRoot, (*session).getQuota),
			row("GETQUOTAROOT", loggedIn, 0, parseName, (*session).getQuotaRoot),
			row("SETQUOTA", loggedIn, 0, parseSetQuota, (*session).setQuota),
		},
		statusItems: []statusItem{{name: "DELETED-STORAGE", number: deletedStorage}},
	}
}

// quotaUnit is what STORAGE is counted in (RFC 9208 section 5.1).
const quotaUnit = 1024

// inUnits rounds up to whole units: something is never told as nothing.
func inUnits(octets int64) uint64 { return uint64(octets+quotaUnit-1) / quotaUnit }

// quotaSetWord tells administrators alone that they may.
func quotaSetWord(s *session) string {
	a, err := s.srv.cfg.Store.AccountByID(context.Background(), s.actor.Account)
	if err != nil || !a.Admin {
		return ""
	}
	return "QUOTASET"
}

// deletedStorage is in octets, not in units as STORAGE: RFC 9208 section 4.1.4
// lets it be the sum of RFC822.SIZE.
func deletedStorage(ctx context.Context, s *session, box *store.Mailbox) (uint64, error) {
	if box.Deleted == 0 {
		return 0, nil
	}
	n, err := s.srv.cfg.Store.DeletedBytes(ctx, s.actor, box.ID)
	return uint64(n), err
}

func parseQuotaRoot(_ *session, d *wire.Decoder) string {
	d.SP()
	return d.Astring()
}

// getQuota is RFC 9208 section 4.1.1.
func (s *session) getQuota(ctx context.Context, root string) error {
	a, err := s.quotaRoot(ctx, root)
	if err != nil {
		return err
	}
	s.writeQuota(&a)
	return nil
}

// quotaRoot finds the account that a root is: one's own, one with a mailbox
// that this user may read, for administrators any.
func (s *session) quotaRoot(ctx context.Context, root string) (store.Account, error) {
	own, err := s.srv.cfg.Store.AccountByID(ctx, s.actor.Account)
	if err != nil || strings.EqualFold(root, own.Name) {
		return own, err
	}
	a, err := s.srv.cfg.Store.Account(ctx, root)
	if err == nil {
		a, err = s.srv.cfg.Store.QuotaRoot(ctx, s.actor, a.ID)
	}
	kind := store.KindOf(err)
	switch {
	case err == nil || kind != store.NotFound && kind != store.Invalid:
		return a, err
	case own.Admin:
		return a, no("NONEXISTENT", "There is no such quota root")
	}
	return a, no("NOPERM", "That quota root is not yours to see")
}

// getQuotaRoot is RFC 9208 section 4.1.2.
func (s *session) getQuotaRoot(ctx context.Context, name string) error {
	box, err := s.mailbox(ctx, name, store.RightRead)
	owner := box.ID.Account()
	if err != nil && store.KindOf(err) == store.NotFound && !isForeign(name) { // it may be one that is still to be made
		box.Name, owner, err = name, s.actor.Account, nil
	}
	if err != nil {
		return err
	}
	a, err := s.srv.cfg.Store.QuotaRoot(ctx, s.actor, owner)
	if err != nil {
		return err
	}
	s.enc.Raw("* QUOTAROOT ").Mailbox(box.Name).SP().String(a.Name).CRLF()
	s.writeQuota(&a)
	return nil
}

// writeQuota sends QUOTA (RFC 9208 section 4.2.1): an empty list means that
// nothing is limited.
func (s *session) writeQuota(a *store.Account) {
	s.enc.Raw("* QUOTA ").String(a.Name).Raw(" (")
	first := true
	for _, r := range []struct {
		name        string
		used, limit uint64
	}{
		{"STORAGE", inUnits(a.Used.Storage), inUnits(a.Quota.Storage)},
		{"MESSAGE", uint64(a.Used.Messages), uint64(a.Quota.Messages)},
		{"MAILBOX", uint64(a.Used.Mailboxes), uint64(a.Quota.Mailboxes)},
	} {
		if r.limit == 0 {
			continue
		}
		if !first {
			s.enc.SP()
		}
		first = false
		s.enc.Raw(r.name).SP().Num(r.used).SP().Num(r.limit)
	}
	s.enc.Byte(')').CRLF()
}

// setQuotaArgs is SETQUOTA's list as sent: the last of a name counts.
type setQuotaArgs struct {
	root   string
	limits map[string]int64
}

// maxResources bounds the list: there are only three to name.
const maxResources = 16

func parseSetQuota(_ *session, d *wire.Decoder) setQuotaArgs {
	d.SP()
	a := setQuotaArgs{root: d.Astring(), limits: map[string]int64{}}
	d.SP()
	d.List(func() {
		name := strings.ToUpper(d.Atom())
		d.SP()
		a.limits[name] = d.Number64()
		if len(a.limits) > maxResources {
			d.Fail("More than %d resources", maxResources)
		}
	})
	return a
}

// setQuota is RFC 9208 section 4.1.3: resources left out have no limit after
// it. Deviation: a limit of 0, under which nothing could be kept, is refused,
// for in the store and on the command line 0 means no limit.
func (s *session) setQuota(ctx context.Context, a setQuotaArgs) error {
	account, err := s.quotaRoot(ctx, a.root)
	if err != nil {
		return err
	}
	var limits store.Resources
	for name, n := range a.limits {
		if n == 0 {
			return no("CANNOT", "A limit of 0 cannot be set (leave the resource out for none)")
		}
		switch name {
		case "STORAGE":
			limits.Storage = min(n, maxStorage/quotaUnit) * quotaUnit
		case "MESSAGE":
			limits.Messages = n
		case "MAILBOX":
			limits.Mailboxes = n
		default:
			return no("CANNOT", "There is no resource of that name here")
		}
	}
	if err := s.srv.cfg.Store.SetQuota(ctx, s.actor, account.ID, limits); err != nil {
		return err
	}
	return s.getQuota(ctx, account.Name)
}

// maxStorage is the largest limit on storage: more than there can be.
const maxStorage = 1 << 60
