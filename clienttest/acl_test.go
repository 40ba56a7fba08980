package clienttest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
)

// TestMbsyncGuest syncs mailboxes that others share, both ways, as far as
// rights go: all of a team's, nothing but reading of a friend's.
func TestMbsyncGuest(t *testing.T) {
	t.Parallel()
	needs(t, "mbsync", "isync")
	s := startServer(t, "")
	alice, carol, team := s.account(t, "alice"), s.account(t, "carol"), s.account(t, "shared")
	s.mustRun(t, "acl", "set", "alice", "Work", "carol", "lr", "--make")
	s.mustRun(t, "acl", "set", "shared", "Team", "anyone", "lrswite", "--make")
	mails := samples()
	fill(t, alice, "Work", mails[:2])
	fill(t, team, "Team", mails[2:5])

	dir := t.TempDir()
	config := mbsyncConfig(t, dir, carol, "SSLType IMAPS", "Port "+port(t, carol.IMAPS))
	mbsync(t, dir, config)
	work, shared := filepath.Join(dir, "mail", "Other Users", "alice", "Work"), filepath.Join(dir, "mail", "Shared", "Team")
	sameMail(t, unmarked(values(maildirFiles(t, work))), mails[:2])
	sameMail(t, unmarked(values(maildirFiles(t, shared))), mails[2:5])
	if got := mbsync(t, dir, config); len(got) != 0 {
		t.Errorf("the second sync sent %q, want nothing", got)
	}

	// What she writes, reads and deletes in the team's mailbox is so for all.
	write(t, filepath.Join(shared, "new/1.1.here"), strings.TrimSuffix(string(lf(mails[8])), "\n"))
	var gone []byte
	for path, text := range maildirFiles(t, shared) {
		switch {
		case strings.HasSuffix(path, "1.1.here"):
		case gone == nil:
			gone = unmarked([][]byte{text})[0]
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		default:
			rename(t, path, withFlag(path, "S"))
		}
	}
	mbsync(t, dir, config)
	c := imapSession(t, team, nil)
	left, _, err := fetchAll(c, "Team")
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 3 {
		t.Errorf("the team has %d messages after one of 3 was deleted and one came", len(left))
	}
	seen := 0
	for _, m := range left {
		if one(m.text) == one(gone) {
			t.Error("the message that was deleted is still there")
		}
		for _, flag := range m.flags {
			if flag == imap.FlagSeen {
				seen++
			}
		}
	}
	if seen != 2 {
		t.Errorf("%d messages are read, want 2", seen)
	}

	// A right that is taken back holds at once: the mailbox is gone for her.
	s.mustRun(t, "acl", "set", "alice", "Work", "carol", "")
	boxes, err := imapSession(t, carol, nil).List("", "Other Users/*", nil).Collect()
	if err != nil || len(boxes) != 0 {
		t.Errorf("without rights she is told of %d mailboxes: %v", len(boxes), err)
	}
	fill(t, alice, "Work", mails[6:7])
	_, _ = program(t, dir, "mbsync", "-c", config, "all") // it may make the mailbox it misses anew, and cannot
	sameMail(t, mailboxMail(t, alice, "Work"), [][]byte{mails[0], mails[1], mails[6]})
	for _, text := range maildirFiles(t, work) {
		if one(unmarked([][]byte{text})[0]) == one(lf(mails[6])) {
			t.Error("she has got a message that came after her rights had gone")
		}
	}
}
