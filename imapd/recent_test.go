package imapd

import (
	"testing"

	"tandem/store"
)

// TestStatusRecent: what came and was removed again is not \Recent.
func TestStatusRecent(t *testing.T) {
	ts := startServer(t, nil)
	by := actorOf(t, ts.store, "alice")
	c := ts.login(t, "alice")
	v := openInbox(t, ts.store, by)
	put(t, ts.store, by, v.ID())
	v.ClaimRecent(false)
	v.Advance(store.Reach{New: true})
	v.ClaimRecent(false)
	for range 3 {
		put(t, ts.store, by, v.ID())
	}
	c.send("a STATUS INBOX (MESSAGES RECENT)")
	c.expect("* STATUS INBOX (MESSAGES 4 RECENT 3)")
	c.expect("a OK ...")
	third := store.UIDSet{{Start: 3, Stop: 3}}
	_, err := v.SetFlags(t.Context(), store.FlagsChange{UIDs: third, Flags: store.FlagDeleted})
	must(t, err)
	_, err = v.Expunge(t.Context(), third)
	must(t, err)
	c.send("b STATUS INBOX (MESSAGES RECENT)")
	c.expect("* STATUS INBOX (MESSAGES 3 RECENT 2)")
	c.expect("b OK ...")
}
