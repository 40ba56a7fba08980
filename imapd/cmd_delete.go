package imapd

import (
	"context"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// RFC 3501 section 6.3.4.
func deleteCommand() command {
	return row("DELETE", loggedIn, 0, parseName, (*session).delete)
}

// parseName reads the one mailbox name that is all of a command's arguments.
func parseName(_ *session, d *wire.Decoder) string {
	d.SP()
	return d.Mailbox()
}

func (s *session) delete(ctx context.Context, name string) error {
	if name == "INBOX" {
		return no("CANNOT", "INBOX cannot be deleted")
	}
	box, err := s.mailbox(ctx, name, store.RightDelete)
	if err != nil {
		return err
	}
	if err := s.srv.cfg.Store.DeleteMailbox(ctx, s.actor, box.ID); err != nil {
		return err
	}
	s.hasDeleted(box)
	if s.view != nil && s.view.ID() == box.ID {
		s.leaveMailbox() // which another name may have hidden from the client
		s.enc.Raw("* OK [CLOSED] The selected mailbox was deleted").CRLF()
	}
	return nil
}
