package storetest

import (
	"time"

	"tandem/store"
)

// expunged gives what can be brought back, as text.
func (f *fixture) expunged() (list []store.ExpungedEntry) {
	f.Helper()
	for x, err := range f.Expunged(f.ctx(), f.alice, time.Time{}) {
		f.must(err)
		list = append(list, *x)
	}
	return list
}

// undo takes back what f.quit did.
func (f *fixture) undo() store.Undone {
	f.Helper()
	out, err := f.Undo(f.ctx(), f.admin, f.by.Session)
	f.must(err)
	return out
}

// undelete brings back everything that can be.
func (f *fixture) undelete() []store.Restored {
	f.Helper()
	var list []store.Grave
	for _, x := range f.expunged() {
		list = append(list, store.Grave{Mailbox: x.Mailbox, UID: x.UID})
	}
	out, err := f.Undelete(f.ctx(), f.admin, f.alice, list)
	f.must(err)
	return out
}

// account is alice's row.
func (f *fixture) account() store.Account {
	f.Helper()
	a, err := f.Account(f.ctx(), f.alice)
	f.must(err)
	return a
}

// mail is what must be the same of a message that came back.
type mail struct {
	message         store.MessageID
	flags           store.Flags
	internal, saved uint32
	uidl            string
}

func (f *fixture) mail(id store.MailboxID, uid store.UID) mail {
	f.Helper()
	e := f.entry(id, uid)
	return mail{e.Message, e.Flags, e.Internal, e.Saved, f.uidlOf(id, uid)}
}

// wantUndone compares what an Undo counts.
func (f *fixture) wantUndone(got store.Undone, restored, shown, already, filed, lost int) {
	f.Helper()
	n := 0
	for _, messages := range got.Filed {
		n += messages
	}
	if got.Restored != restored || got.Shown != shown || got.Already != already || n != filed || got.Lost != lost ||
		got.Deleted != restored+shown+already+filed+lost {
		f.Fatalf("undone %+v, want restored %d, shown %d, already %d, filed %d, lost %d", got, restored, shown, already, filed, lost)
	}
}

