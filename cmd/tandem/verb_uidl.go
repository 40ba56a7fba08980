package main

import (
	"context"
	"errors"

	"tandem/internal/uidlist"
	"tandem/store"
)

// uidlListRequest asks for a page of a mailbox's messages, after a UID.
type uidlListRequest struct {
	Account string    `json:"account"`
	Mailbox string    `json:"mailbox"`
	After   store.UID `json:"after"`
}

// uidlMessage is a message as the ledger sees it.
type uidlMessage struct {
	UID   store.UID `json:"uid"`
	Size  int64     `json:"size"`
	Print []byte    `json:"print"`
	ID    []byte    `json:"id"`
	UIDL  string    `json:"uidl"`
	Field string    `json:"x_uidl,omitempty"` // its X-UIDL field
}

type uidlListing struct {
	Messages []uidlMessage `json:"messages"`
	Next     store.UID     `json:"next"` // to ask after; 0: that was all
}

// uidlPage is how many messages are asked for, or set, at a time.
const uidlPage = 5000

var uidlList = verb[uidlListRequest, uidlListing]{"uidl/list", func(ctx context.Context, s *store.Store, req uidlListRequest) (res uidlListing, err error) {
	by, box, err := ledgerMailbox(ctx, s, req.Account, req.Mailbox)
	if err != nil {
		return res, err
	}
	view, err := s.View(ctx, by, box.ID)
	if err != nil {
		return res, err
	}
	defer view.Close()
	if err := view.Load(ctx); err != nil {
		return res, err
	}
	uidls, err := view.UIDLs(ctx)
	if err != nil {
		return res, err
	}
	page := view.ByUID(store.UIDRange{Start: req.After + 1, Stop: 1<<32 - 1}, make([]store.Member, 0, uidlPage))
	if len(page) == uidlPage {
		res.Next = page[len(page)-1].UID
	}
	place := make(map[store.MessageID][]int, len(page))
	ids := make([]store.MessageID, 0, len(page))
	for i := range page {
		if m := &page[i]; !m.Gone {
			uidl, own := uidls[m.UID]
			if !own {
				uidl = store.DefaultUIDL(s.StoreID(), m.Message)
			}
			place[m.Message] = append(place[m.Message], len(res.Messages))
			ids = append(ids, m.Message)
			res.Messages = append(res.Messages, uidlMessage{UID: m.UID, Size: int64(m.Size), UIDL: uidl})
		}
	}
	for m, err := range s.Messages(ctx, ids, store.Want{Header: true}) {
		if store.KindOf(err) == store.Corrupt && err != nil {
			continue // a damaged message matches none
		}
		if err != nil {
			return res, err
		}
		header := append(m.Prefix[:len(m.Prefix):len(m.Prefix)], m.Header...)
		print, id := uidlist.PrintOf(header), uidlist.IDOf(header)
		for _, i := range place[m.ID] {
			res.Messages[i].Print, res.Messages[i].ID, res.Messages[i].Field = print[:], id[:], uidlist.FieldOf(header, fromHeaders)
		}
	}
	return res, nil
}}

// uidlSetRequest gives messages UIDLs.
type uidlSetRequest struct {
	Account string          `json:"account"`
	Mailbox string          `json:"mailbox"`
	List    []store.NewUIDL `json:"list"`
}

// uidlOutcomes say for each why it did not get its UIDL, "" if it did.
type uidlOutcomes struct {
	Reasons []string `json:"reasons"`
}

var uidlSet = verb[uidlSetRequest, uidlOutcomes]{"uidl/set", func(ctx context.Context, s *store.Store, req uidlSetRequest) (res uidlOutcomes, err error) {
	by, box, err := ledgerMailbox(ctx, s, req.Account, req.Mailbox)
	if err != nil {
		return res, err
	}
	outcomes, err := s.SetUIDLs(ctx, by, box.ID, req.List)
	if err != nil {
		return res, err
	}
	res.Reasons = make([]string, len(outcomes))
	for i, err := range outcomes {
		var reason *store.Error
		if errors.As(err, &reason) {
			res.Reasons[i] = reason.Error()
		}
	}
	return res, nil
}}

func ledgerMailbox(ctx context.Context, s *store.Store, account, mailbox string) (by store.Actor, box store.Mailbox, err error) {
	acct, err := s.Account(ctx, account)
	if err != nil {
		return by, box, err
	}
	by = store.Actor{Account: acct.ID, Protocol: "admin"}
	box, err = s.Mailbox(ctx, by, allowedName(mailbox))
	return by, box, err
}
