package storetest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"tandem/store"
)

// rightVerb is a verb on a mailbox with what it needs. run may do it as often
// as it is asked to; each time at finds a mailbox that has not been used.
type rightVerb struct {
	name string
	need string
	run  func(f *fixture, by store.Actor, at store.MailboxID) error
}

// one is the message that each mailbox of these tests has.
var one = set(1)

var rightVerbs = []rightVerb{
	{"insert", "i", func(f *fixture, by store.Actor, at store.MailboxID) error {
		return errOf(f.Insert(f.ctx(), by, []store.Insertion{{Mailbox: at, Body: bodyOf(f.text())}}, true, 0))
	}},
	{"copy from", "r", func(f *fixture, by store.Actor, at store.MailboxID) error {
		return errOf(f.Copy(f.ctx(), by, at, f.ownInbox(by), one, false, 0))
	}},
	{"move from", "rte", func(f *fixture, by store.Actor, at store.MailboxID) error {
		return errOf(f.Copy(f.ctx(), by, at, f.ownInbox(by), one, true, 0))
	}},
	{"copy to", "i", func(f *fixture, by store.Actor, at store.MailboxID) error {
		return errOf(f.Copy(f.ctx(), by, f.ownInbox(by), at, store.AllUIDs(), false, 0))
	}},
	{"move within", "rtei", func(f *fixture, by store.Actor, at store.MailboxID) error {
		return errOf(f.Copy(f.ctx(), by, at, at, one, true, 0))
	}},
	{"expunge", "e", func(f *fixture, by store.Actor, at store.MailboxID) error {
		return errOf(f.Expunge(f.ctx(), by, at, one, false))
	}},
	{"replace", "tei", func(f *fixture, by store.Actor, at store.MailboxID) error {
		return errOf(f.Replace(f.ctx(), by, at, 1, store.Insertion{Mailbox: at, Body: bodyOf(f.text())}, 0))
	}},
	{`set \Seen`, "s", flagging(store.FlagsChange{Flags: store.FlagSeen})},
	{`set \Deleted`, "t", flagging(store.FlagsChange{Flags: store.FlagDeleted})},
	{`set \Flagged`, "w", flagging(store.FlagsChange{Flags: store.FlagFlagged})},
	{"set a keyword", "w", flagging(store.FlagsChange{Keywords: []string{"k"}})},
	{`clear \Seen`, "s", flagging(store.FlagsChange{Flags: store.FlagSeen, Op: store.FlagsRemove})},
	{"create below", "k", func(f *fixture, by store.Actor, at store.MailboxID) error {
		return errOf(f.CreateMailbox(f.ctx(), by, f.alice, store.NewMailbox{Name: f.row(at).Name + "/below/it"}, 0))
	}},
	{"delete", "x", func(f *fixture, by store.Actor, at store.MailboxID) error { return f.DeleteMailbox(f.ctx(), by, at) }},
	{"rename below itself", "xk", func(f *fixture, by store.Actor, at store.MailboxID) error {
		err := f.RenameMailbox(f.ctx(), by, at, f.row(at).Name+"/x", 0)
		if err != nil && store.KindOf(err) == store.Invalid {
			err = nil // it got as far as that
		}
		return err
	}},
	{"set private metadata", "lr", func(f *fixture, by store.Actor, at store.MailboxID) error {
		return f.annotate(by, at, "/private/c", "x")
	}},
	{"set shared metadata", "lw", func(f *fixture, by store.Actor, at store.MailboxID) error {
		return f.annotate(by, at, "/shared/c", "x")
	}},
	{"metadata", "lr", func(f *fixture, by store.Actor, at store.MailboxID) error { return errOf(f.Metadata(f.ctx(), by, at)) }},
	{"deleted bytes", "r", func(f *fixture, by store.Actor, at store.MailboxID) error {
		return errOf(f.DeletedBytes(f.ctx(), by, at))
	}},
	{"count from a UID", "r", func(f *fixture, by store.Actor, at store.MailboxID) error {
		return errOf(f.CountFrom(f.ctx(), by, at, 1))
	}},
	{"count", "r", func(f *fixture, by store.Actor, at store.MailboxID) error {
		return errOf(f.CountFrom(f.ctx(), by, at, 1))
	}},
	{"quit", "lrswipkxtea", func(f *fixture, by store.Actor, at store.MailboxID) error {
		return errOf(f.Quit(f.ctx(), by, at, store.Quit{Deleted: one, Policy: store.DeleteExpunge}))
	}},
	{"set UIDLs", "a", func(f *fixture, by store.Actor, at store.MailboxID) error {
		return errOf(f.SetUIDLs(f.ctx(), by, at, []store.NewUIDL{{UID: 1, UIDL: "x"}}))
	}},
	{"ACL", "a", func(f *fixture, by store.Actor, at store.MailboxID) error { return errOf(f.ACL(f.ctx(), by, at)) }},
	{"set the ACL", "a", func(f *fixture, by store.Actor, at store.MailboxID) error {
		return f.SetACL(f.ctx(), by, at, store.ACLChange{Grantee: f.carol(), Rights: store.RightLookup})
	}},
	{"rights", "", func(f *fixture, by store.Actor, at store.MailboxID) error { return errOf(f.Rights(f.ctx(), by, at)) }},
	{"find by name", "", func(f *fixture, by store.Actor, at store.MailboxID) error {
		return errOf(f.SharedByName(f.ctx(), by, f.alice, f.row(at).Name))
	}},
}

