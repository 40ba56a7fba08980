package storetest

import (
	"fmt"
	"strings"

	"tandem/store"
)

// acl gives the ACL of a mailbox as text.
func (f *fixture) acl(by store.Actor, id store.MailboxID) string {
	f.Helper()
	list, err := f.ACL(f.ctx(), by, id)
	f.must(err)
	var out []string
	for _, e := range list {
		out = append(out, e.Identifier+" "+e.Rights.String())
	}
	return strings.Join(out, ", ")
}

// shared gives what others share with an actor as text.
func (f *fixture) shared(by store.Actor) string {
	f.Helper()
	list, err := f.Shared(f.ctx(), by)
	f.must(err)
	var out []string
	for _, m := range list {
		out = append(out, m.Owner+"/"+m.Name+" "+m.Rights.String())
		if got, err := f.SharedByName(f.ctx(), by, m.ID.Account(), m.Name); err != nil || got != m {
			f.Fatalf("%s is listed as %+v, found as %+v (%v)", m.Name, m, got, err)
		}
	}
	return strings.Join(out, ", ")
}

// wantGrants takes what was published and compares the last ACL in it.
func (f *fixture) wantGrants(id store.MailboxID, want store.Grants) {
	f.Helper()
	found := false
	var got store.Grants
	for _, c := range f.published() {
		if c.ACL && c.Mailbox.ID == id {
			got, found = c.Grants, true
		}
	}
	f.equal("an ACL was published", found, true)
	f.equal("ACL published", got, want)
}

