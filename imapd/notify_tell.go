package imapd

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// awaitCommand tells what NOTIFY asked for until the client sends the next
// command, or is gone (RFC 5465 section 3.1).
func (s *session) awaitCommand(ctx context.Context) error {
	if s.pendingInput == nil {
		if s.interest == nil || s.in.Buffered() > 0 {
			return nil
		}
		s.pendingInput = s.awaitInput(func() {})
	}
	_ = s.enc.Flush()
	err := s.pushUntil(ctx, s.pendingInput)
	s.pendingInput = nil
	s.gotInput()
	return err
}

// pushUntil tells what NOTIFY asked for until there is input.
func (s *session) pushUntil(ctx context.Context, input <-chan struct{}) error {
	for s.interest != nil {
		select {
		case <-input:
			return nil
		case <-s.selectedWake():
			err := s.tellChanges(ctx, !s.interest.delayed)
			var g *goodbye
			if errors.As(err, &g) {
				s.partNow(err)
				<-input
				return err
			}
			if err != nil {
				s.log.Error("changes could not be told", "err", err)
			}
		case <-s.othersWake():
			s.tellOthers(ctx)
		}
		if err := s.enc.Rest(); err != nil {
			_ = s.stream.socket.Close() // ends the wait for input
			<-input
			return err
		}
	}
	<-input
	return nil
}

// selectedWake receives when something the client heeds may have happened to
// the selected mailbox.
func (s *session) selectedWake() <-chan struct{} {
	if s.view == nil || s.heeded() == 0 {
		return nil
	}
	return s.view.Wake()
}

// othersWake receives when something may have happened in the account.
func (s *session) othersWake() <-chan struct{} {
	if s.interest == nil || s.interest.watch == nil {
		return nil
	}
	return s.interest.watch.Wake()
}

// tellOthers tells what happened to mailboxes other than the selected one. When
// it cannot, it gives NOTIFY up, as RFC 5465 section 5.8 has it.
func (s *session) tellOthers(ctx context.Context) {
	i := s.interest
	seen := i.watch.Take()
	if (seen.Names || len(seen.Rights) > 0) && !seen.Lost {
		rows, err := s.tellNames(ctx)
		if err != nil {
			s.log.Error("changes of mailboxes could not be told", "err", err)
			seen.Lost = true
		}
		seen.Rows = rows
	}
	if seen.Lost {
		s.limitHit("notifications")
		s.status("*", answer{"OK", "NOTIFICATIONOVERFLOW", "Not all changes can be told: NOTIFY is off"})
		s.endNotify()
		s.interest = &interest{}
		return
	}
	s.tellMetadata(seen.Metadata)
	slices.SortFunc(seen.Rows, func(a, b store.Mailbox) int { return strings.Compare(a.Name, b.Name) })
	for k := range seen.Rows {
		row := &seen.Rows[k]
		was, known := i.known[row.ID]
		if !known || i.dim[row.ID] || row.HighestModSeq <= was.HighestModSeq {
			continue
		}
		row.Name = was.Name // which its owner may know it by another
		row.Subscribed = i.subs[row.Name]
		i.known[row.ID] = *row
		if s.view == nil || s.view.ID() != row.ID {
			if err := s.tellStatus(ctx, &was, row, i.asked(row.Name, row.Subscribed)); err != nil {
				s.log.Error("changes of a mailbox could not be told", "err", err)
			}
		}
	}
}

// tellMetadata names annotations that have changed (RFC 5465 sections 5.6 and
// 5.7; RFC 5464 section 4.4.2).
func (s *session) tellMetadata(changed map[store.MailboxID][]string) {
	i := s.interest
	var server events
	for k := range i.groups {
		server |= i.groups[k].events & serverMetadataChange
	}
	for _, id := range slices.Sorted(maps.Keys(changed)) {
		row, known := i.known[id]
		asked := server
		if id != 0 {
			asked = i.asked(row.Name, i.subs[row.Name]) & mailboxMetadataChange
		}
		names := slices.DeleteFunc(changed[id], func(name string) bool { return i.ownEntries[name] })
		if asked == 0 || len(names) == 0 || id != 0 && !known {
			continue
		}
		s.enc.Raw("* METADATA ")
		if id == 0 {
			s.enc.Raw(`""`)
		} else {
			s.enc.Mailbox(row.Name)
		}
		for _, name := range names {
			s.enc.SP().String(name)
		}
		s.enc.CRLF()
	}
}

