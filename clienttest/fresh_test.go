package clienttest

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// TestFreshMailbox appends to a mailbox that has just been selected, while
// others append to it too, and moves the message by the UID that APPEND gave.
func TestFreshMailbox(t *testing.T) {
	t.Parallel()
	s := startServer(t, "")
	to := s.account(t, "alice")
	mail := samples()[0]
	c := dialLines(t, to.IMAP, &to)
	for round := range 100 {
		box := fmt.Sprintf("Fresh%d", round)
		c.ok(t, "CREATE "+box)
		var others sync.WaitGroup
		for range 2 {
			others.Go(func() {
				o, err := dialIMAP(to, nil)
				if err != nil {
					t.Error(err)
					return
				}
				defer o.Close()
				for range 3 {
					if _, err := appendMail(o, box, mail); err != nil {
						t.Error(err)
					}
				}
			})
		}
		c.ok(t, "SELECT "+box)
		fmt.Fprintf(c, "a APPEND %s {%d+}\r\n%s\r\n", box, len(mail), mail)
		lines := c.until(t, "a ")
		var validity, uid uint32
		if _, err := fmt.Sscanf(lines[len(lines)-1], "a OK [APPENDUID %d %d]", &validity, &uid); err != nil {
			t.Fatalf("APPEND: %v in %q", err, lines)
		}
		moved := c.command(t, fmt.Sprintf("UID MOVE %d Archive", uid))
		if !strings.Contains(strings.Join(moved, "\n"), "COPYUID") {
			t.Fatalf("round %d: UID MOVE %d did nothing: %q; APPEND had said %q", round, uid, moved, lines)
		}
		others.Wait()
	}
}
