package imapd

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"tandem/auth"
	"tandem/store"
)

// fill puts n messages into a user's INBOX. Every tenth has a text of its own.
func fill(tb testing.TB, st *store.Store, user string, n int) store.Actor {
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
	bodies := make([]*store.Body, 10)
	for i := range bodies {
		in := st.NewIngest(ctx, 0)
		fmt.Fprintf(in, "From: Person %d <person%d@example.org>\r\nTo: Alice <alice@example.com>\r\nSubject: Report number %d of the week\r\n"+
			"Date: Mon, 2 Mar 2020 10:00:00 +0100\r\nMessage-ID: <%d.20200302@example.org>\r\nReceived: from a by b; Mon, 2 Mar 2020 10:00:00 +0100\r\n"+
			"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s", i, i, i, i,
			strings.Repeat(fmt.Sprintf("Some words of text, line %d, that say nothing much at all.\r\n", i), 60))
		if bodies[i], err = in.Finish(); err != nil {
			tb.Fatal(err)
		}
		in.Used()
		in.Close()
	}
	at := time.Date(2020, 3, 2, 9, 0, 0, 0, time.UTC)
	for done := 0; done < n; {
		var list []store.Insertion
		for ; len(list) < 1000 && done < n; done++ {
			list = append(list, store.Insertion{Mailbox: box.ID, Body: bodies[done%10], Internal: at.Add(time.Duration(done) * time.Minute), Flags: store.Flags(done % 2)})
		}
		if _, err := st.Append(ctx, by, list); err != nil {
			tb.Fatal(err)
		}
	}
	return by
}

// BenchmarkCommands runs commands over a loopback socket on a mailbox of
// 100,000 messages; the figure that counts is resp/s, or s/op for SEARCH.
func BenchmarkCommands(b *testing.B) {
	const messages = 100_000
	ts := startServer(b, nil)
	fill(b, ts.store, "alice", messages)
	c := ts.login(b, "alice")
	_ = c.conn.SetDeadline(time.Time{})
	c.send("s SELECT INBOX")
	drain(b, c.conn, "s OK")
	for _, cmd := range []struct {
		name, line string
		responses  int
	}{
		{"FetchUIDFlags", "FETCH 1:* (UID FLAGS)", messages},
		{"UIDFetchFlags", "UID FETCH 1:* (FLAGS)", messages},
		{"FetchFast", "FETCH 1:* FAST", messages},
		{"FetchEnvelope", "FETCH 1:* (ENVELOPE)", messages},
		{"FetchBodyStructure", "FETCH 1:* (BODYSTRUCTURE)", messages},
		{"FetchHeaderFields", "FETCH 1:* (BODY.PEEK[HEADER.FIELDS (FROM SUBJECT DATE)])", messages},
		{"FetchBody", "FETCH 1:20000 (BODY.PEEK[])", 20_000},
		{"SearchUnseen", "UID SEARCH UNSEEN", 0},
		{"SearchSubject", "UID SEARCH SUBJECT nowhere", 0},
		{"SearchFrom", "UID SEARCH FROM person7", 0},
		{"SearchHeader", "UID SEARCH HEADER Received nowhere", 0},
		{"SearchBody", "UID SEARCH BODY nowhere", 0},
		{"StoreAll", "STORE 1:* +FLAGS.SILENT (\\Flagged)", 0},
	} {
		b.Run(cmd.name, func(b *testing.B) {
			for b.Loop() {
				c.send("x " + cmd.line)
				drain(b, c.conn, "x OK")
			}
			if cmd.responses > 0 {
				b.ReportMetric(float64(cmd.responses)*float64(b.N)/b.Elapsed().Seconds(), "resp/s")
			}
		})
	}
}

