package clienttest

import (
	"encoding/json"
	"fmt"
	"testing"
)

// TestPOP3Check runs the conformance checks of the binary against itself, with each
// way to TLS and each way to put mail in. Nothing may fail, and
// what is skipped has a reason that is not the server's.
func TestPOP3Check(t *testing.T) {
	t.Parallel()
	ways := map[string]struct {
		args func(target) []string
		skip map[string]bool
	}{
		"STLS, IMAP": {
			func(to target) []string {
				return []string{"localhost:" + port(t, to.POP3), "--starttls", "--imap", "localhost:" + port(t, to.IMAPS), "--imap-tls"}
			},
			map[string]bool{"tls-implicit": true},
		},
		"TLS, LMTP": {
			func(to target) []string {
				return []string{"localhost:" + port(t, to.POP3S), "--tls", "--lmtp", to.LMTP, "--rcpt", to.Rcpt}
			},
			map[string]bool{
				"stls": true, "stls-twice": true, "stls-argument": true, "stls-not-listed-after": true,
				"stls-user-forgotten": true, "stls-injection": true,
				"retr-no-line-end": true, "size-no-line-end": true, "top-no-line-end": true, // LMTP gives it one
				"size-as-imap": true, "close-marks-nothing-read": true, "top-marks-nothing-read": true, "expunged-meanwhile": true,
			},
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, "")
			to := s.account(t, "alice")
			fill(t, to, "INBOX", samples()[:2])
			args := append([]string{"pop3-check"}, way.args(to)...)
			out, err := s.runWith([]byte(to.Pass+"\n"), append(args, "--user", to.User, "--password-stdin", "--ca", to.CA, "--json")...)
			checkVerdicts(t, out, err, way.skip)
			sameMail(t, mailboxMail(t, to, "INBOX"), samples()[:2])
			if name != "TLS, LMTP" {
				sameMail(t, mailboxMail(t, to, "Trash"), nil)
			}
		})
	}
}

// checkVerdicts looks at what pop3-check printed; it may skip what skip names.
func checkVerdicts(t *testing.T, out string, err error, skip map[string]bool) {
	t.Helper()
	var report struct {
		Checks []struct{ Name, RFC, Result, Note string }
	}
	if jsonErr := json.Unmarshal([]byte(out), &report); jsonErr != nil {
		t.Fatalf("%v; %v; printed %.2000s", err, jsonErr, out)
	}
	if err != nil || len(report.Checks) < 120 {
		t.Errorf("%d checks; exit: %v", len(report.Checks), err)
	}
	// No APOP, and the mailbox had mail before.
	always := map[string]bool{"greeting-timestamp": true, "list-empty": true}
	for _, c := range report.Checks {
		line := fmt.Sprintf("%s (RFC %s): %s: %s", c.Name, c.RFC, c.Result, c.Note)
		switch {
		case c.Result == "pass":
		case c.Result == "skip" && (always[c.Name] || skip[c.Name]):
		default:
			t.Error(line)
		}
	}
}
