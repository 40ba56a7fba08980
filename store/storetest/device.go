package storetest

import (
	"fmt"
	"time"

	"tandem/store"
)

// device adds an app password for POP3 to alice and gives the actor that has it.
func (f *fixture) device(label string, edit ...func(*store.NewCredential)) store.Actor {
	f.Helper()
	n := store.NewCredential{Label: label, Hash: "h-" + label, KeepScheme: true, Scope: store.ScopePOP3}
	for _, e := range edit {
		e(&n)
	}
	c, err := f.AddCredential(f.ctx(), f.alice, n)
	f.must(err)
	return store.Actor{Account: f.alice, Credential: c.ID, Session: "s-" + label, Protocol: "pop3"}
}

// sees makes a device's rule.
func sees(rule store.SeeRule) func(*store.NewCredential) {
	return func(n *store.NewCredential) { n.POP3See = rule }
}

const retired = 90 * 24 * time.Hour

// take deletes messages of INBOX under a policy.
func (f *fixture) take(by store.Actor, uids store.UIDSet, policy store.DeletePolicy) store.QuitResult {
	f.Helper()
	res, err := f.Quit(f.ctx(), by, f.inbox, store.Quit{Deleted: uids, Policy: policy, Retired: retired})
	f.must(err)
	return res
}

// listed says that devices have listed a maildrop as it is.
func (f *fixture) listed(id store.MailboxID, by ...store.Actor) {
	f.Helper()
	for _, a := range by {
		f.must(f.NoteListings(f.ctx(), []store.Listing{{Mailbox: id, Credential: a.Credential, Next: f.row(id).UIDNext, Time: f.now()}}))
	}
}

func (f *fixture) release() {
	f.Helper()
	f.must(f.Release(f.ctx(), retired))
}

