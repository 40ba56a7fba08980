package imapd

import (
	"context"
	"sort"
	"strings"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// listTree is all names that LIST and LSUB can show: mailboxes, subscriptions
// and the levels above them.
type listTree map[string]*listNode

// listNode is one name.
type listNode struct {
	name       string
	parent     *listNode
	box        *store.Mailbox // nil: no such mailbox
	rights     store.Rights   // on it
	subscribed bool
	children   bool // mailboxes are below it

	// Set by mark:
	selected        bool   // by all selection options
	unlistedBelow   bool   // by markUnlisted: a selected name below it that no pattern matches
	below           uint64 // selection options that a name below it meets, by index
	subscribedBelow bool   // a name below it is subscribed
}

// listTree reads the names of one's own mailboxes, of those of others that may
// be looked up, and of subscriptions.
func (s *session) listTree(ctx context.Context) (listTree, error) {
	boxes, err := s.srv.cfg.Store.Mailboxes(ctx, s.actor)
	if err != nil {
		return nil, err
	}
	names, err := s.srv.cfg.Store.Subscriptions(ctx, s.actor)
	if err != nil {
		return nil, err
	}
	shared, err := s.shared(ctx)
	if err != nil {
		return nil, err
	}
	t := make(listTree, len(boxes))
	for i := range boxes {
		t.add(&boxes[i], boxes[i].ID.OwnerRights())
	}
	for i := range shared {
		if shared[i].Rights.Has(store.RightLookup) {
			t.add(&shared[i].Mailbox, shared[i].Rights)
		}
	}
	for _, name := range names {
		n := t.node(name)
		n.subscribed = true
		for p := n.parent; p != nil && !p.subscribedBelow; p = p.parent {
			p.subscribedBelow = true
		}
	}
	return t, nil
}

// add puts a mailbox into the tree, unless there is one of its name.
func (t listTree) add(box *store.Mailbox, rights store.Rights) {
	n := t.node(box.Name)
	if n.box != nil {
		return
	}
	n.box, n.rights = box, rights
	for p := n.parent; p != nil && !p.children; p = p.parent {
		p.children = true
	}
}

// node gives the node of a name, made with those above it when missing.
func (t listTree) node(name string) *listNode {
	if n := t[name]; n != nil {
		return n
	}
	n := &listNode{name: name}
	t[name] = n
	if i := strings.LastIndexByte(name, '/'); i > 0 {
		n.parent = t.node(name[:i])
	}
	return n
}

// mark finds out what the selection options select.
func (t listTree) mark(selects []listSelect) {
	for _, n := range t {
		var met uint64
		n.selected = true
		for i, option := range selects {
			if option.match == nil {
				continue
			}
			if option.match(n) {
				met |= 1 << i
			} else {
				n.selected = false
			}
		}
		for p := n.parent; p != nil && p.below&met != met; p = p.parent {
			p.below |= met
		}
	}
}

// markUnlisted finds out below which names there are others that are selected
// and that no pattern matches (RFC 9051 section 6.3.9.3): those are
// what CHILDINFO is for.
func (t listTree) markUnlisted(patterns []wire.Pattern) {
	for _, n := range t {
		if !n.selected || matchAny(patterns, n.name) {
			continue
		}
		for p := n.parent; p != nil && !p.unlistedBelow; p = p.parent {
			p.unlistedBelow = true
		}
	}
}

// sorted gives the names in order, INBOX first.
func (t listTree) sorted() []*listNode {
	list := make([]*listNode, 0, len(t))
	for _, n := range t {
		list = append(list, n)
	}
	sort.Slice(list, func(i, j int) bool {
		if a, b := list[i].name == "INBOX", list[j].name == "INBOX"; a != b {
			return a
		}
		return list[i].name < list[j].name
	})
	return list
}
