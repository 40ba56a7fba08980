package clienttest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// compared are the scenarios of tandem compare but storage, which puts 720
// messages in.
const compared = "hello,first-look,read-one,full-download,anything-new,second-device,delete,offline,device-lost,sent-mail"

// TestCompareDovecot runs tandem compare against a real Dovecot that has mail of
// its own, over a bad link; that mail stays as it was.
func TestCompareDovecot(t *testing.T) {
	needs(t, "/usr/lib/dovecot/imap", "dovecot-imapd")
	imap := freePorts(t, 1)[0]
	own := [][]byte{[]byte("Subject: one\nMessage-ID: <1@example.org>\n\nOne.\n"), []byte("Subject: two\n\nTwo.\n")}
	d := startDovecot(t, own, "protocols = pop3 imap",
		"service imap-login {\n inet_listener imap {\n  port = "+port(t, imap)+"\n }\n inet_listener imaps {\n  port = 0\n }\n}")
	report := filepath.Join(t.TempDir(), "report.html")
	cmd := tandem(t.Context(), "compare", "--imap", imap, "--pop3", d.POP3, "--user", d.User, "--write", "--link", "bad", "--scenario", compared,
		"--html", report, "--save", report+".json", "--json")
	cmd.Env = append(cmd.Env, "TANDEM_PASSWORD="+d.Pass)
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	var told struct {
		Scenarios []struct {
			Name, Skipped, Sentence string
			Totals                  []struct {
				Protocol string
				Trips    int `json:"round_trips"`
			}
		}
	}
	if err := json.Unmarshal(out.Bytes(), &told); err != nil {
		t.Fatal(err)
	}
	if len(told.Scenarios) != 10 {
		t.Errorf("%d scenarios, want 10", len(told.Scenarios))
	}
	for _, s := range told.Scenarios {
		if s.Skipped != "" || s.Sentence == "" || len(s.Totals) < 2 {
			t.Errorf("%s: %q, %q, %d ways", s.Name, s.Skipped, s.Sentence, len(s.Totals))
		}
		for _, total := range s.Totals {
			if s.Name == "first-look" && total.Protocol == "imap" && total.Trips > 5 {
				t.Errorf("the first look took IMAP %d round trips", total.Trips)
			}
		}
	}
	for _, path := range []string{report, report + ".json"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text)+out.String()+log.String(), d.Pass) {
			t.Errorf("the password is in %s or in the output", path)
		}
	}
	d.stop(t)
	found := maildirFiles(t, d.maildir)
	if len(found) != len(own) {
		t.Errorf("%d messages in INBOX, want %d", len(found), len(own))
	}
	for path, text := range found {
		if !bytes.Equal(text, own[0]) && !bytes.Equal(text, own[1]) {
			t.Errorf("%s is new:\n%s", path, text)
		}
	}
	if left, err := filepath.Glob(filepath.Join(d.maildir, ".T*")); err != nil || len(left) > 0 {
		t.Errorf("folders that the run made are left: %q, %v", left, err)
	}
}
