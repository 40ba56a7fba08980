package storetest

import "tandem/store"

// quotaTests are about what accounts may hold. That uses are right after every
// verb is part of Check, which each fixture runs at its end.
var quotaTests = map[string]func(*fixture){
	"quota: storage":        testQuotaStorage,
	"quota: messages":       testQuotaMessages,
	"quota: mailboxes":      testQuotaMailboxes,
	"quota: levels":         testQuotaLevels,
	"quota: administrators": testQuotaAdmin,
}

func (f *fixture) limit(q store.Resources) {
	f.Helper()
	f.must(f.SetQuota(f.ctx(), f.admin, f.alice, q))
}

func (f *fixture) used() store.Resources {
	f.Helper()
	a, err := f.Account(f.ctx(), f.alice)
	f.must(err)
	return a.Used
}

// tryInsert puts a message into INBOX.
func (f *fixture) tryInsert(by store.Actor) error {
	_, err := f.Insert(f.ctx(), by, []store.Insertion{{Mailbox: f.inbox, Body: bodyOf("x")}}, true, 0)
	return err
}

func testQuotaStorage(f *fixture) {
	f.must(f.tryInsert(f.by))
	size := f.used().Storage
	f.limit(store.Resources{Storage: 2*size + size/2})
	f.must(f.tryInsert(f.by))
	f.wantKind(f.tryInsert(f.by), store.OverQuota)
	f.wantKind(f.tryInsert(store.Actor{Protocol: "lmtp"}), store.OverQuota)
	_, err := f.Copy(f.ctx(), f.by, f.inbox, f.inbox, store.AllUIDs(), false, 0)
	f.wantKind(err, store.OverQuota)
	_, err = f.Copy(f.ctx(), f.by, f.inbox, f.named("Archive").ID, store.AllUIDs(), true, 0)
	f.must(err) // a move takes no room
	f.must(f.tryInsert(f.admin))
	if got := f.used(); got.Storage != 3*size || got.Messages != 3 {
		f.Fatalf("use %+v, want %d octets in 3 messages", got, 3*size)
	}
	_, err = f.Expunge(f.ctx(), f.by, f.inbox, store.AllUIDs(), false)
	f.must(err)
	f.must(f.DeleteMailbox(f.ctx(), f.by, f.named("Archive").ID))
	if got := f.used(); got.Storage != 0 || got.Messages != 0 {
		f.Fatalf("use %+v after everything is gone", got)
	}
	f.must(f.tryInsert(f.by))
}

// Of a delivery to several, those who have room get it.
func testQuotaMessages(f *fixture) {
	f.limit(store.Resources{Messages: 1})
	body := bodyOf("x")
	lmtp := store.Actor{Protocol: "lmtp"}
	bob, err := f.MailboxByName(f.ctx(), f.bob, "INBOX")
	f.must(err)
	out, err := f.Insert(f.ctx(), lmtp, []store.Insertion{
		{Mailbox: f.inbox, Body: body}, {Mailbox: f.inbox, Body: body}, {Mailbox: bob.ID, Body: body},
	}, false, 0)
	f.must(err)
	if out[0].Err != nil || out[2].Err != nil {
		f.Fatalf("refused: %v, %v", out[0].Err, out[2].Err)
	}
	f.wantKind(out[1].Err, store.OverQuota)
}

func testQuotaMailboxes(f *fixture) {
	have := f.used().Mailboxes
	f.limit(store.Resources{Mailboxes: have + 1})
	_, err := f.CreateMailbox(f.ctx(), f.by, f.alice, store.NewMailbox{Name: "a/b"}, 0)
	f.wantKind(err, store.OverQuota)
	a, err := f.CreateMailbox(f.ctx(), f.by, f.alice, store.NewMailbox{Name: "a"}, 0)
	f.must(err)
	f.must(f.RenameMailbox(f.ctx(), f.by, a.ID, "b", 0))
	f.wantKind(f.RenameMailbox(f.ctx(), f.by, a.ID, "c/b", 0), store.OverQuota)
	f.wantKind(f.RenameMailbox(f.ctx(), f.by, f.inbox, "old", 0), store.OverQuota)
	f.must(f.DeleteMailbox(f.ctx(), f.by, a.ID))
	if got := f.used().Mailboxes; got != have {
		f.Fatalf("%d mailboxes in use, want %d", got, have)
	}
}

func testQuotaLevels(f *fixture) {
	f.limit(store.Resources{Messages: 20})
	crossed := map[int]int{}
	for n := 1; n <= 20; n++ {
		f.published()
		f.must(f.tryInsert(f.by))
		for _, c := range f.published() {
			for _, l := range c.Crossed {
				if l.Account != "alice" || l.Resource != "messages" || l.Limit != 20 || l.Used != int64(n) {
					f.Errorf("level %+v at %d messages", l, n)
				}
				crossed[l.Percent] = n
			}
		}
	}
	if len(crossed) != 2 || crossed[80] != 16 || crossed[95] != 19 {
		f.Fatalf("crossed %v, want 80 at 16 and 95 at 19", crossed)
	}
}

func testQuotaAdmin(f *fixture) {
	f.wantKind(f.SetQuota(f.ctx(), f.by, f.alice, store.Resources{}), store.Forbidden)
	yes := true
	f.must(f.UpdateAccount(f.ctx(), f.alice, store.AccountUpdate{Admin: &yes}))
	want := store.Resources{Storage: 4096, Messages: 5, Mailboxes: 60}
	f.must(f.SetQuota(f.ctx(), f.by, f.bob, want))
	a, err := f.Account(f.ctx(), f.bob)
	f.must(err)
	if a.Quota != want || a.Admin {
		f.Fatalf("bob is %+v, want the quota %+v", a, want)
	}
	f.wantKind(f.SetQuota(f.ctx(), f.by, 4711, store.Resources{}), store.NotFound)
}
