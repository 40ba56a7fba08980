package pop3d

import (
	"context"
	"math"
	"slices"

	"tandem/store"
)

// maildrop is the messages of a session as they were at login. It keeps the
// view open, so that bytes stay readable when IMAP expunges them meanwhile.
type maildrop struct {
	view     *store.View
	messages []entry
	marks    []mark
	uidls    map[store.UID]string // those that are not derived from the message
	storeID  string
	device   store.Device

	downgraded map[store.UID]int64 // see downgrade; nil for a client with UTF-8

	left   int   // messages not marked as deleted
	octets int64 // of them
}

// entry is one message; its number is its place, from 1.
type entry struct {
	message store.MessageID
	uid     store.UID
	size    uint32
}

// mark is what happened to a message in this session.
type mark uint8

const (
	deleted   mark = 1 << iota // by DELE, carried out at QUIT
	retrieved                  // for the journal
)

// pageSize is how many members are copied from the index at a time.
const pageSize = 512

// openMaildrop numbers the messages of a mailbox: those that are in it and that
// the actor's device may see and has not deleted under "keep" or "shared".
func openMaildrop(ctx context.Context, st *store.Store, by store.Actor, id store.MailboxID) (*maildrop, error) {
	view, err := st.View(ctx, by, id)
	if err != nil {
		return nil, err
	}
	d := &maildrop{view: view, storeID: st.StoreID()}
	if d.device, err = st.Device(ctx, by.Account, by.Credential); err == nil {
		err = d.number(ctx, d.device.Since(st.Now()))
	}
	if err != nil {
		view.Close()
		return nil, err
	}
	view.NoteListed()
	return d, nil
}

// number lists the messages that the device sees, since is from which
// INTERNALDATE on.
func (d *maildrop) number(ctx context.Context, since uint32) error {
	if err := d.view.Load(ctx); err != nil {
		return err
	}
	hidden, err := d.view.Hidden(ctx)
	if err != nil {
		return err
	}
	if d.uidls, err = d.view.UIDLs(ctx); err != nil {
		return err
	}
	d.messages = make([]entry, 0, d.view.Len())
	page := make([]store.Member, 0, pageSize)
	for from := store.UID(1); ; {
		page = d.view.ByUID(store.UIDRange{Start: from, Stop: math.MaxUint32}, page[:0])
		for i := range page {
			m := &page[i]
			if m.Gone || m.Message < d.device.From || m.Internal < since {
				continue
			}
			if _, gone := slices.BinarySearch(hidden, m.Message); !gone {
				d.messages = append(d.messages, entry{m.Message, m.UID, m.Size})
			}
		}
		if len(page) < cap(page) {
			break
		}
		from = page[len(page)-1].UID + 1
	}
	if n := d.device.See.Newest(); n > 0 && n < len(d.messages) {
		d.messages = d.messages[len(d.messages)-n:]
	}
	for i := range d.messages {
		d.octets += int64(d.messages[i].size)
	}
	d.left = len(d.messages)
	d.marks = make([]mark, len(d.messages))
	return nil
}

// close gives up the view and has the journal note what was retrieved.
func (d *maildrop) close() {
	if d.view == nil {
		return
	}
	for i, m := range d.marks {
		if m&retrieved != 0 {
			d.view.NoteRead(d.messages[i].uid)
		}
	}
	d.view.Close()
	d.view = nil
}

// find gives a message that is there and not marked as deleted. problem is for
// the client, "" if there is none.
func (d *maildrop) find(number int) (e *entry, problem string) {
	switch {
	case number < 1 || number > len(d.messages):
		return nil, "no such message"
	case d.marks[number-1]&deleted != 0:
		return nil, "message is marked as deleted"
	}
	return &d.messages[number-1], ""
}

// delete marks a message that find gave.
func (d *maildrop) delete(number int) {
	d.marks[number-1] |= deleted
	d.left--
	d.octets -= int64(d.messages[number-1].size)
}

// reset takes all deletion marks away.
func (d *maildrop) reset() {
	d.left, d.octets = len(d.messages), 0
	for i := range d.messages {
		d.marks[i] &^= deleted
		d.octets += int64(d.messages[i].size)
	}
}

// deleted gives the UIDs of the messages that are marked.
func (d *maildrop) deleted() (set store.UIDSet) {
	for i, m := range d.marks {
		if m&deleted != 0 {
			set.Add(d.messages[i].uid)
		}
	}
	return set
}

// seen gives the UIDs of the messages that were retrieved, if the device's
// policy is to mark them, and stay.
func (d *maildrop) seen() (set store.UIDSet) {
	if !d.device.MarkSeen {
		return nil
	}
	for i, m := range d.marks {
		if m&retrieved != 0 {
			set.Add(d.messages[i].uid)
		}
	}
	return set
}

// uidl gives a message's unique id (RFC 1939 section 7).
func (d *maildrop) uidl(e *entry) string {
	if id, ok := d.uidls[e.uid]; ok {
		return id
	}
	return store.DefaultUIDL(d.storeID, e.message)
}
