package lmtpd

import (
	"strings"

	"tandem/store"
)

// recipient is an accepted address.
type recipient struct {
	to      string // as given
	account store.Account
	detail  string // the subaddress that names a mailbox, "" for none
}

// resolve finds whose address to is. A subaddress that is part of an account's
// name goes before one that names a mailbox. NotFound if it is nobody's.
func (s *session) resolve(to path) (recipient, error) {
	r := recipient{to: to.text}
	var err error
	r.account, err = s.accountOf(to.local, to.domain)
	base, detail, found := strings.Cut(to.local, "+")
	if err != nil && store.KindOf(err) == store.NotFound && found && base != "" {
		r.detail = detail
		r.account, err = s.accountOf(base, to.domain)
	}
	return r, err
}

func (s *session) accountOf(local, domain string) (store.Account, error) {
	var a store.Account
	var err error
	if domain == "" {
		a, err = s.srv.store.Account(s.work, local)
	} else {
		a, err = s.srv.store.ResolveAddress(s.work, local, domain)
	}
	if store.KindOf(err) == store.Invalid {
		err = store.Errorf(store.NotFound, "no account has such a name") // and none can
	}
	return a, err
}

// mailbox finds where mail for r goes: Junk if that is what the message is,
// the mailbox that the subaddress names if it is the user's own, else INBOX.
func (s *session) mailbox(r recipient, junk bool) (store.MailboxID, error) {
	by := store.Actor{Account: r.account.ID, Session: s.id, Protocol: "lmtp"}
	named := r.detail != "" && !s.srv.inboxOnly
	if junk || named {
		list, err := s.srv.store.Mailboxes(s.work, by)
		if err != nil {
			return 0, err
		}
		if id := choose(list, r.detail, junk, named); id != 0 {
			return id, nil
		}
	}
	inbox, err := s.srv.store.Mailbox(s.work, by, "INBOX")
	return inbox.ID, err
}

// choose picks from an account's mailboxes, 0 for INBOX. Of mailboxes whose
// names differ in case only, the one spelled as in the address is meant.
func choose(list []store.Mailbox, detail string, junk, named bool) (id store.MailboxID) {
	for i := range list {
		m := &list[i]
		switch {
		case junk && m.Use == store.UseJunk:
			return m.ID
		case junk || !named || m.Use != "" || m.ID.RecentlyDeleted():
		case m.Name == detail:
			id = m.ID
		case id == 0 && strings.EqualFold(m.Name, detail):
			id = m.ID
		}
	}
	return id
}
