package imapd

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tandem/store"
)

// TestNotifyOverflow lets more happen than is kept for a session that is busy:
// it is told so, and NOTIFY is off from then on.
func TestNotifyOverflow(t *testing.T) {
	ts := startServer(t, nil)
	c := ts.login(t, "alice")
	_ = c.conn.SetDeadline(time.Now().Add(time.Minute))
	c.send("a NOTIFY SET (personal (MessageNew MessageExpunge MailboxName))")
	c.expect("a OK ...")
	c.send("b APPEND INBOX {4}") // busy from here on
	c.expect("+ ...")
	account, err := ts.store.Account(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	by := store.Actor{Account: account.ID, Protocol: "imap"}
	for n := range 1001 {
		if _, err := ts.store.CreateMailbox(t.Context(), by, by.Account, store.NewMailbox{Name: fmt.Sprintf("box%d", n)}); err != nil {
			t.Fatal(err)
		}
	}
	c.send("a: b")
	c.expect("b OK ...")
	c.expect("* OK [NOTIFICATIONOVERFLOW] ...")
	if err := ts.store.SetSubscribed(t.Context(), by, "box1", true); err != nil {
		t.Fatal(err)
	}
	c.send("c NOOP")
	c.expect("c OK ...")
	c.send("d NOTIFY SET (mailboxes (" + strings.Repeat("a ", maxNotifyNames) + "a) (MailboxName))")
	c.expect("d NO [NOTIFICATIONOVERFLOW] ...")
}

// TestNotifyAtDrain: a session that waits for notifications says goodbye when
// the server stops.
func TestNotifyAtDrain(t *testing.T) {
	ts := startServer(t, nil)
	c := ts.login(t, "alice")
	c.send("a NOTIFY SET (selected (MessageNew MessageExpunge)) (personal (MailboxName))")
	c.expect("a OK ...")
	ts.stop()
	c.expect("* BYE ...")
	c.closed()
}
