package imapd

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"tandem/auth"
	"tandem/store"
	"tandem/store/sqlite"
)

// slowEngine copies once it is told to.
type slowEngine struct {
	store.Engine
	release chan struct{}
}

func (e *slowEngine) Copy(ctx context.Context, by store.Actor, from, to store.MailboxID, uids store.UIDSet, move bool, maxKeywords int) (store.Copied, error) {
	<-e.release
	return e.Engine.Copy(ctx, by, from, to, uids, move, maxKeywords)
}

// TestCopyInProgress: a copy that takes long says that it goes on.
func TestCopyInProgress(t *testing.T) {
	inner, err := sqlite.Open(t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	engine := &slowEngine{inner, make(chan struct{})}
	st := store.Open(engine, store.Options{})
	t.Cleanup(func() { _ = st.Close() })
	if err := st.CreateAccounts(t.Context(), []store.NewAccount{{Name: "alice", Hash: "{PLAIN}secret", KeepScheme: true}}, false); err != nil {
		t.Fatal(err)
	}
	c := startServer(t, func(cfg *Config) {
		cfg.Store, cfg.Auth = st, auth.New(st, auth.Config{Log: slog.New(slog.DiscardHandler)})
		cfg.Limits.Progress = time.Millisecond
	}).login(t, "alice")
	c.raw("1 APPEND INBOX {4+}\r\na: b\r\n")
	c.expect("1 OK ...")
	c.send("2 SELECT INBOX")
	drain(t, c.conn, "2 OK")
	c.send("c3 COPY 1 Sent")
	c.expect(`* OK [INPROGRESS ("c3" NIL NIL)] Still at it`)
	c.expect(`* OK [INPROGRESS ("c3" NIL NIL)] Still at it`)
	close(engine.release)
	for {
		line := c.line()
		if !strings.HasPrefix(line, "* OK [INPROGRESS") {
			if !strings.HasPrefix(line, "c3 OK [COPYUID") {
				t.Fatal(line)
			}
			break
		}
	}
}

// TestSearchInProgress: a search tells how many messages it has looked at.
func TestSearchInProgress(t *testing.T) {
	c := startServer(t, func(cfg *Config) { cfg.Limits.Progress = time.Nanosecond }).login(t, "alice")
	c.raw("1 APPEND INBOX" + strings.Repeat(" {4+}\r\na: b", 70) + "\r\n")
	c.expect("1 OK ...")
	c.send("2 SELECT INBOX")
	drain(t, c.conn, "2 OK")
	c.send("s3 SEARCH RETURN (COUNT) TEXT b")
	want := []string{`* OK [INPROGRESS ("s3" 64 70)] Still at it`, `* OK [INPROGRESS ("s3" 70 70)] Still at it`, `* ESEARCH (TAG "s3") COUNT 70`}
	for _, line := range want {
		got := c.line()
		for strings.Contains(got, "NIL NIL") { // while waiting for its place
			got = c.line()
		}
		if got != line {
			t.Fatalf("got %s, want %s", got, line)
		}
	}
	c.expect("s3 OK ...")
	c.send("s] SEARCH RETURN (COUNT) BODY b")
	for got := c.line(); !strings.HasPrefix(got, "* ESEARCH"); got = c.line() {
		if !strings.HasPrefix(got, "* OK [INPROGRESS (NIL ") {
			t.Fatal(got)
		}
	}
}
