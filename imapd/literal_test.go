package imapd

import (
	"fmt"
	"strings"
	"testing"
)

// TestShortLiterals: with LITERAL- (RFC 7888 section 5) only short literals
// come unasked. A longer one is BAD, is not run as commands, and the session
// goes on.
func TestShortLiterals(t *testing.T) {
	ts := startServer(t, func(cfg *Config) { cfg.ShortLiterals = true })
	c := ts.dial(t)
	if line := c.expect("* OK [CAPABILITY ... LITERAL- ...] ..."); strings.Contains(line, "LITERAL+") {
		t.Errorf("both are told: %s", line)
	}
	c.raw("1 LOGIN {5+}\r\nalice {6+}\r\nsecret\r\n")
	c.expect("1 OK ...")
	message := func(n int) string { return "a: 1\r\n\r\n" + strings.Repeat("x", n-8) }
	c.raw("2 APPEND INBOX {4096+}\r\n" + message(4096) + "\r\n")
	c.expect("2 OK ...")
	c.raw("3 APPEND INBOX {4097+}\r\n" + strings.Repeat("x\r\nx NOOP\r\n", 373)[:4097] + "\r\n")
	c.expect("3 BAD Literal sent without asking is too long (the limit is 4096)")
	c.raw(fmt.Sprintf("4 LOGIN {%d+}\r\n%s x\r\n", 5000, strings.Repeat("y", 5000)))
	c.expect("4 BAD ...")
	c.send("5 APPEND INBOX {5000}")
	c.expect("+ ...")
	c.raw(message(5000) + "\r\n")
	c.expect("5 OK ...")
}
