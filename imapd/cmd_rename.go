package imapd

import (
	"context"
	"strings"

	"tandem/imapd/internal/wire"
)

// RFC 3501 section 6.3.5. That INBOX is emptied instead of renamed, and that
// children go along, is the store's doing.
func renameCommand() command {
	return row("RENAME", loggedIn, 0, parseRename, (*session).rename)
}

type renameArgs struct{ from, to string }

func parseRename(_ *session, d *wire.Decoder) (a renameArgs) {
	d.SP()
	a.from = d.Mailbox()
	d.SP()
	a.to = strings.TrimSuffix(d.Mailbox(), "/")
	return a
}

func (s *session) rename(ctx context.Context, a renameArgs) error {
	if a.from != "INBOX" && strings.HasPrefix(a.to, a.from+"/") {
		return no("CANNOT", "A mailbox cannot be moved into itself")
	}
	box, err := s.srv.cfg.Store.Mailbox(ctx, s.actor, a.from)
	if err != nil {
		return err
	}
	err = s.srv.cfg.Store.RenameMailbox(ctx, s.actor, box.ID, a.to)
	if err == nil {
		s.hasRenamed(ctx, a.from, a.to)
	}
	return err
}
