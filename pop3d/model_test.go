package pop3d

import (
	"maps"
	"slices"

	"tandem/store"
)

// model is alice's mailboxes and devices as the rules say they must be.
type model struct {
	serial  int // of the last message
	boxes   map[string]*modelBox
	devices []*modelDevice
}

type modelBox struct {
	next    store.UID
	entries []*modelEntry // by UID
}

// modelMessage is what never changes of a message.
type modelMessage struct {
	serial int
	text   string
	old    bool   // its INTERNALDATE is a month ago
	uidl   string // "" until a session has listed it
}

// modelEntry is a message in a mailbox.
type modelEntry struct {
	*modelMessage
	uid    store.UID
	seen   bool
	shared map[*modelDevice]bool // devices that have deleted it here under shared
}

// modelDevice is an app password.
type modelDevice struct {
	label  string
	born   int       // the first message that came after it was made
	from   int       // the same for when its rule was set
	listed store.UID // INBOX below this was listed
	policy store.DeletePolicy
	see    store.SeeRule
	mark   bool
	hidden map[*modelMessage]bool
}

func newModel() *model {
	m := &model{boxes: map[string]*modelBox{}}
	for _, name := range []string{"INBOX", "Trash", "Folder"} {
		m.boxes[name] = &modelBox{next: 1}
	}
	return m
}

func (m *model) inbox() *modelBox { return m.boxes["INBOX"] }

func (b *modelBox) add(msg *modelMessage, seen bool) *modelEntry {
	e := &modelEntry{modelMessage: msg, uid: b.next, seen: seen, shared: map[*modelDevice]bool{}}
	b.next++
	b.entries = append(b.entries, e)
	return e
}

func (b *modelBox) remove(e *modelEntry) {
	if i := slices.Index(b.entries, e); i >= 0 {
		b.entries = slices.Delete(b.entries, i, i+1)
	}
}

// move takes entries along, in UID order.
func (m *model) move(from, to string, list []*modelEntry) {
	for _, e := range list {
		m.boxes[from].remove(e)
		m.boxes[to].add(e.modelMessage, e.seen)
	}
}

// view is what a device sees of INBOX.
func (m *model) view(d *modelDevice) (list []*modelEntry) {
	for _, e := range m.inbox().entries {
		if d.hidden[e.modelMessage] || d.see == store.SeeSinceNow && e.serial < d.from || d.see.Days() > 0 && e.old {
			continue
		}
		list = append(list, e)
	}
	if n := d.see.Newest(); n > 0 && len(list) > n {
		list = list[len(list)-n:]
	}
	return list
}

// holds reports whether a device has yet to delete an entry.
func (m *model) holds(d *modelDevice, e *modelEntry) bool {
	return (e.serial >= d.born || e.uid < d.listed) && slices.Contains(m.view(d), e)
}

// held reports whether any device has yet to delete an entry.
func (m *model) held(e *modelEntry) bool {
	return slices.ContainsFunc(m.devices, func(d *modelDevice) bool { return m.holds(d, e) })
}

// release moves those of list to Trash that were shared and that no device
// holds.
func (m *model) release(list []*modelEntry) (free []*modelEntry) {
	for _, e := range list {
		if len(e.shared) > 0 && !m.held(e) {
			free = append(free, e)
		}
	}
	m.move("INBOX", "Trash", free)
	return free
}

// quit is the UPDATE state of a session of d that began with policy and mark. It
// gives what was deleted, and what of that left the mailbox.
func (m *model) quit(d *modelDevice, policy store.DeletePolicy, deleted, retrieved []*modelEntry, mark bool) (list, gone []*modelEntry) {
	there := func(e *modelEntry) bool { return slices.Contains(m.inbox().entries, e) }
	for _, e := range deleted {
		if there(e) {
			list = append(list, e)
		}
	}
	switch policy {
	case store.DeleteTrash:
		m.move("INBOX", "Trash", list)
		gone = list
	case store.DeleteExpunge:
		for _, e := range list {
			m.inbox().remove(e)
		}
		gone = list
	default:
		for _, e := range list {
			d.hidden[e.modelMessage] = true
			if policy == store.DeleteShared {
				e.shared[d] = true
			}
		}
		gone = m.release(list)
	}
	for _, e := range retrieved {
		if mark && there(e) {
			e.seen = true
		}
	}
	return list, gone
}

// undo takes back what the last quit did.
func (m *model) undo(d *modelDevice, policy store.DeletePolicy, list, gone []*modelEntry) {
	hides := policy == store.DeleteKeep || policy == store.DeleteShared
	if hides {
		for _, e := range list {
			delete(d.hidden, e.modelMessage)
			delete(e.shared, d)
		}
	}
	var back []*modelEntry
	for _, e := range gone {
		trash := m.boxes["Trash"]
		trash.entries = slices.DeleteFunc(trash.entries, func(x *modelEntry) bool { return x.modelMessage == e.modelMessage })
		again := m.inbox().add(e.modelMessage, e.seen)
		back = append(back, again)
		if hides {
			again.shared = maps.Clone(e.shared)
		}
	}
	if len(gone) > 0 {
		for _, other := range m.devices {
			if other.listed > gone[0].uid {
				other.listed = m.inbox().next
			}
		}
	}
	for _, e := range back {
		if !m.held(e) {
			clear(e.shared)
		}
	}
}
