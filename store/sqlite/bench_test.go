package sqlite

import (
	"crypto/sha256"
	"fmt"
	"sync"
	"testing"
	"time"

	"tandem/store"
)

// The sizes the design speaks of.
const (
	benchMessages  = 100_000
	benchProducers = 16
)

var benchActor = store.Actor{Protocol: "admin"}

func openBench(b *testing.B) (*Engine, store.MailboxID) {
	b.Helper()
	e, err := Open(b.TempDir(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	e.Start(func([]store.Change) {})
	b.Cleanup(func() { e.Close() })
	if err := e.CreateAccounts(b.Context(), []store.NewAccount{{Name: "alice", Hash: "x"}}, false); err != nil {
		b.Fatal(err)
	}
	a, err := e.AccountByName(b.Context(), "alice")
	if err != nil {
		b.Fatal(err)
	}
	m, err := e.MailboxByName(b.Context(), a.ID, "INBOX")
	if err != nil {
		b.Fatal(err)
	}
	return e, m.ID
}

// benchBody is a message of n octets, no two alike.
func benchBody(n, seed int) *store.Body {
	header := fmt.Appendf(nil, "From: a@example.org\r\nTo: b@example.org\r\nSubject: message %d\r\nMessage-ID: <%d@example.org>\r\n\r\n", seed, seed)
	text := make([]byte, n-len(header))
	for i := range text {
		text[i] = 'a' + byte((i*7+seed)%26)
	}
	return &store.Body{Header: header, Text: text, Size: int64(n), Digest: sha256.Sum256(append(header[:len(header):len(header)], text...)),
		Structure: make([]byte, 600), MessageID: fmt.Sprintf("%d@example.org", seed)}
}

// fill puts n small messages into a mailbox, one in three of them \Seen.
func fill(b *testing.B, e *Engine, id store.MailboxID, n int) {
	b.Helper()
	const batch = 1000
	for done := 0; done < n; done += batch {
		list := make([]store.Insertion, 0, batch)
		for i := range batch {
			in := store.Insertion{Mailbox: id, Body: benchBody(600, done+i), Internal: time.Unix(1700000000, 0)}
			if i%3 == 0 {
				in.Flags = store.FlagSeen
			}
			list = append(list, in)
		}
		if _, err := e.Insert(b.Context(), benchActor, list, true, 0); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkInsert4KiB(b *testing.B) {
	for _, producers := range []int{1, benchProducers} {
		b.Run(fmt.Sprintf("producers=%d", producers), func(b *testing.B) {
			e, inbox := openBench(b)
			var wg sync.WaitGroup
			begin := time.Now()
			for p := range producers {
				wg.Go(func() {
					for i := p; i < b.N; i += producers {
						in := []store.Insertion{{Mailbox: inbox, Body: benchBody(4096, i), Internal: begin}}
						if _, err := e.Insert(b.Context(), benchActor, in, false, 0); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/time.Since(begin).Seconds(), "msg/s")
		})
	}
}

func BenchmarkLoadIndex(b *testing.B) {
	e, inbox := openBench(b)
	fill(b, e, inbox, benchMessages)
	b.ReportAllocs()
	for b.Loop() {
		x, err := e.LoadIndex(b.Context(), inbox, 0)
		if err != nil || len(x.Entries) != benchMessages {
			b.Fatal(len(x.Entries), err)
		}
	}
}

func BenchmarkSetFlagsAll(b *testing.B) {
	e, inbox := openBench(b)
	fill(b, e, inbox, benchMessages)
	on := false
	for b.Loop() {
		on = !on
		change := store.FlagsChange{UIDs: store.AllUIDs(), Op: store.FlagsRemove, Flags: store.FlagFlagged}
		if on {
			change.Op = store.FlagsAdd
		}
		res, err := e.SetFlags(b.Context(), benchActor, inbox, change, 0)
		if err != nil || len(res.Changed) != benchMessages {
			b.Fatal(len(res.Changed), err)
		}
	}
}

func BenchmarkCopyExpungeAll(b *testing.B) {
	e, inbox := openBench(b)
	fill(b, e, inbox, benchMessages)
	to, err := e.CreateMailbox(b.Context(), benchActor, inbox.Account(), store.NewMailbox{Name: "copies"}, 0)
	if err != nil {
		b.Fatal(err)
	}
	var copying, expunging time.Duration
	for b.Loop() {
		begin := time.Now()
		if _, err := e.Copy(b.Context(), benchActor, inbox, to.ID, store.AllUIDs(), false, 0); err != nil {
			b.Fatal(err)
		}
		copying += time.Since(begin)
		begin = time.Now()
		gone, err := e.Expunge(b.Context(), benchActor, to.ID, store.AllUIDs(), false)
		if err != nil || gone.UIDs.Len() != benchMessages {
			b.Fatal(err)
		}
		expunging += time.Since(begin)
	}
	b.ReportMetric(float64(copying.Milliseconds())/float64(b.N), "ms/copy")
	b.ReportMetric(float64(expunging.Milliseconds())/float64(b.N), "ms/expunge")
}

func BenchmarkMessagesStructure(b *testing.B) {
	e, inbox := openBench(b)
	fill(b, e, inbox, benchMessages)
	x, err := e.LoadIndex(b.Context(), inbox, 0)
	if err != nil {
		b.Fatal(err)
	}
	for _, step := range []int{1, 7} { // dense ids, scattered ids
		b.Run(fmt.Sprintf("step=%d", step), func(b *testing.B) {
			var ids []store.MessageID
			for i := 0; i < len(x.Entries); i += step {
				ids = append(ids, x.Entries[i].Message)
			}
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				for m, err := range e.Messages(b.Context(), ids, store.Want{Structure: true}) {
					if err != nil || len(m.Structure) != 600 {
						b.Fatal(err)
					}
					n++
				}
				if n != len(ids) {
					b.Fatal(n)
				}
			}
			b.ReportMetric(float64(len(ids))*float64(b.N)/b.Elapsed().Seconds(), "msg/s")
		})
	}
}
