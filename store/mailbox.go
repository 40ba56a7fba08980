package store

import (
	"context"
	"strings"
	"unicode/utf8"
)

// Limits on mailbox names (limits.md).
const (
	maxNamePart  = 255
	maxNameBytes = 1000
	maxNameDepth = 32
)

// CanonicalMailboxName gives the name as stored: INBOX in capitals, also as
// the first part of a longer name. Invalid when the name can never exist: not
// UTF-8, empty or too long parts, control characters, list wildcards.
func CanonicalMailboxName(name string) (string, error) {
	parts := strings.Split(name, "/")
	if strings.EqualFold(parts[0], "INBOX") {
		parts[0] = "INBOX"
	}
	if !utf8.ValidString(name) {
		return "", Errorf(Invalid, "mailbox name is not valid UTF-8")
	}
	if len(name) > maxNameBytes || len(parts) > maxNameDepth {
		return "", Errorf(Limit, "mailbox name is longer than %d bytes or deeper than %d levels", maxNameBytes, maxNameDepth)
	}
	for _, p := range parts {
		if p == "" {
			return "", Errorf(Invalid, "mailbox name %q has an empty part", name)
		}
		if len(p) > maxNamePart {
			return "", Errorf(Limit, "a part of the mailbox name is longer than %d bytes", maxNamePart)
		}
	}
	for _, r := range name {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '*' || r == '%' || r == 0xfffd || r == 0x2028 || r == 0x2029 {
			return "", Errorf(Invalid, "mailbox name %q has a character that is not allowed", name)
		}
	}
	return strings.Join(parts, "/"), nil
}

// Mailboxes lists the actor's mailboxes by name, with counters.
func (s *Store) Mailboxes(ctx context.Context, by Actor) ([]Mailbox, error) {
	list, err := s.engine.Mailboxes(ctx, by.Account)
	for i := range list {
		list[i] = s.withRecent(list[i])
	}
	return list, err
}

// Subscriptions lists subscribed names, existing or not.
func (s *Store) Subscriptions(ctx context.Context, by Actor) ([]string, error) {
	return s.engine.Subscriptions(ctx, by.Account)
}

// Mailbox finds a mailbox of the actor by name. NotFound if there is none.
func (s *Store) Mailbox(ctx context.Context, by Actor, name string) (Mailbox, error) {
	name, err := CanonicalMailboxName(name)
	if err != nil {
		return Mailbox{}, Errorf(NotFound, "no such mailbox")
	}
	m, err := s.engine.MailboxByName(ctx, by.Account, name)
	if err != nil {
		return Mailbox{}, err
	}
	return s.withRecent(m), nil
}

// withRecent puts the live value of \Recent into a row.
func (s *Store) withRecent(m Mailbox) Mailbox {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.RecentFrom = max(m.RecentFrom, s.recent[m.ID])
	return m
}

// Recent counts the messages of a mailbox that are \Recent to the session that
// selects it next. It needs RightRead.
func (s *Store) Recent(ctx context.Context, by Actor, m *Mailbox) (int, error) {
	switch {
	case m.RecentFrom >= m.UIDNext:
		return 0, nil
	case m.Messages == int(m.UIDNext)-1: // nothing was ever removed
		return int(m.UIDNext - m.RecentFrom), nil
	}
	return s.engine.CountFrom(ctx, by, m.ID, m.RecentFrom)
}

// CreateMailbox makes a mailbox of an account with its missing parents. In
// another's it takes RightCreate on the nearest mailbox above it.
func (s *Store) CreateMailbox(ctx context.Context, by Actor, owner AccountID, m NewMailbox) (Mailbox, error) {
	name, err := CanonicalMailboxName(m.Name)
	if err != nil {
		return Mailbox{}, err
	}
	m.Name = name
	made, err := s.engine.CreateMailbox(ctx, by, owner, m, s.opts.MaxMailboxes)
	return made, s.watchRoom(err)
}

// DeleteMailbox removes a mailbox; its children stay.
func (s *Store) DeleteMailbox(ctx context.Context, by Actor, id MailboxID) error {
	return s.engine.DeleteMailbox(ctx, by, id)
}

// RenameMailbox renames a mailbox and its children, within its account; INBOX
// is emptied into the new one instead (RFC 3501 section 6.3.5).
func (s *Store) RenameMailbox(ctx context.Context, by Actor, id MailboxID, to string) error {
	to, err := CanonicalMailboxName(to)
	if err != nil {
		return err
	}
	return s.engine.RenameMailbox(ctx, by, id, to, s.opts.MaxMailboxes)
}

// SetSubscribed subscribes to a name, existing or not, or ends that. Limit when
// there are as many subscriptions as there may be mailboxes.
func (s *Store) SetSubscribed(ctx context.Context, by Actor, name string, on bool) error {
	name, err := CanonicalMailboxName(name)
	if err != nil {
		return err
	}
	if on && s.opts.MaxMailboxes > 0 {
		list, err := s.engine.Subscriptions(ctx, by.Account)
		if err != nil {
			return err
		}
		if len(list) >= s.opts.MaxMailboxes {
			return Errorf(Limit, "the account has %d subscriptions, as many as there may be", len(list))
		}
	}
	return s.engine.SetSubscribed(ctx, by, by.Account, name, on)
}
