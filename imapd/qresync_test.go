package imapd

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"tandem/auth"
	"tandem/store"
)

// TestResyncAfterPruning resumes from before the oldest tombstone that is left:
// whatever the client may still have of what is gone must be named.
func TestResyncAfterPruning(t *testing.T) {
	st := openStore(t, store.Options{KeepExpunged: time.Nanosecond, UpkeepEvery: time.Millisecond, PruneEvery: time.Millisecond})
	ts := startServer(t, func(cfg *Config) {
		cfg.Store = st
		cfg.Auth = auth.New(st, auth.Config{Log: slog.New(slog.DiscardHandler)})
	})
	by := fill(t, st, "alice", 10)
	c := ts.login(t, "alice")
	run := func(line, tagged string) (untagged []string) {
		t.Helper()
		c.send(line)
		for {
			line := c.line()
			if strings.HasPrefix(line, "x ") {
				if !matches(tagged, line) {
					t.Fatalf("got %s, want %s", line, tagged)
				}
				return untagged
			}
			untagged = append(untagged, line)
		}
	}
	run("x ENABLE QRESYNC", "x OK ...")
	run("x SELECT INBOX", "x OK ...")
	for _, uid := range []int{2, 9, 10} {
		run(fmt.Sprintf("x UID STORE %d +FLAGS.SILENT (\\Deleted)", uid), "x OK ...")
		run("x EXPUNGE", "x OK [HIGHESTMODSEQ ...] ...")
	}
	run("x UNSELECT", "x OK ...")
	deadline := time.Now().Add(10 * time.Second)
	for {
		box, err := st.Mailbox(t.Context(), by, "INBOX")
		if err != nil {
			t.Fatal(err)
		}
		if box.PrunedModSeq > 2 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("tombstones were not pruned")
		}
		run("x NOOP", "x OK ...")
	}
	for _, ask := range []string{
		"x SELECT INBOX (QRESYNC (<UIDVALIDITY> 2))",
		"x UID FETCH 1:* FLAGS (CHANGEDSINCE 2 VANISHED)",
		"x UID FETCH 1:12 FLAGS (CHANGEDSINCE 2 VANISHED)",
	} {
		if got := run(ask, "x OK ..."); !strings.Contains(strings.Join(got, "\n"), "* VANISHED (EARLIER) 2,9:10") {
			t.Errorf("%s gave %q", ask, got)
		}
	}
}

// BenchmarkResync comes back to a mailbox of 100,000 messages of which one in
// a hundred has changed and as many are gone.
func BenchmarkResync(b *testing.B) {
	for name, memory := range map[string]int64{"Warm": 0, "Cold": 1} {
		b.Run(name, func(b *testing.B) {
			st := openStore(b, store.Options{IndexMemory: memory})
			ts := startServer(b, func(cfg *Config) {
				cfg.Store = st
				cfg.Auth = auth.New(st, auth.Config{Log: slog.New(slog.DiscardHandler)})
			})
			fill(b, st, "alice", 100_000)
			c := ts.login(b, "alice")
			_ = c.conn.SetDeadline(time.Time{})
			c.send("x ENABLE QRESYNC")
			drain(b, c.conn, "x OK")
			box, err := st.Mailbox(b.Context(), store.Actor{Account: 1, Protocol: "imap"}, "INBOX")
			if err != nil {
				b.Fatal(err)
			}
			c.send("x SELECT INBOX")
			drain(b, c.conn, "x OK")
			var flagged, gone []string
			for uid := 1; uid < 100_000; uid += 100 {
				flagged, gone = append(flagged, fmt.Sprint(uid)), append(gone, fmt.Sprint(uid+50))
			}
			for _, line := range []string{
				"UID STORE " + strings.Join(flagged, ",") + " +FLAGS.SILENT (\\Flagged)",
				"UID STORE " + strings.Join(gone, ",") + " +FLAGS.SILENT (\\Deleted)",
				"EXPUNGE", "UNSELECT",
			} {
				c.send("x " + line)
				drain(b, c.conn, "x OK")
			}
			for b.Loop() {
				c.send(fmt.Sprintf("x SELECT INBOX (QRESYNC (%d %d))", box.UIDValidity, box.HighestModSeq))
				drain(b, c.conn, "x OK")
				b.StopTimer()
				c.send("x UNSELECT")
				drain(b, c.conn, "x OK")
				b.StartTimer()
			}
		})
	}
}
