package clienttest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/emersion/go-imap/v2"
)

// muttConfig writes a configuration for the target over IMAPS and returns the
// mailbox prefix.
func muttConfig(t testing.TB, dir string, to target) (config, prefix string) {
	t.Helper()
	prefix = "imaps://localhost:" + port(t, to.IMAPS) + "/"
	return write(t, filepath.Join(dir, "muttrc"),
		"set imap_user="+to.User, fmt.Sprintf("set imap_pass=%q", to.Pass),
		"set certificate_file="+to.CA, "set folder="+prefix, "set record=+Sent",
		"set sendmail="+fmt.Sprintf("%q", "tee "+filepath.Join(dir, "sent.eml")),
		"set from=ada@example.org copy=yes mbox_type=Maildir delete=yes move=no",
		"set confirmappend=no confirmcreate=no wait_key=no sleep_time=0"), prefix
}

// TestMuttSends has mutt send a message with an attachment in batch mode: the
// copy it stores in Sent is what it gave to sendmail.
func TestMuttSends(t *testing.T) {
	t.Parallel()
	needs(t, "mutt", "mutt")
	to, dir := newTarget(t), t.TempDir()
	config, _ := muttConfig(t, dir, to)
	imapSession(t, to, nil).Create("Sent", nil).Wait() // may exist
	attachment := filepath.Join(dir, "attached.txt")
	if err := os.WriteFile(attachment, samples()[9], 0o600); err != nil {
		t.Fatal(err)
	}
	mustProgram(t, dir, "mutt", "-F", config, "-s", "Grüße", "-i", "/dev/null", "-a", attachment, "--", "bob@example.org")
	sent, err := os.ReadFile(filepath.Join(dir, "sent.eml"))
	if err != nil {
		t.Fatal(err)
	}
	// mutt writes the Date line anew for the copy.
	date := regexp.MustCompile(`(?m)^Date: .*\n`)
	var stored [][]byte
	for _, m := range mailboxMail(t, to, "Sent") {
		stored = append(stored, date.ReplaceAll(lf(m), nil))
	}
	sameMail(t, stored, [][]byte{date.ReplaceAll(sent, nil)})
}

// TestMuttReads has mutt open INBOX at a terminal, copy all messages to a
// Maildir and to another mailbox, flag the first and delete the last.
func TestMuttReads(t *testing.T) {
	t.Parallel()
	needs(t, "mutt", "mutt")
	needs(t, "script", "bsdutils")
	to, mails, dir := newTarget(t), samples(), t.TempDir()
	config, prefix := muttConfig(t, dir, to)
	fill(t, to, "INBOX", mails)
	if err := imapSession(t, to, nil).Create("Copies", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	keys := fmt.Sprintf("<tag-pattern>.<enter><tag-prefix><copy-message>%s/saved<enter>"+
		"<tag-prefix><copy-message>+Copies<enter>"+
		"<first-entry><flag-message><last-entry><delete-message><quit>", dir)
	push := write(t, filepath.Join(dir, "keys"), fmt.Sprintf("source %s", config), "set sort=mailbox-order", fmt.Sprintf("push %q", keys))
	mustProgram(t, dir, "script", "-qec", "TERM=xterm mutt -F "+push+" -f "+prefix+"INBOX", "/dev/null")

	sameMail(t, unmarked(values(maildirFiles(t, filepath.Join(dir, "saved")))), mails)
	sameMail(t, mailboxMail(t, to, "Copies"), mails)
	left, _, err := fetchAll(imapSession(t, to, nil), "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != len(mails)-1 {
		t.Fatalf("%d messages remain of %d after one was deleted", len(left), len(mails))
	}
	for i, m := range left {
		if one(m.text) != one(mails[i]) || slices.Contains(m.flags, imap.FlagFlagged) != (i == 0) {
			t.Errorf("message %d, flags %v: %s", i+1, m.flags, head(m.text))
		}
	}
}
