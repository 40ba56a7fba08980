package imapd

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// makeBoxes makes mailboxes box000, box001, ...
func makeBoxes(t *testing.T, c *client, n int) (names []string) {
	t.Helper()
	_ = c.conn.SetDeadline(time.Now().Add(time.Minute))
	for i := range n {
		names = append(names, fmt.Sprintf("box%03d", i))
		c.send("make CREATE " + names[i])
		c.expect("make OK ...")
	}
	return names
}

// TestSelectsInALoop: Outlook selects every folder over and over, 8,000 times a
// minute. They are answered faster than that, and say what is so.
func TestSelectsInALoop(t *testing.T) {
	ts := startServer(t, nil)
	c, other := ts.login(t, "alice"), ts.login(t, "alice")
	names := makeBoxes(t, c, 40)
	const rounds = 25
	start := time.Now()
	for round := range rounds {
		name := names[round]
		other.raw("put APPEND " + name + " {6+}\r\na: b\r\n\r\n")
		other.expect("put OK ...")
		for i, name := range names {
			c.send("s SELECT " + name)
			exists := ""
			for line := c.line(); !strings.HasPrefix(line, "s "); line = c.line() {
				if strings.HasSuffix(line, " EXISTS") {
					exists = line
				}
			}
			want := "* 0 EXISTS"
			if i <= round {
				want = "* 1 EXISTS"
			}
			if exists != want {
				t.Fatalf("%s in round %d: %s", name, round, exists)
			}
		}
	}
	took := time.Since(start)
	if perMinute := float64(rounds*len(names)) / took.Minutes(); perMinute < 8000 {
		t.Errorf("%.0f SELECTs a minute", perMinute)
	}
}

// TestNotifyOverManyMailboxes: FairEmail watches all its folders over one
// connection, and hears of each.
func TestNotifyOverManyMailboxes(t *testing.T) {
	ts := startServer(t, nil)
	c, other := ts.login(t, "alice"), ts.login(t, "alice")
	names := makeBoxes(t, c, 300)
	c.send("n NOTIFY SET STATUS (selected (MessageNew (UID) MessageExpunge FlagChange)) " +
		"(mailboxes (INBOX " + strings.Join(names, " ") + ") (MessageNew MessageExpunge FlagChange))")
	for range len(names) + 1 {
		c.expect("* STATUS ... (MESSAGES 0 UIDNEXT 1 ...")
	}
	c.expect("n OK ...")
	c.send("i SELECT INBOX")
	for !strings.HasPrefix(c.line(), "i OK") {
	}
	for _, name := range names {
		other.raw("put APPEND " + name + " {6+}\r\na: b\r\n\r\n")
		other.expect("put OK ...")
	}
	other.raw("put APPEND INBOX {6+}\r\na: b\r\n\r\n")
	other.expect("put OK ...")
	heard := map[string]bool{}
	_ = c.conn.SetDeadline(time.Now().Add(20 * time.Second))
	for !heard["INBOX"] || len(heard) <= len(names) {
		switch line := c.line(); {
		case strings.HasPrefix(line, "* STATUS box") && strings.Contains(line, " (MESSAGES 1 UIDNEXT 2 "):
			heard[strings.Fields(line)[2]] = true
		case strings.HasPrefix(line, "* 1 FETCH (UID 1"):
			heard["INBOX"] = true
		case line != "* 1 EXISTS" && line != "* 1 RECENT":
			t.Fatalf("told %s", line)
		}
	}
}