// actorVerbs are the engine's methods that take an actor: those of rightVerbs,
// then those that are not about the rights on one mailbox.
var actorVerbs = []string{"Insert", "Copy", "Expunge", "Replace", "SetFlags", "CreateMailbox", "DeleteMailbox", "RenameMailbox", "SetMetadata",
	"Metadata", "DeletedBytes", "CountFrom", "Quit", "SetUIDLs", "ACL", "SetACL", "Rights", "SharedByName",
	"NoteReads", // for views, which have checked
	"Shared", "SetSubscribed", "SetQuota", "Undo", "Undelete"}

func flagging(c store.FlagsChange) func(*fixture, store.Actor, store.MailboxID) error {
	c.UIDs = one
	return func(f *fixture, by store.Actor, at store.MailboxID) error {
		return errOf(f.SetFlags(f.ctx(), by, at, c, 0))
	}
}

// ownInbox gives the INBOX of the actor, the administration's being alice's.
func (f *fixture) ownInbox(by store.Actor) store.MailboxID {
	if by.Account == 0 {
		return f.inbox
	}
	m, err := f.MailboxByName(f.ctx(), by.Account, "INBOX")
	f.must(err)
	return m.ID
}

// carol is a third account, made when first asked for.
func (f *fixture) carol() store.AccountID {
	a, err := f.AccountByName(f.ctx(), "carol")
	if err != nil {
		f.must(f.CreateAccounts(f.ctx(), []store.NewAccount{{Name: "carol", Hash: "h3"}}, false))
		a, err = f.AccountByName(f.ctx(), "carol")
	}
	f.must(err)
	return a.ID
}

// fresh makes a mailbox of alice's with one message.
func (f *fixture) fresh() store.MailboxID {
	f.serial++
	id := f.create(fmt.Sprint("box", f.serial))
	f.put(id, 1, 0)
	return id
}

// grant gives an account, or with 0 anyone, rights on a mailbox of alice's.
func (f *fixture) grant(id store.MailboxID, to store.AccountID, letters string) {
	f.Helper()
	letters, negative := strings.CutPrefix(letters, "-")
	rights, err := store.ParseRights(letters)
	f.must(err)
	f.must(f.SetACL(f.ctx(), f.by, id, store.ACLChange{Grantee: to, Negative: negative, Rights: rights}))
}

// each runs a test for every verb.
func each(f *fixture, test func(v rightVerb)) {
	f.must(errOf(f.Insert(f.ctx(), f.bobActor(), []store.Insertion{{Mailbox: f.ownInbox(f.bobActor()), Body: bodyOf(f.text())}}, true, 0)))
	for _, v := range rightVerbs {
		test(v)
	}
}

// want fails unless a verb ended with nil, or an error of the kind.
func (f *fixture) want(v rightVerb, what string, err error, kind store.Kind) {
	f.Helper()
	if kind == store.Internal && err == nil || kind != store.Internal && err != nil && store.KindOf(err) == kind {
		return
	}
	f.Errorf("%s, %s: %v, want %q", v.name, what, err, kind)
}

const done = store.Internal // for want: no error

