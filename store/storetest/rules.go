package storetest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"tandem/store"
)

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func unixTime(sec int64) time.Time { return time.Unix(sec, 0) }

var ruleTests = map[string]func(*fixture){
	"a context that has ended starts nothing": func(f *fixture) {
		f.put(f.inbox, 1, 0)
		before := f.load(f.inbox)
		_, err := f.Insert(canceled(), f.by, []store.Insertion{{Mailbox: f.inbox, Body: bodyOf(f.text())}}, true, 0)
		if err == nil {
			f.Fatal("inserted under a context that had ended")
		}
		if _, err := f.Mailboxes(canceled(), f.alice); err == nil {
			f.Fatal("read under a context that had ended")
		}
		f.equal("mailbox", f.load(f.inbox), before)
	},
	"contexts that end at any moment lose and double nothing": func(f *fixture) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		acked := map[store.UID]bool{}
		failed := 0
		for w := range 8 {
			texts := make([]*store.Body, 60)
			for i := range texts {
				texts[i] = bodyOf(f.text())
			}
			wg.Go(func() {
				for i, b := range texts {
					ctx, cancel := context.WithTimeout(f.ctx(), time.Duration((w*60+i)%7)*200*time.Microsecond)
					out, err := f.Insert(ctx, f.by, []store.Insertion{{Mailbox: f.inbox, Body: b}}, true, 0)
					cancel()
					mu.Lock()
					if err == nil {
						acked[out[0].UID] = true
					} else {
						failed++
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		x := f.load(f.inbox)
		f.equal("stored", len(x.Entries), len(acked))
		for _, e := range x.Entries {
			if !acked[e.UID] {
				f.Fatalf("UID %d was stored and not acknowledged", e.UID)
			}
		}
		f.equal("answers", len(acked)+failed, 8*60)
	},
	"changes are published in commit order, before the verb returns": func(f *fixture) {
		f.published()
		var wg sync.WaitGroup
		for range 6 {
			bodies := make([]*store.Body, 20)
			for i := range bodies {
				bodies[i] = bodyOf(f.text())
			}
			wg.Go(func() {
				for _, b := range bodies {
					out, err := f.Insert(f.ctx(), f.by, []store.Insertion{{Mailbox: f.inbox, Body: b}}, true, 0)
					if err != nil {
						f.Error(err)
						return
					}
					if !f.hasHeardOf(out[0].UID) {
						f.Errorf("UID %d was acknowledged before it was published", out[0].UID)
					}
				}
			})
		}
		wg.Wait()
		last := store.Mailbox{UIDNext: 1}
		for _, c := range f.published() {
			if c.Mailbox.UIDNext != last.UIDNext+1 || c.ModSeq <= last.HighestModSeq || c.Mailbox.Messages != last.Messages+1 {
				f.Fatalf("after %+v came %+v", last, c.Mailbox)
			}
			last = c.Mailbox
		}
		f.equal("last", last, f.row(f.inbox))
	},
	"actors change only what is theirs": func(f *fixture) {
		f.put(f.inbox, 1, 0)
		bob := store.Actor{Account: f.bob, Protocol: "imap"}
		nobody := store.Actor{Protocol: "imap"}
		for _, by := range []store.Actor{bob, nobody} {
			_, err := f.Insert(f.ctx(), by, []store.Insertion{{Mailbox: f.inbox, Body: bodyOf(f.text())}}, true, 0)
			f.wantKind(err, store.NotFound)
			_, err = f.Expunge(f.ctx(), by, f.inbox, store.AllUIDs(), false)
			f.wantKind(err, store.NotFound)
			_, err = f.CreateMailbox(f.ctx(), by, f.alice, store.NewMailbox{Name: "x"}, 0)
			f.wantKind(err, store.NotFound)
			f.wantKind(f.DeleteMailbox(f.ctx(), by, f.named("Sent").ID), store.NotFound)
			f.wantKind(f.RenameMailbox(f.ctx(), by, f.named("Sent").ID, "x", 0), store.NotFound)
			f.wantKind(f.SetSubscribed(f.ctx(), by, f.alice, "x", true), store.NotFound)
		}
		f.must(f.DeleteMailbox(f.ctx(), f.admin, f.named("Sent").ID))
	},
	"ids of nothing are not found": func(f *fixture) {
		_, err := f.LoadIndex(f.ctx(), 12345, 0)
		f.wantKind(err, store.NotFound)
		_, err = f.Expunges(f.ctx(), 12345, 0)
		f.wantKind(err, store.NotFound)
		_, err = f.UIDLs(f.ctx(), 12345)
		f.wantKind(err, store.NotFound)
		_, err = f.Account(f.ctx(), 12345)
		f.wantKind(err, store.NotFound)
	},
	"all is there after reopening": func(f *fixture) {
		f.put(f.inbox, 3, store.FlagAnswered, "k")
		f.expunge(f.inbox, 2)
		before, id := f.load(f.inbox), f.StoreID()
		f.reopen()
		f.equal("mailbox", f.load(f.inbox), before)
		f.equal("store id", f.StoreID(), id)
		f.equal("store id's length", len(id), 10)
		f.must(f.Health())
	},
	"many verbs at once on few mailboxes": func(f *fixture) {
		to := f.create("to")
		f.put(f.inbox, 50, 0)
		texts := make([]*store.Body, 40)
		for i := range texts {
			texts[i] = bodyOf(f.text())
		}
		var wg sync.WaitGroup
		for w := range 4 {
			wg.Go(func() {
				for i := range 10 {
					f.Insert(f.ctx(), f.by, []store.Insertion{{Mailbox: f.inbox, Body: texts[w*10+i]}}, true, 0)
					f.SetFlags(f.ctx(), f.by, f.inbox, store.FlagsChange{UIDs: store.AllUIDs(), Op: store.FlagOp(i % 3), Flags: store.FlagSeen}, 0)
					f.Copy(f.ctx(), f.by, f.inbox, to, set(store.UID(1+w*10+i)), i%2 == 0, 0)
					f.Expunge(f.ctx(), f.by, to, set(store.UID(1+w+i)), false)
				}
			})
		}
		wg.Wait()
		f.compareRows(f.inbox)
		f.compareRows(to)
	},
}

func (f *fixture) hasHeardOf(uid store.UID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := len(f.events) - 1; i >= 0; i-- {
		for _, e := range f.events[i].Added {
			if e.UID == uid {
				return true
			}
		}
	}
	return false
}

// compareRows compares a mailbox's counters with its entries.
func (f *fixture) compareRows(id store.MailboxID) {
	f.Helper()
	x := f.load(id)
	var unseen, deleted int
	var bytes int64
	var highest store.ModSeq
	for _, e := range x.Entries {
		if e.Flags&store.FlagSeen == 0 {
			unseen++
		}
		if e.Flags&store.FlagDeleted != 0 {
			deleted++
		}
		bytes += int64(e.Size)
		highest = max(highest, e.ModSeq)
	}
	m := x.Mailbox
	f.equal("counters", fmt.Sprint(m.Messages, m.Unseen, m.Deleted, m.Bytes), fmt.Sprint(len(x.Entries), unseen, deleted, bytes))
	if highest > m.HighestModSeq {
		f.Fatalf("an entry has modseq %d, the mailbox %d", highest, m.HighestModSeq)
	}
}
