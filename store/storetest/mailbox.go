package storetest

import (
	"fmt"
	"strings"

	"tandem/store"
)

var mailboxTests = map[string]func(*fixture){
	"a mailbox is made with its missing parents": func(f *fixture) {
		f.published()
		m, err := f.CreateMailbox(f.ctx(), f.by, f.alice, store.NewMailbox{Name: "a/b/c"}, 0)
		f.must(err)
		f.equal("name", m.Name, "a/b/c")
		a, b := f.named("a"), f.named("a/b")
		if a.UIDValidity == b.UIDValidity || b.UIDValidity == m.UIDValidity || a.MailboxID == b.MailboxID {
			f.Fatal("mailboxes share a UIDVALIDITY or MAILBOXID")
		}
		var names []string
		for _, c := range f.published() {
			if c.List {
				names = append(names, c.Mailbox.Name)
			}
		}
		f.equal("published", names, []string{"a", "a/b", "a/b/c"})
		_, err = f.CreateMailbox(f.ctx(), f.by, f.alice, store.NewMailbox{Name: "a/b"}, 0)
		f.wantKind(err, store.Exists)
	},
	"there is one mailbox for each special use": func(f *fixture) {
		_, err := f.CreateMailbox(f.ctx(), f.by, f.alice, store.NewMailbox{Name: "bin", Use: store.UseTrash}, 0)
		f.wantKind(err, store.Exists)
		m, err := f.CreateMailbox(f.ctx(), f.by, f.alice, store.NewMailbox{Name: "stars", Use: store.UseFlagged}, 0)
		f.must(err)
		f.equal("use", f.row(m.ID).Use, store.UseFlagged)
	},
	"the number of mailboxes is bounded, parents counted": func(f *fixture) {
		_, err := f.CreateMailbox(f.ctx(), f.by, f.alice, store.NewMailbox{Name: "a/b"}, 7)
		f.wantKind(err, store.Limit)
		_, err = f.MailboxByName(f.ctx(), f.alice, "a")
		f.wantKind(err, store.NotFound)
		_, err = f.CreateMailbox(f.ctx(), f.by, f.alice, store.NewMailbox{Name: "a"}, 7)
		f.must(err)
	},
	"a deleted mailbox is gone, its children stay": func(f *fixture) {
		child := f.create("a/b")
		a := f.named("a")
		f.put(a.ID, 3, 0)
		f.published()
		f.must(f.DeleteMailbox(f.ctx(), f.by, a.ID))
		last := f.published()
		if c := last[len(last)-1]; !c.Deleted || c.Mailbox.ID != a.ID {
			f.Fatalf("published %+v", c)
		}
		_, err := f.Mailbox(f.ctx(), a.ID)
		f.wantKind(err, store.NotFound)
		_, err = f.LoadIndex(f.ctx(), a.ID, 0)
		f.wantKind(err, store.NotFound)
		f.row(child)
		dead, err := f.Tombstones(f.ctx(), a.ID, store.AllUIDs())
		f.must(err)
		f.equal("tombstones", len(dead), 3)
		f.wantKind(f.DeleteMailbox(f.ctx(), f.by, a.ID), store.NotFound)
		f.wantKind(f.DeleteMailbox(f.ctx(), f.by, f.inbox), store.Forbidden)
	},
	"a name made again has a higher UIDVALIDITY and another id": func(f *fixture) {
		old := f.row(f.create("a"))
		f.must(f.DeleteMailbox(f.ctx(), f.by, old.ID))
		f.reopen()
		again := f.row(f.create("a"))
		if again.UIDValidity <= old.UIDValidity || again.ID <= old.ID || again.MailboxID == old.MailboxID {
			f.Fatalf("%+v after %+v", again, old)
		}
	},
	"renaming keeps ids and UIDs and takes the children along": func(f *fixture) {
		f.create("a/b/c")
		f.create("ab")
		a, c := f.named("a"), f.named("a/b/c")
		f.put(a.ID, 2, 0)
		before := f.row(a.ID)
		f.published()
		f.must(f.RenameMailbox(f.ctx(), f.by, a.ID, "x/y", 0))
		moved := f.row(a.ID)
		before.Name = "x/y"
		f.equal("row", moved, before)
		f.equal("child", f.row(c.ID).Name, "x/y/b/c")
		f.named("x")
		f.named("ab")
		for _, name := range []string{"a", "a/b"} {
			_, err := f.MailboxByName(f.ctx(), f.alice, name)
			f.wantKind(err, store.NotFound)
		}
		f.equal("changes of the list", len(f.published()), 4)
	},
	"renaming onto a taken name fails whole": func(f *fixture) {
		f.create("a/b")
		f.create("x/b")
		a := f.named("a")
		f.must(f.DeleteMailbox(f.ctx(), f.by, f.named("x").ID))
		f.wantKind(f.RenameMailbox(f.ctx(), f.by, a.ID, "x", 0), store.Exists)
		f.wantKind(f.RenameMailbox(f.ctx(), f.by, a.ID, "INBOX", 0), store.Exists)
		f.wantKind(f.RenameMailbox(f.ctx(), f.by, a.ID, "a", 0), store.Exists)
		f.wantKind(f.RenameMailbox(f.ctx(), f.by, a.ID, "a/b/c", 0), store.Invalid)
		f.wantKind(f.RenameMailbox(f.ctx(), f.by, a.ID, "p/q/r", 9), store.Limit)
		f.equal("name", f.row(a.ID).Name, "a")
		f.create("deep" + strings.Repeat("/a", 31))
		f.wantKind(f.RenameMailbox(f.ctx(), f.by, f.named("deep").ID, "p/deep", 0), store.Limit) // its child could not be opened
	},
	"renaming INBOX moves its messages": func(f *fixture) {
		f.create("INBOX/child")
		uids := f.put(f.inbox, 3, store.FlagFlagged)
		before := f.row(f.inbox)
		f.must(f.RenameMailbox(f.ctx(), f.by, f.inbox, "old/mail", 0))
		after := f.row(f.inbox)
		f.equal("INBOX", fmt.Sprint(after.Name, after.Messages, after.UIDValidity, after.UIDNext), fmt.Sprint("INBOX", 0, before.UIDValidity, before.UIDNext))
		f.named("INBOX/child")
		moved := f.named("old/mail")
		f.equal("moved", moved.Messages, len(uids))
		f.wantUIDs(moved.ID, "1:3")
	},
	"subscriptions are names, whether or not there is a mailbox": func(f *fixture) {
		f.published()
		f.must(f.SetSubscribed(f.ctx(), f.by, f.alice, "not there", true))
		f.must(f.SetSubscribed(f.ctx(), f.by, f.alice, "not there", true))
		f.must(f.SetSubscribed(f.ctx(), f.by, f.alice, "Junk", false))
		list := f.published()
		f.equal("changes", len(list), 2)
		if !list[0].List || list[0].Mailbox.ID.Account() != f.alice {
			f.Fatalf("published %+v", list[0])
		}
		names, err := f.Subscriptions(f.ctx(), f.alice)
		f.must(err)
		f.equal("subscriptions", names, []string{"Archive", "Drafts", "INBOX", "Sent", "Trash", "not there"})
		f.equal("Junk", f.named("Junk").Subscribed, false)
		f.equal("made later", f.row(f.create("not there")).Subscribed, true)
		f.must(f.DeleteMailbox(f.ctx(), f.by, f.named("not there").ID))
		names, err = f.Subscriptions(f.ctx(), f.alice)
		f.must(err)
		f.equal("after deletion", len(names), 6)
	},
	"recent marks never go back": func(f *fixture) {
		f.put(f.inbox, 5, 0)
		f.must(f.SaveRecent(f.ctx(), map[store.MailboxID]store.UID{f.inbox: 4}))
		f.must(f.SaveRecent(f.ctx(), map[store.MailboxID]store.UID{f.inbox: 2}))
		f.put(f.inbox, 1, 0)
		f.reopen()
		f.equal("recent from", f.row(f.inbox).RecentFrom, 4)
	},
	"names are told apart by case": func(f *fixture) {
		f.create("work")
		f.create("Work")
		if f.named("work").ID == f.named("Work").ID {
			f.Fatal("one mailbox for two names")
		}
	},
}
