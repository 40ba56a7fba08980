package main

import (
	"context"
	"fmt"

	"tandem/internal/uidlist"
	"tandem/store"
)

// uidlReport compares the maildrop of the old server with that here: what
// clients that know the old UIDLs will find.
type uidlReport struct {
	Source  string `json:"source"`
	Mailbox string `json:"mailbox"`
	Kept    int    `json:"kept"`    // in both, with the old UIDL
	Changed int    `json:"changed"` // in both, with another UIDL: downloaded again
	New     int    `json:"new"`     // only here: downloaded
	Missing int    `json:"missing"` // only on the old server
	// Messages are those that were not kept, at most 10,000.
	Messages []uidlDifference `json:"messages,omitempty"`
}

// uidlDifference is a message that is not the same on both sides.
type uidlDifference struct {
	Result string    `json:"result"` // "changed", "new" or "missing"
	UID    store.UID `json:"uid,omitempty"`
	UIDL   string    `json:"uidl,omitempty"` // here
	Old    string    `json:"old,omitempty"`  // the old server's
	Name   string    `json:"name,omitempty"` // of the message there
	Reason string    `json:"reason,omitempty"`
}

// maxDifferences bounds a report.
const maxDifferences = 10_000

func (r *uidlReport) add(d uidlDifference) {
	switch d.Result {
	case "changed":
		r.Changed++
	case "new":
		r.New++
	default:
		r.Missing++
	}
	if len(r.Messages) < maxDifferences {
		r.Messages = append(r.Messages, d)
	}
}

// ledger gives the messages of a mailbox their old UIDLs.
type ledger struct {
	*backend
	account, mailbox string
	here             []uidlMessage
}

// keepUIDLs gives the messages that are there the UIDLs that the old server has
// given them. old is nil when those are the X-UIDL fields of the messages.
func (b *backend) keepUIDLs(ctx context.Context, source, account, mailbox string, old []uidlist.Message) (*uidlReport, error) {
	l := &ledger{backend: b, account: account, mailbox: mailbox}
	if err := l.list(ctx); err != nil {
		return nil, err
	}
	report := &uidlReport{Source: source, Mailbox: mailbox}
	wanted := map[int]uidlist.Message{} // by index in here
	if source == fromHeaders {
		for i := range l.here {
			if field := l.here[i].Field; field != "" {
				wanted[i] = uidlist.Message{UIDL: field}
			}
		}
	} else {
		for i, j := range uidlist.Match(old, l.prints()) {
			if j < 0 {
				report.add(uidlDifference{Result: "missing", Old: old[i].UIDL, Name: old[i].Name})
				continue
			}
			wanted[j] = old[i]
		}
	}
	return report, l.set(ctx, wanted, report)
}

// list reads what is in the mailbox.
func (l *ledger) list(ctx context.Context) error {
	for after := store.UID(0); ; {
		page, err := call(ctx, l.backend, uidlList, uidlListRequest{l.account, l.mailbox, after})
		if err != nil {
			return err
		}
		l.here = append(l.here, page.Messages...)
		if after = page.Next; after == 0 {
			return nil
		}
	}
}

// prints gives here as Match takes it.
func (l *ledger) prints() []uidlist.Message {
	list := make([]uidlist.Message, len(l.here))
	for i, m := range l.here {
		list[i] = uidlist.Message{UIDL: m.UIDL, Size: m.Size}
		if len(m.Print) == len(list[i].Print) && len(m.ID) == len(list[i].ID) {
			list[i].Print, list[i].ID = uidlist.Print(m.Print), uidlist.Print(m.ID)
		}
	}
	return list
}

// set gives the messages in wanted their UIDLs and reports on all.
func (l *ledger) set(ctx context.Context, wanted map[int]uidlist.Message, report *uidlReport) error {
	req := uidlSetRequest{Account: l.account, Mailbox: l.mailbox}
	var batch []int
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		res, err := call(ctx, l.backend, uidlSet, req)
		if err != nil {
			return err
		}
		if len(res.Reasons) != len(batch) {
			return fmt.Errorf("set UIDLs: %d outcomes for %d messages", len(res.Reasons), len(batch))
		}
		for k, i := range batch {
			if res.Reasons[k] == "" {
				report.Kept++
				continue
			}
			report.add(uidlDifference{"changed", l.here[i].UID, l.here[i].UIDL, wanted[i].UIDL, wanted[i].Name, res.Reasons[k]})
		}
		req.List, batch = nil, nil
		return nil
	}
	for i := range l.here {
		old, ok := wanted[i]
		if !ok {
			report.add(uidlDifference{Result: "new", UID: l.here[i].UID, UIDL: l.here[i].UIDL})
			continue
		}
		req.List = append(req.List, store.NewUIDL{UID: l.here[i].UID, UIDL: old.UIDL})
		if batch = append(batch, i); len(batch) == uidlPage {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// shownDifferences is how many a person is shown of those to look at.
const shownDifferences = 20

// printUIDLs prints a report for a person.
func (a *app) printUIDLs(r *uidlReport) error {
	printf, result := printer(a.out)
	printf("UIDLs of %s, compared with %s:", r.Mailbox, r.Source)
	printf("%8d kept: clients that have them download nothing", r.Kept)
	printf("%8d changed: clients download them again", r.Changed)
	printf("%8d new: only here", r.New)
	printf("%8d missing: only on the old server", r.Missing)
	shown := 0
	for _, d := range r.Messages {
		if d.Result == "new" {
			continue
		}
		if shown++; shown > shownDifferences {
			printf("... (--json lists them all)")
			break
		}
		switch d.Result {
		case "changed":
			printf("changed: UID %d is %s and not %q: %s", d.UID, d.UIDL, d.Old, d.Reason)
		default:
			printf("missing: %q (%s)", d.Old, d.Name)
		}
	}
	return result()
}
