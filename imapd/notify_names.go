package imapd

import (
	"context"
	"slices"
	"strings"

	"tandem/store"
)

// tellNames tells what happened to names and subscriptions (RFC 5465 sections
// 5.4 and 5.5), and gives the mailboxes as they are now.
func (s *session) tellNames(ctx context.Context) ([]store.Mailbox, error) {
	i := s.interest
	tree, err := s.listTree(ctx)
	if err != nil {
		return nil, err
	}
	changes := i.compare(tree)
	known, subs := i.known, i.subs
	i.note(tree)
	rows := make([]store.Mailbox, 0, len(i.known))
	for id, row := range i.known {
		rows = append(rows, row)
		was, ok := known[id]
		if !ok {
			was = store.Mailbox{HighestModSeq: 1, UIDNext: 1}
		}
		// Its counters are still to be told of.
		row.HighestModSeq, row.UIDNext, row.Messages, row.Unseen = was.HighestModSeq, was.UIDNext, was.Messages, was.Unseen
		i.known[id] = row
	}
	for _, r := range changes.renamings {
		s.tellName(tree, r.to, r.from)
	}
	names := make([]string, 0, len(changes.affected))
	for name := range changes.affected {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if i.asked(name, subs[name] || i.subs[name])&changes.affected[name] != 0 {
			s.tellName(tree, name, "")
		}
	}
	return rows, nil
}

// renaming is told by a LIST with OLDNAME. The names below go along.
type renaming struct{ from, to string }

// nameChanges is what makes a client that believes in what it was told believe
// in what is so: the renamings in turn, then the names.
type nameChanges struct {
	renamings []renaming
	affected  map[string]events
}

// maxRenamings is how many are told as such; more are names gone and come.
const maxRenamings = 100

// compare finds what is to be told of names.
func (i *interest) compare(tree listTree) nameChanges {
	changes := nameChanges{affected: map[string]events{}}
	now := map[store.MailboxID]string{}
	believed := map[string]store.MailboxID{}
	for name, n := range tree {
		if n.box != nil {
			now[n.box.ID] = name
		}
	}
	for id := range i.known {
		believed[i.known[id].Name] = id
	}
	i.findRenamings(&changes, tree, believed, now)
	exists := func(name string) { // made or removed: the level above is affected too
		changes.affected[name] |= mailboxName
		if up := parentName(name); up != "" {
			changes.affected[up] |= mailboxName
		}
	}
	for name, id := range believed {
		if n := tree[name]; n == nil || n.box == nil {
			exists(name)
		} else if n.box.ID != id { // another one by the same name
			changes.affected[name] |= mailboxName
		}
	}
	for name, n := range tree {
		switch id, known := believed[name]; {
		case n.box == nil:
		case !known:
			exists(name)
		case id == n.box.ID && i.dim[id] == n.mayRead(): // its \NoAccess comes or goes (RFC 5465 section 5.9)
			changes.affected[name] |= anyEvent
		}
		if n.subscribed != i.subs[name] {
			changes.affected[name] |= subscriptionChange
		}
	}
	for name := range i.subs {
		if tree[name] == nil {
			changes.affected[name] |= subscriptionChange
		}
	}
	return changes
}

// findRenamings finds those that the client asked for, in an order in which
// each takes a name that is free, and does them to believed. What does not fit
// is left: names that are gone and others that have come.
func (i *interest) findRenamings(changes *nameChanges, tree listTree, believed map[string]store.MailboxID, now map[store.MailboxID]string) {
	was := map[store.MailboxID]string{}
	var moved []store.MailboxID
	for name, id := range believed {
		was[id] = name
		if to, there := now[id]; there && to != name {
			moved = append(moved, id)
		}
	}
	slices.SortFunc(moved, func(a, b store.MailboxID) int { return strings.Compare(now[a], now[b]) })
	for _, id := range moved {
		r := renaming{was[id], now[id]}
		if inTree(r.to, r.from) || len(changes.renamings) == maxRenamings || !free(believed, r.to) {
			continue // gone along, or not to be told so
		}
		asked := i.asked(r.to, tree[r.to].subscribed) | i.asked(r.from, i.subs[r.from])
		if asked&mailboxName == 0 {
			continue
		}
		changes.renamings = append(changes.renamings, r)
		for name, id := range believed {
			if inTree(name, r.from) {
				delete(believed, name)
				was[id] = r.to + name[len(r.from):]
			}
		}
		for id, name := range was {
			if inTree(name, r.to) {
				believed[name] = id
			}
		}
	}
}

