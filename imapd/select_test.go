package imapd

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"tandem/auth"
	"tandem/store"
	"tandem/store/sqlite"
)

// slowIndex is an engine whose indexes load when gate is closed.
type slowIndex struct {
	store.Engine
	gate chan struct{}
}

func (e *slowIndex) LoadIndex(ctx context.Context, id store.MailboxID, since store.ModSeq) (*store.LoadedIndex, error) {
	<-e.gate
	return e.Engine.LoadIndex(ctx, id, since)
}

// TestSelectDoesNotWait: SELECT, NOOP and IDLE answer while the index of the
// mailbox is not in memory, and a mailbox that is deleted then is told as
// emptied.
func TestSelectDoesNotWait(t *testing.T) {
	real, err := sqlite.Open(t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	engine := &slowIndex{real, make(chan struct{})}
	st := store.Open(engine, store.Options{})
	open := sync.OnceFunc(func() { close(engine.gate) })
	defer func() {
		open()
		_ = st.Close()
	}()
	if err := st.CreateAccounts(t.Context(), []store.NewAccount{{Name: "alice", Hash: "{PLAIN}secret", KeepScheme: true}}, false); err != nil {
		t.Fatal(err)
	}
	ts := startServer(t, func(cfg *Config) {
		cfg.Store, cfg.Auth = st, auth.New(st, auth.Config{Log: slog.New(slog.DiscardHandler)})
	})
	other := ts.login(t, "alice")
	other.raw("1 CREATE Tmp\r\n2 APPEND Tmp {4+}\r\na: b {4+}\r\na: b\r\n3 APPEND INBOX {4+}\r\na: b\r\n")
	other.skipTo("3 OK")
	c := ts.login(t, "alice")
	c.send("1 SELECT Tmp")
	c.expect("* FLAGS ...")
	c.expect("* OK [PERMANENTFLAGS ...")
	c.expect("* 2 EXISTS")
	c.expect("* 2 RECENT")
	c.expect("* OK [UIDVALIDITY ...") // no UNSEEN: it is not known yet
	c.skipTo("1 OK")
	c.raw("2 NOOP\r\n3 IDLE\r\n")
	c.expect("2 OK ...")
	c.expect("+ idling")
	other.send("4 DELETE Tmp")
	other.expect("4 OK ...")
	c.expect("* 1 EXPUNGE")
	c.expect("* 1 EXPUNGE")
	c.raw("DONE\r\n4 SELECT INBOX\r\n")
	c.expect("3 OK ...")
	c.expect("* OK [CLOSED] ...")
	c.skipTo("4 OK")
	c.send("5 FETCH 1 (UID FLAGS)") // this one waits
	open()
	c.expect(`* 1 FETCH (UID 1 FLAGS (\Recent))`)
	c.expect("5 OK ...")
	for _, session := range []*client{c, other} {
		session.send("6 LOGOUT")
		session.skipTo("6 OK")
	}
}

// skipTo reads lines up to one that starts with prefix.
func (c *client) skipTo(prefix string) {
	c.t.Helper()
	for !strings.HasPrefix(c.line(), prefix) {
	}
}
