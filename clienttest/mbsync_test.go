package clienttest

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
)

// mbsyncConfig writes a configuration that keeps all mailboxes of the target in
// dir/mail, deletions and flags both ways.
func mbsyncConfig(t testing.TB, dir string, to target, tlsLines ...string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "mail"), 0o700); err != nil {
		t.Fatal(err)
	}
	lines := append([]string{
		"IMAPAccount there", "Host localhost",
		"User " + to.User, `Pass "` + to.Pass + `"`, "AuthMechs LOGIN",
		"CertificateFile " + to.CA,
	}, tlsLines...)
	return write(t, filepath.Join(dir, "mbsyncrc"), append(lines,
		"", "IMAPStore far", "Account there",
		"", "MaildirStore near", "Path "+dir+"/mail/", "Inbox "+dir+"/mail/INBOX", "SubFolders Verbatim",
		"", "Channel all", "Far :far:", "Near :near:", "Patterns *",
		"Create Both", "Remove Both", "Expunge Both", "SyncState *", "CopyArrivalDate yes")...)
}

// mbsyncTransfer finds the commands that carry mail or flags: what a run with
// nothing to do must not send.
var mbsyncTransfer = regexp.MustCompile(`>>> \d+ ((?:UID )?(?:FETCH .*BODY|APPEND|STORE|COPY|MOVE|EXPUNGE).*)`)

// mbsync runs the program and returns the commands that carried mail or flags.
func mbsync(t testing.TB, dir, config string) []string {
	t.Helper()
	out := mustProgram(t, dir, "mbsync", "-Dn", "-c", config, "all")
	if !strings.Contains(out, ">>> ") || strings.Contains(out, "Error") || strings.Contains(out, "warning") {
		t.Fatalf("mbsync printed:\n%s", out)
	}
	var sent []string
	for _, found := range mbsyncTransfer.FindAllStringSubmatch(out, -1) {
		sent = append(sent, found[1])
	}
	return sent
}

// snapshot returns the names of all files with mail below dir.
func snapshot(t testing.TB, dir string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, box := range []string{"INBOX", "Archive", "Lists/Go", "Sent"} {
		for path := range maildirFiles(t, filepath.Join(dir, "mail", box)) {
			names[path] = true
		}
	}
	return names
}

func TestMbsyncTwoWays(t *testing.T) {
	t.Parallel()
	needs(t, "mbsync", "isync")
	ways := map[string]func(to target) []string{
		"IMAPS":    func(to target) []string { return []string{"SSLType IMAPS", "Port " + port(t, to.IMAPS)} },
		"STARTTLS": func(to target) []string { return []string{"SSLType STARTTLS", "Port " + port(t, to.IMAP)} },
	}
	for name, lines := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := newTarget(t)
			dir := t.TempDir()
			mbsyncJob(t, to, dir, mbsyncConfig(t, dir, to, lines(to)...))
		})
	}
}

// mbsyncJob syncs several folders there and back: new mail, flags, deletions.
func mbsyncJob(t *testing.T, to target, dir, config string) {
	mails := samples()
	c := imapSession(t, to, nil)
	for _, box := range []string{"Lists/Go", "Archive"} {
		c.Create(box, nil).Wait() // Archive may exist
	}
	fill(t, to, "INBOX", mails[:5])
	fill(t, to, "Lists/Go", mails[5:8], imap.FlagSeen, imap.FlagFlagged)

	// New mail comes down byte for byte, with its flags.
	mbsync(t, dir, config)
	inbox := filepath.Join(dir, "mail", "INBOX")
	sameMail(t, unmarked(values(maildirFiles(t, inbox))), mails[:5])
	lists := maildirFiles(t, filepath.Join(dir, "mail", "Lists/Go"))
	sameMail(t, unmarked(values(lists)), mails[5:8])
	for path := range lists {
		if !strings.HasSuffix(path, "FS") {
			t.Errorf("flagged and seen message lies in %s", path)
		}
	}
	before := snapshot(t, dir)
	if got := mbsync(t, dir, config); len(got) != 0 {
		t.Errorf("the second sync sent %q, want nothing", got)
	}
	if after := snapshot(t, dir); !maps.Equal(before, after) {
		t.Errorf("the second sync changed files: %v to %v", before, after)
	}

	// Mail written here goes up; mail read here is \Seen there; mail deleted
	// here goes there; mail flagged there is flagged here.
	write(t, filepath.Join(dir, "mail/Lists/Go/new/1.1.here"), strings.TrimSuffix(string(lf(mails[8])), "\n"))
	names := slices.Sorted(maps.Keys(maildirFiles(t, inbox)))
	read, gone := names[0], names[1]
	texts := maildirFiles(t, inbox)
	readText, goneText := one(unmarked([][]byte{texts[read]})[0]), one(unmarked([][]byte{texts[gone]})[0])
	rename(t, read, withFlag(read, "S"))
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	flagAll(t, c, imap.FlagFlagged)
	mbsync(t, dir, config)

	sameMail(t, unmarked(mailboxMail(t, to, "Lists/Go")), mails[5:9])
	left, _, err := fetchAll(c, "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 4 {
		t.Errorf("INBOX has %d messages after one of 5 was deleted here", len(left))
	}
	for _, m := range left {
		if one(m.text) == goneText {
			t.Error("the message deleted here is still there")
		}
		if seen := slices.Contains(m.flags, imap.FlagSeen); seen != (one(m.text) == readText) {
			t.Errorf("UID %d has flags %v", m.uid, m.flags)
		}
	}
	for path := range maildirFiles(t, inbox) {
		if !strings.Contains(filepath.Base(path)[strings.LastIndex(filepath.Base(path), ","):], "F") {
			t.Errorf("flagged there, but not here: %s", path)
		}
	}

	// Deletions there arrive here.
	if _, err := c.Select("Lists/Go", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	flagAll(t, c, imap.FlagDeleted)
	mbsync(t, dir, config)
	if files := maildirFiles(t, filepath.Join(dir, "mail", "Lists/Go")); len(files) != 0 {
		t.Errorf("%d messages remain here after all were deleted there", len(files))
	}
	if got := mbsync(t, dir, config); len(got) != 0 {
		t.Errorf("the last sync sent %q, want nothing", got)
	}
}

// withFlag is the name of a Maildir file with one more flag.
func withFlag(path, flag string) string {
	base, flags, ok := strings.Cut(path, ":2,")
	if !ok {
		base, flags = path, ""
	}
	letters := strings.Split(flags+flag, "")
	slices.Sort(letters)
	return strings.Replace(base, "/new/", "/cur/", 1) + ":2," + strings.Join(letters, "")
}

func rename(t testing.TB, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}