var recoverTests = map[string]func(*fixture){
	"undo brings back what a quit put into the trash": func(f *fixture) {
		f.put(f.inbox, 2, store.FlagSeen|store.FlagFlagged, "work")
		f.imported(f.inbox, "old-3")
		f.put(f.inbox, 1, store.FlagDeleted)
		var before []mail
		for uid := range store.UID(4) {
			before = append(before, f.mail(f.inbox, uid+1))
		}
		f.pass(time.Hour)
		f.quit(set(1, 3, 4), nil, store.DeleteTrash)
		trash := f.named("Trash").ID
		f.pass(time.Hour)
		f.published()
		got := f.undo()
		f.wantUndone(got, 3, 0, 0, 0, 0)
		f.equal("new UIDs", str(got.UIDs), "5:7")
		f.wantUIDs(f.inbox, "2,5:7")
		f.wantUIDs(trash, "")
		for i, uid := range []store.UID{5, 2, 6, 7} {
			f.equal("message", f.mail(f.inbox, uid), before[i])
		}
		f.equal("published", len(f.published()), 2)
		f.wantUndone(f.undo(), 0, 0, 3, 0, 0)
		f.wantUIDs(f.inbox, "2,5:7")
		f.equal("published in vain", len(f.published()), 0)
	},
	"undo brings back what was emptied from the trash": func(f *fixture) {
		f.put(f.inbox, 3, store.FlagFlagged)
		before := f.mail(f.inbox, 2)
		f.quit(set(1, 2), nil, store.DeleteTrash)
		trash := f.named("Trash").ID
		f.must(errOf(f.SetFlags(f.ctx(), f.by, trash, store.FlagsChange{UIDs: store.AllUIDs(), Op: store.FlagsAdd, Flags: store.FlagDeleted | store.FlagSeen}, 0)))
		f.expunge(trash, 2)
		f.reopen()
		f.wantUndone(f.undo(), 2, 0, 0, 0, 0)
		f.wantUIDs(f.inbox, "3:5")
		before.flags |= store.FlagSeen
		f.equal("message", f.mail(f.inbox, 5), before)
		f.equal("message from the trash", f.entry(f.inbox, 4).Flags, store.FlagFlagged|store.FlagSeen)
		f.equal("nothing is left to undelete", len(f.expunged()), 0)
		f.wantUndone(f.undo(), 0, 0, 2, 0, 0)
	},
	"undo leaves what was filed elsewhere": func(f *fixture) {
		f.put(f.inbox, 4, 0)
		work := f.create("work")
		f.quit(span(1, 4), nil, store.DeleteTrash)
		trash := f.named("Trash").ID
		f.pass(time.Minute)
		f.copy(trash, work, 1, true)
		f.copy(trash, work, 2, false) // as clients move that cannot
		f.expunge(trash, 2)
		f.expunge(work, f.copy(trash, work, 3, true))
		got := f.undo()
		f.wantUndone(got, 2, 0, 0, 2, 0)
		f.equal("filed", got.Filed, map[string]int{"work": 2})
		f.wantUIDs(f.inbox, "5:6")
		f.wantUIDs(work, "1:2")
		f.wantUndone(f.undo(), 0, 0, 2, 2, 0)
	},
	"undo does not bring back what somebody has copied back": func(f *fixture) {
		f.put(f.inbox, 4, 0)
		twin := f.copy(f.inbox, f.inbox, 4, false)
		f.quit(set(1, 2, 3, 4), nil, store.DeleteTrash)
		trash := f.named("Trash").ID
		f.copy(trash, f.inbox, 1, false) // and leaves it in the trash
		f.copy(trash, f.inbox, 2, false)
		f.expunge(trash, 2)
		f.copy(trash, f.inbox, 3, true)
		f.wantUIDs(f.inbox, "5:8")
		f.wantUndone(f.undo(), 1, 0, 3, 0, 0)
		f.wantUIDs(f.inbox, "5:9")
		f.equal("beside its twin", f.entry(f.inbox, 9).Message, f.entry(f.inbox, twin).Message)
		f.wantUndone(f.undo(), 0, 0, 4, 0, 0)
		// Under another session that deleted what the first one's undoing has not
		// brought back.
		f.by.Session += " again"
		f.quit(set(6), nil, store.DeleteTrash)
		f.wantUndone(f.undo(), 1, 0, 0, 0, 0)
		f.wantUIDs(f.inbox, "5,7:10")
	},
	"undo does not bring back what is in the mailbox that was made again": func(f *fixture) {
		scans := f.create("scans")
		f.put(scans, 2, 0)
		by := f.by
		by.Protocol = "pop3"
		f.must(errOf(f.Quit(f.ctx(), by, scans, store.Quit{Deleted: set(1, 2), Policy: store.DeleteTrash})))
		f.must(f.DeleteMailbox(f.ctx(), f.by, scans))
		again := f.create("scans")
		f.pass(time.Minute)
		f.copy(f.named("Trash").ID, again, 1, false)
		f.wantUndone(f.undo(), 1, 0, 1, 0, 0)
		f.wantUIDs(again, "1:2")
	},
	"undo brings back what a quit expunged": func(f *fixture) {
		f.put(f.inbox, 200, store.FlagAnswered)
		before := f.mail(f.inbox, 150)
		f.quit(store.AllUIDs(), nil, store.DeleteExpunge)
		f.equal("empty", f.row(f.inbox).Messages, 0)
		f.wantUndone(f.undo(), 200, 0, 0, 0, 0)
		f.wantUIDs(f.inbox, "201:400")
		f.equal("message", f.mail(f.inbox, 350), before)
		f.expunge(f.inbox, 350)
		f.wantUndone(f.undo(), 0, 0, 200, 0, 0)
		f.wantUIDs(f.inbox, "201:349,351:400")
	},
	"undo shows again what a quit hid": func(f *fixture) {
		f.put(f.inbox, 4, 0)
		f.quit(set(1, 2, 3), nil, store.DeleteKeep)
		f.expunge(f.inbox, 3)
		before := f.row(f.inbox)
		f.wantUndone(f.undo(), 0, 2, 0, 0, 1)
		f.equal("row", f.row(f.inbox), before)
		f.wantUndone(f.undo(), 0, 0, 2, 0, 1)
		f.quit(set(1), nil, store.DeleteKeep)
	},
	"undo says what is no longer kept": func(f *fixture) {
		f.put(f.inbox, 3, 0)
		f.quit(set(1, 2), nil, store.DeleteTrash)
		trash := f.named("Trash").ID
		f.expunge(trash, 1)
		f.pass(time.Hour)
		f.prune(nil)
		f.wantUndone(f.undo(), 1, 0, 0, 0, 1)
		f.wantUIDs(f.inbox, "3:4")
		f.wantUndone(f.undo(), 0, 0, 1, 0, 1)
	},
	"undo of a shared deletion has the message wait for that device again": func(f *fixture) {
		a, b := f.device("a"), f.device("b")
		f.put(f.inbox, 2, store.FlagFlagged)
		f.listed(f.inbox, a, b)
		late := f.device("late", func(n *store.NewCredential) { n.POP3Delete = store.DeleteShared })
		f.listed(f.inbox, late)
		before := f.mail(f.inbox, 1)
		f.take(a, set(1, 2), store.DeleteShared)
		f.take(late, set(1), store.DeleteShared)
		f.take(b, set(1), store.DeleteShared)
		f.wantUIDs(f.inbox, "2")
		undo := func(by store.Actor) store.Undone {
			got, err := f.Undo(f.ctx(), f.admin, by.Session)
			f.must(err)
			return got
		}
		f.wantUndone(undo(late), 1, 0, 0, 0, 0)
		f.wantUIDs(f.inbox, "2:3")
		f.equal("message", f.mail(f.inbox, 3), before)
		f.release()
		f.wantUIDs(f.inbox, "2:3")
		hidden, err := f.Hidden(f.ctx(), f.inbox, late.Credential)
		f.must(err)
		f.equal("hidden from it", len(hidden), 0)
		f.wantUndone(undo(a), 0, 1, 1, 0, 0)
		late.Session += " again"
		f.take(late, set(3), store.DeleteShared)
		f.wantUIDs(f.inbox, "2:3")
		a.Session += " again"
		f.take(a, set(3), store.DeleteShared)
		f.wantUIDs(f.inbox, "2")
	},
	"undo of many shared deletions has them wait too": func(f *fixture) {
		a, b := f.device("a"), f.device("b")
		f.put(f.inbox, 200, 0)
		f.listed(f.inbox, a, b)
		deleted := append(span(1, 50), span(61, 200)...)
		f.take(b, deleted, store.DeleteShared)
		f.take(a, deleted, store.DeleteShared)
		f.wantUIDs(f.inbox, "51:60")
		got, err := f.Undo(f.ctx(), f.admin, a.Session)
		f.must(err)
		f.wantUndone(got, 190, 0, 0, 0, 0)
		f.wantUIDs(f.inbox, "51:60,201:390")
		f.release()
		f.wantUIDs(f.inbox, "51:60,201:390")
		// They go once a has deleted them, under keep too: b had done so under shared.
		a.Session += " again"
		f.take(a, span(221, 380), store.DeleteKeep)
		f.wantUIDs(f.inbox, "51:60,201:220,381:390")
	},
	"undo of a shared deletion is not for nothing when the device sees other mail now": func(f *fixture) {
		a, b := f.device("a"), f.device("b")
		f.put(f.inbox, 2, 0)
		f.listed(f.inbox, a, b)
		f.take(b, set(1, 2), store.DeleteShared)
		f.take(a, set(1, 2), store.DeleteShared)
		f.wantUIDs(f.inbox, "")
		see := store.SeeSinceNow
		f.must(f.UpdateCredential(f.ctx(), f.alice, "a", store.CredentialUpdate{POP3See: &see}))
		got, err := f.Undo(f.ctx(), f.admin, a.Session)
		f.must(err)
		f.wantUndone(got, 2, 0, 0, 0, 0)
		f.reopen()
		f.release()
		f.wantUIDs(f.inbox, "3:4")
	},
	"undo brings back what the brake put into the trash": func(f *fixture) {
		by := f.device("mis-set")
		f.put(f.inbox, 60, 0)
		res, err := f.Quit(f.ctx(), by, f.inbox, store.Quit{Deleted: store.AllUIDs(), Policy: store.DeleteExpunge, Visible: 60, Brake: 50, Retired: retired})
		f.must(err)
		f.equal("policy", res.Policy, store.DeleteTrash)
		got, err := f.Undo(f.ctx(), f.admin, by.Session)
		f.must(err)
		f.wantUndone(got, 60, 0, 0, 0, 0)
		f.equal("policy", got.Policy, store.DeleteTrash)
		f.wantUIDs(f.inbox, "61:120")
		by.Session += " again"
		res, err = f.Quit(f.ctx(), by, f.inbox, store.Quit{Deleted: store.AllUIDs(), Policy: store.DeleteExpunge, Visible: 60, Brake: 50, Retired: retired})
		f.must(err)
		f.equal("policy, when the client does it again", res.Policy, store.DeleteTrash)
	},
	"undo is for the account's owner": func(f *fixture) {
		f.put(f.inbox, 1, 0)
		f.wantKind(errOf(f.Undo(f.ctx(), f.admin, f.by.Session)), store.NotFound)
		f.quit(set(1), nil, store.DeleteExpunge)
		for _, by := range []store.Actor{{Account: f.bob, Session: "s2", Protocol: "imap"}, {Protocol: "imap"}} {
			f.wantKind(errOf(f.Undo(f.ctx(), by, f.by.Session)), store.NotFound)
		}
		f.wantUIDs(f.inbox, "")
		f.must(errOf(f.Undo(f.ctx(), f.by, f.by.Session)))
		f.wantUIDs(f.inbox, "2")
	},
	"a UIDL of an entry's own comes back with it": func(f *fixture) {
		f.put(f.inbox, 1, 0)
		second := f.copy(f.inbox, f.inbox, 1, false)
		plain, own := f.uidlOf(f.inbox, 1), f.uidlOf(f.inbox, second)
		f.quit(set(1), nil, store.DeleteExpunge)
		f.undo()
		f.equal("the message's", f.uidlOf(f.inbox, 3), plain)
		f.equal("the copy's", f.uidlOf(f.inbox, second), own)
		f.expunge(f.inbox, second, 3)
		f.undelete()
		f.equal("the copy's, undeleted", f.uidlOf(f.inbox, 4), own)
		f.equal("the message's, undeleted", f.uidlOf(f.inbox, 5), plain)
	},
	"undelete brings back what was expunged": func(f *fixture) {
		f.put(f.inbox, 3, store.FlagDeleted|store.FlagSeen, "work")
		before := f.mail(f.inbox, 2)
		f.pass(time.Minute)
		f.expunge(f.inbox, 1, 2)
		list := f.expunged()
		f.equal("listed", len(list), 2)
		f.equal("when", list[0].Removed.Unix(), f.now().Unix())
		f.equal("where", list[1].Name, "INBOX")
		f.published()
		got := f.undelete()
		f.equal("brought back", got, []store.Restored{
			{Grave: store.Grave{Mailbox: f.inbox, UID: 1}, Mailbox: f.inbox, UID: 4},
			{Grave: store.Grave{Mailbox: f.inbox, UID: 2}, Mailbox: f.inbox, UID: 5}})
		before.flags &^= store.FlagDeleted
		f.equal("message", f.mail(f.inbox, 5), before)
		f.equal("published", len(f.published()), 1)
		f.equal("listed after", len(f.expunged()), 0)
		again, err := f.Undelete(f.ctx(), f.admin, f.alice, []store.Grave{got[0].Grave})
		f.must(err)
		f.equal("again", len(again), 0)
	},
	"undelete passes over what was moved": func(f *fixture) {
		f.put(f.inbox, 3, 0)
		f.copy(f.inbox, f.create("to"), 1, true)
		f.copy(f.inbox, f.named("to").ID, 2, false)
		f.expunge(f.inbox, 2)
		f.expunge(f.inbox, 3)
		list := f.expunged()
		f.equal("listed", len(list), 2)
		f.equal("elsewhere", []bool{list[0].Elsewhere, list[1].Elsewhere}, []bool{true, false})
		f.expunge(f.named("to").ID, 1)
		f.equal("listed once it is expunged there", len(f.expunged()), 3)
	},
	"undelete brings back once what was expunged, copied back and expunged again": func(f *fixture) {
		f.must(f.ShowExpunged(f.ctx(), true))
		f.put(f.inbox, 1, 0)
		f.expunge(f.inbox, 1)
		f.pass(time.Minute)
		f.copy(f.named("Recently Deleted").ID, f.inbox, 1, false)
		f.pass(time.Minute)
		f.expunge(f.inbox, 2)
		list := f.expunged()
		f.equal("elsewhere", []bool{list[0].Elsewhere, list[1].Elsewhere}, []bool{true, false})
		f.must(errOf(f.Undelete(f.ctx(), f.admin, f.alice, []store.Grave{{Mailbox: f.inbox, UID: 2}})))
		f.wantUIDs(f.inbox, "3")
		f.equal("elsewhere", f.expunged()[0].Elsewhere, true)
	},
	"undelete makes a deleted mailbox again": func(f *fixture) {
		id := f.create("a/b")
		f.put(id, 2, 0)
		uidl := f.uidlOf(id, 2)
		trash := f.named("Trash").ID
		f.put(trash, 1, 0)
		f.must(f.DeleteMailbox(f.ctx(), f.by, id))
		f.must(f.DeleteMailbox(f.ctx(), f.by, f.named("a").ID))
		f.must(f.DeleteMailbox(f.ctx(), f.by, trash))
		f.reopen()
		list := f.expunged()
		f.equal("listed", len(list), 3)
		for _, x := range list {
			if !x.Gone || x.Name == "" {
				f.Fatalf("expunged %+v", x)
			}
		}
		f.pass(time.Minute)
		f.undelete()
		again := f.named("a/b")
		f.equal("another mailbox", again.ID != id, true)
		f.wantUIDs(again.ID, "1:2")
		f.equal("UIDL", f.uidlOf(again.ID, 2), uidl)
		f.equal("use", f.named("Trash").Use, store.UseTrash)
		f.equal("arrived in the trash", f.entry(f.named("Trash").ID, 1).Saved, store.ClampTime(f.now()))
		f.named("a")
		f.pass(time.Minute)
		f.prune(nil)
		names, err := f.MailboxNames(f.ctx(), f.alice)
		f.must(err)
		f.equal("names after pruning", names[id]+names[trash], "")
	},
	"old mail is expunged and can be undeleted": func(f *fixture) {
		f.put(f.inbox, 2, store.FlagSeen)
		f.quit(set(1), nil, store.DeleteTrash)
		trash := f.named("Trash").ID
		ids, err := f.MailboxesFor(f.ctx(), store.UseTrash)
		f.must(err)
		f.equal("mailboxes", ids, []store.MailboxID{trash})
		f.pass(24 * time.Hour)
		f.copy(f.inbox, trash, 2, true)
		f.put(trash, 1500, 0)
		f.quit(nil, nil, store.DeleteTrash)
		f.pass(24 * time.Hour)
		expunge := func(mark store.Flags, age time.Duration) int64 {
			oldest, err := f.ExpungeOld(f.ctx(), trash, mark, f.now().Add(-age))
			f.must(err)
			if oldest.IsZero() {
				return 0
			}
			return int64(f.now().Sub(oldest) / time.Hour)
		}
		f.equal("oldest", expunge(store.FlagPOP3Trashed, 49*time.Hour), 48)
		f.wantUIDs(trash, "1:1502")
		f.equal("none left", expunge(store.FlagPOP3Trashed, 47*time.Hour), 0)
		f.wantUIDs(trash, "2:1502")
		f.equal("none left", expunge(0, time.Hour), 0)
		f.wantUIDs(trash, "")
		f.undelete()
		f.wantUIDs(trash, "1503:3004")
		f.equal("of any age", expunge(0, 0), 0)
		f.wantUndone(f.undo(), 1, 0, 0, 0, 0)
		f.wantUIDs(f.inbox, "3")
		f.must(errOf(f.ExpungeOld(f.ctx(), 77, 0, f.now())))
	},
	"what is expunged is shown in a mailbox": func(f *fixture) {
		f.put(f.inbox, 5, store.FlagFlagged|store.FlagDeleted, "work")
		f.expunge(f.inbox, 1)
		f.must(f.ShowExpunged(f.ctx(), true))
		shown := f.named("Recently Deleted")
		f.equal("what it is", []bool{shown.ID.RecentlyDeleted(), f.inbox.RecentlyDeleted(), shown.Subscribed}, []bool{true, false, true})
		f.wantUIDs(shown.ID, "1")
		used := f.account().Used
		f.published()
		before := f.mail(f.inbox, 3)
		f.pass(time.Minute)
		f.expunge(f.inbox, 2, 3)
		f.wantUIDs(shown.ID, "1:3")
		after := f.mail(shown.ID, 3)
		f.equal("message and UIDL", []any{after.message, after.uidl, after.internal}, []any{before.message, before.uidl, before.internal})
		f.equal("flags", after.flags, before.flags&^store.FlagDeleted)
		f.equal("when", f.entry(shown.ID, 3).Saved, store.ClampTime(f.now()))
		f.equal("published", len(f.published()), 2)
		f.equal("use", f.account().Used, store.Resources{Storage: used.Storage * 2 / 4, Messages: 2, Mailboxes: used.Mailboxes})
		f.reopen()
		f.must(f.ShowExpunged(f.ctx(), true))
		f.wantUIDs(shown.ID, "1:3")

		for what, err := range map[string]error{
			"flags":   errOf(f.SetFlags(f.ctx(), f.by, shown.ID, store.FlagsChange{UIDs: set(1), Flags: store.FlagSeen}, 0)),
			"expunge": errOf(f.Expunge(f.ctx(), f.by, shown.ID, set(1), false)),
			"move":    errOf(f.Copy(f.ctx(), f.by, shown.ID, f.inbox, set(1), true, 0)),
			"copy to": errOf(f.Copy(f.ctx(), f.by, f.inbox, shown.ID, set(4), false, 0)),
			"insert":  errOf(f.Insert(f.ctx(), f.admin, []store.Insertion{{Mailbox: shown.ID, Body: bodyOf(f.text())}}, true, 0)),
			"delete":  f.DeleteMailbox(f.ctx(), f.by, shown.ID),
			"rename":  f.RenameMailbox(f.ctx(), f.by, shown.ID, "mine", 0),
			"share":   f.SetACL(f.ctx(), f.by, shown.ID, store.ACLChange{Grantee: f.bob, Rights: store.AllRights}),
			"quit":    errOf(f.Quit(f.ctx(), f.by, shown.ID, store.Quit{Deleted: set(1), Policy: store.DeleteExpunge})),
		} {
			if err == nil || store.KindOf(err) != store.Forbidden {
				f.Errorf("%s: %v", what, err)
			}
		}
		f.equal("copied back", f.uidlOf(f.inbox, f.copy(shown.ID, f.inbox, 3, false)), before.uidl)
		f.expunge(f.inbox, 6)
		f.wantUIDs(shown.ID, "1:4")
	},
	"what comes back is no longer shown": func(f *fixture) {
		f.must(f.ShowExpunged(f.ctx(), true))
		f.put(f.inbox, 100, 0)
		f.quit(span(1, 90), nil, store.DeleteExpunge)
		shown := f.named("Recently Deleted").ID
		f.wantUIDs(shown, "1:90")
		f.expunge(f.inbox, 95)
		f.published()
		f.wantUndone(f.undo(), 90, 0, 0, 0, 0)
		f.wantUIDs(shown, "91")
		f.equal("published", len(f.published()), 2)
		f.undelete()
		f.wantUIDs(shown, "")
		f.equal("counters", f.row(shown).Messages, 0)
	},
	"what is forgotten is no longer shown": func(f *fixture) {
		f.must(f.ShowExpunged(f.ctx(), true))
		f.put(f.inbox, 600, 0)
		message := f.entry(f.inbox, 5).Message
		f.expunge(f.inbox, 1, 5)
		f.pass(time.Hour)
		must := f.now()
		f.must(errOf(f.Expunge(f.ctx(), f.by, f.inbox, span(6, 550), false)))
		shown := f.named("Recently Deleted").ID
		f.wantUIDs(shown, "1:547")
		f.must(f.Prune(f.ctx(), must, nil))
		f.wantUIDs(shown, "3:547")
		f.equal("its message is gone", f.exists(message), false)
		f.pass(time.Hour)
		f.prune(map[store.MailboxID]store.ModSeq{shown: f.row(shown).HighestModSeq})
		f.wantUIDs(shown, "")
		f.pass(time.Hour)
		f.prune(nil)
	},
	"the mailbox of expunged mail can be taken away": func(f *fixture) {
		f.create("Recently Deleted")
		f.must(f.ShowExpunged(f.ctx(), true))
		f.put(f.inbox, 3, 0)
		f.expunge(f.inbox, 1, 2)
		shown := f.named("Recently Deleted 2").ID
		f.undelete()
		f.expunge(f.inbox, 4)
		f.pass(time.Hour)
		f.published()
		f.must(f.ShowExpunged(f.ctx(), false))
		f.equal("published", f.published()[0].Deleted, true)
		f.wantKind(errOf(f.Mailbox(f.ctx(), shown)), store.NotFound)
		f.expunge(f.inbox, 3)
		f.equal("expunged", len(f.expunged()), 2)
		f.must(f.ShowExpunged(f.ctx(), true))
		again := f.named("Recently Deleted 2")
		f.equal("another mailbox", again.ID != shown, true)
		f.wantUIDs(again.ID, "1:2")
		f.must(f.RemoveAccount(f.ctx(), f.alice))
	},
	"undelete keeps to the account and its quota": func(f *fixture) {
		f.put(f.inbox, 2, 0)
		f.expunge(f.inbox, 1, 2)
		by := f.by
		by.Account = f.bob
		f.wantKind(errOf(f.Undelete(f.ctx(), by, f.alice, []store.Grave{{Mailbox: f.inbox, UID: 1}})), store.NotFound)
		f.wantKind(errOf(f.Undelete(f.ctx(), by, f.bob, []store.Grave{{Mailbox: f.inbox, UID: 1}})), store.NotFound)
		limit := int64(1)
		f.must(f.UpdateAccount(f.ctx(), f.alice, store.AccountUpdate{MaxMessages: &limit}))
		f.wantKind(errOf(f.Undelete(f.ctx(), f.by, f.alice, []store.Grave{{Mailbox: f.inbox, UID: 1}, {Mailbox: f.inbox, UID: 2}})), store.OverQuota)
		f.wantUIDs(f.inbox, "")
		f.must(errOf(f.Undelete(f.ctx(), f.by, f.alice, []store.Grave{{Mailbox: f.inbox, UID: 2}})))
		f.wantUIDs(f.inbox, "3")
	},
}
