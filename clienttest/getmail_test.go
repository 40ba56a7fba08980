package clienttest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// getmail runs the program with a retriever and options of its own; mail goes to
// files of dir/mail (as root getmail delivers to no Maildir).
func getmail(t testing.TB, dir string, to target, retriever, port, option string, more ...string) {
	t.Helper()
	lines := append([]string{
		"[retriever]", "type = " + retriever, "server = localhost", "port = " + port,
		"username = " + to.User, "password = " + to.Pass, "ca_certs = " + to.CA,
	}, more...)
	config := write(t, filepath.Join(dir, "getmailrc"), append(lines,
		"[destination]", "type = MDA_external", "path = /bin/sh", "allow_root_commands = true",
		fmt.Sprintf(`arguments = ("-c", %q)`, saveCommand(t, dir)),
		"[options]", "verbose = 1", "delivered_to = false", "received = false", option)...)
	mustProgram(t, dir, "getmail", "--getmaildir", dir, "--rcfile", config)
}

func TestGetmailPOP3(t *testing.T) {
	t.Parallel()
	needs(t, "getmail", "getmail6")
	to, mails, dir := newTarget(t), samples(), t.TempDir()
	fill(t, to, "INBOX", mails[:6])

	// Without delete and read_all: each once, and all stay.
	getmail(t, dir, to, "SimplePOP3SSLRetriever", port(t, to.POP3S), "read_all = false")
	sameMail(t, unmarked(savedMail(t, dir)), mails[:6])
	fill(t, to, "INBOX", mails[6:])
	getmail(t, dir, to, "SimplePOP3SSLRetriever", port(t, to.POP3S), "read_all = false")
	sameMail(t, unmarked(savedMail(t, dir)), mails)
	sameMail(t, mailboxMail(t, to, "INBOX"), mails)

	dir = t.TempDir()
	getmail(t, dir, to, "SimplePOP3SSLRetriever", port(t, to.POP3S), "delete = true")
	sameMail(t, unmarked(savedMail(t, dir)), mails)
	sameMail(t, mailboxMail(t, to, "INBOX"), nil)
}

// TestGetmailDeleteAfter has getmail delete what it fetched days ago: it notes
// when that was, and the note is set back.
func TestGetmailDeleteAfter(t *testing.T) {
	t.Parallel()
	needs(t, "getmail", "getmail6")
	to, mails, dir := newTarget(t), samples(), t.TempDir()
	fill(t, to, "INBOX", mails[:4])
	run := func() {
		getmail(t, dir, to, "SimplePOP3SSLRetriever", port(t, to.POP3S), "read_all = false\ndelete_after = 2")
	}
	run()
	notes, err := filepath.Glob(filepath.Join(dir, "oldmail-*"))
	if err != nil || len(notes) != 1 {
		t.Fatalf("getmail's notes: %v, %v", notes, err)
	}
	threeDaysAgo := fmt.Sprintf("${1}%d", time.Now().Add(-72*time.Hour).Unix())
	old := regexp.MustCompile(`(?m)^([^\x00]+\x00)\d+$`).ReplaceAllString(readFile(t, notes[0]), threeDaysAgo)
	if err := os.WriteFile(notes[0], []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	fill(t, to, "INBOX", mails[4:6])
	run()
	sameMail(t, unmarked(savedMail(t, dir)), mails[:6])
	sameMail(t, mailboxMail(t, to, "INBOX"), mails[4:6])
}

func TestGetmailIMAP(t *testing.T) {
	t.Parallel()
	needs(t, "getmail", "getmail6")
	to, mails, dir := newTarget(t), samples(), t.TempDir()
	fill(t, to, "INBOX", mails)
	if err := imapSession(t, to, nil).Create("Read", nil).Wait(); err != nil {
		t.Fatal(err)
	}

	getmail(t, dir, to, "SimpleIMAPSSLRetriever", port(t, to.IMAPS), "delete = true", "move_on_delete = Read")
	sameMail(t, unmarked(savedMail(t, dir)), mails)
	sameMail(t, mailboxMail(t, to, "INBOX"), nil)
	sameMail(t, mailboxMail(t, to, "Read"), mails)
}
