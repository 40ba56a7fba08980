package imapd

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestUIDBatches cuts a mailbox with holes into batches: each has as many
// messages as asked for, and together they leave no UID out.
func TestUIDBatches(t *testing.T) {
	ts := startServer(t, nil)
	fill(t, ts.store, "alice", 2600)
	c := ts.login(t, "alice")
	_ = c.conn.SetDeadline(time.Now().Add(time.Minute))
	for _, line := range []string{"SELECT INBOX", "UID STORE 1:100,601:700,2550:2600 +FLAGS.SILENT (\\Deleted)", "EXPUNGE", "ENABLE UIDONLY"} {
		c.send("x " + line)
		drain(t, c.conn, "x OK")
	}
	c.send("a UIDBATCHES 500")
	list := strings.Split(strings.TrimPrefix(c.expect("* UIDBATCHES (TAG \"a\") ..."), "* UIDBATCHES (TAG \"a\") "), ",")
	c.expect("a OK ...")
	if len(list) != 5 {
		t.Fatalf("%d batches: %v", len(list), list)
	}
	next := 2549
	for i, r := range list {
		var high, low int
		if _, err := fmt.Sscanf(r, "%d:%d", &high, &low); err != nil || high != next || low > high {
			t.Fatalf("%s after %d: %v", r, next, err)
		}
		next = low - 1
		want := 500
		if i == 4 {
			want = 2349 - 4*500
		}
		c.send("b UID SEARCH RETURN (COUNT) UID " + r)
		c.expect(fmt.Sprintf("* ESEARCH (TAG \"b\") UID COUNT %d", want))
		c.expect("b OK ...")
	}
	if next != 0 {
		t.Errorf("the last batch ends at %d", next+1)
	}
	c.send("c UIDBATCHES 500 2:3")
	c.expect("* UIDBATCHES (TAG \"c\") " + strings.Join(list[1:3], ","))
	c.expect("c OK ...")
}
