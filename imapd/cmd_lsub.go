package imapd

import (
	"context"
	"strings"

	"tandem/imapd/internal/wire"
)

// RFC 3501 section 6.3.9.
func lsubCommand() command {
	return row("LSUB", loggedIn, 0, parseLsub, (*session).lsub)
}

type lsubArgs struct{ reference, pattern string }

func parseLsub(_ *session, d *wire.Decoder) (a lsubArgs) {
	d.SP()
	a.reference = d.Mailbox()
	d.SP()
	a.pattern = d.ListMailbox()
	return a
}

// lsub shows subscribed names, and with "%" the levels above names that it
// stops short of, as \Noselect (RFC 3501 section 6.3.9).
func (s *session) lsub(ctx context.Context, a lsubArgs) error {
	if a.pattern == "" {
		s.enc.Raw(`* LSUB (\Noselect) "/" ""`).CRLF()
		return nil
	}
	tree, err := s.listTree(ctx)
	if err != nil {
		return err
	}
	pattern := wire.NewPattern(a.reference + a.pattern)
	levels := strings.HasSuffix(a.pattern, "%")
	for _, n := range tree.sorted() {
		if !pattern.Match(n.name) || !(n.subscribed || levels && n.subscribedBelow) {
			continue
		}
		var attributes []string
		if !n.subscribed || n.box == nil {
			attributes = append(attributes, `\Noselect`)
		}
		s.enc.Raw("* LSUB ").Flags(attributes).Raw(` "/" `).Mailbox(n.name).CRLF()
	}
	return nil
}
