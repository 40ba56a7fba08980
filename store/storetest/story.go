package storetest

import (
	"fmt"
	"strings"

	"tandem/store"
)

// journal gives rows as text: "verb mailbox uids" and so on.
func (f *fixture) journal(q store.JournalQuery) (list []string) {
	f.Helper()
	for r, err := range f.Journal(f.ctx(), f.alice, q) {
		f.must(err)
		line := fmt.Sprintf("%d %s %s", r.N, r.Verb, str(r.UIDs))
		if r.Other != 0 {
			line += " as " + str(r.OtherUIDs)
		}
		list = append(list, line)
	}
	return list
}

func (f *fixture) find(key store.MessageKey) []store.MessageID {
	f.Helper()
	ids, err := f.FindMessages(f.ctx(), f.alice, key)
	f.must(err)
	return ids
}

var storyTests = map[string]func(*fixture){
	"the journal is read from both ends": func(f *fixture) {
		f.put(f.inbox, 3, 0)
		to := f.create("to")
		f.copy(f.inbox, to, 2, true)
		f.quit(set(1, 3), set(3), store.DeleteTrash)
		f.expunge(to, 1)
		all := f.journal(store.JournalQuery{})
		f.equal("rows", strings.Join(all, "; "), "1 insert 1:3; 2 create ; 3 move 2 as 1; 4 quit 1,3 as 1:2; 5 expunge 1")
		back := f.journal(store.JournalQuery{Backward: true})
		f.equal("backward", back[0]+"; "+back[4], all[4]+"; "+all[0])
		f.equal("from the middle", len(f.journal(store.JournalQuery{From: 3})), 3)
		f.equal("from the middle back", len(f.journal(store.JournalQuery{From: 2, Backward: true})), 2)
		f.equal("beyond the end", len(f.journal(store.JournalQuery{From: 6})), 0)
		f.equal("by place", strings.Join(f.journal(store.JournalQuery{Places: []store.Place{{Mailbox: to, UID: 1}}}), "; "),
			"3 move 2 as 1; 5 expunge 1")
		for r, err := range f.Journal(f.ctx(), f.alice, store.JournalQuery{From: 4}) {
			f.must(err)
			f.equal("policy", r.Policy, store.DeleteTrash)
			f.equal("session", r.Session+r.Protocol, "s1pop3")
			break
		}
		for _, err := range f.Journal(f.ctx(), f.bob, store.JournalQuery{}) {
			f.Fatal("a row of an account that did nothing, or ", err)
		}
	},
	"the journal of many rows": func(f *fixture) {
		const n = 2500
		for range n {
			f.must(f.NoteReads(f.ctx(), f.by, f.inbox, set(7)))
		}
		f.must(f.NoteReads(f.ctx(), f.by, f.inbox, set(8)))
		f.equal("all", len(f.journal(store.JournalQuery{})), n+1)
		f.equal("all, backward", len(f.journal(store.JournalQuery{Backward: true})), n+1)
		f.equal("one", len(f.journal(store.JournalQuery{Places: []store.Place{{Mailbox: f.inbox, UID: 8}}})), 1)
	},
	"messages are found by what a person calls them": func(f *fixture) {
		uids := f.put(f.inbox, 3, 0)
		old := f.imported(f.inbox, "old-4")
		second := f.copy(f.inbox, f.inbox, uids[1], false)
		message := func(uid store.UID) []store.MessageID { return []store.MessageID{f.entry(f.inbox, uid).Message} }
		want := message(2)
		f.equal("place", f.find(store.MessageKey{Place: store.Place{Mailbox: f.inbox, UID: 2}}), want)
		f.equal("Message-ID", f.find(store.MessageKey{MessageID: "2@example.org"}), want)
		f.equal("UIDL", f.find(store.MessageKey{UIDL: f.uidlOf(f.inbox, 2)}), want)
		f.equal("UIDL of its own", f.find(store.MessageKey{UIDL: f.uidlOf(f.inbox, second)}), want)
		f.equal("imported UIDL", f.find(store.MessageKey{UIDL: "old-4"}), message(old))
		for m, err := range f.Messages(f.ctx(), want, store.Want{}) {
			f.must(err)
			f.equal("EMAILID", f.find(store.MessageKey{EmailID: m.EmailID}), want)
		}
		f.expunge(f.inbox, 2)
		f.equal("expunged", f.find(store.MessageKey{Place: store.Place{Mailbox: f.inbox, UID: 2}}), want)
		for _, key := range []store.MessageKey{{EmailID: "x"}, {UIDL: "x"}, {UIDL: f.StoreID() + "!"}, {UIDL: f.StoreID() + "1"}, {MessageID: "x@y"}, {},
			{Place: store.Place{Mailbox: f.inbox, UID: 77}}, {Place: store.Place{Mailbox: store.MailboxID(f.bob.FirstMessage()) + 1, UID: 1}}} {
			f.equal("nothing", len(f.find(key)), 0)
		}
	},
	"places of a message, there and gone": func(f *fixture) {
		f.put(f.inbox, 2, 0)
		to := f.create("to")
		f.copy(f.inbox, to, 2, true)
		list, err := f.Places(f.ctx(), f.entry(to, 1).Message)
		f.must(err)
		f.equal("places", list, []store.Place{{Mailbox: to, UID: 1}, {Mailbox: f.inbox, UID: 2, Gone: true}})
		f.must(f.DeleteMailbox(f.ctx(), f.by, to))
		names, err := f.MailboxNames(f.ctx(), f.alice)
		f.must(err)
		f.equal("names", names[f.inbox]+" "+names[to], "INBOX to")
	},
	"credentials are named after they are revoked": func(f *fixture) {
		phone := f.device("phone")
		_, err := f.RevokeCredential(f.ctx(), f.alice, "phone")
		f.must(err)
		names, err := f.CredentialNames(f.ctx(), []store.CredentialID{phone.Credential, 0, 99, 1})
		f.must(err)
		f.equal("names", names, map[store.CredentialID]store.CredentialName{1: {Account: "alice"}, phone.Credential: {Account: "alice", Label: "phone"}})
	},
}
