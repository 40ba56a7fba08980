package imapd

import (
	"context"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// RFC 3501 section 6.3.10.
func statusCommand() command {
	return row("STATUS", loggedIn, 0, parseStatus, (*session).statusOf)
}

// statusItem is an item of STATUS, also of LIST ... RETURN (STATUS (...)).
type statusItem struct {
	name  string
	write func(s *session, box *store.Mailbox)

	// number is instead of write for a number that is not in the mailbox's row.
	number func(ctx context.Context, s *session, box *store.Mailbox) (uint64, error)
}

// statusNumber is an item that is a number of the mailbox row.
func statusNumber(name string, value func(box *store.Mailbox) uint64) statusItem {
	return statusItem{name: name, write: func(s *session, box *store.Mailbox) { s.enc.Num(value(box)) }}
}

// rev1StatusItems are those of RFC 3501, and DELETED of RFC 9051 section 6.3.11.
func rev1StatusItems() []statusItem {
	return []statusItem{
		statusNumber("MESSAGES", func(b *store.Mailbox) uint64 { return uint64(b.Messages) }),
		{name: "RECENT", number: recentCount},
		statusNumber("UIDNEXT", func(b *store.Mailbox) uint64 { return uint64(b.UIDNext) }),
		statusNumber("UIDVALIDITY", func(b *store.Mailbox) uint64 { return uint64(b.UIDValidity) }),
		statusNumber("UNSEEN", func(b *store.Mailbox) uint64 { return uint64(b.Unseen) }),
		statusNumber("DELETED", func(b *store.Mailbox) uint64 { return uint64(b.Deleted) }),
	}
}

// recentCount is how many messages came since a session last took \Recent.
func recentCount(ctx context.Context, s *session, box *store.Mailbox) (uint64, error) {
	n, err := s.srv.cfg.Store.Recent(ctx, s.actor, box)
	return uint64(n), err
}

type statusArgs struct {
	name  string
	items []statusItem
}

func parseStatus(s *session, d *wire.Decoder) (a statusArgs) {
	d.SP()
	a.name = d.Mailbox()
	d.SP()
	a.items = parseStatusItems(s, d)
	return a
}

func parseStatusItems(s *session, d *wire.Decoder) (items []statusItem) {
	d.List(func() {
		if item, ok := find(d, s.srv.reg.statusItems, "STATUS item"); ok {
			items = append(items, item)
		}
	})
	if len(items) == 0 {
		d.Fail("STATUS wants at least one item")
	}
	return items
}

func (s *session) statusOf(ctx context.Context, a statusArgs) error {
	box, err := s.mailbox(ctx, a.name, store.RightRead)
	if err != nil {
		return err
	}
	return s.writeStatus(ctx, &box, a.items)
}

// writeStatus sends one STATUS response (RFC 3501 section 7.2.4).
func (s *session) writeStatus(ctx context.Context, box *store.Mailbox, items []statusItem) error {
	numbers := make([]uint64, len(items))
	for i, item := range items {
		if item.number == nil {
			continue
		}
		var err error
		if numbers[i], err = item.number(ctx, s, box); err != nil {
			return err
		}
	}
	s.enc.Raw("* STATUS ").Mailbox(box.Name).Raw(" (")
	for i, item := range items {
		if i > 0 {
			s.enc.SP()
		}
		s.enc.Raw(item.name).SP()
		if item.write == nil {
			s.enc.Num(numbers[i])
		} else {
			item.write(s, box)
		}
	}
	s.enc.Byte(')').CRLF()
	return nil
}
