package storetest

import (
	"fmt"
	"math"
	"time"

	"tandem/store"
)

// prune forgets what was expunged before now.
func (f *fixture) prune(pinned map[store.MailboxID]store.ModSeq) {
	f.Helper()
	f.must(f.Prune(f.ctx(), f.now(), pinned))
}

func (f *fixture) expunge(id store.MailboxID, uids ...store.UID) store.ModSeq {
	f.Helper()
	gone, err := f.Expunge(f.ctx(), f.by, id, set(uids...), false)
	f.must(err)
	return gone.ModSeq
}

func (f *fixture) exists(id store.MessageID) bool {
	f.Helper()
	for _, err := range f.Messages(f.ctx(), []store.MessageID{id}, store.Want{}) {
		f.must(err)
		return true
	}
	return false
}

var upkeepTests = map[string]func(*fixture){
	"pruning forgets old tombstones and their messages": func(f *fixture) {
		f.put(f.inbox, 4, 0)
		ids := messageIDs(f.load(f.inbox))
		old := f.expunge(f.inbox, 1, 2)
		f.pass(time.Hour)
		kept := f.expunge(f.inbox, 3)
		f.prune(nil)
		f.equal("messages left", fmt.Sprint(f.exists(ids[0]), f.exists(ids[1]), f.exists(ids[2]), f.exists(ids[3])), "false false true true")
		m := f.row(f.inbox)
		f.equal("pruned up to", m.PrunedModSeq, old)
		for since, want := range map[store.ModSeq]string{
			0:    fmt.Sprintf("[{%d 1:3} {%d 3}]", old, kept),
			old:  fmt.Sprintf("[{%d 3}]", kept),
			kept: "[]",
		} {
			list, err := f.Expunges(f.ctx(), f.inbox, since)
			f.must(err)
			f.equal(fmt.Sprint("expunges since ", since), list, want)
			x, err := f.LoadIndex(f.ctx(), f.inbox, since)
			f.must(err)
			f.equal("and with the index", x.Expunges, want)
		}
	},
	"pruning keeps what an open session has not been told": func(f *fixture) {
		f.put(f.inbox, 3, 0)
		ids := messageIDs(f.load(f.inbox))
		told := f.expunge(f.inbox, 1)
		f.expunge(f.inbox, 2)
		f.pass(time.Hour)
		f.prune(map[store.MailboxID]store.ModSeq{f.inbox: told})
		f.equal("messages left", fmt.Sprint(f.exists(ids[0]), f.exists(ids[1])), "false true")
		f.equal("pruned up to", f.row(f.inbox).PrunedModSeq, told)
		f.prune(map[store.MailboxID]store.ModSeq{f.inbox: math.MaxUint64})
		f.equal("later", f.exists(ids[1]), false)
	},
	"a large expunge is pruned in steps and told whole": func(f *fixture) {
		f.put(f.inbox, 900, 0)
		gone, err := f.Expunge(f.ctx(), f.by, f.inbox, span(1, 800), false)
		f.must(err)
		f.pass(time.Hour)
		f.prune(nil)
		dead, err := f.Tombstones(f.ctx(), f.inbox, store.AllUIDs())
		f.must(err)
		f.equal("tombstones", len(dead), 0)
		list, err := f.Expunges(f.ctx(), f.inbox, 1)
		f.must(err)
		f.equal("expunges", list, fmt.Sprintf("[{%d 1:800}]", gone.ModSeq))
		f.equal("messages", f.row(f.inbox).Messages, 100)
	},
	"messages that are gone are passed over in a run of others": func(f *fixture) {
		f.put(f.inbox, 200, 0)
		all := messageIDs(f.load(f.inbox))
		var gone []store.UID
		var want []store.MessageID
		for uid := store.UID(1); uid <= 200; uid++ {
			if uid%3 == 0 || uid < 10 || uid > 195 {
				gone = append(gone, uid)
			} else {
				want = append(want, all[uid-1])
			}
		}
		f.expunge(f.inbox, gone...)
		f.pass(time.Hour)
		f.prune(nil)
		var got []store.MessageID
		for m, err := range f.Messages(f.ctx(), all, store.Want{Header: true}) {
			f.must(err)
			got = append(got, m.ID)
		}
		f.equal("messages", got, want)
	},
	"a message lives while any entry or tombstone names it": func(f *fixture) {
		f.put(f.inbox, 1, 0)
		to := f.create("to")
		f.copy(f.inbox, to, 1, false)
		id := f.entry(f.inbox, 1).Message
		text := f.served(id)
		f.expunge(f.inbox, 1)
		f.pass(time.Hour)
		f.prune(nil)
		f.equal("bytes", f.served(id), text)
		f.expunge(to, 1)
		f.prune(nil)
		f.equal("bytes", f.served(id), text)
		f.pass(time.Hour)
		f.prune(nil)
		f.equal("exists", f.exists(id), false)
	},
	"shared bytes go with the last message": func(f *fixture) {
		b := bodyOf(f.text())
		out, err := f.Insert(f.ctx(), f.by, []store.Insertion{{Mailbox: f.inbox, Body: b}, {Mailbox: f.inbox, Body: b}}, true, 0)
		f.must(err)
		body := f.message(out[0].Message).Body
		f.expunge(f.inbox, 1)
		f.pass(time.Hour)
		f.prune(nil)
		f.served(out[1].Message)
		f.expunge(f.inbox, 2)
		f.pass(time.Hour)
		f.prune(nil)
		_, err = f.ReadChunk(f.ctx(), body, 0)
		f.wantKind(err, store.Expunged)
	},
	"pruning reaches mailboxes that are gone": func(f *fixture) {
		a := f.create("a")
		f.put(a, 2, 0)
		ids := messageIDs(f.load(a))
		f.must(f.DeleteMailbox(f.ctx(), f.by, a))
		f.prune(nil)
		f.equal("kept at first", f.exists(ids[0]), true)
		f.pass(time.Hour)
		f.prune(nil)
		f.equal("exists", f.exists(ids[0]), false)
	},
	"pruning ends when told": func(f *fixture) {
		f.put(f.inbox, 3, 0)
		f.expunge(f.inbox, 1)
		f.pass(time.Hour)
		if err := f.Prune(canceled(), f.now(), nil); err == nil {
			f.Fatal("no error from a prune that was given up")
		}
	},
	"reads are noted without touching the mailbox": func(f *fixture) {
		f.put(f.inbox, 2, 0)
		before := f.row(f.inbox)
		f.published()
		f.must(f.NoteReads(f.ctx(), f.by, f.inbox, set(1, 2)))
		f.equal("row", f.row(f.inbox), before)
		f.equal("published", len(f.published()), 0)
	},
	"a clock that goes back hurts no counter": func(f *fixture) {
		f.put(f.inbox, 2, 0)
		before := f.row(f.create("a"))
		modseq := f.row(f.inbox).HighestModSeq
		f.pass(-10 * 365 * 24 * time.Hour)
		f.reopen()
		after := f.row(f.create("b"))
		if after.UIDValidity <= before.UIDValidity {
			f.Fatalf("UIDVALIDITY %d after %d", after.UIDValidity, before.UIDValidity)
		}
		f.equal("uid", f.put(f.inbox, 1, 0), []store.UID{3})
		if got := f.row(f.inbox).HighestModSeq; got <= modseq {
			f.Fatalf("modseq %d after %d", got, modseq)
		}
	},
}
