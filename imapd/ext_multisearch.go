package imapd

import (
	"context"
	"slices"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// extMultiSearch is RFC 7377.
func extMultiSearch() extension {
	return extension{
		name:         "MULTISEARCH",
		rfc:          "RFC 7377",
		capabilities: everywhere("MULTISEARCH"),
		commands:     []command{row("ESEARCH", loggedIn, 0, parseMultiSearch, (*session).multiSearch)},
	}
}

type multiSearchArgs struct {
	searchArgs
	in []source // none: the selected mailbox
}

// source is what a search may look into beside the selected mailbox.
type source struct {
	selected bool
	mailboxFilter
}

// maxSources is how many names a command may list.
const maxSources = 1000

// parseMultiSearch is RFC 7377 section 5. What is answered is always UIDs.
func parseMultiSearch(s *session, d *wire.Decoder) (a multiSearchArgs) {
	a.uid, a.esearch = true, true
	p := &searchParser{s: s, d: d}
	d.SP()
	name := p.word()
	if name == "IN" {
		d.SP()
		a.in = parseSources(d)
		d.SP()
		name = p.word()
	}
	a.parseOptions(p, name)
	if a.returns == nil {
		a.returns = searchReturns{s.srv.reg.searchReturns["ALL"]}
	}
	switch {
	case d.Err() != nil:
	case !a.onlySelected() && p.bySelected:
		d.Fail("Message numbers and $ mean nothing in other mailboxes")
	case !a.onlySelected() && a.returns.has("SAVE"):
		d.Fail("Such a result can be kept of the selected mailbox only") // RFC 7377 section 2.2
	case s.view == nil && (a.wantsSelected() || a.returns.has("UPDATE")):
		d.Fail("No mailbox is selected") // RFC 7377 section 2.2
	}
	return a
}

// onlySelected says that no mailbox but the selected one is meant.
func (a *multiSearchArgs) onlySelected() bool {
	return !slices.ContainsFunc(a.in, func(f source) bool { return !f.selected })
}

func (a *multiSearchArgs) wantsSelected() bool {
	return len(a.in) == 0 || slices.ContainsFunc(a.in, func(f source) bool { return f.selected })
}

// parseSources reads the list after IN. No scope options are known.
func parseSources(d *wire.Decoder) (list []source) {
	names := 0
	d.List(func() {
		if d.Next() == '(' {
			d.Fail("Unknown scope option")
			return
		}
		f := source{mailboxFilter: mailboxFilter{kind: d.Keyword()}}
		switch f.kind {
		case "SELECTED":
			f.selected = true
		case "INBOXES", "PERSONAL", "SUBSCRIBED":
		case "MAILBOXES", "SUBTREE", "SUBTREE-ONE":
			d.SP()
			f.names = parseMailboxes(d)
			names += len(f.names)
		default:
			d.Fail("Unknown source of mailboxes %s", f.kind)
		}
		list = append(list, f)
		if len(list)+names > maxSources {
			d.Fail("More than %d sources of mailboxes", maxSources)
		}
	})
	if len(list) == 0 {
		d.Fail("An empty list of mailboxes")
	}
	return list
}

// multiSearch answers for each mailbox in which something was found, and for
// no other (RFC 7377 section 2.1).
func (s *session) multiSearch(ctx context.Context, a multiSearchArgs) error {
	if a.refused != nil {
		return s.tellFound("SEARCH", &a.searchArgs, nil, a.refused)
	}
	if a.modseq {
		s.enable(condstore)
	}
	if a.onlySelected() {
		box := s.view.Mailbox()
		box.Name = s.view.name
		a.of = &box
		found, err := s.find(ctx, &a.searchArgs)
		if err == nil && found.count == 0 {
			return a.end(s, found)
		}
		return s.tellFound("SEARCH", &a.searchArgs, found, err)
	}
	boxes, err := s.sources(ctx, a.in)
	if err != nil {
		return err
	}
	if err := sourceLimit(boxes, s.srv.cfg.Limits.Messages); err != nil {
		return err
	}
	ctx, release, err := s.beginSearch(ctx, a.what.level)
	if err != nil {
		return err
	}
	defer release()
	for i := range boxes {
		if err := s.searchOne(ctx, &a.searchArgs, &boxes[i]); err != nil {
			return err
		}
		if err := s.enc.Err(); err != nil {
			return err
		}
	}
	a.of = &store.Mailbox{} // UPDATE, of many
	return a.end(s, &searchResult{})
}

// sources gives the mailboxes that are meant, each once. Names of none, and of
// those that this user may not see, are passed over (RFC 7377 section 2.2).
func (s *session) sources(ctx context.Context, in []source) ([]store.Mailbox, error) {
	tree, err := s.listTree(ctx)
	if err != nil {
		return nil, err
	}
	var boxes []store.Mailbox
	for _, n := range tree.sorted() {
		if n.mayRead() {
			n.box.Subscribed = n.subscribed
			boxes = append(boxes, *n.box)
		}
	}
	boxes = slices.DeleteFunc(boxes, func(box store.Mailbox) bool {
		return !slices.ContainsFunc(in, func(f source) bool {
			if f.selected {
				return s.isSelected(box)
			}
			return f.covers(box.Name, box.Subscribed)
		})
	})
	if slices.ContainsFunc(in, func(f source) bool { return f.selected }) && !slices.ContainsFunc(boxes, s.isSelected) {
		box := s.view.Mailbox() // which may be read, but not be in any list
		box.Name = s.view.name
		boxes = append(boxes, box)
	}
	return s.addUnlisted(ctx, boxes, in, tree)
}

// addUnlisted adds the mailboxes named that may be read but not be in any list:
// to those named the right l is not needed (RFC 7377 section 2.2).
func (s *session) addUnlisted(ctx context.Context, boxes []store.Mailbox, in []source, tree listTree) ([]store.Mailbox, error) {
	for _, f := range in {
		if f.kind != "MAILBOXES" {
			continue
		}
		for _, name := range f.names {
			if n := tree[name]; !isForeign(name) || n != nil && n.box != nil {
				continue
			}
			box, err := s.mailbox(ctx, name, store.RightRead)
			if passOver(err) != nil {
				return nil, err
			}
			if err == nil && !slices.ContainsFunc(boxes, func(b store.Mailbox) bool { return b.ID == box.ID }) {
				boxes = append(boxes, box)
			}
		}
	}
	return boxes, nil
}

func (s *session) isSelected(box store.Mailbox) bool { return s.view != nil && s.view.ID() == box.ID }

// searchOne searches one of several mailboxes; the selected one as this
// session knows it.
func (s *session) searchOne(ctx context.Context, a *searchArgs, box *store.Mailbox) error {
	v := s.view
	if v == nil || v.ID() != box.ID {
		opened, err := s.srv.cfg.Store.View(ctx, s.actor, box.ID)
		if err == nil {
			defer opened.Close()
			v = &view{View: opened, name: box.Name, readOnly: true}
			err = v.Load(ctx)
		}
		if err != nil {
			return passOver(err)
		}
	} else if err := v.Load(ctx); err != nil {
		return passOver(err)
	}
	found := newSearchResult(a)
	if err := s.findIn(ctx, v, a, found); err != nil || found.count == 0 {
		return passOver(err)
	}
	a.of = box
	s.tellESearch(a, found)
	return nil
}

// passOver forgives a mailbox that has gone or been closed to this user
// meanwhile.
func passOver(err error) error {
	if kind := store.KindOf(err); kind == store.NotFound || kind == store.Forbidden {
		return nil
	}
	return err
}
