package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"tandem/store"
)

// exportRequest asks for an account's messages, of one mailbox when it is named.
type exportRequest struct {
	Account string `json:"account"`
	Mailbox string `json:"mailbox,omitempty"`
}

// exportItem is what an export tells of a message beside its bytes. An item
// without a UID is about a mailbox: each is named before its messages.
type exportItem struct {
	Mailbox    string    `json:"mailbox"`
	Subscribed bool      `json:"subscribed,omitempty"`
	UID        store.UID `json:"uid,omitempty"`
	Received   time.Time `json:"received,omitzero"`
	Flags      []string  `json:"flags,omitempty"`   // IMAP's names
	Damaged    string    `json:"damaged,omitempty"` // why the message, or without a UID the mailbox, is left out
	Error      string    `json:"error,omitempty"`   // in the last item only: why the stream ends here
}

// hasBytes tells whether a message's bytes follow.
func (i *exportItem) hasBytes() bool { return i.UID != 0 && i.Damaged == "" }

// emitter takes what an export gives; write, nil for a mailbox and for what is
// damaged, writes the bytes.
type emitter func(item exportItem, write func(io.Writer) error) error

// exportMessages gives mailboxes by name and their messages by UID, as they are
// when their turn comes. What is damaged is named and passed over.
func exportMessages(ctx context.Context, s *store.Store, req exportRequest, emit emitter) error {
	a, err := s.Account(ctx, req.Account)
	if err != nil {
		return err
	}
	by := store.Actor{Account: a.ID, Protocol: "admin"}
	list, err := s.Mailboxes(ctx, by)
	if err != nil {
		return err
	}
	if req.Mailbox != "" {
		m, err := s.Mailbox(ctx, by, req.Mailbox)
		if err != nil {
			return err
		}
		list = []store.Mailbox{m}
	}
	for _, m := range list {
		if m.ID.RecentlyDeleted() && req.Mailbox == "" { // imported again, it would be as if it had not been deleted
			continue
		}
		if err := emit(exportItem{Mailbox: m.Name, Subscribed: m.Subscribed}, nil); err != nil {
			return err
		}
		if err := exportMailbox(ctx, s, by, m, emit); err != nil {
			return err
		}
	}
	return nil
}

// exportPage is how many messages are asked for at a time.
const exportPage = 256

func exportMailbox(ctx context.Context, s *store.Store, by store.Actor, m store.Mailbox, emit emitter) error {
	x := &mailboxExport{ctx: ctx, store: s, mailbox: m.Name, emit: emit}
	view, err := s.View(ctx, by, m.ID)
	if err != nil {
		return err
	}
	defer view.Close()
	if err := view.Load(ctx); isDamage(err) {
		return x.salvage(by, m, err)
	} else if err != nil {
		return err
	}
	x.keywords = view.Keywords()
	buf := make([]store.Member, 0, exportPage)
	for next := store.UID(1); ; {
		page := view.ByUID(store.UIDRange{Start: next, Stop: view.UIDNext() - 1}, buf)
		if len(page) == 0 {
			return nil
		}
		next = page[len(page)-1].UID + 1
		if err := x.members(page); err != nil {
			return err
		}
	}
}

// isDamage tells bytes that are not what was stored from other failures.
func isDamage(err error) bool { return err != nil && store.KindOf(err) == store.Corrupt }

// mailboxExport is the export of one mailbox.
type mailboxExport struct {
	ctx      context.Context
	store    *store.Store
	mailbox  string
	keywords []string
	emit     emitter
}

// salvage gives what can be found of a mailbox whose list of messages is damaged.
func (x *mailboxExport) salvage(by store.Actor, m store.Mailbox, damage error) error {
	x.keywords, _ = x.store.Keywords(x.ctx, by.Account) // none when they are damaged too
	found, err := x.store.Salvage(x.ctx, by, m.ID)
	if err != nil {
		found, damage = nil, err
	}
	reason := fmt.Sprintf("%v; %d of %d messages were found, some without their flags", damage, len(found), m.Messages)
	if err := x.emit(exportItem{Mailbox: x.mailbox, Damaged: reason}, nil); err != nil {
		return err
	}
	for page := range slices.Chunk(found, exportPage) {
		members := make([]store.Member, len(page))
		for i := range page {
			members[i].Entry = page[i]
		}
		if err := x.members(members); err != nil {
			return err
		}
	}
	return nil
}

// members gives a page of messages; when one is damaged, the rest of the page
// one by one, to tell which.
func (x *mailboxExport) members(page []store.Member) error {
	var ids []store.MessageID
	entries := map[store.MessageID][]*store.Member{} // a mailbox may have a message twice
	for i := range page {
		e := &page[i]
		if e.Gone {
			continue
		}
		if entries[e.Message] == nil {
			ids = append(ids, e.Message)
		}
		entries[e.Message] = append(entries[e.Message], e)
	}
	err := x.messages(ids, entries)
	if !isDamage(err) {
		return err
	}
	for _, id := range ids {
		left := entries[id]
		err := x.messages([]store.MessageID{id}, entries)
		if isDamage(err) {
			err = x.damaged(left, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// messages gives messages and takes them out of entries. It ends at the first
// that is damaged, having given nothing of it.
func (x *mailboxExport) messages(ids []store.MessageID, entries map[store.MessageID][]*store.Member) error {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id store.MessageID) bool { return entries[id] == nil })
	for msg, err := range x.store.Messages(x.ctx, ids, store.Want{Header: true, Text: true}) {
		if err == nil {
			err = x.sound(msg)
		}
		if err != nil {
			return err
		}
		for _, e := range entries[msg.ID] {
			item := exportItem{Mailbox: x.mailbox, UID: e.UID, Received: time.Unix(int64(msg.Internal), 0), Flags: flagNames(e.FlagSet(), x.keywords)}
			err := x.emit(item, func(w io.Writer) error { return x.store.Reader(x.ctx, msg).WriteRange(w, 0, msg.Size) })
			if err != nil {
				return notDamage{err}
			}
		}
		delete(entries, msg.ID)
	}
	return nil
}

// sound reads a large message once to its end: half of one must not be given.
func (x *mailboxExport) sound(m *store.Message) error {
	if m.Text != nil {
		return nil
	}
	return x.store.Reader(x.ctx, m).WriteRange(io.Discard, 0, m.Size)
}

// damaged names entries that are left out.
func (x *mailboxExport) damaged(entries []*store.Member, reason error) error {
	for _, e := range entries {
		if err := x.emit(exportItem{Mailbox: x.mailbox, UID: e.UID, Damaged: reason.Error()}, nil); err != nil {
			return err
		}
	}
	return nil
}

// notDamage hides the kind of an error that came from writing an export: the
// rest would fail like it.
type notDamage struct{ error }

// flagNames gives IMAP's names of flags.
func flagNames(f store.FlagSet, keywords []string) []string {
	var names []string
	for _, name := range []string{`\Answered`, `\Deleted`, `\Draft`, `\Flagged`, `\Seen`} {
		if f.Bits&systemFlags[strings.ToLower(name)] != 0 {
			names = append(names, name)
		}
	}
	for n, keyword := range keywords {
		if f.Has(n) {
			names = append(names, keyword)
		}
	}
	return names
}
