package imapd

import (
	"fmt"
	"regexp"
	"testing"
)

// TestObjectIDsStay: a message keeps its ids wherever it is copied and moved,
// a mailbox its id when it is renamed, and both can be searched for.
func TestObjectIDsStay(t *testing.T) {
	ts := startServer(t, nil)
	c := ts.login(t, "alice")
	id := func(pattern, line string) string {
		t.Helper()
		m := regexp.MustCompile(pattern).FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("no %s in %s", pattern, line)
		}
		return m[1]
	}
	const objectID = `\(([A-Za-z0-9_-]{1,255})\)` // RFC 8474 section 7
	c.send("1 CREATE One")
	box := id(`MAILBOXID `+objectID, c.expect("1 OK ..."))
	c.send("2 RENAME One Two")
	c.expect("2 OK ...")
	c.send("3 CREATE One")
	if other := id(`MAILBOXID `+objectID, c.expect("3 OK ...")); other == box {
		t.Errorf("two mailboxes have the id %s", box)
	}
	c.send("4 STATUS Two (MAILBOXID)")
	if got := id(`MAILBOXID `+objectID, c.expect("* STATUS ...")); got != box {
		t.Errorf("MAILBOXID was %s, is %s after RENAME", box, got)
	}
	c.expect("4 OK ...")

	first := "Message-ID: <1@x>\r\n\r\n"
	reply := "Message-ID: <2@x>\r\nReferences: <1@x>\r\n\r\n"
	c.raw(fmt.Sprintf("5 APPEND One {%d+}\r\n%s {%d+}\r\n%s {4+}\r\na: b\r\n", len(first), first, len(reply), reply))
	c.expect("5 OK ...")
	c.send("6 SELECT One")
	drain(t, c.conn, "6 OK")
	var emails, threads [3]string
	c.send("7 FETCH 1:3 (EMAILID THREADID)")
	for i := range emails {
		line := c.line()
		emails[i], threads[i] = id(`EMAILID `+objectID, line), id(`THREADID `+objectID, line)
	}
	c.expect("7 OK ...")
	if threads[0] != threads[1] || threads[2] == threads[0] || emails[0] == emails[1] {
		t.Errorf("EMAILIDs %v, THREADIDs %v", emails, threads)
	}
	c.send("8 SEARCH THREADID " + threads[0])
	c.expect("* SEARCH 1 2")
	c.expect("8 OK ...")
	c.send("9 SEARCH NOT EMAILID " + emails[1])
	c.expect("* SEARCH 1 3")
	c.expect("9 OK ...")
	c.send("10 COPY 3 Two")
	c.expect("10 OK ...")
	c.send("11 MOVE 2 Two")
	c.expect("* OK ...")
	c.expect("* 2 EXPUNGE")
	c.expect("11 OK ...")
	c.send("12 SELECT Two")
	drain(t, c.conn, "12 OK")
	c.send("13 FETCH 1:2 (EMAILID THREADID)")
	for _, was := range []int{2, 1} {
		c.expect(fmt.Sprintf("* ... FETCH (EMAILID (%s) THREADID (%s))", emails[was], threads[was]))
	}
	c.expect("13 OK ...")
}
