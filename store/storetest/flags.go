package storetest

import (
	"fmt"

	"tandem/store"
)

// change runs SetFlags as alice on her INBOX.
func (f *fixture) change(c store.FlagsChange) store.FlagsResult {
	f.Helper()
	res, err := f.SetFlags(f.ctx(), f.by, f.inbox, c, 0)
	f.must(err)
	return res
}

var flagsTests = map[string]func(*fixture){
	"flags are added, removed and replaced": func(f *fixture) {
		f.put(f.inbox, 2, store.FlagSeen, "k0")
		k0, k1 := store.KeywordFlag(0), store.KeywordFlag(1)
		for _, step := range []struct {
			c    store.FlagsChange
			want store.Flags
		}{
			{store.FlagsChange{Op: store.FlagsAdd, Flags: store.FlagDeleted, Keywords: []string{"k1"}}, store.FlagSeen | store.FlagDeleted | k0 | k1},
			{store.FlagsChange{Op: store.FlagsRemove, Flags: store.FlagSeen, Keywords: []string{"k0", "unknown"}}, store.FlagDeleted | k1},
			{store.FlagsChange{Op: store.FlagsReplace, Flags: store.FlagAnswered, Keywords: []string{"k0"}}, store.FlagAnswered | k0},
			{store.FlagsChange{Op: store.FlagsReplace}, 0},
		} {
			step.c.UIDs = set(1)
			res := f.change(step.c)
			f.equal("changed", len(res.Changed), 1)
			f.equal("flags", f.entry(f.inbox, 1).Flags, step.want)
			f.equal("told", res.Changed[0].Flags.Bits, step.want)
		}
		f.equal("the other one", f.entry(f.inbox, 2).Flags, store.FlagSeen|k0)
		kw, err := f.Keywords(f.ctx(), f.alice)
		f.must(err)
		f.equal("keywords", kw, []string{"k0", "k1"})
	},
	"counters follow the flags": func(f *fixture) {
		f.put(f.inbox, 5, 0)
		f.change(store.FlagsChange{UIDs: span(1, 3), Op: store.FlagsAdd, Flags: store.FlagSeen | store.FlagDeleted})
		f.change(store.FlagsChange{UIDs: span(3, 4), Op: store.FlagsReplace, Flags: store.FlagSeen})
		m := f.row(f.inbox)
		f.equal("unseen, deleted", fmt.Sprint(m.Unseen, m.Deleted), "1 2")
	},
	"a change that changes nothing draws no modseq": func(f *fixture) {
		f.put(f.inbox, 2, store.FlagSeen)
		before := f.row(f.inbox)
		f.published()
		res := f.change(store.FlagsChange{UIDs: store.AllUIDs(), Op: store.FlagsAdd, Flags: store.FlagSeen})
		f.equal("result", fmt.Sprint(res.ModSeq, len(res.Changed)), "0 0")
		f.equal("row", f.row(f.inbox), before)
		f.equal("published", len(f.published()), 0)
	},
	"rows that do not change keep their modseq": func(f *fixture) {
		f.put(f.inbox, 1, store.FlagSeen)
		f.put(f.inbox, 1, 0)
		old := f.entry(f.inbox, 1).ModSeq
		res := f.change(store.FlagsChange{UIDs: store.AllUIDs(), Op: store.FlagsAdd, Flags: store.FlagSeen})
		f.equal("unchanged", f.entry(f.inbox, 1).ModSeq, old)
		f.equal("changed", f.entry(f.inbox, 2).ModSeq, res.ModSeq)
		f.equal("row", f.row(f.inbox).HighestModSeq, res.ModSeq)
		f.equal("told", len(res.Changed), 1)
	},
	"UNCHANGEDSINCE leaves newer entries alone and tells them": func(f *fixture) {
		f.put(f.inbox, 3, 0)
		since := f.row(f.inbox).HighestModSeq
		f.change(store.FlagsChange{UIDs: set(2), Op: store.FlagsAdd, Flags: store.FlagFlagged})
		res := f.change(store.FlagsChange{UIDs: span(1, 9), Op: store.FlagsAdd, Flags: store.FlagSeen, UnchangedSince: &since})
		f.equal("modified", str(res.Modified), "2")
		f.equal("changed", len(res.Changed), 2)
		zero, most := store.ModSeq(0), store.ModSeq(1<<64-1)
		res = f.change(store.FlagsChange{UIDs: span(1, 3), Op: store.FlagsAdd, Flags: store.FlagDraft, Keywords: []string{"never"}, UnchangedSince: &zero})
		f.equal("all modified", str(res.Modified), "1:3")
		kw, err := f.Keywords(f.ctx(), f.alice)
		f.must(err)
		f.equal("keywords", len(kw), 0)
		res = f.change(store.FlagsChange{UIDs: span(1, 3), Op: store.FlagsAdd, Flags: store.FlagDraft, UnchangedSince: &most})
		f.equal("changed", len(res.Changed), 3)
	},
	"many rows obey the same rules as few": func(f *fixture) {
		const n = 300
		f.put(f.inbox, n, 0, "k0")
		f.change(store.FlagsChange{UIDs: span(100, 250), Op: store.FlagsAdd, Flags: store.FlagSeen})
		since := f.row(f.inbox).HighestModSeq
		f.change(store.FlagsChange{UIDs: span(185, 290), Op: store.FlagsAdd, Flags: store.FlagFlagged})
		uids := store.UIDSet{{Start: 1, Stop: 150}, {Start: 180, Stop: 4000}}
		for _, op := range []store.FlagOp{store.FlagsAdd, store.FlagsRemove, store.FlagsReplace} {
			for _, bound := range []*store.ModSeq{&since, nil} {
				before := f.load(f.inbox)
				res := f.change(store.FlagsChange{UIDs: uids, Op: op, Flags: store.FlagSeen | store.FlagAnswered, UnchangedSince: bound})
				f.checkChanges(before, f.load(f.inbox), res, op, uids, bound)
			}
		}
	},
	"keywords beyond the 55th": func(f *fixture) {
		var names []string
		for i := range 70 {
			names = append(names, fmt.Sprintf("k%d", i))
		}
		f.put(f.inbox, 200, 0, names[:60]...)
		f.published()
		res := f.change(store.FlagsChange{UIDs: store.AllUIDs(), Op: store.FlagsAdd, Keywords: names[60:]})
		f.equal("changed", len(res.Changed), 200)
		x := f.load(f.inbox)
		all := store.FlagSet{Bits: x.Entries[7].Flags, More: x.More[8]}
		for n := range 70 {
			if !all.Has(n) {
				f.Fatalf("keyword %d is not set in %+v", n, all)
			}
		}
		f.equal("published", f.published()[0].Flags[7].Flags, all)
		f.change(store.FlagsChange{UIDs: span(1, 90), Op: store.FlagsRemove, Keywords: names[55:]})
		x = f.load(f.inbox)
		f.equal("bitmaps", len(x.More), 110)
		f.equal("flag for more", x.Entries[7].Flags&store.FlagMore, 0)
		f.change(store.FlagsChange{UIDs: span(101, 200), Op: store.FlagsReplace, Flags: store.FlagSeen})
		f.change(store.FlagsChange{UIDs: span(85, 100), Op: store.FlagsReplace, Flags: store.FlagSeen})
		x = f.load(f.inbox)
		f.equal("after replacing", fmt.Sprint(len(x.More), x.Entries[99].Flags == store.FlagSeen), "0 true")
		_, err := f.SetFlags(f.ctx(), f.by, f.inbox, store.FlagsChange{UIDs: set(1), Keywords: []string{"one more"}}, 70)
		f.wantKind(err, store.Limit)
	},
	"no client sets the mark of POP3": func(f *fixture) {
		f.put(f.inbox, 1, store.FlagPOP3Trashed|store.FlagMore)
		f.equal("inserted", f.entry(f.inbox, 1).Flags, 0)
		f.change(store.FlagsChange{UIDs: set(1), Flags: store.FlagPOP3Trashed | store.FlagMore | store.KeywordFlag(3)})
		f.equal("changed", f.entry(f.inbox, 1).Flags, 0)
	},
	"flags of a mailbox that is gone or another's": func(f *fixture) {
		_, err := f.SetFlags(f.ctx(), f.by, f.inbox+99, store.FlagsChange{UIDs: set(1)}, 0)
		f.wantKind(err, store.NotFound)
		bobs, err := f.MailboxByName(f.ctx(), f.bob, "INBOX")
		f.must(err)
		_, err = f.SetFlags(f.ctx(), f.by, bobs.ID, store.FlagsChange{UIDs: set(1)}, 0)
		f.wantKind(err, store.NotFound)
	},
}

