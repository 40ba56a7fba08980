package imapd

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"tandem/store"
)

// fillThreads puts n messages that all differ into a user's INBOX: two thirds
// answer an earlier one of their thread.
func fillThreads(tb testing.TB, st *store.Store, user string, n int) {
	tb.Helper()
	ctx := tb.Context()
	account, err := st.Account(ctx, user)
	if err != nil {
		tb.Fatal(err)
	}
	by := store.Actor{Account: account.ID, Protocol: "imap"}
	box, err := st.Mailbox(ctx, by, "INBOX")
	if err != nil {
		tb.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	at := time.Date(2020, 3, 2, 9, 0, 0, 0, time.UTC)
	refs := make([]string, n)
	topic := make([]int, n)
	for done := 0; done < n; {
		var list []store.Insertion
		for ; len(list) < 1000 && done < n; done++ {
			subject := ""
			topic[done] = done
			if done > 0 && r.IntN(3) > 0 {
				to := max(0, done-1-r.IntN(200))
				topic[done], subject = topic[to], "Re: "
				parents := strings.Fields(refs[to])
				refs[done] = strings.Join(append(parents[max(0, len(parents)-7):], fmt.Sprintf("<%d.2020@mail.example.org>", to)), " ")
			}
			in := st.NewIngest(ctx, 0)
			person := r.IntN(1000)
			fmt.Fprintf(in, "From: Person %d <p%d@example.org>\r\nTo: Alice <alice%d@example.com>\r\nSubject: %sWhat became of number %d?\r\nDate: %s\r\nMessage-ID: <%d.2020@mail.example.org>\r\n",
				person, person, r.IntN(50), subject, topic[done]*7919%n, at.Add(time.Duration(done*60+r.IntN(9000))*time.Second).Format(time.RFC1123Z), done)
			if refs[done] != "" {
				fmt.Fprintf(in, "References: %s\r\n", refs[done])
			}
			fmt.Fprintf(in, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nText %d.\r\n", done)
			body, err := in.Finish()
			if err != nil {
				tb.Fatal(err)
			}
			in.Used()
			in.Close()
			list = append(list, store.Insertion{Mailbox: box.ID, Body: body, Internal: at.Add(time.Duration(done) * time.Minute), Flags: store.Flags(done % 2)})
		}
		if _, err := st.Append(ctx, by, list); err != nil {
			tb.Fatal(err)
		}
	}
}

// BenchmarkSort sorts a mailbox of 100,000 messages that all differ.
func BenchmarkSort(b *testing.B) {
	const messages = 100_000
	ts := startServer(b, nil)
	fillThreads(b, ts.store, "alice", messages)
	c := ts.login(b, "alice")
	_ = c.conn.SetDeadline(time.Time{})
	c.send("s SELECT INBOX")
	drain(b, c.conn, "s OK")
	for _, line := range []string{
		"SORT (ARRIVAL)", "SORT (REVERSE DATE)", "SORT (SUBJECT)", "SORT (FROM)", "SORT (DISPLAYFROM REVERSE DATE)",
	} {
		b.Run(line, func(b *testing.B) {
			for b.Loop() {
				c.send("x " + line + " UTF-8 ALL")
				drain(b, c.conn, "x OK")
			}
		})
	}
}

// BenchmarkThread threads the same mailbox.
func BenchmarkThread(b *testing.B) {
	ts := startServer(b, nil)
	fillThreads(b, ts.store, "alice", 100_000)
	c := ts.login(b, "alice")
	_ = c.conn.SetDeadline(time.Time{})
	c.send("s SELECT INBOX")
	drain(b, c.conn, "s OK")
	for _, how := range []string{"ORDEREDSUBJECT", "REFERENCES", "REFS"} {
		b.Run(how, func(b *testing.B) {
			for b.Loop() {
				c.send("x THREAD " + how + " UTF-8 ALL")
				drain(b, c.conn, "x OK")
			}
		})
	}
}
