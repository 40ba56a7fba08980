package imapd

import (
	"context"
	"fmt"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// extReplace is RFC 8508. Its message is read as APPEND reads one.
func extReplace() extension {
	return extension{
		name:         "REPLACE",
		rfc:          "RFC 8508",
		capabilities: everywhere("REPLACE"),
		commands: []command{
			// EXPUNGE goes out with the answer of both forms: it is what
			// they are for (RFC 8508 section 3.4).
			row("REPLACE", selected, readsOn|namesNumbers, parseReplace(false), (*session).replace),
			row("UID REPLACE", selected, readsOn, parseReplace(true), (*session).replace),
		},
	}
}

type replaceArgs struct {
	old numbers // one
	to  string
}

// parseReplace reads up to the message (RFC 8508 section 5).
func parseReplace(uid bool) func(*session, *wire.Decoder) replaceArgs {
	return func(_ *session, d *wire.Decoder) (a replaceArgs) {
		d.SP()
		a.old = numbers{d.Set(), uid}
		if !a.old.set.IsOne() {
			d.Fail("REPLACE takes one message")
		}
		d.SP()
		a.to = d.Mailbox()
		return a
	}
}

// replace is done in one transaction of the store: neither message is there
// without the other at any time (RFC 8508 section 3.4).
func (s *session) replace(ctx context.Context, a replaceArgs) error {
	if err := s.dec.Err(); err != nil {
		return err
	}
	if err := s.writable(ctx); err != nil {
		return err
	}
	old, err := s.theOne(a.old)
	if err != nil {
		return err
	}
	box, err := s.destination(ctx, a.to)
	if err != nil {
		return err
	}
	up := &upload{box: box}
	defer up.close()
	s.dec.SP()
	if err := s.appendOne(ctx, up); err != nil {
		return err
	}
	if err := s.dec.EOL(); err != nil { // no second message: RFC 8508 section 4.7
		return err
	}
	done, err := s.view.Replace(ctx, old, up.list[0])
	if err != nil {
		return err
	}
	up.ingests[0].Used()
	s.arrived(box.ID, store.UIDSet{{Start: done.UID, Stop: done.UID}})
	s.okExpunged("REPLACE completed")
	// Before EXPUNGE or VANISHED (RFC 8508 section 4.3), which the loop tells.
	if !box.dark {
		s.status("*", answer{"OK", fmt.Sprintf("APPENDUID %d %d", done.UIDValidity, done.UID), "Replacement message ready"})
	}
	return nil
}

// theOne finds the one message that n names.
func (s *session) theOne(n numbers) (store.UID, error) {
	uids, err := s.view.resolve(n)
	if err != nil {
		return 0, err
	}
	for page := range s.view.pages(uids, 1) {
		if page[0].Gone {
			return 0, no("EXPUNGEISSUED", "The message no longer exists")
		}
		return page[0].UID, nil
	}
	return 0, no("NONEXISTENT", "There is no such message")
}
