package storetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tandem/store"
)

// bobs gives the entries of bob's INBOX.
func (f *fixture) bobs() *store.LoadedIndex {
	f.Helper()
	return f.load(f.ownInbox(f.bobActor()))
}

// across copies or moves from a mailbox of alice's to bob's INBOX, as bob.
func (f *fixture) across(from store.MailboxID, uids store.UIDSet, move bool) store.Copied {
	f.Helper()
	got, err := f.Copy(f.ctx(), f.bobActor(), from, f.ownInbox(f.bobActor()), uids, move, 0)
	f.must(err)
	return got
}

// whole gives all that never changes of a message, less its id.
func (f *fixture) whole(id store.MessageID) string {
	f.Helper()
	for m, err := range f.Messages(f.ctx(), []store.MessageID{id}, store.Want{Structure: true, Header: true, Text: true}) {
		f.must(err)
		m.ID = 0
		return fmt.Sprintf("%+v", *m)
	}
	f.Fatalf("no message %d", id)
	return ""
}

var acrossTests = map[string]func(*fixture){
	"a copy to another account is a message there with the same body": func(f *fixture) {
		var names []string
		for n := range 60 {
			names = append(names, fmt.Sprint("k", n))
		}
		from := f.create("from")
		f.put(from, 2, store.FlagFlagged, names...)
		f.put(from, 1, store.FlagSeen)
		f.must(errOf(f.Insert(f.ctx(), f.by, []store.Insertion{{Mailbox: from, Body: bodyOf(strings.Repeat("long ", 100_000)), Internal: f.now(),
			Prefix: []byte("Delivered-To: alice\r\n"), UIDL: "imported", Keywords: []string{"K7"}}}, true, 0)))
		f.grant(from, f.bob, "lr")
		// Bob numbers his keywords otherwise.
		f.must(errOf(f.SetFlags(f.ctx(), f.bobActor(), f.ownInbox(f.bobActor()), store.FlagsChange{UIDs: one}, 0)))
		f.must(errOf(f.Insert(f.ctx(), f.bobActor(), []store.Insertion{{Mailbox: f.ownInbox(f.bobActor()), Body: bodyOf(f.text()), Keywords: []string{"mine", "K59", "k3"}}}, true, 0)))
		before, hers := f.load(from), f.row(from)
		f.pass(time.Hour)
		f.published()
		got := f.across(from, store.AllUIDs(), false)
		f.equal("copied", str(got.Source)+" "+str(got.Dest), "1:4 2:5")
		f.equal("source", f.load(from), before)
		f.equal("source's row", f.row(from), hers)
		list := f.published()
		f.equal("changes", len(list), 1)
		after := f.bobs()
		f.equal("added", list[0].Added, after.Entries[1:])
		his, err := f.Keywords(f.ctx(), f.bob)
		f.must(err)
		f.equal("keywords published", list[0].Keywords, his)
		alices, err := f.Keywords(f.ctx(), f.alice)
		f.must(err)
		for i, old := range before.Entries {
			e := after.Entries[i+1]
			f.equal("account", e.Message.Account(), f.bob)
			f.equal("message", f.whole(e.Message), f.whole(old.Message))
			f.equal("bytes", f.served(e.Message), f.served(old.Message))
			f.equal("size, date", fmt.Sprint(e.Size, e.Internal, e.Saved), fmt.Sprint(old.Size, old.Internal, f.now().Unix()))
			f.equal("system flags", e.Flags&store.SystemFlags, old.Flags&store.SystemFlags)
			f.equal("keywords", words(after, e, his), words(before, old, alices))
		}
		uidls, err := f.UIDLs(f.ctx(), f.ownInbox(f.bobActor()))
		f.must(err)
		f.equal("UIDLs of their own", len(uidls), 0)
		f.compareRows(from)
		f.compareRows(f.ownInbox(f.bobActor()))
	},
	"a move to another account buries what was moved": func(f *fixture) {
		from := f.create("from")
		f.put(from, 3, 0)
		f.grant(from, f.bob, "lrte")
		was := f.load(from).Entries[1]
		text := f.served(was.Message)
		f.published()
		got := f.across(from, set(2, 3), true)
		f.equal("moved", str(got.Source)+" "+str(got.Dest), "2:3 1:2")
		f.wantUIDs(from, "1")
		dead, err := f.Tombstones(f.ctx(), from, store.AllUIDs())
		f.must(err)
		f.equal("tombstones", len(dead), 2)
		list := f.published()
		f.equal("changes", fmt.Sprintf("%d %d %s", len(list), len(list[0].Added), str(list[1].Expunged)), "2 2 2:3")
		f.equal("modseqs are each account's", fmt.Sprint(list[0].ModSeq == f.bobs().Mailbox.HighestModSeq, list[1].ModSeq == f.row(from).HighestModSeq), "true true")
		f.equal("can be brought back", len(f.expunged()), 2)
		f.pass(time.Hour)
		f.prune(nil)
		f.equal("alice's message after pruning", f.exists(was.Message), false)
		f.equal("bob's", f.served(f.bobs().Entries[0].Message), text)
	},
	"a body stays while any account names it": func(f *fixture) {
		for _, first := range []string{"alice", "bob"} {
			from := f.create("from " + first)
			f.put(from, 1, 0)
			f.must(errOf(f.Insert(f.ctx(), f.by, []store.Insertion{{Mailbox: from, Body: bodyOf(strings.Repeat("long ", 150_000))}}, true, 0)))
			f.grant(from, f.bob, "lr")
			var texts []string
			for _, e := range f.load(from).Entries {
				texts = append(texts, f.served(e.Message))
			}
			f.across(from, store.AllUIDs(), false)
			gone, left := from, f.ownInbox(f.bobActor())
			goner := f.by
			if first == "bob" {
				gone, left, goner = left, gone, f.bobActor()
			}
			f.must(errOf(f.Expunge(f.ctx(), goner, gone, store.AllUIDs(), false)))
			f.pass(time.Hour)
			f.prune(nil)
			for i, e := range f.load(left).Entries {
				f.equal("bytes", f.served(e.Message), texts[i])
			}
			f.must(f.Check(f.ctx(), false, func(line string) { f.Errorf("check: %s", line) }))
			f.must(errOf(f.Expunge(f.ctx(), f.admin, left, store.AllUIDs(), false)))
		}
	},
	"an account that goes leaves what others have of its mail": func(f *fixture) {
		from := f.create("from")
		f.put(from, 5, 0)
		f.must(errOf(f.Insert(f.ctx(), f.by, []store.Insertion{{Mailbox: from, Body: bodyOf(strings.Repeat("long ", 150_000))}}, true, 0)))
		f.grant(from, f.bob, "lr")
		var texts []string
		for _, e := range f.load(from).Entries {
			texts = append(texts, f.served(e.Message))
		}
		f.across(from, store.AllUIDs(), false)
		f.must(f.RemoveAccount(f.ctx(), f.alice))
		f.must(f.Prune(f.ctx(), f.now(), nil))
		for i, e := range f.bobs().Entries {
			f.equal("bytes", f.served(e.Message), texts[i])
		}
	},
	"the quota is that of the account it goes to": func(f *fixture) {
		from := f.create("from")
		f.put(from, 3, 0)
		f.grant(from, f.bob, "lrtei")
		two := int64(2)
		f.must(f.UpdateAccount(f.ctx(), f.bob, store.AccountUpdate{MaxMessages: &two}))
		before, his := f.load(from), f.bobs()
		for _, move := range []bool{false, true} {
			_, err := f.Copy(f.ctx(), f.bobActor(), from, f.ownInbox(f.bobActor()), store.AllUIDs(), move, 0)
			f.wantKind(err, store.OverQuota)
		}
		f.equal("source", f.load(from), before)
		f.equal("destination", f.bobs(), his)
		f.across(from, span(1, 2), true)
		a, err := f.Account(f.ctx(), f.bob)
		f.must(err)
		f.equal("bob's use", a.Used.Messages, 2)
		f.must(f.UpdateAccount(f.ctx(), f.alice, store.AccountUpdate{MaxMessages: &two}))
		_, err = f.Copy(f.ctx(), f.bobActor(), f.ownInbox(f.bobActor()), from, span(1, 2), false, 0)
		f.wantKind(err, store.OverQuota)
		_, err = f.Insert(f.ctx(), f.bobActor(), []store.Insertion{{Mailbox: from, Body: bodyOf(f.text())}, {Mailbox: from, Body: bodyOf(f.text())}}, true, 0)
		f.wantKind(err, store.OverQuota)
	},
	"keywords have their bound where they go": func(f *fixture) {
		from := f.create("from")
		f.put(from, 1, 0, "a", "b", "c")
		f.grant(from, f.bob, "lr")
		his := f.bobs()
		_, err := f.Copy(f.ctx(), f.bobActor(), from, f.ownInbox(f.bobActor()), one, false, 2)
		f.wantKind(err, store.Limit)
		f.equal("destination", f.bobs(), his)
		words, err := f.Keywords(f.ctx(), f.bob)
		f.must(err)
		f.equal("keywords", len(words), 0)
	},
	"entries of one message stay so, many at a time": func(f *fixture) {
		from := f.create("from")
		f.put(from, 300, store.FlagSeen, "k")
		f.must(errOf(f.Copy(f.ctx(), f.by, from, from, span(1, 100), false, 0)))
		f.grant(from, f.bob, "lrte")
		before := f.load(from)
		got := f.across(from, store.AllUIDs(), true)
		f.equal("moved", got.Source.Len(), 400)
		after := f.bobs()
		became := map[store.MessageID]store.MessageID{}
		for i, e := range after.Entries {
			old := before.Entries[i]
			if m, ok := became[old.Message]; ok && m != e.Message {
				f.Fatalf("message %d became %d and %d", old.Message, m, e.Message)
			}
			became[old.Message] = e.Message
		}
		f.equal("messages", len(became), 300)
		seen := map[string]bool{}
		uidls, err := f.UIDLs(f.ctx(), f.ownInbox(f.bobActor()))
		f.must(err)
		for _, e := range after.Entries {
			uidl := uidls[e.UID]
			if uidl == "" {
				uidl = store.DefaultUIDL(f.StoreID(), e.Message)
			}
			if seen[uidl] {
				f.Fatalf("two entries have the UIDL %s", uidl)
			}
			seen[uidl] = true
		}
	},
	"answers join the thread of what was copied": func(f *fixture) {
		from := f.create("from")
		f.must(errOf(f.Insert(f.ctx(), f.by, []store.Insertion{{Mailbox: from, Body: bodyOf("Message-ID: <root@x>\r\n\r\nhi\r\n")}}, true, 0)))
		f.grant(from, f.bob, "lr")
		f.across(from, one, false)
		out, err := f.Insert(f.ctx(), f.bobActor(), []store.Insertion{{Mailbox: f.ownInbox(f.bobActor()), Body: bodyOf("Message-ID: <2@x>\r\nIn-Reply-To: <root@x>\r\n\r\nho\r\n")}}, true, 0)
		f.must(err)
		f.equal("thread", f.message(out[0].Message).ThreadID, f.message(f.bobs().Entries[0].Message).ThreadID)
	},
	"both journals tell of it": func(f *fixture) {
		from := f.create("from")
		f.put(from, 2, 0)
		f.grant(from, f.bob, "lrte")
		f.across(from, one, true)
		f.across(from, set(2), false)
		for owner, want := range map[store.AccountID][]string{f.alice: {"move", "copy"}, f.bob: {"receive", "receive"}} {
			var got []string
			for j, err := range f.Journal(f.ctx(), owner, store.JournalQuery{}) {
				f.must(err)
				if slices.Contains([]string{"move", "copy", "receive"}, j.Verb) {
					got = append(got, j.Verb)
					f.equal("mailboxes", j.Mailbox.Account() == owner && j.Other.Account() != owner, true)
				}
			}
			f.equal("journal", got, want)
		}
	},
	"replacing from one account into another": func(f *fixture) {
		from := f.create("from")
		f.put(from, 1, 0)
		f.grant(from, f.bob, "lrte")
		text := f.text()
		out, err := f.Replace(f.ctx(), f.bobActor(), from, 1, store.Insertion{Mailbox: f.ownInbox(f.bobActor()), Body: bodyOf(text)}, 0)
		f.must(err)
		f.wantUIDs(from, "")
		f.equal("bytes", f.served(out.Message), text)
	},
}

// words names the keywords of an entry, in the order of the letters.
func words(x *store.LoadedIndex, e store.Entry, names []string) []string {
	var list []string
	flags := store.FlagSet{Bits: e.Flags, More: x.More[e.UID]}
	for n, name := range names {
		if flags.Has(n) {
			list = append(list, strings.ToLower(name))
		}
	}
	slices.Sort(list)
	return list
}
