package storetest

import (
	"fmt"
	"time"

	"tandem/store"
)

var accountTests = map[string]func(*fixture){
	"a new account has the standard mailboxes, subscribed": func(f *fixture) {
		list, err := f.Mailboxes(f.ctx(), f.alice)
		f.must(err)
		var got []string
		for _, m := range list {
			got = append(got, fmt.Sprint(m.Name, m.Use, m.Subscribed, m.UIDNext, m.HighestModSeq, m.RecentFrom, m.Messages))
			if m.ID.Account() != f.alice || m.UIDValidity == 0 || m.MailboxID == "" {
				f.Fatalf("mailbox %+v", m)
			}
		}
		f.equal("mailboxes", got, []string{`Archive\Archivetrue 1 1 1 0`, `Drafts\Draftstrue 1 1 1 0`, `INBOXtrue 1 1 1 0`,
			`Junk\Junktrue 1 1 1 0`, `Sent\Senttrue 1 1 1 0`, `Trash\Trashtrue 1 1 1 0`})
		subscribed, err := f.Subscriptions(f.ctx(), f.alice)
		f.must(err)
		f.equal("subscriptions", subscribed, []string{"Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash"})
	},
	"accounts are found by name, id and local part": func(f *fixture) {
		f.must(f.CreateAccounts(f.ctx(), []store.NewAccount{{Name: "alice@b.org"}, {Name: "alice@a.org"}, {Name: "alicea"}}, false))
		list, err := f.Accounts(f.ctx())
		f.must(err)
		var names []string
		for _, a := range list {
			names = append(names, a.Name)
		}
		f.equal("accounts", names, []string{"alice", "alice@a.org", "alice@b.org", "alicea", "bob"})
		list, err = f.AccountsByLocalPart(f.ctx(), "alice")
		f.must(err)
		f.equal("by local part", len(list), 2)
		a, err := f.Account(f.ctx(), f.alice)
		f.must(err)
		f.equal("account", a, store.Account{ID: f.alice, Name: "alice", Enabled: true, POP3Delete: store.DeleteTrash, POP3See: store.SeeAll, Created: f.now().UTC(),
			Used: store.Resources{Mailboxes: int64(len(store.StandardMailboxes()))}})
		_, err = f.AccountByName(f.ctx(), "carol")
		f.wantKind(err, store.NotFound)
	},
	"accounts are made all or none": func(f *fixture) {
		err := f.CreateAccounts(f.ctx(), []store.NewAccount{{Name: "carol"}, {Name: "alice"}}, false)
		f.wantKind(err, store.Exists)
		_, err = f.AccountByName(f.ctx(), "carol")
		f.wantKind(err, store.NotFound)
		f.must(f.CreateAccounts(f.ctx(), []store.NewAccount{{Name: "carol"}, {Name: "alice", Hash: "new", KeepScheme: true}}, true))
		creds, err := f.Credentials(f.ctx(), f.alice)
		f.must(err)
		if len(creds) != 1 || creds[0].Hash != "new" || !creds[0].KeepScheme || creds[0].Scope != store.ScopeAll || creds[0].Label != "" {
			f.Fatalf("credentials %+v", creds)
		}
	},
	"an account changes what is given": func(f *fixture) {
		off, policy := false, store.DeleteKeep
		f.must(f.UpdateAccount(f.ctx(), f.alice, store.AccountUpdate{Enabled: &off, POP3Delete: &policy}))
		f.must(f.UpdateAccount(f.ctx(), f.alice, store.AccountUpdate{Password: &store.NewPassword{Hash: "other"}}))
		a, err := f.Account(f.ctx(), f.alice)
		f.must(err)
		if a.Enabled || a.POP3Delete != store.DeleteKeep {
			f.Fatalf("account %+v", a)
		}
		creds, err := f.Credentials(f.ctx(), f.alice)
		f.must(err)
		f.equal("hash", creds[0].Hash, "other")
		f.wantKind(f.UpdateAccount(f.ctx(), 99, store.AccountUpdate{Enabled: &off}), store.NotFound)
	},
	"a hash is replaced only if it is still the old one": func(f *fixture) {
		creds, err := f.Credentials(f.ctx(), f.alice)
		f.must(err)
		f.must(f.SetCredentialHash(f.ctx(), creds[0].ID, "not it", "bad"))
		f.must(f.SetCredentialHash(f.ctx(), creds[0].ID, "h1", "good"))
		creds, err = f.Credentials(f.ctx(), f.alice)
		f.must(err)
		f.equal("hash", creds[0].Hash, "good")
	},
	"SCRAM keys of an account lie under one salt": func(f *fixture) {
		state := func(sha256, sha1 bool) {
			f.Helper()
			got, err := f.Scram(f.ctx())
			f.must(err)
			if len(got.Secret) != 32 || got.SHA256 != sha256 || got.SHA1 != sha1 {
				f.Fatalf("state %d bytes %v %v, want %v %v", len(got.Secret), got.SHA256, got.SHA1, sha256, sha1)
			}
		}
		keys := func(account store.AccountID) *store.ScramKeys {
			f.Helper()
			creds, err := f.Credentials(f.ctx(), account)
			f.must(err)
			return creds[0].Keys
		}
		state(false, false)
		one := &store.ScramKeys{Salt: []byte("salt"), Iterations: 4096, SHA256: []byte("64"), SHA1: []byte("40")}
		f.must(f.UpdateAccount(f.ctx(), f.bob, store.AccountUpdate{Password: &store.NewPassword{Hash: "h", Keys: one}}))
		f.equal("bob's keys", keys(f.bob), one)
		state(false, false)
		creds, err := f.Credentials(f.ctx(), f.alice)
		f.must(err)
		two := store.ScramKeys{Salt: []byte("other"), Iterations: 5000, SHA256: []byte("65")}
		f.must(f.SetScramKeys(f.ctx(), creds[0].ID, "not it", two))
		if keys(f.alice) != nil {
			f.Fatal("keys of another password were kept")
		}
		f.must(f.SetScramKeys(f.ctx(), creds[0].ID, creds[0].Hash, two))
		f.equal("alice's keys", keys(f.alice), &two)
		state(true, false)
		// A password without keys leaves none of the old one's.
		f.must(f.UpdateAccount(f.ctx(), f.bob, store.AccountUpdate{Password: &store.NewPassword{Hash: "h2"}}))
		if k := keys(f.bob); k == nil || k.SHA256 != nil || k.SHA1 != nil {
			f.Fatalf("keys of the old password are left: %+v", k)
		}
		state(false, false)
		off := false
		f.must(f.UpdateAccount(f.ctx(), f.bob, store.AccountUpdate{Enabled: &off}))
		state(true, false)
		f.must(f.CreateAccounts(f.ctx(), []store.NewAccount{{Name: "carol", Hash: "c", Keys: &two}, {Name: "alice", Hash: "a", Keys: one}}, true))
		state(true, false)
		f.equal("alice's new keys", keys(f.alice), one)
	},
	"last uses never go back in time": func(f *fixture) {
		creds, err := f.Credentials(f.ctx(), f.alice)
		f.must(err)
		id := creds[0].ID
		late, early := f.now().Add(time.Hour), f.now()
		f.must(f.NoteCredentialUses(f.ctx(), []store.CredentialUse{{Credential: id, Time: late, Addr: "b"}, {Credential: id, Time: early, Addr: "a"}}))
		creds, err = f.Credentials(f.ctx(), f.alice)
		f.must(err)
		if !creds[0].LastUsed.Equal(late) || creds[0].LastAddr != "b" {
			f.Fatalf("credential %+v", creds[0])
		}
	},
	"a removed account is gone and its ids do not come back": func(f *fixture) {
		f.put(f.inbox, 3, 0, "kw")
		uids := f.put(f.inbox, 2, 0)
		_, err := f.Expunge(f.ctx(), f.by, f.inbox, set(uids...), false)
		f.must(err)
		ids := messageIDs(f.load(f.inbox))
		f.published()
		f.must(f.RemoveAccount(f.ctx(), f.alice))
		gone := 0
		for _, c := range f.published() {
			if c.Deleted && c.Mailbox.ID.Account() == f.alice {
				gone++
			}
		}
		f.equal("mailboxes published as deleted", gone, 6)
		_, err = f.Mailbox(f.ctx(), f.inbox)
		f.wantKind(err, store.NotFound)
		for range f.Messages(f.ctx(), ids, store.Want{}) {
			f.Fatal("a message of a removed account is left")
		}
		f.must(f.CreateAccounts(f.ctx(), []store.NewAccount{{Name: "alice"}}, false))
		a, err := f.AccountByName(f.ctx(), "alice")
		f.must(err)
		if a.ID <= f.bob {
			f.Fatalf("account id %d came back", a.ID)
		}
		f.wantKind(f.RemoveAccount(f.ctx(), f.alice), store.NotFound)
	},
	"what accounts share survives the removal of one": func(f *fixture) {
		bobs, err := f.MailboxByName(f.ctx(), f.bob, "INBOX")
		f.must(err)
		text := f.text()
		b := bodyOf(text)
		out, err := f.Insert(f.ctx(), f.admin, []store.Insertion{{Mailbox: f.inbox, Body: b}, {Mailbox: bobs.ID, Body: b}}, false, 0)
		f.must(err)
		f.must(f.RemoveAccount(f.ctx(), f.alice))
		f.equal("bob's message", f.served(out[1].Message), text)
	},
	"a thousand accounts are made at once": func(f *fixture) {
		var list []store.NewAccount
		for i := range 1000 {
			list = append(list, store.NewAccount{Name: fmt.Sprintf("user%04d", i), Hash: "{CRYPT}x", KeepScheme: true})
		}
		f.must(f.CreateAccounts(f.ctx(), list, true))
		all, err := f.Accounts(f.ctx())
		f.must(err)
		f.equal("accounts", len(all), 1002)
	},
}

func messageIDs(x *store.LoadedIndex) (ids []store.MessageID) {
	for _, e := range x.Entries {
		ids = append(ids, e.Message)
	}
	return ids
}
