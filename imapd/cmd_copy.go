package imapd

import (
	"context"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// copyCommand is RFC 3501 section 6.4.7; in its UID form 6.4.8.
func copyCommand(uid bool) command {
	if uid {
		return row("UID COPY", selected, 0, parseCopy(uid), (*session).copy)
	}
	return row("COPY", selected, usesNumbers, parseCopy(uid), (*session).copy)
}

type copyArgs struct {
	from numbers
	to   string
}

func parseCopy(uid bool) func(*session, *wire.Decoder) copyArgs {
	return func(_ *session, d *wire.Decoder) (a copyArgs) {
		d.SP()
		a.from = numbers{d.Set(), uid}
		d.SP()
		a.to = d.Mailbox()
		return a
	}
}

func (s *session) copy(ctx context.Context, a copyArgs) error {
	if err := s.loaded(ctx); err != nil {
		return err
	}
	_, code, err := s.copyTo(ctx, a, false)
	if err == nil && code != "" {
		s.ok(code, "Copied")
	}
	return err
}

// copyTo copies or moves. Sequence numbers of expunged messages fail the whole
// command, because a copy is all or nothing (RFC 3501 section 6.4.7, RFC 2180
// section 4.4.1); UIDs without a message are passed over. code is COPYUID, if
// that is to be told.
func (s *session) copyTo(ctx context.Context, a copyArgs, move bool) (done store.Copied, code string, err error) {
	uids, err := s.view.resolve(a.from)
	if err != nil {
		return done, "", err
	}
	to, err := s.destination(ctx, a.to)
	if err != nil || len(uids) == 0 {
		return done, "", err
	}
	if !a.from.goesOn() && s.view.goneIn(uids) {
		return done, "", no("EXPUNGEISSUED", "Some of the messages no longer exist")
	}
	if limits := &s.srv.cfg.Limits; !move { // RFC 9738 section 3.1: a copy is all or nothing
		err = s.refuseBeyond(s.view, uids, limits.saveLimit())
	} else {
		uids = s.withinLimit(s.view, uids, limits.Messages)
	}
	if err != nil {
		return done, "", err
	}
	s.meanwhile(func() { done, err = s.view.Copy(ctx, to.ID, uids, move) })
	if err != nil {
		return done, "", err
	}
	s.arrived(to.ID, done.Dest)
	if len(done.Source) > 0 && !to.dark {
		code = copyUID(done)
	}
	return done, code, nil
}

// copyUID is the response code of RFC 4315 section 3.
func copyUID(c store.Copied) string {
	b := wire.NumSet{{Start: c.UIDValidity, Stop: c.UIDValidity}}.Append([]byte("COPYUID "))
	b = append(b, ' ')
	b = wireSet(c.Source).Append(b)
	b = append(b, ' ')
	return string(wireSet(c.Dest).Append(b))
}

// wireSet gives UIDs as the wire has them.
func wireSet(uids store.UIDSet) wire.NumSet {
	set := make(wire.NumSet, len(uids))
	for i, r := range uids {
		set[i] = wire.Range{Start: uint32(r.Start), Stop: uint32(r.Stop)}
	}
	return set
}
