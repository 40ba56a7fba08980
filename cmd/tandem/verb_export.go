package main

import (
	"context"
	"io"
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
	Flags      []string  `json:"flags,omitempty"` // IMAP's names
	Error      string    `json:"error,omitempty"` // in the last item only: why the stream ends here
}

// emitter takes what an export gives; write, nil for a mailbox, writes the bytes.
type emitter func(item exportItem, write func(io.Writer) error) error

// exportMessages gives mailboxes by name and their messages by UID, as they are
// when their turn comes.
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
	view, err := s.View(ctx, by, m.ID)
	if err != nil {
		return err
	}
	defer view.Close()
	if err := view.Load(ctx); err != nil {
		return err
	}
	buf := make([]store.Member, 0, exportPage)
	for next := store.UID(1); ; {
		page := view.ByUID(store.UIDRange{Start: next, Stop: view.UIDNext() - 1}, buf)
		if len(page) == 0 {
			return nil
		}
		if err := exportMembers(ctx, s, m.Name, page, view.Keywords(), emit); err != nil {
			return err
		}
		next = page[len(page)-1].UID + 1
	}
}

// exportMembers gives a page of messages.
func exportMembers(ctx context.Context, s *store.Store, mailbox string, page []store.Member, keywords []string, emit emitter) error {
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
	for msg, err := range s.Messages(ctx, ids, store.Want{Header: true, Text: true}) {
		if err != nil {
			return err
		}
		for _, e := range entries[msg.ID] {
			item := exportItem{Mailbox: mailbox, UID: e.UID, Received: e.InternalDate(), Flags: flagNames(e.FlagSet(), keywords)}
			err := emit(item, func(w io.Writer) error { return s.Reader(ctx, msg).WriteRange(w, 0, msg.Size) })
			if err != nil {
				return err
			}
		}
	}
	return nil
}

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
