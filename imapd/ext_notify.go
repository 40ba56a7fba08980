package imapd

import (
	"context"
	"slices"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// extNotify is RFC 5465. What is asked for is told between commands, while the
// session waits for the next one, and in IDLE; notify_tell.go does it.
// Deviation: what this session itself puts into another mailbox is told too;
// section 5 says that it should not be.
func extNotify() extension {
	return extension{
		name:         "NOTIFY",
		rfc:          "RFC 5465",
		capabilities: everywhere("NOTIFY"),
		commands:     []command{row("NOTIFY", loggedIn, 0, parseNotify, (*session).notify)},
	}
}

// events is a set of event types (RFC 5465 section 5).
type events uint8

const (
	messageNew events = 1 << iota
	messageExpunge
	flagChange
	mailboxName
	subscriptionChange
	mailboxMetadataChange
	serverMetadataChange

	messageEvents = messageNew | messageExpunge | flagChange
	anyEvent      = ^events(0)
)

// eventOf finds an event type by its name; 0 is one that is not supported.
func eventOf(name string) events {
	for i, known := range []string{"MESSAGENEW", "MESSAGEEXPUNGE", "FLAGCHANGE", "MAILBOXNAME", "SUBSCRIPTIONCHANGE",
		"MAILBOXMETADATACHANGE", "SERVERMETADATACHANGE"} {
		if name == known {
			return 1 << i
		}
	}
	return 0
}

// badEvent names the supported event types (RFC 5465 section 3.1).
const badEvent = "BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange)"

// interest is what a client asked for with NOTIFY.
type interest struct {
	selected events
	delayed  bool      // SELECTED-DELAYED: expunges wait for a command
	fetch    []fetchOp // what is told of new messages in the selected mailbox
	groups   []eventGroup

	watch *store.Watch                      // nil: nothing is asked of other mailboxes
	known map[store.MailboxID]store.Mailbox // as the client has been told of them, or has done itself
	dim   map[store.MailboxID]bool          // known, but not to be looked into
	subs  map[string]bool                   // subscribed names, likewise

	ownEntries map[string]bool // annotations that this session is just setting: not to be told of
}

// eventGroup is what is asked of the mailboxes that a filter names.
type eventGroup struct {
	mailboxFilter
	events events
}

// asked gives the events asked for of a mailbox that is not selected. Several
// groups may cover it (RFC 5465 section 6).
func (i *interest) asked(name string, subscribed bool) (all events) {
	for k := range i.groups {
		if i.groups[k].covers(name, subscribed) {
			all |= i.groups[k].events
		}
	}
	return all
}

// maxNotifyNames is how many mailboxes a NOTIFY may name.
const maxNotifyNames = 1000

type notifyArgs struct {
	interest
	none    bool
	status  bool
	chosen  bool // SELECTED or SELECTED-DELAYED was there
	named   int
	refused error // NO, known only after the line was read
}

func parseNotify(s *session, d *wire.Decoder) (a notifyArgs) {
	d.SP()
	switch word := d.Keyword(); word {
	case "NONE":
		a.none = true
		return a
	case "SET":
	default:
		d.Fail("NOTIFY wants SET or NONE, not %s", word)
	}
	d.SP()
	if d.Next() != '(' {
		if word := d.Keyword(); word != "STATUS" {
			d.Fail("Expected STATUS or a group of events, not %s", word)
		}
		a.status = true
		d.SP()
	}
	parseGroup(s, d, &a)
	for d.TrySP() {
		parseGroup(s, d, &a)
	}
	return a
}

// parseGroup reads one event-group (RFC 5465 section 8).
func parseGroup(s *session, d *wire.Decoder, a *notifyArgs) {
	d.Byte('(')
	g := eventGroup{mailboxFilter: mailboxFilter{kind: d.Keyword()}}
	selected := g.kind == "SELECTED" || g.kind == "SELECTED-DELAYED"
	switch g.kind {
	case "SELECTED", "SELECTED-DELAYED":
		if a.chosen {
			d.Fail("Only one of SELECTED and SELECTED-DELAYED can be given")
		}
		a.chosen, a.delayed = true, g.kind == "SELECTED-DELAYED"
	case "PERSONAL", "INBOXES", "SUBSCRIBED":
	case "SUBTREE", "MAILBOXES":
		d.SP()
		g.names = parseMailboxes(d)
		if a.named += len(g.names); a.named > maxNotifyNames {
			a.refused = no("NOTIFICATIONOVERFLOW", "More than %d mailboxes", maxNotifyNames)
		}
	default:
		d.Fail("Unknown mailbox filter %s", g.kind)
	}
	d.SP()
	g.events = parseEvents(s, d, a, selected)
	d.Byte(')')
	if selected {
		a.selected = g.events
	} else {
		a.groups = append(a.groups, g)
	}
}

// parseEvents reads NONE or a list of events, and checks which belong together
// (RFC 5465 sections 5 and 6.1).
func parseEvents(s *session, d *wire.Decoder, a *notifyArgs, selected bool) (all events) {
	if d.Next() != '(' {
		if word := d.Keyword(); word != "NONE" {
			d.Fail("Expected NONE or a list of events, not %s", word)
		}
		return 0
	}
	var last events
	unknown := false
	d.List(func() {
		if d.Next() == '(' {
			if last != messageNew || !selected {
				d.Fail("FETCH items belong to MessageNew of the selected mailbox")
			}
			last = 0
			a.fetch = parseNewItems(s, d)
			return
		}
		last = eventOf(d.Keyword())
		unknown = unknown || last == 0
		all |= last
	})
	const both = messageNew | messageExpunge
	switch {
	case d.Err() != nil:
	case unknown:
		a.refused = no(badEvent, "Not all of these events are supported")
	case all == 0:
		d.Fail("An empty list of events")
	case all&messageEvents != 0 && all&both != both:
		d.Fail("MessageNew and MessageExpunge are asked for together, FlagChange only with them")
	case selected && all&^messageEvents != 0:
		d.Fail("Only events of messages can be asked of the selected mailbox")
	}
	return all
}

// parseNewItems reads what FETCH is to tell of new messages.
func parseNewItems(s *session, d *wire.Decoder) (ops []fetchOp) {
	d.List(func() {
		item, ok := find(d, s.srv.reg.fetchItems, "FETCH item")
		switch {
		case !ok:
		case item.macro != nil || len(ops) >= maxItems:
			d.Fail("%s cannot be asked for here", item.name)
		default:
			ops = append(ops, item.parse(d))
		}
	})
	if len(ops) == 0 {
		d.Fail("An empty list of items to fetch")
	}
	return ops
}

// notify replaces what was asked for before. The loop then tells what has
// changed in the selected mailbox (RFC 5465 section 3.1).
func (s *session) notify(ctx context.Context, a notifyArgs) error {
	if a.refused != nil {
		return a.refused
	}
	next := a.interest
	var tree listTree
	if !a.none && len(next.groups) > 0 {
		var err error
		next.watch = s.srv.cfg.Store.Watch(s.actor.Account)
		if tree, err = s.begin(ctx, &next); err != nil {
			next.watch.Close()
			return err
		}
	}
	s.endNotify()
	s.interest = &next
	for _, op := range next.fetch {
		if op.enables != "" {
			s.enable(op.enables)
		}
	}
	s.tellNoAccess(tree)
	if a.status {
		return s.tellAllStatus(ctx)
	}
	return nil
}

// begin takes down how things are, to tell later what changed.
func (s *session) begin(ctx context.Context, i *interest) (listTree, error) {
	if slices.ContainsFunc(i.groups, func(g eventGroup) bool { return g.others() }) {
		if err := i.watch.AddShared(ctx); err != nil {
			return nil, err
		}
	}
	tree, err := s.listTree(ctx)
	if err == nil {
		i.note(tree)
	}
	return tree, err
}

// tellNoAccess names the mailboxes asked for that the user may look up and not
// read (RFC 5465 section 3.1).
func (s *session) tellNoAccess(tree listTree) {
	for _, n := range tree.sorted() {
		if n.box != nil && !n.mayRead() && s.interest.asked(n.name, n.subscribed) != 0 {
			s.tellName(tree, n.name, "")
		}
	}
}

// note takes down the names and counters of now.
func (i *interest) note(tree listTree) {
	i.known, i.subs, i.dim = map[store.MailboxID]store.Mailbox{}, map[string]bool{}, map[store.MailboxID]bool{}
	for name, n := range tree {
		if n.box != nil {
			row := *n.box
			if !n.mayRead() { // RFC 5465 section 5: its messages are not this user's to hear of
				i.dim[row.ID] = true
				row.HighestModSeq, row.UIDNext, row.Messages, row.Unseen = 1, 1, 0, 0
			}
			i.known[row.ID] = row
		}
		if n.subscribed {
			i.subs[name] = true
		}
	}
}

// endNotify forgets what was asked for: nothing more is told unasked than
// before the first NOTIFY.
func (s *session) endNotify() {
	if s.interest != nil && s.interest.watch != nil {
		s.interest.watch.Close()
	}
	s.interest = nil
}

// heeded gives the events that the client wants to hear of in the selected
// mailbox: all, until it says otherwise.
func (s *session) heeded() events {
	if s.interest == nil {
		return messageEvents
	}
	return s.interest.selected
}
