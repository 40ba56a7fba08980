package imapd

import (
	"context"
	"fmt"

	"tandem/imapd/internal/wire"
)

// RFC 3501 section 6.3.8, in the extended form of RFC 5258.
func listCommand() command {
	return row("LIST", loggedIn, 0, parseList, (*session).list)
}

// listSelect is a selection option of LIST.
type listSelect struct {
	name  string
	base  bool                   // its matches are worth RECURSIVEMATCH (RFC 5258 section 6)
	set   func(a *listArgs)      // what else it means, may be nil
	match func(n *listNode) bool // whether a name is selected, nil: any
}

// listReturn is a return option of LIST. All but the name may be nil.
type listReturn struct {
	name      string
	parse     func(s *session, d *wire.Decoder, a *listArgs) // its value
	attribute func(n *listNode) string                       // an attribute it adds, "" for none
	// after sends responses after the name's.
	after func(ctx context.Context, s *session, a *listArgs, n *listNode) error
}

// maxPatterns bounds the patterns of one LIST (limits.md), and maxWild the bytes
// of those with wildcards: each is tried on every name.
const (
	maxPatterns = 100
	maxWild     = 8 << 10
)

type listArgs struct {
	extended  bool // any syntax of RFC 5258 was used
	reference string
	patterns  []string
	selects   []listSelect
	returns   []listReturn
	recursive bool // RECURSIVEMATCH
	status    []statusItem
	metadata  metadataArgs
}

func parseList(s *session, d *wire.Decoder) (a listArgs) {
	d.SP()
	if d.Next() == '(' {
		a.extended = true
		parseListSelects(s, d, &a)
		d.SP()
	}
	a.reference = d.Mailbox()
	d.SP()
	parsePatterns(d, &a)
	if !d.TrySP() {
		return a
	}
	a.extended = true
	if word := d.Keyword(); word != "RETURN" {
		d.Fail("Expected RETURN, not %s", word)
	}
	d.SP()
	d.List(func() {
		option, ok := find(d, s.srv.reg.listReturns, "return option")
		if !ok {
			return
		}
		if option.parse != nil {
			option.parse(s, d, &a)
		}
		a.returns = addOption(a.returns, option)
	})
	return a
}

func parseListSelects(s *session, d *wire.Decoder, a *listArgs) {
	base := false
	d.List(func() {
		option, ok := find(d, s.srv.reg.listSelects, "selection option")
		if !ok {
			return
		}
		if option.set != nil {
			option.set(a)
		}
		base = base || option.base
		a.selects = addOption(a.selects, option)
	})
	if a.recursive && !base { // RFC 5258 section 3.1
		d.Fail("RECURSIVEMATCH needs another selection option")
	}
}

// addOption adds an option unless it is there: repeating one means nothing more.
func addOption[T named](list []T, option T) []T {
	for _, o := range list {
		if o.word() == option.word() {
			return list
		}
	}
	return append(list, option)
}

func parsePatterns(d *wire.Decoder, a *listArgs) {
	if d.Next() != '(' {
		a.patterns = append(a.patterns, d.ListMailbox())
		return
	}
	a.extended = true
	d.List(func() {
		a.patterns = append(a.patterns, d.ListMailbox())
		if len(a.patterns) > maxPatterns {
			d.Fail("More than %d patterns", maxPatterns)
		}
	})
}

func (s *session) list(ctx context.Context, a listArgs) error {
	if !a.extended && a.patterns[0] == "" {
		// RFC 3501 section 6.3.8: asks for the separator only
		s.enc.Raw(`* LIST (\Noselect) "/" ""`).CRLF()
		return nil
	}
	patterns, err := makePatterns(a.reference, a.patterns)
	if err != nil {
		return err
	}
	tree, err := s.listTree(ctx)
	if err != nil {
		return err
	}
	tree.mark(a.selects)
	if a.recursive {
		tree.markUnlisted(patterns)
	}
	for _, n := range tree.sorted() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if n.listed(&a) && matchAny(patterns, n.name) {
			if err := s.writeList(ctx, &a, n); err != nil {
				return err
			}
		}
		if err := s.enc.Err(); err != nil {
			return err
		}
	}
	return nil
}

func makePatterns(reference string, list []string) ([]wire.Pattern, error) {
	var patterns []wire.Pattern
	wild := 0
	for _, p := range list {
		if p == "" { // names nothing (RFC 5258 section 3)
			continue
		}
		pattern := wire.NewPattern(reference + p)
		if pattern.Wild() {
			wild += len(reference) + len(p)
		}
		if wild > maxWild {
			return nil, &wire.Error{Reason: fmt.Sprintf("Patterns too long (the limit is %d)", maxWild), Limit: true}
		}
		patterns = append(patterns, pattern)
	}
	return patterns, nil
}

func matchAny(patterns []wire.Pattern, name string) bool {
	for _, p := range patterns {
		if p.Match(name) {
			return true
		}
	}
	return false
}

// listed says whether a name is selected, apart from the patterns.
func (n *listNode) listed(a *listArgs) bool {
	if len(a.selects) == 0 {
		// A name that is only a subscription is no mailbox; a name that is
		// only a level above others is shown.
		return n.box != nil || n.children
	}
	return n.selected || (a.recursive && n.unlistedBelow)
}

// writeList sends one LIST response (RFC 5258 section 4).
func (s *session) writeList(ctx context.Context, a *listArgs, n *listNode) error {
	s.enc.Raw("* LIST ").Flags(n.attributes(a)).Raw(` "/" `).Mailbox(n.name)
	if a.recursive {
		s.writeChildInfo(a, n)
	}
	s.enc.CRLF()
	if !n.selected { // listed for what is below it (RFC 5819 section 2, RFC 8440 section 3)
		return nil
	}
	for _, option := range a.returns {
		if option.after == nil {
			continue
		}
		if err := option.after(ctx, s, a, n); err != nil {
			return err
		}
	}
	return nil
}

// writeChildInfo tells which selection options hold below a name (RFC 5258
// section 3.5).
func (s *session) writeChildInfo(a *listArgs, n *listNode) {
	open := false
	for i, option := range a.selects {
		if !option.base || n.below&(1<<i) == 0 {
			continue
		}
		if !open {
			s.enc.Raw(` ("CHILDINFO" (`)
			open = true
		} else {
			s.enc.SP()
		}
		s.enc.Byte('"').Raw(option.name).Byte('"')
	}
	if open {
		s.enc.Raw("))")
	}
}

// attributes gives the name attributes of a response (RFC 3501 section 7.2.2,
// RFC 3348, RFC 5258, RFC 6154).
func (n *listNode) attributes(a *listArgs) []string {
	var list []string
	switch {
	case n.box != nil:
	case a.extended:
		list = append(list, `\NonExistent`)
	default:
		list = append(list, `\Noselect`)
	}
	if n.children {
		list = append(list, `\HasChildren`)
	} else {
		list = append(list, `\HasNoChildren`)
	}
	if n.box != nil && n.box.Use != "" {
		list = append(list, string(n.box.Use))
	}
	for _, option := range a.returns {
		if option.attribute == nil {
			continue
		}
		if word := option.attribute(n); word != "" {
			list = append(list, word)
		}
	}
	return list
}
