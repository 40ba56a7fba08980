package store

import (
	"context"
	"strconv"
)

// Resources are what a quota (RFC 9208) is about: amounts used, or limits, of
// which 0 means that there is none. Copies of a message count each.
type Resources struct {
	Storage   int64 // octets of messages
	Messages  int64
	Mailboxes int64
}

// QuotaDefault stands for the server's own limit where an account's is set.
const QuotaDefault = -1

// QuotaLevel is a share of a limit that an account's use rose above.
type QuotaLevel struct {
	Account  string
	Resource string // "storage", "messages" or "mailboxes"
	Percent  int
	Used     int64
	Limit    int64
}

// quotaLevels are the shares, in percent, that the log tells of.
func quotaLevels() []int { return []int{95, 80} }

// each calls f with the name, use and limit of every resource.
func (limits Resources) each(used Resources, f func(name string, used, limit int64)) {
	f("storage", used.Storage, limits.Storage)
	f("messages", used.Messages, limits.Messages)
	f("mailboxes", used.Mailboxes, limits.Mailboxes)
}

// Exceeded gives OverQuota when a use that rose from was to now is above a
// limit. What did not rise may be above it.
func (limits Resources) Exceeded(was, now Resources) error {
	var err error
	limits.each(now, func(name string, used, limit int64) {
		if limit > 0 && used > limit && used > was.of(name) && err == nil {
			err = Errorf(OverQuota, "over quota: the account may have %s", amount(name, limit))
		}
	})
	return err
}

// Crossed gives the levels that lie between the use before and after, the
// highest of each resource.
func (limits Resources) Crossed(account string, was, now Resources) (list []QuotaLevel) {
	limits.each(now, func(name string, used, limit int64) {
		for _, percent := range quotaLevels() {
			line := float64(limit) * float64(percent) / 100
			if limit > 0 && float64(used) >= line && float64(was.of(name)) < line {
				list = append(list, QuotaLevel{account, name, percent, used, limit})
				break
			}
		}
	})
	return list
}

func (r Resources) of(name string) (v int64) {
	r.each(r, func(n string, used, _ int64) {
		if n == name {
			v = used
		}
	})
	return v
}

// QuotaRoot gives an account with what it uses and may use, to itself, to
// administrators, and to those who may read a mailbox of it. NotFound to all
// others (RFC 9208 section 8: what others use is confidential).
func (s *Store) QuotaRoot(ctx context.Context, by Actor, id AccountID) (Account, error) {
	if by.Account != id {
		if err := s.maySeeQuota(ctx, by, id); err != nil {
			return Account{}, err
		}
	}
	return s.engine.Account(ctx, id)
}

func (s *Store) maySeeQuota(ctx context.Context, by Actor, id AccountID) error {
	own, err := s.engine.Account(ctx, by.Account)
	if err != nil || own.Admin {
		return err
	}
	list, err := s.engine.Shared(ctx, by)
	if err != nil {
		return err
	}
	for i := range list {
		if list[i].ID.Account() == id && list[i].Rights.Has(RightRead) {
			return nil
		}
	}
	return Errorf(NotFound, "no such quota root")
}

// AccountByID finds an account by its id. NotFound if there is none.
func (s *Store) AccountByID(ctx context.Context, id AccountID) (Account, error) {
	return s.engine.Account(ctx, id)
}

// QuotaFor gives OverQuota when the owner of a mailbox has no room for more
// messages of so many octets, so that a front end need not take it in to know.
// It needs RightInsert. The verb that stores the message decides.
func (s *Store) QuotaFor(ctx context.Context, by Actor, id MailboxID, octets, messages int64) error {
	if by.Account != id.Account() {
		have, err := s.Rights(ctx, by, id)
		if err == nil {
			err = have.Allow(RightInsert)
		}
		if err != nil {
			return err
		}
	}
	a, err := s.engine.Account(ctx, id.Account())
	if err != nil {
		return err
	}
	more := a.Used
	more.Storage += octets
	more.Messages += messages
	return a.Quota.Exceeded(a.Used, more)
}

// SetQuota replaces all limits of an account; Forbidden unless the actor is an
// administrator.
func (s *Store) SetQuota(ctx context.Context, by Actor, id AccountID, limits Resources) error {
	return s.engine.SetQuota(ctx, by, id, limits)
}

// DeletedBytes sums up the sizes of a mailbox's messages with \Deleted. It needs
// RightRead.
func (s *Store) DeletedBytes(ctx context.Context, by Actor, id MailboxID) (int64, error) {
	return s.engine.DeletedBytes(ctx, by, id)
}

// amount words a limit.
func amount(name string, n int64) string {
	switch name {
	case "storage":
		return strconv.FormatInt(n, 10) + " octets of messages"
	default:
		return strconv.FormatInt(n, 10) + " " + name
	}
}

// warnOfQuotas logs the levels that accounts rose above.
func (s *Store) warnOfQuotas(changes []Change) {
	for i := range changes {
		for _, l := range changes[i].Crossed {
			s.opts.Logger.Warn("quota nearly used up", "account", l.Account, "resource", l.Resource, "percent", l.Percent, "used", l.Used, "limit", l.Limit)
		}
	}
}