var deviceTests = map[string]func(*fixture){
	"app passwords are made, changed and revoked": func(f *fixture) {
		f.put(f.inbox, 3, 0)
		ends := f.now().Add(time.Hour).UTC()
		phone := f.device("phone", sees("newest=5"), func(n *store.NewCredential) {
			n.Expires, n.POP3Delete, n.POP3MarkSeen = ends, store.DeleteShared, store.SwitchNo
		})
		creds, err := f.Credentials(f.ctx(), f.alice)
		f.must(err)
		f.equal("credentials", len(creds), 2)
		want := store.Credential{ID: phone.Credential, Account: f.alice, Label: "phone", Hash: "h-phone", KeepScheme: true, Scope: store.ScopePOP3,
			Created: f.now().UTC(), Expires: ends, POP3Delete: store.DeleteShared, POP3See: "newest=5", POP3MarkSeen: store.SwitchNo}
		want.Born, want.POP3From = creds[1].Born, creds[1].Born
		f.equal("phone", creds[1], want)
		if last := f.entry(f.inbox, 3).Message; want.Born <= last || want.Born.Account() != f.alice {
			f.Fatalf("made before the message %d, after %d was there", want.Born, last)
		}
		_, err = f.AddCredential(f.ctx(), f.alice, store.NewCredential{Label: "phone", Scope: store.ScopePOP3})
		f.wantKind(err, store.Exists)

		never, keep, scope, yes, rule := time.Time{}, store.DeleteKeep, store.ScopeAll, store.SwitchYes, store.SeeSinceNow
		f.put(f.inbox, 1, 0)
		f.must(f.UpdateCredential(f.ctx(), f.alice, "phone", store.CredentialUpdate{Expires: &never, POP3Delete: &keep, Scope: &scope,
			POP3MarkSeen: &yes, POP3See: &rule}))
		f.wantKind(f.UpdateCredential(f.ctx(), f.alice, "fax", store.CredentialUpdate{Scope: &scope}), store.NotFound)
		f.reopen()
		creds, err = f.Credentials(f.ctx(), f.alice)
		f.must(err)
		want.Expires, want.POP3Delete, want.Scope, want.POP3MarkSeen, want.POP3See = never, keep, scope, yes, rule
		want.POP3From = f.entry(f.inbox, 4).Message + 1
		f.equal("phone", creds[1], want)

		id, err := f.RevokeCredential(f.ctx(), f.alice, "phone")
		f.must(err)
		f.equal("revoked", id, phone.Credential)
		_, err = f.RevokeCredential(f.ctx(), f.alice, "phone")
		f.wantKind(err, store.NotFound)
		_, err = f.RevokeCredential(f.ctx(), f.alice, "")
		f.wantKind(err, store.NotFound)
		creds, err = f.Credentials(f.ctx(), f.alice)
		f.must(err)
		f.equal("credentials left", len(creds), 1)
		if again := f.device("phone"); again.Credential == phone.Credential {
			f.Fatal("the id of a revoked credential came back")
		}
	},
	"a revoked credential quits nothing": func(f *fixture) {
		f.put(f.inbox, 1, 0)
		phone := f.device("phone")
		_, err := f.RevokeCredential(f.ctx(), f.alice, "phone")
		f.must(err)
		f.wantKind(errOf(f.Quit(f.ctx(), phone, f.inbox, store.Quit{Deleted: set(1), Policy: store.DeleteExpunge})), store.Forbidden)
		f.wantUIDs(f.inbox, "1")
	},
	"an account has a bounded number of app passwords": func(f *fixture) {
		for n := range store.MaxCredentials {
			f.device(fmt.Sprint(n))
		}
		_, err := f.AddCredential(f.ctx(), f.alice, store.NewCredential{Label: "more", Scope: store.ScopePOP3})
		f.wantKind(err, store.Limit)
		_, err = f.RevokeCredential(f.ctx(), f.alice, "7")
		f.must(err)
		f.device("more")
	},
	"what is shared leaves when the last device has it": func(f *fixture) {
		a, b := f.device("a"), f.device("b")
		f.put(f.inbox, 5, store.FlagFlagged)
		f.equal("a", f.take(a, span(1, 4), store.DeleteShared), store.QuitResult{Policy: store.DeleteShared, Deleted: 4})
		f.wantUIDs(f.inbox, "1:5")
		f.reopen()
		f.equal("b", f.take(b, set(2, 3, 5), store.DeleteShared), store.QuitResult{Policy: store.DeleteShared, Deleted: 3, Left: 2})
		f.wantUIDs(f.inbox, "1,4:5")
		trash := f.named("Trash")
		f.wantUIDs(trash.ID, "1:2")
		f.equal("in the trash", f.entry(trash.ID, 1).Flags, store.FlagFlagged|store.FlagPOP3Trashed)
		f.take(a, set(5), store.DeleteShared)
		f.take(b, set(1, 4), store.DeleteShared)
		f.wantUIDs(f.inbox, "")
	},
	"what was taken back from the trash stays": func(f *fixture) {
		a := f.device("a")
		f.put(f.inbox, 1, 0)
		f.take(a, set(1), store.DeleteShared)
		back := f.copy(f.named("Trash").ID, f.inbox, 1, true)
		f.release()
		f.wantUIDs(f.inbox, fmt.Sprint(back))
	},
	"a deletion under keep removes nothing, but waits for nobody either": func(f *fixture) {
		a, b := f.device("a"), f.device("b")
		f.put(f.inbox, 3, 0)
		f.take(a, span(1, 2), store.DeleteKeep)
		f.take(b, span(1, 1), store.DeleteKeep)
		f.release()
		f.wantUIDs(f.inbox, "1:3")
		f.take(b, span(2, 3), store.DeleteShared)
		f.wantUIDs(f.inbox, "1,3")
		f.take(a, span(3, 3), store.DeleteKeep)
		f.wantUIDs(f.inbox, "1")
	},
	"what a message's devices are": func(f *fixture) {
		f.put(f.inbox, 1, 0) // before any device
		a := f.device("a")
		f.device("old", sees("days=2"))
		f.device("other scope", func(n *store.NewCredential) { n.Scope = store.ScopeIMAP })
		f.device("expired", func(n *store.NewCredential) { n.Expires = f.now().Add(time.Minute) })
		tickets := f.device("tickets")
		f.listed(f.named("Sent").ID, tickets) // it reads another maildrop
		f.pass(time.Hour)
		f.put(f.inbox, 1, 0)
		f.take(a, span(1, 2), store.DeleteShared)
		f.wantUIDs(f.inbox, "2") // "old" was there before that one, but has not listed the first
		f.pass(49 * time.Hour)
		f.release()
		f.wantUIDs(f.inbox, "")
	},
	"a device that came later counts for what it has listed": func(f *fixture) {
		a := f.device("a")
		f.put(f.inbox, 2, 0)
		b := f.device("b")
		f.listed(f.inbox, b)
		f.take(a, set(1), store.DeleteShared)
		f.wantUIDs(f.inbox, "1:2")
		f.take(b, set(1), store.DeleteShared)
		f.wantUIDs(f.inbox, "2")
	},
	"the account's own password counts once it has opened the maildrop": func(f *fixture) {
		a := f.device("a")
		f.put(f.inbox, 2, 0)
		f.take(a, set(1), store.DeleteShared)
		f.wantUIDs(f.inbox, "2")
		f.listed(f.inbox, f.by)
		f.take(a, set(2), store.DeleteShared)
		f.wantUIDs(f.inbox, "2")
		f.take(f.by, set(2), store.DeleteShared)
		f.wantUIDs(f.inbox, "")
	},
	"rules that let devices see less": func(f *fixture) {
		a := f.device("a")
		f.put(f.inbox, 1, 0)
		f.device("later", sees(store.SeeSinceNow))
		newest := f.device("newest", sees("newest=2"))
		f.listed(f.inbox, newest)
		f.put(f.inbox, 3, 0) // 2:4
		f.take(a, span(1, 2), store.DeleteShared)
		f.wantUIDs(f.inbox, "2:4") // 2 waits for "later"
		f.take(a, span(3, 4), store.DeleteShared)
		_, err := f.RevokeCredential(f.ctx(), f.alice, "later")
		f.must(err)
		f.release()
		f.wantUIDs(f.inbox, "3:4")
		f.put(f.inbox, 1, 0)
		f.release()
		f.wantUIDs(f.inbox, "4:5") // 3 is not among the newest two any more
	},
	"devices that are revoked or not used hold nothing back": func(f *fixture) {
		a, b := f.device("a"), f.device("b")
		f.put(f.inbox, 3, 0)
		f.listed(f.inbox, b)
		f.take(a, span(1, 2), store.DeleteShared)
		f.release()
		f.wantUIDs(f.inbox, "1:3")
		f.pass(retired - time.Second)
		f.release()
		f.wantUIDs(f.inbox, "1:3")
		f.listed(f.inbox, b) // it is used
		f.pass(time.Hour)
		f.release()
		f.wantUIDs(f.inbox, "1:3")
		f.published()
		f.pass(retired)
		f.release()
		f.wantUIDs(f.inbox, "3")
		f.equal("published", len(f.published()), 2)
		f.wantUIDs(f.named("Trash").ID, "1:2")
		f.release()
		f.wantUIDs(f.inbox, "3")
	},
	"a device that comes and goes between two looks holds nothing back": func(f *fixture) {
		a := f.device("a")
		f.put(f.inbox, 1, 0)
		f.take(a, set(1), store.DeleteShared)
		f.release()
		ends := f.now().Add(time.Minute)
		for i, goes := range []func(label string) error{
			func(label string) error {
				_, err := f.RevokeCredential(f.ctx(), f.alice, label)
				return err
			},
			func(label string) error {
				scope := store.ScopeIMAP
				return f.UpdateCredential(f.ctx(), f.alice, label, store.CredentialUpdate{Scope: &scope})
			},
			func(string) error {
				f.pass(time.Hour) // it ends
				return nil
			},
		} {
			label := fmt.Sprint("b", i)
			f.device(label, func(n *store.NewCredential) { n.Expires = ends })
			f.put(f.inbox, 1, 0)
			uid := store.UID(i + 2)
			f.take(a, set(uid), store.DeleteShared)
			f.wantUIDs(f.inbox, fmt.Sprint(uid))
			f.must(goes(label))
			f.release()
			f.wantUIDs(f.inbox, "")
		}
	},
	"listings never go back and go with their mailbox": func(f *fixture) {
		box := f.create("box")
		a := f.device("a")
		f.put(box, 3, 0)
		f.listed(box, a)
		f.must(f.NoteListings(f.ctx(), []store.Listing{{Mailbox: box, Credential: a.Credential, Next: 1, Time: f.now()}}))
		b := f.device("b")
		f.listed(box, b)
		for i, by := range []store.Actor{b, a} {
			_, err := f.Quit(f.ctx(), by, box, store.Quit{Deleted: span(1, 3), Policy: store.DeleteShared, Retired: retired})
			f.must(err)
			f.equal("left", f.row(box).Messages, 3-3*i)
		}
		f.must(f.DeleteMailbox(f.ctx(), f.by, box))
		f.listed(f.inbox, a)
		f.must(f.NoteListings(f.ctx(), []store.Listing{{Mailbox: box, Credential: a.Credential, Next: 9, Time: f.now()}}))
	},
	"what is hidden stays so when it is moved away and back": func(f *fixture) {
		a, _ := f.device("a"), f.device("b")
		f.put(f.inbox, 2, 0)
		f.take(a, set(1), store.DeleteKeep)
		f.take(a, set(2), store.DeleteShared)
		to := f.create("to")
		for _, uid := range []store.UID{1, 2} {
			there := f.copy(f.inbox, to, uid, true)
			if hidden, err := f.Hidden(f.ctx(), to, a.Credential); err != nil || len(hidden) > 0 {
				f.Fatalf("hidden elsewhere: %v, %v", hidden, err)
			}
			f.copy(to, f.inbox, there, true)
		}
		hidden, err := f.Hidden(f.ctx(), f.inbox, a.Credential)
		f.must(err)
		f.equal("hidden", hidden, []store.MessageID{f.entry(f.inbox, 3).Message, f.entry(f.inbox, 4).Message})
	},
	"the shortest view of all is known": func(f *fixture) {
		least := func(want int) {
			f.Helper()
			got, err := f.LeastDays(f.ctx())
			f.must(err)
			f.equal("days", got, want)
		}
		least(0)
		f.device("a", sees("days=30"))
		f.device("b", sees("newest=3"))
		least(30)
		see := store.SeeRule("days=7")
		f.must(f.UpdateAccount(f.ctx(), f.bob, store.AccountUpdate{POP3See: &see}))
		least(7)
		_, err := f.RevokeCredential(f.ctx(), f.alice, "a")
		f.must(err)
		off := false
		f.must(f.UpdateAccount(f.ctx(), f.bob, store.AccountUpdate{Enabled: &off}))
		least(0)
	},
	"the brake softens the first bulk deletion of a device": func(f *fixture) {
		f.put(f.inbox, 40, 0)
		quit := func(by store.Actor, uids store.UIDSet, policy store.DeletePolicy, visible int) store.QuitResult {
			f.Helper()
			res, err := f.Quit(f.ctx(), by, f.inbox, store.Quit{Deleted: uids, Policy: policy, Visible: visible, Brake: 9})
			f.must(err)
			return res
		}
		a, b := f.device("a"), f.device("b")
		f.equal("half", quit(a, span(1, 5), store.DeleteExpunge, 10), store.QuitResult{Policy: store.DeleteExpunge, Deleted: 5, Left: 5})
		f.equal("not the first", quit(a, span(6, 15), store.DeleteExpunge, 10), store.QuitResult{Policy: store.DeleteExpunge, Deleted: 10, Left: 10})
		f.equal("small", quit(f.device("c"), span(16, 16), store.DeleteExpunge, 9).Bulk, false)
		f.equal("first", quit(b, span(16, 25), store.DeleteExpunge, 12),
			store.QuitResult{Policy: store.DeleteTrash, Bulk: true, Deleted: 9, Left: 9})
		f.equal("in the trash", f.named("Trash").Messages, 9)
		f.equal("the next", quit(b, span(26, 35), store.DeleteExpunge, 12).Policy, store.DeleteExpunge)
		d := f.device("d")
		f.equal("others as they are", quit(d, span(36, 40), store.DeleteKeep, 10).Policy, store.DeleteKeep)
		f.equal("kept", f.row(f.inbox).Messages, 5)
	},
}
