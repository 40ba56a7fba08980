package sqlite

import (
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