// tellStatus sends STATUS with what has changed of a mailbox, as far as it was
// asked for (RFC 5465 sections 5.1 to 5.3).
func (s *session) tellStatus(ctx context.Context, was, row *store.Mailbox, asked events) error {
	var items []statusItem
	counts := row.UIDNext != was.UIDNext || row.Messages != was.Messages
	flags := asked&flagChange != 0
	if asked&(messageNew|messageExpunge) != 0 && counts {
		items = append(items, s.srv.reg.statusItems["MESSAGES"], s.srv.reg.statusItems["UIDNEXT"])
	}
	if flags && row.Unseen != was.Unseen {
		items = append(items, s.srv.reg.statusItems["UNSEEN"])
	}
	if s.enabled[condstore] && (flags || len(items) > 0) {
		items = append(items, highestItem())
	}
	if len(items) == 0 {
		return nil
	}
	return s.writeStatus(ctx, row, append(items, s.srv.reg.statusItems["UIDVALIDITY"]))
}

// highestItem is HIGHESTMODSEQ where the client did not ask for it itself,
// which would enable CONDSTORE.
func highestItem() statusItem {
	return statusNumber("HIGHESTMODSEQ", func(b *store.Mailbox) uint64 { return uint64(b.HighestModSeq) })
}

// tellAllStatus is the STATUS indicator of NOTIFY SET (RFC 5465 section 3.1).
func (s *session) tellAllStatus(ctx context.Context) error {
	rows := make([]store.Mailbox, 0, len(s.interest.known))
	for _, row := range s.interest.known {
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b store.Mailbox) int { return strings.Compare(a.Name, b.Name) })
	all := s.srv.reg.statusItems
	for k := range rows {
		row := &rows[k]
		asked := s.interest.asked(row.Name, s.interest.subs[row.Name])
		if asked&messageEvents == 0 || s.interest.dim[row.ID] || s.view != nil && s.view.ID() == row.ID {
			continue
		}
		items := []statusItem{all["MESSAGES"], all["UIDNEXT"], all["UIDVALIDITY"]}
		if asked&flagChange != 0 {
			items = append(items, highestItem())
		}
		if err := s.writeStatus(ctx, row, items); err != nil {
			return err
		}
	}
	return nil
}

// tellNew sends what NOTIFY asked for of new messages in the selected mailbox,
// less those that this session itself has put there (RFC 5465 section 5.2).
func (s *session) tellNew(ctx context.Context, d *store.Delta) error {
	mine := s.view.mine
	s.view.mine = nil
	if s.interest == nil || len(s.interest.fetch) == 0 {
		return nil
	}
	return s.fetchNew(ctx, s.interest.fetch, without(d.New, wireSet(mine)))
}

// fetchNew sends what was asked for of new messages, and UID and MODSEQ once
// CONDSTORE is enabled: then every FETCH that no FETCH asked for has them (RFC
// 7162 section 3.2.4).
func (s *session) fetchNew(ctx context.Context, ops []fetchOp, uids store.UIDSet) error {
	if s.enabled[condstore] {
		if !s.enabled[uidonly] && !slices.ContainsFunc(ops, func(op fetchOp) bool { return op.isUID }) {
			ops = append([]fetchOp{uidOp()}, ops...)
		}
		if !slices.ContainsFunc(ops, func(op fetchOp) bool { return op.enables == condstore }) {
			ops = append(slices.Clip(ops), modseqOp())
		}
	}
	f := newFetcher(ctx, s, &fetchArgs{ops: ops})
	if err := f.run(uids); err != nil {
		return err
	}
	return f.setSeen()
}

// arrived notes messages that this session itself has put into a mailbox.
func (s *session) arrived(id store.MailboxID, uids store.UIDSet) {
	if s.interest != nil && s.view != nil && s.view.ID() == id {
		s.view.mine = append(s.view.mine, uids...)
	}
}

// without gives the UIDs of r that are not in set.
func without(r store.UIDRange, set wire.NumSet) (left store.UIDSet) {
	for _, taken := range set.Intersect(wire.Of(uint32(r.Start), uint32(r.Stop))) {
		if start := store.UID(taken.Start); start > r.Start {
			left = append(left, store.UIDRange{Start: r.Start, Stop: start - 1})
		}
		r.Start = store.UID(taken.Stop) + 1
	}
	if r.Start <= r.Stop {
		left = append(left, r)
	}
	return left
}
