package imapd

import (
	"strings"
	"testing"
	"time"
)

// TestSearchOutlivesStop: a search in hand when the server stops is answered,
// then the client hears BYE.
func TestSearchOutlivesStop(t *testing.T) {
	ts := startServer(t, nil)
	fill(t, ts.store, "alice", 20_000)
	c := ts.login(t, "alice")
	c.send("1 SELECT INBOX")
	for !strings.HasPrefix(c.line(), "1 OK") {
	}
	places := make([]func(), 0, 2) // with all places taken the search is sure to be waiting
	id, err := ts.store.Account(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	for range cap(places) {
		release, err := ts.store.BeginSearch(t.Context(), id.ID)
		if err != nil {
			t.Fatal(err)
		}
		places = append(places, release)
	}
	c.send("2 SEARCH BODY nowhere")
	time.AfterFunc(100*time.Millisecond, ts.stop)
	time.AfterFunc(300*time.Millisecond, func() {
		for _, release := range places {
			release()
		}
	})
	c.expect("* SEARCH")
	c.expect("2 OK ...")
	c.expect("* BYE ...")
}
