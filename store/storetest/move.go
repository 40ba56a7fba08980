package storetest

import (
	"fmt"
	"time"

	"tandem/store"
)

var moveTests = map[string]func(*fixture){
	"a copy has the same message, flags and date, and is saved now": func(f *fixture) {
		f.put(f.inbox, 3, store.FlagFlagged, "k")
		to := f.create("to")
		f.put(to, 2, 0)
		f.pass(time.Hour)
		f.published()
		before := f.load(f.inbox)
		got, err := f.Copy(f.ctx(), f.by, f.inbox, to, store.UIDSet{{Start: 1, Stop: 1}, {Start: 3, Stop: 50}}, false, 0)
		f.must(err)
		row := f.row(to)
		f.equal("copied", fmt.Sprint(got.UIDValidity, str(got.Source), str(got.Dest)), fmt.Sprint(row.UIDValidity, "1,3", "3:4"))
		f.equal("source", f.load(f.inbox), before)
		src, copied := before.Entries[2], f.entry(to, 4)
		src.UID, src.ModSeq, src.Saved = 4, row.HighestModSeq, uint32(f.now().Unix())
		f.equal("copy", copied, src)
		list := f.published()
		f.equal("changes", len(list), 1)
		f.equal("added", list[0].Added, f.load(to).Entries[2:])
		f.equal("counters", fmt.Sprint(row.Messages, row.Unseen, row.Bytes > 0), "4 4 true")
	},
	"a move is both in one change, each mailbox with its modseq": func(f *fixture) {
		f.put(f.inbox, 4, store.FlagDeleted)
		to := f.create("to")
		f.published()
		got, err := f.Copy(f.ctx(), f.by, f.inbox, to, set(2, 3), true, 0)
		f.must(err)
		f.equal("moved", str(got.Source)+" "+str(got.Dest), "2:3 1:2")
		f.wantUIDs(f.inbox, "1,4")
		f.wantUIDs(to, "1:2")
		src, dest := f.row(f.inbox), f.row(to)
		if src.HighestModSeq <= dest.HighestModSeq {
			f.Fatalf("source %d, destination %d", src.HighestModSeq, dest.HighestModSeq)
		}
		f.equal("counters", fmt.Sprint(src.Messages, src.Deleted, dest.Messages, dest.Deleted), "2 2 2 2")
		list := f.published()
		f.equal("changes", fmt.Sprintf("%d %d %s", len(list), len(list[0].Added), str(list[1].Expunged)), "2 2 2:3")
		gone, err := f.Expunges(f.ctx(), f.inbox, 0)
		f.must(err)
		f.equal("expunges", fmt.Sprint(len(gone), gone[0].ModSeq, str(gone[0].UIDs)), fmt.Sprint(1, src.HighestModSeq, "2:3"))
	},
	"copying to the same mailbox adds, moving replaces": func(f *fixture) {
		f.put(f.inbox, 3, 0)
		got, err := f.Copy(f.ctx(), f.by, f.inbox, f.inbox, store.AllUIDs(), false, 0)
		f.must(err)
		f.equal("copied", str(got.Dest), "4:6")
		f.wantUIDs(f.inbox, "1:6")
		f.published()
		got, err = f.Copy(f.ctx(), f.by, f.inbox, f.inbox, set(2, 5), true, 0)
		f.must(err)
		f.equal("moved", str(got.Source)+" "+str(got.Dest), "2,5 7:8")
		f.wantUIDs(f.inbox, "1,3:4,6:8")
		list := f.published()
		if len(list) != 2 || list[0].ModSeq >= list[1].ModSeq || len(list[0].Added) != 2 || str(list[1].Expunged) != "2,5" {
			f.Fatalf("published %+v", list)
		}
		f.equal("messages", f.row(f.inbox).Messages, 6)
	},
	"many rows, holes and keywords": func(f *fixture) {
		var names []string
		for i := range 60 {
			names = append(names, fmt.Sprint("k", i))
		}
		f.put(f.inbox, 150, store.FlagSeen, names...)
		f.put(f.inbox, 150, 0, "k1")
		var odd []store.UID
		for uid := store.UID(1); uid <= 300; uid += 3 {
			odd = append(odd, uid)
		}
		_, err := f.Expunge(f.ctx(), f.by, f.inbox, set(odd...), false)
		f.must(err)
		to := f.create("to")
		before := f.load(f.inbox)
		got, err := f.Copy(f.ctx(), f.by, f.inbox, to, store.UIDSet{{Start: 2, Stop: 100}, {Start: 110, Stop: 290}}, true, 0)
		f.must(err)
		f.equal("moved", got.Source.Len(), got.Dest.Len())
		after := f.load(to)
		i := 0
		for _, e := range before.Entries {
			if !contains(got.Source, e.UID) {
				continue
			}
			c := after.Entries[i]
			if c.Message != e.Message || c.Flags != e.Flags || after.More[c.UID] != before.More[e.UID] {
				f.Fatalf("entry %+v became %+v", e, c)
			}
			i++
		}
		f.equal("copies", len(after.Entries), i)
	},
	"nothing to copy changes nothing": func(f *fixture) {
		f.put(f.inbox, 1, 0)
		to := f.create("to")
		before := f.row(to)
		f.published()
		got, err := f.Copy(f.ctx(), f.by, f.inbox, to, span(5, 9), true, 0)
		f.must(err)
		f.equal("copied", fmt.Sprint(len(got.Source), len(got.Dest), got.UIDValidity), fmt.Sprint(0, 0, before.UIDValidity))
		f.equal("row", f.row(to), before)
		f.equal("published", len(f.published()), 0)
	},
	"copies go to mailboxes that are there": func(f *fixture) {
		f.put(f.inbox, 1, 0)
		bobs, err := f.MailboxByName(f.ctx(), f.bob, "INBOX")
		f.must(err)
		_, err = f.Copy(f.ctx(), f.by, f.inbox, bobs.ID, set(1), false, 0)
		f.wantKind(err, store.NotFound)
		_, err = f.Copy(f.ctx(), f.by, f.inbox, f.inbox+99, set(1), false, 0)
		f.wantKind(err, store.NotFound)
	},
	"expunging removes what is asked and deleted": func(f *fixture) {
		f.put(f.inbox, 6, 0)
		f.change(store.FlagsChange{UIDs: set(2, 3, 5), Op: store.FlagsAdd, Flags: store.FlagDeleted})
		f.published()
		gone, err := f.Expunge(f.ctx(), f.by, f.inbox, span(3, 50), true)
		f.must(err)
		f.equal("gone", str(gone.UIDs), "3,5")
		f.wantUIDs(f.inbox, "1:2,4,6")
		m := f.row(f.inbox)
		f.equal("row", fmt.Sprint(m.Messages, m.Unseen, m.Deleted, m.HighestModSeq == gone.ModSeq), "4 4 1 true")
		list := f.published()
		f.equal("published", fmt.Sprint(len(list), str(list[0].Expunged), list[0].ModSeq), fmt.Sprint(1, "3,5", gone.ModSeq))
		gone, err = f.Expunge(f.ctx(), f.by, f.inbox, span(3, 50), true)
		f.must(err)
		f.equal("again", fmt.Sprint(gone.ModSeq, len(gone.UIDs), len(f.published())), "0 0 0")
	},
	"expunged UIDs are not used again": func(f *fixture) {
		f.put(f.inbox, 3, 0)
		_, err := f.Expunge(f.ctx(), f.by, f.inbox, store.AllUIDs(), false)
		f.must(err)
		f.reopen()
		f.equal("next", f.put(f.inbox, 1, 0), []store.UID{4})
	},
	"tombstones keep entries as they were": func(f *fixture) {
		f.put(f.inbox, 4, store.FlagFlagged, "k")
		before := f.load(f.inbox)
		first := before.Mailbox.HighestModSeq
		_, err := f.Expunge(f.ctx(), f.by, f.inbox, set(2), false)
		f.must(err)
		_, err = f.Expunge(f.ctx(), f.by, f.inbox, set(1, 4), false)
		f.must(err)
		dead, err := f.Tombstones(f.ctx(), f.inbox, store.UIDSet{{Start: 1, Stop: 1}, {Start: 3, Stop: 9}})
		f.must(err)
		f.equal("tombstones", dead, []store.Entry{before.Entries[0], before.Entries[3]})
		f.served(dead[0].Message)
		list, err := f.Expunges(f.ctx(), f.inbox, 0)
		f.must(err)
		f.equal("expunges", fmt.Sprintf("%d %s %s", len(list), str(list[0].UIDs), str(list[1].UIDs)), "2 2 1,4")
		x, err := f.LoadIndex(f.ctx(), f.inbox, list[0].ModSeq)
		f.must(err)
		f.equal("later ones", fmt.Sprintf("%d %s", len(x.Expunges), str(x.Expunges[0].UIDs)), "1 1,4")
		if list[0].ModSeq <= first {
			f.Fatal("the expunge drew no modseq")
		}
	},
	"one order of changes in an account": func(f *fixture) {
		to := f.create("to")
		last := store.ModSeq(1)
		for i := range 5 {
			f.put(f.inbox, 1, 0)
			f.put(to, 1, 0)
			_, err := f.Copy(f.ctx(), f.by, f.inbox, to, set(store.UID(i+1)), true, 0)
			f.must(err)
		}
		for _, c := range f.published() {
			if c.List {
				continue
			}
			if c.ModSeq != last+1 {
				f.Fatalf("modseq %d after %d", c.ModSeq, last)
			}
			last = c.ModSeq
		}
		f.equal("changes", last, 21)
		f.equal("untouched", f.named("Sent").HighestModSeq, 1)
	},
}
