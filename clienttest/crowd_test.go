package clienttest

import (
	"fmt"
	"net"
	"testing"
	"time"
)

// TestIdleCrowd has 400 sessions over TLS idle on one mailbox: each is small, and
// each hears of a delivery.
func TestIdleCrowd(t *testing.T) {
	t.Parallel()
	const sessions = 400
	s := startServer(t, "[limits]\nsessions_per_user = 0\nsessions_per_user_address = 0\nconnections_per_address = 0\n")
	to := s.account(t, "alice")
	fill(t, to, "INBOX", samples())
	warm := idlingTLS(t, to) // the index, the login cache, the first handshake
	before := s.memory(t)
	crowd := []*lineClient{warm}
	for range sessions {
		crowd = append(crowd, idlingTLS(t, to))
	}
	each := (s.memory(t) - before) / sessions
	t.Logf("%d KiB an idle, selected TLS session", each>>10)
	// The figure is 100 KB; what the handshakes left for the garbage collector
	// counts here too, and how much that is depends on what else runs.
	if each > 160<<10 {
		t.Errorf("an idle session takes %d KiB, want under 100 and some garbage", each>>10)
	}
	start := time.Now()
	deliver(t, to, samples()[0])
	for _, c := range crowd {
		c.SetReadDeadline(time.Now().Add(patience))
		c.until(t, fmt.Sprintf("* %d EXISTS", len(samples())+1))
	}
	took := time.Since(start)
	t.Logf("all of them heard of a delivery within %v", took.Round(time.Millisecond))
	if took > 10*time.Second {
		t.Errorf("the last of %d sessions heard of a delivery after %v", sessions, took)
	}
}

// idlingTLS is idling over TLS.
func idlingTLS(t testing.TB, to target) *lineClient {
	t.Helper()
	conn, err := net.DialTimeout("tcp", to.IMAPS, patience)
	if err != nil {
		t.Fatal(err)
	}
	c := greeted(t, conn, &to)
	c.ok(t, fmt.Sprintf("LOGIN %q %q", to.User, to.Pass))
	c.ok(t, "SELECT INBOX")
	fmt.Fprint(c, "i IDLE\r\n")
	c.until(t, "+")
	return c
}
