package imapd

import (
	"context"
	"strings"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// RFC 3501 section 6.3.3; parameters are RFC 4466 section 2.2.
func createCommand() command {
	return row("CREATE", loggedIn, 0, parseCreate, (*session).create)
}

// createParam is a parameter of CREATE.
type createParam struct {
	name  string
	parse func(d *wire.Decoder, a *createArgs)
}

// mailboxCode is a response code that says something of a mailbox: with the OK
// of CREATE, and untagged with SELECT and EXAMINE.
type mailboxCode struct {
	text string // for people, with SELECT
	code func(box *store.Mailbox) string
}

type createArgs struct {
	name string
	uses []string // special uses asked for
}

func parseCreate(s *session, d *wire.Decoder) (a createArgs) {
	d.SP()
	// A separator at the end announces children (RFC 3501 section 6.3.3);
	// every mailbox may have them.
	a.name = strings.TrimSuffix(d.Mailbox(), "/")
	if d.TrySP() {
		d.List(func() {
			if p, ok := find(d, s.srv.reg.createParams, "parameter"); ok {
				p.parse(d, &a)
			}
		})
	}
	return a
}

func (s *session) create(ctx context.Context, a createArgs) error {
	box := store.NewMailbox{Name: a.name}
	if len(a.uses) > 0 {
		use, err := specialUse(a.uses)
		if err != nil {
			return err
		}
		box.Use = use
	}
	if err := mayBeMade(a.name, box.Use); err != nil {
		return err
	}
	in, inner, err := s.splitName(ctx, a.name)
	if err != nil {
		return err
	}
	box.Name = inner
	made, err := s.srv.cfg.Store.CreateMailbox(ctx, s.actor, in.owner, box)
	if err != nil && in.name != "" && store.KindOf(err) == store.NotFound {
		return errNoMailbox()
	}
	made.Name = in.name + made.Name
	if err == nil {
		s.hasMade(ctx, made)
		s.ok(s.mailboxCode(&made), "CREATE completed")
		return nil
	}
	if box.Use == "" || store.KindOf(err) != store.Exists {
		return err
	}
	if _, missing := s.mailbox(ctx, a.name, 0); missing != nil {
		return no("USEATTR", "Another mailbox is %s already", box.Use)
	}
	return err
}

// mayBeMade refuses foreign names that no account could have before it is looked
// whether there is such an account: the answer must not tell.
func mayBeMade(name string, use store.SpecialUse) error {
	_, inner, ok := cutForeign(name)
	if !ok {
		return nil
	}
	if use != "" {
		return no("USEATTR", "Special uses are for mailboxes of one's own")
	}
	_, err := store.CanonicalMailboxName(inner)
	return err
}

// mailboxCode gives the first response code about a mailbox: a tagged answer
// has room for one.
func (s *session) mailboxCode(box *store.Mailbox) string {
	if list := s.srv.reg.mailboxCodes; len(list) > 0 {
		return list[0].code(box)
	}
	return ""
}
