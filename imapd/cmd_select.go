package imapd

import (
	"context"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// selectParam is a word of the parameter list of SELECT and EXAMINE (RFC 4466
// section 2.1).
type selectParam struct {
	name    string
	enables string // word of ENABLE that the parameter implies, or ""

	// parse reads what follows the name and gives what is to be done after
	// the mailbox's data was told. nil: nothing follows, nothing is done.
	parse func(s *session, d *wire.Decoder) func(ctx context.Context, s *session) error
}

// RFC 3501 section 6.3.1.
func selectCommand() command {
	return row("SELECT", loggedIn, noSync, parseSelect, func(s *session, ctx context.Context, a selectArgs) error {
		return s.selectMailbox(ctx, a, false)
	})
}

// RFC 3501 section 6.3.2.
func examineCommand() command {
	return row("EXAMINE", loggedIn, noSync, parseSelect, func(s *session, ctx context.Context, a selectArgs) error {
		return s.selectMailbox(ctx, a, true)
	})
}

type selectArgs struct {
	name    string
	enables []string
	hooks   []func(ctx context.Context, s *session) error
}

func parseSelect(s *session, d *wire.Decoder) (a selectArgs) {
	d.SP()
	a.name = d.Mailbox()
	if !d.TrySP() {
		return a
	}
	d.List(func() {
		p, ok := find(d, s.srv.reg.selectParams, "parameter")
		if !ok {
			return
		}
		if p.enables != "" {
			a.enables = append(a.enables, p.enables)
		}
		if p.parse != nil {
			a.hooks = append(a.hooks, p.parse(s, d))
		}
	})
	return a
}

// selectMailbox leaves the mailbox selected before, also when it fails (RFC
// 3501 section 6.3.1), and answers from the mailbox's row, without waiting
// for its index.
func (s *session) selectMailbox(ctx context.Context, a selectArgs, readOnly bool) error {
	if s.view != nil {
		s.leaveMailbox()
		s.enc.Raw("* OK [CLOSED] Previous mailbox closed").CRLF() // RFC 7162 section 3.2.11
	}
	for _, name := range a.enables {
		s.enable(name)
	}
	box, err := s.mailbox(ctx, a.name, store.RightRead)
	if err != nil {
		return err
	}
	opened, err := s.srv.cfg.Store.View(ctx, s.actor, box.ID)
	if err != nil {
		return err
	}
	s.view = &view{View: opened, name: box.Name, readOnly: readOnly}
	s.state = selected
	s.tellMailbox()
	for _, hook := range a.hooks {
		if hook == nil {
			continue
		}
		if err := hook(ctx, s); err != nil {
			s.leaveMailbox()
			return err
		}
	}
	switch {
	case readOnly:
		s.ok("READ-ONLY", "EXAMINE completed")
	case !s.view.mayChange():
		s.ok("READ-ONLY", "SELECT completed")
	default:
		s.ok("READ-WRITE", "SELECT completed")
	}
	return nil
}

// tellMailbox sends the data that RFC 3501 section 6.3.1 requires, and
// HIGHESTMODSEQ (RFC 7162 section 3.1.2.1).
func (s *session) tellMailbox() {
	v, row := s.view, s.view.Mailbox()
	v.keywords = len(v.Keywords())
	s.tellFlagNames()
	s.enc.Raw("* ").Num(uint64(row.Messages)).Raw(" EXISTS").CRLF()
	s.tellRecent()
	if seq, ok := v.FirstUnseen(); ok && !s.enabled[uidonly] && !s.enabled[rev2] {
		s.enc.Raw("* OK [UNSEEN ").Num(uint64(seq)).Raw("] First unseen").CRLF()
	}
	s.enc.Raw("* OK [UIDVALIDITY ").Num(uint64(row.UIDValidity)).Raw("] UIDs valid").CRLF()
	s.enc.Raw("* OK [UIDNEXT ").Num(uint64(row.UIDNext)).Raw("] Predicted next UID").CRLF()
	s.tellHighest(row.HighestModSeq)
	for _, c := range s.srv.reg.mailboxCodes {
		s.status("*", answer{"OK", c.code(&row), c.text})
	}
	s.tellSelectedName()
}

func (s *session) tellHighest(m store.ModSeq) {
	s.enc.Raw("* OK [HIGHESTMODSEQ ").Num(uint64(m)).Raw("] Highest").CRLF()
}

// RFC 3501 section 6.4.1. There is nothing to do that is not done always.
func checkCommand() command {
	return row("CHECK", selected, 0, noArgs, func(*session, context.Context, none) error { return nil })
}

// RFC 3501 section 6.4.2.
func closeCommand() command {
	return row("CLOSE", selected, noSync, noArgs, (*session).closeMailbox)
}

// closeMailbox expunges without telling and leaves the mailbox, which may be
// gone itself.
func (s *session) closeMailbox(ctx context.Context, _ none) error {
	mayExpunge := !s.view.readOnly && s.view.Rights().Has(store.RightExpunge) // RFC 4314 section 4: else as UNSELECT
	if all := s.view.everything(); mayExpunge && len(all) > 0 {
		if _, err := s.view.Expunge(ctx, all); err != nil && store.KindOf(err) != store.NotFound {
			return err
		}
	}
	s.leaveMailbox()
	return nil
}

// extUnselect is RFC 3691.
func extUnselect() extension {
	return extension{
		name:         "UNSELECT",
		rfc:          "RFC 3691",
		capabilities: everywhere("UNSELECT"),
		commands: []command{row("UNSELECT", selected, noSync, noArgs, func(s *session, _ context.Context, _ none) error {
			s.leaveMailbox()
			return nil
		})},
	}
}

// mailboxCommands are the commands of RFC 3501 section 6.4 and those that
// select.
func mailboxCommands() []command {
	return []command{
		selectCommand(), examineCommand(),
		checkCommand(), closeCommand(), expungeCommand(),
		searchCommand(false), searchCommand(true),
		fetchCommand(false), fetchCommand(true),
		storeCommand(false), storeCommand(true),
		copyCommand(false), copyCommand(true),
	}
}
