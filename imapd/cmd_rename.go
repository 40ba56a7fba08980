package imapd

import (
	"context"
	"strings"

	"tandem/imapd/internal/wire"
	"tandem/store"
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
	box, err := s.mailbox(ctx, a.from, store.RightDelete)
	if err != nil {
		return err
	}
	to, err := s.renamed(&box, a)
	if err != nil {
		return err
	}
	err = s.srv.cfg.Store.RenameMailbox(ctx, s.actor, box.ID, to)
	if err == nil {
		s.hasRenamed(ctx, a.from, a.to)
	}
	return err
}

// renamed gives what a mailbox is to be called by its owner: it stays in its
// account. Whether there is an account of the new name's is not looked at.
func (s *session) renamed(box *store.Mailbox, a renameArgs) (string, error) {
	prefix, inner := "", a.from
	if box.ID.Account() != s.actor.Account {
		prefix, inner, _ = cutForeign(box.Name)
	}
	toPrefix, to := "", a.to
	if isForeign(a.to) {
		toPrefix, to, _ = cutForeign(a.to)
	}
	switch {
	case prefix != toPrefix || to == "":
		return "", no("CANNOT", "A mailbox cannot be moved to another account: copy its messages")
	case prefix != "" && inner == "INBOX":
		return "", no("CANNOT", "INBOX of another account cannot be renamed")
	}
	return to, nil
}
