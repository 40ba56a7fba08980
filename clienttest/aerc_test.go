package clienttest

import (
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// terminal is a program in a terminal that the test types at and looks at.
type terminal struct{ socket string }

// startTerminal runs a command line in a terminal of 120 by 40.
func startTerminal(t testing.TB, dir, command string) *terminal {
	t.Helper()
	s := &terminal{filepath.Join(dir, "tmux")}
	mustProgram(t, dir, "tmux", "-S", s.socket, "-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "40", command)
	t.Cleanup(func() { exec.Command("tmux", "-S", s.socket, "kill-server").Run() }) // it may have ended
	return s
}

// enter types a line.
func (s *terminal) enter(t testing.TB, line string) {
	t.Helper()
	mustProgram(t, filepath.Dir(s.socket), "tmux", "-S", s.socket, "send-keys", "-l", line)
	mustProgram(t, filepath.Dir(s.socket), "tmux", "-S", s.socket, "send-keys", "Enter")
}

// shows waits until the screen has a text.
func (s *terminal) shows(t testing.TB, text string) {
	t.Helper()
	eventually(t, func() error {
		screen, _ := program(t, filepath.Dir(s.socket), "tmux", "-S", s.socket, "capture-pane", "-p")
		if !strings.Contains(screen, text) {
			return fmt.Errorf("%q is not on the screen:\n%s", text, screen)
		}
		return nil
	})
}

// TestAerc has aerc show a mailbox, give out every message, move one, delete one,
// and hear of one that comes in.
func TestAerc(t *testing.T) {
	t.Parallel()
	needs(t, "aerc", "aerc")
	needs(t, "tmux", "tmux")
	to, mails, dir := newTarget(t), samples(), t.TempDir()
	c := imapSession(t, to, nil)
	c.Create("Archive", nil).Wait() // may exist
	fill(t, to, "INBOX", mails[:6])
	write(t, filepath.Join(dir, ".config", "aerc", "accounts.conf"), "[a]",
		"source = "+(&url.URL{Scheme: "imaps", User: url.UserPassword(to.User, to.Pass), Host: "localhost:" + port(t, to.IMAPS)}).String(),
		"default = INBOX", "from = Alice <"+to.Rcpt+">")
	s := startTerminal(t, dir, fmt.Sprintf("HOME=%s SSL_CERT_FILE=%s TERM=xterm LC_ALL=C.UTF-8 aerc", dir, to.CA))
	s.shows(t, "Tea at four")
	s.shows(t, "A long line")

	// The newest stands first.
	for n := range mails[:6] {
		s.enter(t, fmt.Sprintf(":select %d", n))
		s.enter(t, fmt.Sprintf(":pipe -m -b sh -c '%s'", saveCommand(t, dir)))
		eventually(t, func() error {
			if got := len(savedMail(t, dir)); got != n+1 {
				return fmt.Errorf("%d of %d messages were given out", got, n+1)
			}
			return nil
		})
	}
	sameMail(t, savedMail(t, dir), mails[:6])

	s.enter(t, ":select 0")
	s.enter(t, ":mv Archive")
	eventually(t, func() error {
		if got := len(mailboxMail(t, to, "Archive")); got != 1 {
			return fmt.Errorf("Archive has %d messages", got)
		}
		return nil
	})
	s.enter(t, ":select 0")
	s.enter(t, ":delete")
	eventually(t, func() error {
		if got := len(mailboxMail(t, to, "INBOX")); got != 4 {
			return fmt.Errorf("INBOX has %d messages", got)
		}
		return nil
	})
	fill(t, to, "INBOX", mails[6:7])
	s.shows(t, "Blank lines at the end")
	s.enter(t, ":quit")
	sameMail(t, mailboxMail(t, to, "Archive"), mails[5:6])
	sameMail(t, mailboxMail(t, to, "INBOX"), slices.Concat(mails[:4], mails[6:7]))
}