// checkChanges compares two states of a mailbox with what SetFlags says it
// did in between with the flags \Seen and \Answered.
func (f *fixture) checkChanges(before, after *store.LoadedIndex, res store.FlagsResult, op store.FlagOp, uids store.UIDSet, bound *store.ModSeq) {
	f.Helper()
	const given = store.FlagSeen | store.FlagAnswered
	var modified store.UIDSet
	changed := 0
	for i, e := range before.Entries {
		want := e
		switch {
		case !contains(uids, e.UID):
		case bound != nil && e.ModSeq > *bound:
			modified.Add(e.UID)
		case op == store.FlagsAdd:
			want.Flags |= given
		case op == store.FlagsRemove:
			want.Flags &^= given
		default:
			want.Flags = given
		}
		if want.Flags != e.Flags {
			want.ModSeq = res.ModSeq
			f.equal("told", res.Changed[changed], store.FlagChange{UID: e.UID, Flags: store.FlagSet{Bits: want.Flags}, Previous: e.ModSeq})
			changed++
		}
		f.equal("entry", after.Entries[i], want)
	}
	f.equal("number told", len(res.Changed), changed)
	f.equal("modified", str(res.Modified), str(modified))
}

func contains(s store.UIDSet, uid store.UID) bool {
	for _, r := range s {
		if uid >= r.Start && uid <= r.Stop {
			return true
		}
	}
	return false
}
