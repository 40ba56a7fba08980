package clienttest

import (
	"fmt"
	"strings"
	"testing"
)

// TestRecentlyDeleted brings mail back by copying it out of the mailbox that
// shows what was expunged, over either protocol.
func TestRecentlyDeleted(t *testing.T) {
	t.Parallel()
	s := startServer(t, "[retention]\nrecently_deleted = true\n")
	to, mails := s.account(t, "alice"), samples()
	s.mustRun(t, "account", "policy", "alice", "--pop3-delete", "expunge")
	fill(t, to, "INBOX", mails[:3], `\Flagged`)
	before := uidls(t, to)
	c := dialLines(t, to.IMAP, &to)
	c.ok(t, "SELECT INBOX")
	c.ok(t, `STORE 1 +FLAGS (\Deleted)`)
	c.ok(t, "EXPUNGE")
	p := pop(t, to)
	p.must(t, "DELE 1", "QUIT")
	c.ok(t, "NOOP")

	if got := strings.Join(c.ok(t, `LIST "" "Recently*" RETURN (SUBSCRIBED MYRIGHTS STATUS (MESSAGES UNSEEN))`), "\n"); !strings.Contains(got, `\Subscribed`) ||
		!strings.Contains(got, `* MYRIGHTS "Recently Deleted" lr`) || !strings.Contains(got, `(MESSAGES 2 UNSEEN 2)`) {
		t.Errorf("the mailbox is listed as %q", got)
	}
	if got := strings.Join(c.command(t, `SELECT "Recently Deleted"`), "\n"); !strings.Contains(got, "OK [READ-ONLY]") || !strings.Contains(got, "* 2 EXISTS") {
		t.Errorf("SELECT gives %q", got)
	}
	sameMail(t, mailboxMail(t, to, "Recently Deleted"), mails[:2])
	for _, command := range []string{`STORE 1 +FLAGS (\Seen)`, "MOVE 1 INBOX", `RENAME "Recently Deleted" Mine`, `DELETE "Recently Deleted"`,
		`SETACL "Recently Deleted" bob lr`, `SETMETADATA "Recently Deleted" (/shared/comment "mine")`,
		`CREATE "Recently Deleted/x"`, `RENAME Archive "Recently Deleted/x"`, `APPEND "Recently Deleted" {1+}` + "\r\nx"} {
		if lines := c.command(t, command); !strings.Contains(lines[len(lines)-1], "NO [NOPERM]") {
			t.Errorf("%s: %q", command, lines)
		}
	}
	c.ok(t, "COPY 1:* INBOX")
	c.ok(t, "SELECT INBOX")
	if got := strings.Join(c.ok(t, "FETCH 1:* (FLAGS)"), "\n"); strings.Count(got, `\Flagged`) != 3 || strings.Contains(got, `\Deleted`) {
		t.Errorf("flags after the copy: %q", got)
	}
	if after := uidls(t, to); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("UIDLs %q, want %q", after, before)
	}
	if out := s.mustRun(t, "undelete", "alice"); !strings.Contains(out, "0 messages brought back") {
		t.Errorf("undelete printed %q", out)
	}
	s.mustRun(t, "check")
}
