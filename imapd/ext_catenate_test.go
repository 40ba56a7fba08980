package imapd

import (
	"fmt"
	"strings"
	"testing"
)

// TestCatenateTooBig: the parts fit and their sum does not; a message of many
// chunks is taken over whole.
func TestCatenateTooBig(t *testing.T) {
	c := startServer(t, nil).login(t, "alice")
	big := "a: b\r\n\r\n" + strings.Repeat(strings.Repeat("x", 62)+"\r\n", 10_000) // of the limit of 1 MiB
	c.raw(fmt.Sprintf("1 APPEND INBOX {%d+}\r\n%s\r\n", len(big), big))
	c.expect("1 OK ...")
	c.send("2 APPEND INBOX CATENATE (URL /INBOX/;UID=1 URL /INBOX/;UID=1)")
	c.expect("2 NO [TOOBIG] ...")
	c.raw("3 APPEND INBOX CATENATE (URL /INBOX/;UID=1 TEXT {3+}\r\nend)\r\n")
	c.expect("3 OK [APPENDUID ... 2] ...")
	c.send("4 SELECT INBOX")
	drain(t, c.conn, "4 OK")
	c.send("5 FETCH 2 (RFC822.SIZE)")
	c.expect(fmt.Sprintf("* 2 FETCH (RFC822.SIZE %d)", len(big)+3))
	c.expect("5 OK ...")
	c.send("6 SEARCH UID 1:2 TEXT xxend")
	c.expect("* SEARCH")
	c.expect("6 OK ...")
	c.send(fmt.Sprintf("7 FETCH 2 BODY.PEEK[]<%d.9>", len(big)-4))
	c.expect(fmt.Sprintf("* 2 FETCH (BODY[]<%d> {7}", len(big)-4))
	c.expect("xx")
	c.expect("end)")
	c.expect("7 OK ...")
}
