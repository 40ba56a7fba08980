package sqlite

import (
	"fmt"
	"testing"
	"time"

	"tandem/store"
)

// BenchmarkCopyAcross copies a mailbox to another account.
func BenchmarkCopyAcross(b *testing.B) {
	e, inbox := openBench(b)
	fill(b, e, inbox, benchMessages)
	if err := e.CreateAccounts(b.Context(), []store.NewAccount{{Name: "other", Hash: "x"}}, false); err != nil {
		b.Fatal(err)
	}
	other, err := e.AccountByName(b.Context(), "other")
	if err != nil {
		b.Fatal(err)
	}
	to, err := e.MailboxByName(b.Context(), other.ID, "INBOX")
	if err != nil {
		b.Fatal(err)
	}
	var copying time.Duration
	for b.Loop() {
		begin := time.Now()
		got, err := e.Copy(b.Context(), benchActor, inbox, to.ID, store.AllUIDs(), false, 0)
		if err != nil || got.Source.Len() != benchMessages {
			b.Fatal(got.Source.Len(), err)
		}
		copying += time.Since(begin)
	}
	b.ReportMetric(float64(copying.Milliseconds())/float64(b.N), "ms/copy")
}

// BenchmarkShared lists what others share with an account: 1,000 mailboxes of
// another, among 5,000.
func BenchmarkShared(b *testing.B) {
	e, inbox := openBench(b)
	if err := e.CreateAccounts(b.Context(), []store.NewAccount{{Name: "other", Hash: "x"}}, false); err != nil {
		b.Fatal(err)
	}
	other, err := e.AccountByName(b.Context(), "other")
	if err != nil {
		b.Fatal(err)
	}
	for n := range 5_000 {
		m, err := e.CreateMailbox(b.Context(), benchActor, inbox.Account(), store.NewMailbox{Name: fmt.Sprint("box", n)}, 0)
		if err == nil && n%5 == 0 {
			err = e.SetACL(b.Context(), benchActor, m.ID, store.ACLChange{Grantee: other.ID, Rights: store.RightLookup})
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	by := store.Actor{Account: other.ID, Protocol: "imap"}
	for b.Loop() {
		list, err := e.Shared(b.Context(), by)
		if err != nil || len(list) != 1000 {
			b.Fatal(len(list), err)
		}
	}
}
