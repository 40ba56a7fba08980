package storetest

import (
	"fmt"

	"tandem/store"
)

var replaceTests = map[string]func(*fixture){
	"replacing in place removes one and adds one": func(f *fixture) {
		f.put(f.inbox, 3, store.FlagDeleted)
		f.published()
		text := f.text()
		out, err := f.Replace(f.ctx(), f.by, f.inbox, 2, store.Insertion{Mailbox: f.inbox, Body: bodyOf(text), Flags: store.FlagDraft, Keywords: []string{"k"}}, 0)
		f.must(err)
		row := f.row(f.inbox)
		f.equal("inserted", fmt.Sprint(out.UID, out.UIDValidity), fmt.Sprint(4, row.UIDValidity))
		f.wantUIDs(f.inbox, "1,3:4")
		f.equal("bytes", f.served(out.Message), text)
		f.equal("flags", f.entry(f.inbox, 4).Flags, store.FlagDraft|store.KeywordFlag(0))
		f.equal("counters", fmt.Sprint(row.Messages, row.Unseen, row.Deleted), "3 3 2")
		list := f.published()
		if len(list) != 2 || str(list[0].Expunged) != "2" || len(list[1].Added) != 1 || list[0].ModSeq >= list[1].ModSeq {
			f.Fatalf("published %+v", list)
		}
		gone, err := f.Expunges(f.ctx(), f.inbox, 0)
		f.must(err)
		f.equal("expunges", fmt.Sprint(len(gone), gone[0].ModSeq, str(gone[0].UIDs)), fmt.Sprint(1, list[0].ModSeq, "2"))
	},
	"replacing into another mailbox": func(f *fixture) {
		f.put(f.inbox, 2, 0)
		to := f.create("to")
		out, err := f.Replace(f.ctx(), f.by, f.inbox, 1, store.Insertion{Mailbox: to, Body: bodyOf(f.text())}, 0)
		f.must(err)
		f.equal("uid", out.UID, 1)
		f.wantUIDs(f.inbox, "2")
		f.wantUIDs(to, "1")
	},
	"what is replaced makes room under the quota": func(f *fixture) {
		f.must(f.tryInsert(f.by))
		used := f.used()
		f.limit(used)
		f.wantKind(f.tryInsert(f.by), store.OverQuota)
		_, err := f.Replace(f.ctx(), f.by, f.inbox, 1, store.Insertion{Mailbox: f.inbox, Body: bodyOf("y")}, 0)
		f.must(err)
		f.equal("use", f.used(), used)
		_, err = f.Replace(f.ctx(), f.by, f.inbox, 2, store.Insertion{Mailbox: f.inbox, Body: bodyOf("longer")}, 0)
		f.wantKind(err, store.OverQuota)
		f.wantUIDs(f.inbox, "2")
		f.equal("use", f.used(), used)
	},
	"a replacing that fails changes nothing": func(f *fixture) {
		f.put(f.inbox, 1, 0, "k1")
		before := f.load(f.inbox)
		f.published()
		body := bodyOf(f.text())
		bobs, err := f.MailboxByName(f.ctx(), f.bob, "INBOX")
		f.must(err)
		for _, test := range []struct {
			uid  store.UID
			ins  store.Insertion
			kind store.Kind
		}{
			{2, store.Insertion{Mailbox: f.inbox, Body: body}, store.Expunged},
			{1, store.Insertion{Mailbox: f.inbox + 1000, Body: body}, store.NotFound},
			{1, store.Insertion{Mailbox: bobs.ID, Body: body}, store.NotFound},
			{1, store.Insertion{Mailbox: f.inbox, Body: body, Keywords: []string{"k2"}}, store.Limit},
		} {
			_, err := f.Replace(f.ctx(), f.by, f.inbox, test.uid, test.ins, 1)
			if err == nil || store.KindOf(err) != test.kind {
				f.Fatalf("replacing %d: %v, want %v", test.uid, err, test.kind)
			}
		}
		_, err = f.Replace(f.ctx(), f.by, bobs.ID, 1, store.Insertion{Mailbox: f.inbox, Body: body}, 0)
		f.equal("replacing what is another's", store.KindOf(err), store.NotFound)
		f.equal("mailbox", f.load(f.inbox), before)
		f.equal("changes", len(f.published()), 0)
	},
}
