package imapd

import (
	"context"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// RFC 3501 section 6.4.3.
func expungeCommand() command {
	return row("EXPUNGE", selected, 0, noArgs, func(s *session, ctx context.Context, _ none) error {
		return s.expunge(ctx, numbers{set: wire.Set{Nums: wire.Of(1, 1<<32-1)}, uid: true})
	})
}

// extUIDPlus is RFC 4315; APPENDUID and COPYUID are with their commands.
func extUIDPlus() extension {
	return extension{
		name:         "UIDPLUS",
		rfc:          "RFC 4315",
		capabilities: everywhere("UIDPLUS"),
		commands:     []command{uidExpungeCommand()},
	}
}

// uidExpungeCommand is RFC 4315 section 2.1.
func uidExpungeCommand() command {
	parse := func(_ *session, d *wire.Decoder) numbers {
		d.SP()
		return numbers{d.Set(), true}
	}
	return row("UID EXPUNGE", selected, 0, parse, (*session).expungeNamed)
}

// expungeNamed is limited as EXPUNGE and CLOSE are not (RFC 9738 section 3.1).
func (s *session) expungeNamed(ctx context.Context, n numbers) error {
	if err := s.writable(ctx); err != nil {
		return err
	}
	uids, err := s.view.resolve(n)
	if err != nil {
		return err
	}
	if limit := s.srv.cfg.Limits.Messages; limit > 0 {
		uids = s.withinLimit(s.view, s.view.deletedAmong(uids), limit)
	}
	return s.expungeUIDs(ctx, uids)
}

// expunge removes what has \Deleted among the members that n means; the loop
// tells of it. What arrived untold is left alone.
func (s *session) expunge(ctx context.Context, n numbers) error {
	if err := s.writable(ctx); err != nil {
		return err
	}
	uids, err := s.view.resolve(n)
	if err != nil {
		return err
	}
	return s.expungeUIDs(ctx, uids)
}

func (s *session) expungeUIDs(ctx context.Context, uids store.UIDSet) error {
	if len(uids) == 0 {
		return nil
	}
	done, err := s.view.Expunge(ctx, uids)
	if err == nil && len(done.UIDs) > 0 {
		s.okExpunged("EXPUNGE completed")
	}
	return err
}

// loaded waits until the selected mailbox can be looked into.
func (s *session) loaded(ctx context.Context) error { return s.view.Load(ctx) }

// writable refuses changes of a mailbox that was opened with EXAMINE, and
// waits until it can be looked into.
func (s *session) writable(ctx context.Context) error {
	if s.view.readOnly {
		return no("READ-ONLY", "The mailbox is open read-only")
	}
	return s.loaded(ctx)
}
