package pop3d

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"tandem/store"
)

// fill puts n small messages into alice's INBOX.
func (w *world) fill(n, size int) {
	w.t.Helper()
	w.fillWith(n, size, false, "")
}

// fillWith makes them internationalized, or gives them UIDLs with a prefix.
func (w *world) fillWith(n, size int, utf8 bool, uidl string) {
	w.t.Helper()
	text := message(1)
	if utf8 {
		text = "Subject: \u00fc\r\n" + text
	}
	text += strings.Repeat(strings.Repeat("x", 62)+"\r\n", max(0, size-len(text))/64)
	in := w.store.NewIngest(w.t.Context(), 0)
	defer in.Close()
	if utf8 {
		in.MarkUTF8()
	}
	if _, err := in.Write([]byte(text)); err != nil {
		w.t.Fatal(err)
	}
	body, err := in.Finish()
	if err != nil {
		w.t.Fatal(err)
	}
	in.Used()
	inbox := w.mailbox("INBOX").ID
	for n > 0 {
		list := make([]store.Insertion, min(n, 5000))
		for i := range list {
			list[i] = store.Insertion{Mailbox: inbox, Body: body, Internal: w.store.Now()}
			if uidl != "" {
				list[i].UIDL = uidl + strconv.Itoa(n-i)
			}
		}
		n -= len(list)
		if _, err := w.store.Append(w.t.Context(), w.by, list); err != nil {
			w.t.Fatal(err)
		}
	}
}

// BenchmarkListings logs in and asks for STAT, UIDL and LIST of 100,000
// messages; also of such that have imported UIDLs, or were internationalized.
func BenchmarkListings(b *testing.B) {
	for name, fill := range map[string]func(*world){
		"plain":      func(w *world) { w.fill(100_000, 0) },
		"imported":   func(w *world) { w.fillWith(100_000, 0, false, "old.") },
		"downgraded": func(w *world) { w.fillWith(100_000, 0, true, "") },
	} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b).listen()
			fill(w)
			for b.Loop() {
				c := w.login()
				c.send("STAT\r\nUIDL\r\nLIST\r\nQUIT\r\n")
				if n, err := countLines(c.r); err != nil || n != 2*100_000+6 {
					b.Fatal(n, err)
				}
			}
		})
	}
}

func countLines(r *bufio.Reader) (n int, err error) {
	for {
		_, err := r.ReadSlice('\n')
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		n++
	}
}

// BenchmarkRetr retrieves 10,000 messages of 4 KiB, all asked for at once, or
// one after the other's end.
func BenchmarkRetr(b *testing.B) {
	const messages = 10_000
	w := newWorld(b).listen()
	w.fill(messages, 4<<10)
	var all strings.Builder
	for n := range messages {
		fmt.Fprintf(&all, "RETR %d\r\n", n+1)
	}
	all.WriteString("QUIT\r\n")
	report := func(b *testing.B) {
		b.ReportMetric(float64(b.N)*messages/b.Elapsed().Seconds(), "messages/s")
	}
	b.Run("pipelined", func(b *testing.B) {
		for b.Loop() {
			c := w.login()
			go c.Write([]byte(all.String()))
			if n, err := countLines(c.r); err != nil || n < messages*60 {
				b.Fatal(n, err)
			}
		}
		report(b)
	})
	b.Run("stepwise", func(b *testing.B) {
		for b.Loop() {
			c := w.login()
			for n := range messages {
				c.send(fmt.Sprintf("RETR %d\r\n", n+1))
				for line := []byte(nil); string(line) != ".\r\n"; {
					var err error
					if line, err = c.r.ReadSlice('\n'); err != nil {
						b.Fatal(err)
					}
				}
			}
			c.script("C: QUIT\nS: +OK*\nS: EOF")
		}
		report(b)
	})
}

// BenchmarkQuit deletes 100,000 messages under each policy.
func BenchmarkQuit(b *testing.B) {
	const messages = 100_000
	var all strings.Builder
	for n := range messages {
		fmt.Fprintf(&all, "DELE %d\r\n", n+1)
	}
	all.WriteString("QUIT\r\n")
	for _, policy := range []store.DeletePolicy{store.DeleteTrash, store.DeleteExpunge, store.DeleteKeep, store.DeleteShared} {
		b.Run(string(policy), func(b *testing.B) {
			w := newWorld(b).listen()
			w.setPolicy(policy)
			for b.Loop() {
				b.StopTimer()
				w.fill(messages, 0)
				b.StartTimer()
				c := w.login()
				go c.Write([]byte(all.String()))
				if n, err := countLines(c.r); err != nil || n != messages+1 {
					b.Fatal(n, err)
				}
			}
		})
	}
}

// BenchmarkHidden logs in, with STAT, UIDL and LIST, as a device that has deleted
// 100,000 messages under keep and sees 100,000.
func BenchmarkHidden(b *testing.B) {
	w := newWorld(b).listen()
	w.device("a", deletes(store.DeleteKeep))
	w.fill(100_000, 0)
	w.as("a").deleteAll(100_000)
	w.fill(100_000, 0)
	b.ResetTimer()
	for b.Loop() {
		c := w.as("a")
		c.send("STAT\r\nUIDL\r\nLIST\r\nQUIT\r\n")
		if n, err := countLines(c.r); err != nil || n != 2*100_000+6 {
			b.Fatal(n, err)
		}
	}
}

// BenchmarkQuitShared deletes 100,000 messages as the last of three devices, and
// half of them, every other one, as the second.
func BenchmarkQuitShared(b *testing.B) {
	const messages = 100_000
	for b.Loop() {
		b.StopTimer()
		w := newWorld(b).listen()
		for _, label := range []string{"a", "b", "c"} {
			w.device(label, deletes(store.DeleteShared))
		}
		w.fill(messages, 0)
		w.as("a").deleteAll(messages)
		second := w.as("b")
		b.StartTimer()
		start := time.Now()
		second.deleteEvery(messages, 2)
		b.ReportMetric(time.Since(start).Seconds(), "s/half")
		w.as("b").deleteAll(messages / 2)
		third := w.as("c")
		start = time.Now()
		third.deleteAll(messages)
		b.ReportMetric(time.Since(start).Seconds(), "s/last")
		b.StopTimer()
		if left := w.mailbox("INBOX").Messages; left != 0 {
			b.Fatalf("%d messages are left", left)
		}
		b.StartTimer()
	}
}

// deleteAll deletes all messages of a session, and ends it.
func (c *client) deleteAll(n int) {
	c.t.Helper()
	c.deleteEvery(n, 1)
}

// deleteEvery deletes every step-th of n messages, and ends the session.
func (c *client) deleteEvery(n, step int) {
	c.t.Helper()
	var all strings.Builder
	for i := 1; i <= n; i += step {
		fmt.Fprintf(&all, "DELE %d\r\n", i)
	}
	all.WriteString("QUIT\r\n")
	go c.Write([]byte(all.String()))
	for i := 0; ; i++ {
		line, err := c.r.ReadString('\n')
		if err == io.EOF && i == (n+step-1)/step+1 {
			return
		}
		if err != nil || !strings.HasPrefix(line, "+OK") {
			c.t.Fatalf("answer %d: %q, %v", i, line, err)
		}
	}
}