var rightsTests = map[string]func(*fixture){
	"no verb with an actor is left out here": func(f *fixture) {
		engine, actor := reflect.TypeFor[store.Engine](), reflect.TypeFor[store.Actor]()
		for i := range engine.NumMethod() {
			m := engine.Method(i)
			for k := range m.Type.NumIn() {
				if m.Type.In(k) == actor && !slices.Contains(actorVerbs, m.Name) {
					f.Errorf("%s: say in rightVerbs which rights it needs", m.Name)
				}
			}
		}
	},
	"what is an account's own is no stranger's": func(f *fixture) {
		f.expunge(f.inbox, f.put(f.inbox, 1, 0)...)
		f.grant(f.inbox, f.bob, store.AllRights.String())
		bob := f.bobActor()
		f.wantKind(f.SetSubscribed(f.ctx(), bob, f.alice, "x", true), store.NotFound)
		f.wantKind(f.SetQuota(f.ctx(), bob, f.alice, store.Resources{}), store.Forbidden)
		f.wantKind(errOf(f.Undelete(f.ctx(), bob, f.alice, []store.Grave{{Mailbox: f.inbox, UID: 1}})), store.NotFound)
		f.put(f.inbox, 1, 0)
		f.quit(set(2), nil, store.DeleteTrash)
		f.wantKind(errOf(f.Undo(f.ctx(), bob, f.by.Session)), store.NotFound)
	},
	"owners and the administration may do everything": func(f *fixture) {
		each(f, func(v rightVerb) {
			for _, by := range []store.Actor{f.by, f.admin, {Protocol: "lmtp"}} {
				if by.Account == 0 && strings.Contains(v.name, "metadata") && v.name != "metadata" {
					continue // an annotation has somebody who made it
				}
				id := f.fresh()
				f.grant(id, 0, "-"+store.AllRights.String())
				f.want(v, "by "+by.Protocol, v.run(f, by, id), done)
			}
		})
	},
	"strangers are told that there is no mailbox": func(f *fixture) {
		each(f, func(v rightVerb) {
			id := f.fresh()
			before := f.load(id)
			said := ""
			for _, by := range []store.Actor{f.bobActor(), {Account: f.carol(), Protocol: "imap"}, {Protocol: "imap"}, {Account: 4711, Protocol: "imap"}} {
				if by.Account != f.bob && strings.Contains(v.name, "copy to") || by.Account == 4711 && strings.HasSuffix(v.name, "from") || by.Account == 0 {
					continue
				}
				err := v.run(f, by, id)
				f.want(v, fmt.Sprint("by account ", by.Account), err, store.NotFound)
				if err != nil {
					said = err.Error()
				}
			}
			nobody := store.Actor{Protocol: "imap"}
			if !strings.Contains(v.name, "copy to") {
				f.want(v, "by nobody", v.run(f, nobody, id), store.NotFound)
			}
			f.equal(v.name+" by strangers", f.load(id), before)
			if v.name == "create below" || v.name == "find by name" || v.name == "rename below itself" {
				return // they ask for the row
			}
			// What is not there is answered in the same words.
			err := v.run(f, f.bobActor(), id+1000)
			f.want(v, "on nothing", err, store.NotFound)
			if err != nil && err.Error() != said {
				f.Errorf("%s: %q for a mailbox, %q for none", v.name, said, err)
			}
		})
	},
	"the rights that a verb needs are enough, each is needed": func(f *fixture) {
		each(f, func(v rightVerb) {
			for _, to := range []store.AccountID{f.bob, 0} {
				id := f.fresh()
				f.grant(id, to, v.need+"l")
				f.want(v, "with "+v.need, v.run(f, f.bobActor(), id), done)
			}
			for i := range v.need {
				less := store.AllRights.String()
				less = strings.ReplaceAll(less, v.need[i:i+1], "")
				if strings.HasSuffix(v.need, "r") && v.need[0] == 'l' && v.need[i] == 'r' {
					less = "lkxtea" // any of r, s, w, i, p would do
				}
				id := f.fresh()
				f.grant(id, f.bob, less)
				before := f.load(id)
				f.want(v, "with "+less, v.run(f, f.bobActor(), id), store.Forbidden)
				f.equal(v.name, f.load(id), before)

				id = f.fresh()
				f.grant(id, 0, store.AllRights.String())
				f.grant(id, f.bob, "-"+v.need[i:i+1])
				if v.need == "lr" && v.need[i] == 'r' {
					continue
				}
				f.want(v, "denied "+v.need[i:i+1], v.run(f, f.bobActor(), id), store.Forbidden)
			}
		})
	},
	"rights by which nobody may know of a mailbox": func(f *fixture) {
		each(f, func(v rightVerb) {
			id := f.fresh()
			f.grant(id, f.bob, "swpte")
			before := f.load(id)
			f.want(v, "with swpte", v.run(f, f.bobActor(), id), store.NotFound)
			f.equal(v.name, f.load(id), before)
			list, err := f.Shared(f.ctx(), f.bobActor())
			f.must(err)
			for _, m := range list {
				if m.ID == id {
					f.Errorf("%s is listed", m.Name)
				}
			}
		})
	},
	"flags change as far as the rights go": func(f *fixture) {
		all := store.FlagSeen | store.FlagDeleted | store.FlagFlagged | store.FlagAnswered
		for _, c := range []struct {
			rights string
			may    store.Flags
			word   bool
		}{{"lrs", store.FlagSeen, false}, {"lrt", store.FlagDeleted, false}, {"lrw", store.FlagFlagged | store.FlagAnswered, true},
			{"lrswt", all, true}, {"lrst", store.FlagSeen | store.FlagDeleted, false}} {
			for _, op := range []store.FlagOp{store.FlagsAdd, store.FlagsReplace} {
				id := f.fresh()
				f.put(id, 80, store.FlagDraft, "old")
				f.grant(id, f.bob, c.rights)
				_, err := f.SetFlags(f.ctx(), f.bobActor(), id, store.FlagsChange{UIDs: store.AllUIDs(), Op: op, Flags: all, Keywords: []string{"new"}}, 0)
				f.must(err)
				want := c.may
				if op == store.FlagsAdd || !c.word {
					want |= store.FlagDraft | f.keyword("old")
				}
				if c.word {
					want |= f.keyword("new")
				}
				f.equal(fmt.Sprint("flags with ", c.rights, " ", op), f.entry(id, 3).Flags, want)
				f.compareRows(id)
			}
			id := f.fresh()
			f.grant(id, f.bob, c.rights+"i")
			_, err := f.Insert(f.ctx(), f.bobActor(), []store.Insertion{{Mailbox: id, Body: bodyOf(f.text()), Flags: all, Keywords: []string{"new"}}}, true, 0)
			f.must(err)
			want := c.may
			if c.word {
				want |= f.keyword("new")
			}
			f.equal("flags of what was inserted with "+c.rights, f.entry(id, 2).Flags, want)

			from := f.fresh()
			f.flag(from, store.FlagsChange{UIDs: one, Flags: all, Keywords: []string{"new"}})
			f.grant(from, f.bob, "lr")
			_, err = f.Copy(f.ctx(), f.bobActor(), from, id, one, false, 0)
			f.must(err)
			f.equal("flags of what was copied with "+c.rights, f.entry(id, 3).Flags, want)
			f.compareRows(id)
		}
	},
	"a flag that may not be changed is an error by itself": func(f *fixture) {
		id := f.fresh()
		f.grant(id, f.bob, "lrs")
		for _, op := range []store.FlagOp{store.FlagsAdd, store.FlagsRemove} {
			_, err := f.SetFlags(f.ctx(), f.bobActor(), id, store.FlagsChange{UIDs: one, Op: op, Flags: store.FlagFlagged | store.FlagDeleted}, 0)
			f.wantKind(err, store.Forbidden)
		}
		_, err := f.SetFlags(f.ctx(), f.bobActor(), id, store.FlagsChange{UIDs: one, Flags: store.FlagSeen | store.FlagDeleted}, 0)
		f.must(err)
		f.equal("flags", f.entry(id, 1).Flags, store.FlagSeen)
	},
}

// keyword gives the flag of one of alice's keywords.
func (f *fixture) keyword(name string) store.Flags {
	f.Helper()
	list, err := f.Keywords(f.ctx(), f.alice)
	f.must(err)
	for n := range list {
		if list[n] == name {
			return store.KeywordFlag(n)
		}
	}
	return 0
}

// flag changes flags in any mailbox of alice's.
func (f *fixture) flag(id store.MailboxID, c store.FlagsChange) {
	f.Helper()
	f.must(errOf(f.SetFlags(f.ctx(), f.by, id, c, 0)))
}
