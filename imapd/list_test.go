package imapd

import (
	"strings"
	"testing"
)

// TestWildPatternsAreBounded: a hundred long patterns that are wild cost too
// much; as many names without wildcards are welcome.
func TestWildPatternsAreBounded(t *testing.T) {
	ts := startServer(t, nil)
	c := ts.login(t, "alice")
	wild := strings.Repeat("*a", 100)
	c.send(`1 LIST "" (` + strings.Repeat(wild+" ", 99) + wild + ")")
	c.expect("1 BAD Patterns too long ...")
	c.send(`2 LIST "` + strings.Repeat("*a", 4000) + `" (a b c)`)
	c.expect("2 BAD Patterns too long ...")
	long := strings.Repeat("a", 200)
	c.send(`3 LIST "" (` + strings.Repeat(long+" ", 99) + "Sent)")
	c.expect(`* LIST (\HasNoChildren \Sent) "/" Sent`)
	c.expect("3 OK ...")
}
