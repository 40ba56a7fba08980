package clienttest

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/emersion/go-imap/v2"
)

// readFile reads a file as text.
func readFile(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// offlineimap syncs all mailboxes with dir/mail.
func offlineimap(t testing.TB, dir string, to target) {
	t.Helper()
	config := write(t, filepath.Join(dir, "offlineimaprc"),
		"[general]", "accounts = a", "metadata = "+dir+"/meta", "ui = basic", "",
		"[Account a]", "localrepository = near", "remoterepository = far", "",
		"[Repository near]", "type = Maildir", "localfolders = "+dir+"/mail", "",
		"[Repository far]", "type = IMAP", "remotehost = localhost", "remoteport = "+port(t, to.IMAPS), "ssl = yes",
		"sslcacertfile = "+to.CA, "ssl_version = tls1_2", "remoteuser = "+to.User, "remotepass = "+to.Pass)
	mustProgram(t, dir, "offlineimap", "-c", config)
}

// TestOfflineimap syncs folders there and back: mail, flags and deletions.
func TestOfflineimap(t *testing.T) {
	t.Parallel()
	needs(t, "offlineimap", "offlineimap3")
	to, mails, dir := newTarget(t), samples(), t.TempDir()
	c := imapSession(t, to, nil)
	if err := c.Create("Lists/Go", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	fill(t, to, "INBOX", mails[:4])
	fill(t, to, "Lists/Go", mails[4:6], imap.FlagSeen)
	offlineimap(t, dir, to)
	inbox, lists := filepath.Join(dir, "mail", "INBOX"), filepath.Join(dir, "mail", "Lists.Go")
	sameMail(t, values(maildirFiles(t, inbox)), mails[:4])
	sameMail(t, values(maildirFiles(t, lists)), mails[4:6])

	// One is deleted here, one comes here, all are flagged there, one comes there.
	files := maildirFiles(t, inbox)
	for path, text := range files {
		if one(text) == one(mails[1]) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(lists, "new", "1.1.here"), lf(mails[7]), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Select("Lists/Go", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	flagAll(t, c, imap.FlagFlagged)
	fill(t, to, "INBOX", mails[8:9])
	offlineimap(t, dir, to)

	left := slices.Concat(mails[:1], mails[2:4], mails[8:9])
	sameMail(t, values(maildirFiles(t, inbox)), left)
	sameMail(t, mailboxMail(t, to, "INBOX"), left)
	sameMail(t, unmarked(mailboxMail(t, to, "Lists/Go")), slices.Concat(mails[4:6], mails[7:8]))
	flagged := 0
	for path := range maildirFiles(t, lists) {
		if filepath.Base(path)[len(filepath.Base(path))-2:] == "FS" {
			flagged++
		}
	}
	if flagged != 2 {
		t.Errorf("%d messages are flagged here, 2 are there", flagged)
	}
}