// free says that neither a name nor one below it is taken.
func free(taken map[string]store.MailboxID, name string) bool {
	for other := range taken {
		if inTree(other, name) {
			return false
		}
	}
	return true
}

// inTree says that name is root or below it.
func inTree(name, root string) bool {
	return strings.HasPrefix(name, root) && (len(name) == len(root) || name[len(root)] == '/')
}

func parentName(name string) string { return name[:max(0, strings.LastIndexByte(name, '/'))] }

// tellName sends LIST about one name; from is what it was called before, or "".
func (s *session) tellName(tree listTree, name, from string) {
	a := listArgs{extended: true, returns: []listReturn{s.srv.reg.listReturns["SUBSCRIBED"]}}
	n := tree[name]
	if n == nil {
		n = &listNode{name: name}
	}
	attributes := n.attributes(&a)
	_, _, foreign := cutForeign(name)
	switch {
	case foreign && n.box == nil && !n.children:
		// RFC 5465 section 5.9. Whether another's mailbox is gone or its right to be
		// looked up, is not told.
		attributes = append(attributes, `\NoAccess`)
	case n.box != nil && !n.mayRead(): // section 3.1: nothing can be told of its messages
		attributes = append(attributes, `\NoAccess`)
	}
	s.enc.Raw("* LIST ").Flags(attributes).Raw(` "/" `).Mailbox(name)
	if from != "" {
		s.enc.Raw(` ("OLDNAME" (`).Mailbox(from).Raw("))")
	}
	s.enc.CRLF()
}

// watchesNames says that NOTIFY tells of names. What this session itself does
// to them it need not hear (RFC 5465 section 5); the three functions below note
// it as if it had been told. What others do meanwhile is told in its turn, behind
// the tagged answer, so that the client does not take it for what came before.
func (s *session) watchesNames() bool { return s.interest != nil && s.interest.watch != nil }

// hasMade notes a mailbox that this session has made, and the levels above it,
// which may have been made with it.
func (s *session) hasMade(ctx context.Context, box store.Mailbox) {
	if !s.watchesNames() {
		return
	}
	level := store.MailboxID(0)
	for name := box.Name; name != ""; name = parentName(name) {
		at, have, err := s.mailboxRights(ctx, name)
		if err == nil {
			err = have.Allow(store.RightLookup)
		}
		switch {
		case err == nil && (name != box.Name || at.ID == box.ID):
		case name == box.Name:
			at, have = box, store.RightRead
		case isForeign(name):
			continue
		default: // removed by others already: to be told as one that was there
			level++
			at, have = store.Mailbox{ID: level, Name: name}, store.RightRead
		}
		s.interest.noteMade(at, have)
	}
}

// noteMade notes a mailbox of which nothing else has been told.
func (i *interest) noteMade(box store.Mailbox, have store.Rights) {
	if _, known := i.known[box.ID]; !known {
		if !have.Has(store.RightRead) {
			i.dim[box.ID] = true
		}
		box.HighestModSeq, box.UIDNext, box.Messages, box.Unseen = 1, 1, 0, 0
		i.known[box.ID] = box
	}
}

// hasDeleted notes that this session has removed a mailbox. One that the
// client knows by another name is told of.
func (s *session) hasDeleted(box store.Mailbox) {
	if s.watchesNames() && s.interest.known[box.ID].Name == box.Name {
		delete(s.interest.known, box.ID)
	}
}

// hasRenamed notes that this session has renamed a mailbox with those below
// it. INBOX stays, and what was in it is in a new mailbox.
func (s *session) hasRenamed(ctx context.Context, from, to string) {
	if !s.watchesNames() {
		return
	}
	for id, row := range s.interest.known {
		if from != "INBOX" && inTree(row.Name, from) {
			row.Name = to + row.Name[len(from):]
			s.interest.known[id] = row
		}
	}
	if box, err := s.mailbox(ctx, to, 0); err == nil {
		s.hasMade(ctx, box)
	}
}

// hasSubscribed notes that this session has subscribed to a name, or not any more.
func (s *session) hasSubscribed(name string, on bool) {
	if !s.watchesNames() {
		return
	}
	if on {
		s.interest.subs[name] = true
	} else {
		delete(s.interest.subs, name)
	}
}