var aclTests = map[string]func(*fixture){
	"entries are set, added to, taken from and removed": func(f *fixture) {
		id := f.create("box")
		const own = "alice lrswipkxtea"
		f.equal("at first", f.acl(f.by, id), own)
		change := func(to store.AccountID, negative bool, op store.ACLOp, letters string) {
			f.Helper()
			rights, err := store.ParseRights(letters)
			f.must(err)
			f.must(f.SetACL(f.ctx(), f.by, id, store.ACLChange{Grantee: to, Negative: negative, Op: op, Rights: rights}))
		}
		f.published()
		change(f.bob, false, store.ACLSet, "lrs")
		f.wantGrants(id, store.Grants{{Account: f.bob, Rights: store.RightLookup | store.RightRead | store.RightSeen}})
		change(f.bob, false, store.ACLAdd, "wr")
		change(f.bob, false, store.ACLRemove, "sx")
		change(0, false, store.ACLSet, "l")
		change(0, true, store.ACLAdd, "a")
		change(f.bob, true, store.ACLSet, "w")
		f.equal("after all", f.acl(f.by, id), own+", anyone l, -anyone a, bob lrw, -bob w")
		f.published()
		change(f.bob, false, store.ACLRemove, "x")
		f.equal("a change of nothing is published", len(f.published()), 0)
		f.reopen()
		have, err := f.Rights(f.ctx(), f.bobActor(), id)
		f.must(err)
		f.equal("bob's rights", have, "lr")
		change(f.bob, false, store.ACLSet, "")
		change(f.bob, true, store.ACLSet, "")
		change(0, true, store.ACLSet, "")
		f.equal("at last", f.acl(f.by, id), own+", anyone l")
		f.must(f.DeleteMailbox(f.ctx(), f.by, id))
		f.wantKind(errOf(f.ACL(f.ctx(), f.by, id)), store.NotFound)
		grants, err := f.Grants(f.ctx(), id)
		f.must(err)
		f.equal("left of it", len(grants), 0)
	},
	"an ACL names so many accounts": func(f *fixture) {
		id := f.create("box")
		list := make([]store.NewAccount, store.MaxGrants)
		for i := range list {
			list[i] = store.NewAccount{Name: fmt.Sprintf("guest%d", i), Hash: "h"}
		}
		f.must(f.CreateAccounts(f.ctx(), list, false))
		f.grant(id, 0, "l")
		for i := range list[1:] {
			a, err := f.AccountByName(f.ctx(), list[i].Name)
			f.must(err)
			f.grant(id, a.ID, "lr")
		}
		last, err := f.AccountByName(f.ctx(), list[len(list)-1].Name)
		f.must(err)
		change := store.ACLChange{Grantee: last.ID, Rights: store.RightRead}
		f.wantKind(f.SetACL(f.ctx(), f.by, id, change), store.Limit)
		f.grant(id, 0, "")
		f.must(f.SetACL(f.ctx(), f.by, id, change))
		f.grant(id, last.ID, "-w") // which is the same account
	},
	"an owner keeps all rights": func(f *fixture) {
		id := f.create("box")
		f.grant(id, f.bob, "la")
		for _, by := range []store.Actor{f.by, f.bobActor(), f.admin} {
			for _, c := range []store.ACLChange{
				{Rights: store.RightRead}, {}, {Op: store.ACLRemove, Rights: store.RightAdminister},
				{Negative: true, Rights: store.RightRead}, {Negative: true, Op: store.ACLAdd, Rights: store.RightRead},
			} {
				c.Grantee = f.alice
				f.wantKind(f.SetACL(f.ctx(), by, id, c), store.Forbidden)
			}
			f.must(f.SetACL(f.ctx(), by, id, store.ACLChange{Grantee: f.alice, Rights: store.AllRights}))
			f.must(f.SetACL(f.ctx(), by, id, store.ACLChange{Grantee: f.alice, Op: store.ACLAdd, Rights: store.RightRead}))
			f.must(f.SetACL(f.ctx(), by, id, store.ACLChange{Grantee: f.alice, Negative: true}))
		}
		f.wantKind(f.SetACL(f.ctx(), f.by, id, store.ACLChange{Grantee: 4711, Rights: store.RightRead}), store.NotFound)
		f.grant(id, 0, "-"+store.AllRights.String())
		f.equal("ACL", f.acl(f.by, id), "alice lrswipkxtea, -anyone lrswipkxtea, bob la")
		f.put(id, 1, store.FlagSeen)
		f.wantKind(errOf(f.ACL(f.ctx(), f.bobActor(), id)), store.NotFound)
	},
	"what is shared is listed": func(f *fixture) {
		a, b := f.create("a"), f.create("b")
		f.create("c")
		f.equal("at first", f.shared(f.bobActor()), "")
		f.grant(b, f.bob, "lr")
		f.grant(a, 0, "l")
		f.grant(f.inbox, f.bob, "swp")
		bobs := f.ownInbox(f.bobActor())
		f.must(f.SetACL(f.ctx(), f.bobActor(), bobs, store.ACLChange{Grantee: f.alice, Rights: store.RightInsert}))
		f.equal("with bob", f.shared(f.bobActor()), "alice/a l, alice/b lr")
		f.equal("with alice", f.shared(f.by), "bob/INBOX i")
		carol := store.Actor{Account: f.carol(), Protocol: "imap"}
		f.equal("with carol", f.shared(carol), "alice/a l")
		f.equal("with nobody", f.shared(store.Actor{Protocol: "imap"}), "")
		f.grant(a, f.bob, "-l")
		f.equal("with bob, less what is denied", f.shared(f.bobActor()), "alice/b lr")
		f.must(f.SetSubscribed(f.ctx(), f.by, f.alice, "b", true))
		got, err := f.SharedByName(f.ctx(), f.bobActor(), f.alice, "b")
		f.must(err)
		f.equal("the owner's subscription is the owner's", got.Subscribed, false)
	},
	"a new mailbox has the ACL of the one above it": func(f *fixture) {
		top := f.create("team")
		f.grant(top, f.bob, "lrk")
		f.grant(top, 0, "-a")
		f.published()
		made, err := f.CreateMailbox(f.ctx(), f.bobActor(), f.alice, store.NewMailbox{Name: "team/x/y"}, 0)
		f.must(err)
		const want = "alice lrswipkxtea, -anyone a, bob lrk"
		f.equal("of the new one", f.acl(f.by, made.ID), want)
		f.equal("of the one between", f.acl(f.by, f.named("team/x").ID), want)
		f.wantGrants(made.ID, store.Grants{{Denied: store.RightAdminister}, {Account: f.bob, Rights: store.RightLookup | store.RightRead | store.RightCreate}})
		f.equal("owner", made.ID.Account(), f.alice)
		own := f.create("team/own")
		f.equal("of one that the owner makes", f.acl(f.by, own), want)
		f.equal("the rows' marks", f.shared(f.bobActor()), "alice/team lrk, alice/team/own lrk, alice/team/x lrk, alice/team/x/y lrk")
		for _, name := range []string{"top", "INBOX/x", "Sent/x"} {
			_, err := f.CreateMailbox(f.ctx(), f.bobActor(), f.alice, store.NewMailbox{Name: name}, 0)
			f.wantKind(err, store.NotFound)
		}
		_, err = f.CreateMailbox(f.ctx(), f.bobActor(), f.alice, store.NewMailbox{Name: "team/junk", Use: store.UseFlagged}, 0)
		f.wantKind(err, store.Forbidden)
		_, err = f.CreateMailbox(f.ctx(), f.bobActor(), f.alice, store.NewMailbox{Name: "team/own"}, 0)
		f.wantKind(err, store.Exists)
		f.grant(own, f.bob, "")
		_, err = f.CreateMailbox(f.ctx(), f.bobActor(), f.alice, store.NewMailbox{Name: "team/own"}, 0)
		f.wantKind(err, store.Forbidden)
	},
	"renaming takes two rights and leaves the ACL": func(f *fixture) {
		a, b := f.create("a"), f.create("b")
		child := f.create("a/child")
		f.grant(child, f.bob, "lx")
		bob := f.bobActor()
		f.wantKind(f.RenameMailbox(f.ctx(), bob, child, "b/child", 0), store.NotFound)
		f.grant(b, f.bob, "l")
		f.wantKind(f.RenameMailbox(f.ctx(), bob, child, "b/child", 0), store.Forbidden)
		f.wantKind(f.RenameMailbox(f.ctx(), bob, child, "child", 0), store.Forbidden)
		f.grant(b, f.bob, "k")
		f.create("b/taken")
		f.wantKind(f.RenameMailbox(f.ctx(), bob, child, "b/taken", 0), store.Exists)
		f.grant(f.named("b/taken").ID, f.bob, "")
		f.wantKind(f.RenameMailbox(f.ctx(), bob, child, "b/taken", 0), store.Forbidden)
		f.grant(f.create("a/child/secret"), f.bob, "")
		f.grant(f.create("b/gone/secret"), f.bob, "")
		f.must(f.DeleteMailbox(f.ctx(), f.by, f.named("b/gone").ID))
		err := f.RenameMailbox(f.ctx(), bob, child, "b/gone", 0)
		f.wantKind(err, store.Exists)
		f.equal("what bob is told of names below", strings.Contains(err.Error(), "secret"), false)
		f.must(f.RenameMailbox(f.ctx(), bob, child, "b/child", 0))
		f.equal("ACL", f.acl(f.by, child), "alice lrswipkxtea, bob lx")
		f.equal("name", f.row(child).Name, "b/child")
		f.grant(f.inbox, f.bob, "lx")
		f.wantKind(f.RenameMailbox(f.ctx(), bob, f.inbox, "b/inbox", 0), store.Forbidden)
		f.must(f.RenameMailbox(f.ctx(), f.by, a, "b/a", 0))
		f.equal("ACL of what went under another", f.acl(f.by, a), "alice lrswipkxtea")
	},
	"an account that goes takes its rights along": func(f *fixture) {
		id := f.create("box")
		f.grant(id, f.bob, "lra")
		f.grant(id, 0, "l")
		f.must(f.annotate(f.bobActor(), id, "/private/x", "1"))
		bobs := f.ownInbox(f.bobActor())
		f.must(f.SetACL(f.ctx(), f.bobActor(), bobs, store.ACLChange{Grantee: f.alice, Rights: store.RightLookup}))
		f.published()
		f.must(f.RemoveAccount(f.ctx(), f.bob))
		f.equal("ACL", f.acl(f.by, id), "alice lrswipkxtea, anyone l")
		f.wantGrants(id, store.Grants{{Rights: store.RightLookup}})
		f.equal("shared with alice", f.shared(f.by), "")
	},
	"annotations of others are bounded by themselves": func(f *fixture) {
		id := f.create("box")
		f.grant(id, f.bob, "lrw")
		big := strings.Repeat("x", store.MetadataValue)
		fill := func(by store.Actor, kind string) error {
			for n := range store.MetadataTotal/store.MetadataValue - 1 {
				f.must(f.annotate(by, id, fmt.Sprintf("/%s/%d", kind, n), big))
			}
			return f.annotate(by, id, fmt.Sprintf("/%s/last", kind), big)
		}
		f.wantKind(fill(f.bobActor(), "private"), store.Limit)
		f.must(f.annotate(f.by, id, "/private/a", big))
		f.must(f.annotate(f.by, id, "/private/a", ""))
		f.wantKind(fill(f.bobActor(), "shared"), store.Limit)
		f.wantKind(f.annotate(f.by, id, "/private/a", big), store.Limit)
		f.published()
		f.must(f.annotate(f.by, id, "/private/b", "1"))
		f.equal("whose it is", f.published()[0].Reader, f.alice)
		if strings.Contains(f.annotations(f.bobActor(), id), "/private/b") {
			f.Error("bob sees alice's private annotation")
		}
	},
}
