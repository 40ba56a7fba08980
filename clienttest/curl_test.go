package clienttest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// curl runs the program as the target's user and returns what it wrote to
// stdout.
func curl(t testing.TB, dir string, to target, args ...string) []byte {
	t.Helper()
	out := filepath.Join(dir, "out")
	os.Remove(out)
	common := []string{"--silent", "--show-error", "--max-time", "60", "--cacert", to.CA,
		"--user", to.User + ":" + to.Pass, "--output", out}
	mustProgram(t, dir, "curl", append(common, args...)...)
	text, err := os.ReadFile(out)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return text
}

// TestCurl fetches the same message over IMAP and POP3, with and without TLS,
// and uploads one.
func TestCurl(t *testing.T) {
	t.Parallel()
	needs(t, "curl", "curl")
	to, mails, dir := newTarget(t), samples(), t.TempDir()
	fill(t, to, "INBOX", mails)

	imap, pop := port(t, to.IMAP), port(t, to.POP3)
	imaps, pops := port(t, to.IMAPS), port(t, to.POP3S)
	for i, mail := range mails {
		n := i + 1
		urls := [][]string{
			{fmt.Sprintf("imaps://localhost:%s/INBOX;MAILINDEX=%d", imaps, n)},
			{"--ssl-reqd", fmt.Sprintf("imap://localhost:%s/INBOX;UID=%d", imap, n)},
			{fmt.Sprintf("pop3s://localhost:%s/%d", pops, n)},
			{"--ssl-reqd", fmt.Sprintf("pop3://localhost:%s/%d", pop, n)},
		}
		for _, args := range urls {
			if got := curl(t, dir, to, args...); !bytes.Equal(got, mail) {
				t.Errorf("curl %s: got %s, want %s", args, head(got), head(mail))
			}
		}
	}
	if list := curl(t, dir, to, "pop3s://localhost:"+pops+"/"); bytes.Count(list, []byte("\n")) != len(mails) {
		t.Errorf("POP3 LIST: %q, want %d lines", list, len(mails))
	}
	if found := curl(t, dir, to, "imaps://localhost:"+imaps+"/INBOX?SUBJECT%20attachment"); !strings.HasPrefix(string(found), fmt.Sprintf("* SEARCH %d\r\n", len(mails))) {
		t.Errorf("SEARCH SUBJECT attachment: %q", found)
	}

	// APPEND, and what was uploaded comes back.
	file := filepath.Join(dir, "upload.eml")
	if err := os.WriteFile(file, mails[9], 0o600); err != nil {
		t.Fatal(err)
	}
	imapSession(t, to, nil).Create("Drafts", nil).Wait() // may exist
	curl(t, dir, to, "--upload-file", file, "imaps://localhost:"+imaps+"/Drafts")
	sameMail(t, mailboxMail(t, to, "Drafts"), mails[9:10])
}
