package imapd

import (
	"fmt"
	"strings"
	"testing"
)

// TestManyMessagesAtOnce: the messages of one APPEND are more than may be held
// in memory at a time, and come back as they were sent.
func TestManyMessagesAtOnce(t *testing.T) {
	ts := startServer(t, nil)
	c := ts.login(t, "alice")
	var list strings.Builder
	body := func(i int) string {
		return fmt.Sprintf("Subject: %d\r\n\r\n%s", i, strings.Repeat(fmt.Sprintf("line %d\r\n", i), 20_000))
	}
	const n = 20
	for i := range n {
		fmt.Fprintf(&list, " {%d+}\r\n%s", len(body(i)), body(i))
	}
	c.send("1 APPEND INBOX" + list.String() + " {15+}\r\nSubject: last\r\n")
	c.expect(fmt.Sprintf("1 OK [APPENDUID ... 1:%d] ...", n+1))
	c.send("2 SELECT INBOX")
	for !strings.HasPrefix(c.line(), "2 OK") {
	}
	for i := range n {
		if got := c.literal(fmt.Sprintf("UID FETCH %d (BODY.PEEK[])", i+1)); got != body(i) {
			t.Fatalf("message %d came back as %d octets of %d", i, len(got), len(body(i)))
		}
	}
}

// TestTooManyHeadersAtOnce: what cannot be stored ahead is bounded, and the
// refusal stores none of the messages.
func TestTooManyHeadersAtOnce(t *testing.T) {
	ts := startServer(t, nil)
	c := ts.login(t, "alice")
	message := strings.Repeat("X-Long: "+strings.Repeat("y", 1000)+"\r\n", 900) + "\r\n"
	literal := fmt.Sprintf(" {%d+}\r\n%s", len(message), message)
	c.send("1 APPEND INBOX" + strings.Repeat(literal, 6))
	c.expect("1 NO [LIMIT] ...")
	c.send("2 STATUS INBOX (MESSAGES UIDNEXT)")
	c.expect("* STATUS INBOX (MESSAGES 0 UIDNEXT 1)")
	c.expect("2 OK ...")
}