// BenchmarkColdMailbox selects a mailbox of 100,000 messages whose index is
// not in memory, and asks for all flags.
func BenchmarkColdMailbox(b *testing.B) {
	st := openStore(b, store.Options{IndexMemory: 1})
	ts := startServer(b, func(cfg *Config) {
		cfg.Store = st
		cfg.Auth = auth.New(st, auth.Config{Log: slog.New(slog.DiscardHandler)})
	})
	fill(b, st, "alice", 100_000)
	c := ts.login(b, "alice")
	_ = c.conn.SetDeadline(time.Time{})
	var selecting, fetching time.Duration
	for b.Loop() {
		start := time.Now()
		c.send("x SELECT INBOX")
		drain(b, c.conn, "x OK")
		selecting += time.Since(start)
		start = time.Now()
		c.send("x FETCH 1:* (FLAGS)")
		drain(b, c.conn, "x OK")
		fetching += time.Since(start)
		c.send("x UNSELECT")
		drain(b, c.conn, "x OK")
	}
	b.ReportMetric(float64(selecting.Microseconds())/1000/float64(b.N), "ms/select")
	b.ReportMetric(float64(fetching.Microseconds())/1000/float64(b.N), "ms/fetch")
}

// BenchmarkBigMessage fetches a message of 20 MB.
func BenchmarkBigMessage(b *testing.B) {
	const size = 20 << 20
	st := openStore(b, store.Options{})
	ts := startServer(b, func(cfg *Config) {
		cfg.Store, cfg.Limits = st, DefaultLimits(2*size)
		cfg.Auth = auth.New(st, auth.Config{Log: slog.New(slog.DiscardHandler)})
	})
	c := ts.login(b, "alice")
	_ = c.conn.SetDeadline(time.Time{})
	text := bigMessage(size)
	c.raw(fmt.Sprintf("1 APPEND INBOX {%d+}\r\n%s\r\n", len(text), text))
	drain(b, c.conn, "1 OK")
	c.send("2 SELECT INBOX")
	drain(b, c.conn, "2 OK")
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		c.send("x FETCH 1 BODY.PEEK[]")
		drain(b, c.conn, "x OK")
	}
}

// BenchmarkSmallCommands runs commands for one message each, one after the
// other and pipelined, as programs that sync do.
func BenchmarkSmallCommands(b *testing.B) {
	ts := startServer(b, nil)
	fill(b, ts.store, "alice", 100_000)
	c := ts.login(b, "alice")
	_ = c.conn.SetDeadline(time.Time{})
	c.send("s SELECT INBOX")
	drain(b, c.conn, "s OK")
	n := 0
	for _, pipelined := range []int{1, 100} {
		for _, cmd := range []string{"UID FETCH %d (FLAGS)", "UID FETCH %d (UID BODY.PEEK[])", "UID STORE %d +FLAGS.SILENT (\\Answered)", "NOOP"} {
			b.Run(fmt.Sprintf("%s/%d", strings.Fields(cmd)[len(strings.Fields(cmd))-1], pipelined), func(b *testing.B) {
				for b.Loop() {
					var lines strings.Builder
					for i := range pipelined {
						n++
						line := cmd
						if strings.Contains(cmd, "%") {
							line = fmt.Sprintf(cmd, 1+n*7919%100_000)
						}
						fmt.Fprintf(&lines, "%s%d %s\r\n", map[bool]string{true: "x", false: "y"}[i == pipelined-1], i, line)
					}
					c.raw(lines.String())
					drain(b, c.conn, fmt.Sprintf("x%d OK", pipelined-1))
				}
				b.ReportMetric(float64(pipelined)*float64(b.N)/b.Elapsed().Seconds(), "cmd/s")
			})
		}
	}
}

// drain reads until a line starts with want; it looks only at the end of what
// comes, so that it does not bound what is measured.
func drain(tb testing.TB, conn net.Conn, want string) {
	tb.Helper()
	buf := make([]byte, 0, 256<<10)
	for {
		if len(buf) == cap(buf) {
			buf = append(buf[:0], buf[len(buf)-4096:]...)
		}
		n, err := conn.Read(buf[len(buf):cap(buf)])
		if err != nil && err != io.EOF {
			tb.Fatal(err)
		}
		buf = buf[:len(buf)+n]
		if !bytes.HasSuffix(buf, []byte("\r\n")) {
			continue
		}
		line := buf[bytes.LastIndexByte(buf[:len(buf)-1], '\n')+1:]
		if bytes.HasPrefix(line, []byte(want)) {
			return
		}
		if bytes.HasPrefix(line, []byte("x NO")) || bytes.HasPrefix(line, []byte("x BAD")) {
			tb.Fatalf("%s", line)
		}
	}
}
