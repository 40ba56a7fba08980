package clienttest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// fetchmailConfig writes a configuration that saves every message as a file of
// dir/mail. server and user are further options of the two halves.
func fetchmailConfig(t testing.TB, dir string, to target, server, user string) string {
	t.Helper()
	return write(t, filepath.Join(dir, "fetchmailrc"),
		"set idfile "+filepath.Join(dir, "ids"),
		"set pidfile "+filepath.Join(dir, "pid"),
		"set invisible",
		"poll localhost "+server,
		fmt.Sprintf(`  user %q password %q sslcertck sslcertfile %q no rewrite`, to.User, to.Pass, to.CA),
		"  "+user,
		fmt.Sprintf("  mda %q", saveCommand(t, dir)))
}

// fetchmail runs the program; its exit code is 1 when there was no mail.
func fetchmail(t testing.TB, dir, config string) int {
	t.Helper()
	out, code := program(t, dir, "fetchmail", "-f", config, "--nosyslog", "--nodetach")
	if code > 1 {
		t.Fatalf("fetchmail: exit code %d\n%s", code, out)
	}
	return code
}

func TestFetchmailPOP3(t *testing.T) {
	t.Parallel()
	needs(t, "fetchmail", "fetchmail")
	to, mails, dir := newTarget(t), samples(), t.TempDir()
	fill(t, to, "INBOX", mails[:6])

	// keep: each message comes once, and stays; uidl remembers which came.
	keep := fetchmailConfig(t, dir, to, "protocol POP3 uidl service "+port(t, to.POP3S), "ssl keep")
	if code := fetchmail(t, dir, keep); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	sameMail(t, savedMail(t, dir), mails[:6])
	fill(t, to, "INBOX", mails[6:8])
	fetchmail(t, dir, keep)
	sameMail(t, savedMail(t, dir), mails[:8])
	if code := fetchmail(t, dir, keep); code != 1 {
		t.Errorf("with nothing new: exit code %d, want 1", code)
	}
	sameMail(t, mailboxMail(t, to, "INBOX"), mails[:8])

	// nokeep, over STLS, forgetful: all come and none stays.
	dir = t.TempDir()
	nokeep := fetchmailConfig(t, dir, to, "protocol POP3 service "+port(t, to.POP3), "sslproto TLS1.2+ nokeep fetchall")
	fetchmail(t, dir, nokeep)
	sameMail(t, savedMail(t, dir), mails[:8])
	sameMail(t, mailboxMail(t, to, "INBOX"), nil)
}

func TestFetchmailIMAP(t *testing.T) {
	t.Parallel()
	needs(t, "fetchmail", "fetchmail")
	to, mails, dir := newTarget(t), samples(), t.TempDir()
	fill(t, to, "INBOX", mails[:6])

	config := fetchmailConfig(t, dir, to, "protocol IMAP service "+port(t, to.IMAPS), "ssl nokeep")
	fetchmail(t, dir, config)
	sameMail(t, savedMail(t, dir), mails[:6])
	sameMail(t, mailboxMail(t, to, "INBOX"), nil)
}

// TestFetchmailIdle has fetchmail wait in IDLE for mail that comes then.
func TestFetchmailIdle(t *testing.T) {
	t.Parallel()
	needs(t, "fetchmail", "fetchmail")
	to, mails, dir := newTarget(t), samples(), t.TempDir()
	fill(t, to, "INBOX", mails[:1])
	config := fetchmailConfig(t, dir, to, "protocol IMAP service "+port(t, to.IMAP), "sslproto TLS1.2+ idle nokeep")

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := exec.CommandContext(ctx, "fetchmail", "-v", "-f", config, "--nosyslog", "--nodetach")
	cmd.Env = append(os.Environ(), "HOME="+dir)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	log := newLogBuffer()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cancel()

	for n := 1; n <= 3; n++ {
		eventually(t, func() error {
			if got := len(savedMail(t, dir)); got != n {
				return fmt.Errorf("%d of %d messages came; fetchmail says:\n%s", got, n, log.tail(2000))
			}
			return nil
		})
		sameMail(t, savedMail(t, dir), mails[:n])
		if n < 3 {
			fill(t, to, "INBOX", mails[n:n+1])
		}
	}
}
