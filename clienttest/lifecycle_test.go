package clienttest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestSecondServer starts a second server on the same store.
func TestSecondServer(t *testing.T) {
	t.Parallel()
	s := startServer(t, "")
	to := s.account(t, "alice")
	second := &server{dir: t.TempDir(), data: s.data}
	second.config = filepath.Join(second.dir, "tandem.toml")
	second.configure(t, "")
	out, err := second.run("serve")
	if code := exitCode(err); code != 4 {
		t.Errorf("exit code %d, want 4; it printed:\n%s", code, out)
	}
	if !strings.Contains(out, s.data) {
		t.Errorf("the message does not name the store: %s", out)
	}
	deliver(t, to, samples()[0]) // the first goes on
	sameCount(t, to, 1)
}

// sameCount fails the test unless INBOX has n messages.
func sameCount(t testing.TB, to target, n int) {
	t.Helper()
	if got := len(mailboxMail(t, to, "INBOX")); got != n {
		t.Errorf("INBOX has %d messages, want %d", got, n)
	}
}

// TestDrain stops a server with idle clients and one in the middle of a
// delivery.
func TestDrain(t *testing.T) {
	t.Parallel()
	s := startServer(t, "")
	to := s.account(t, "alice")
	deliver(t, to, samples()[0])
	waiting := dialLines(t, to.IMAP, &to)
	idle := idling(t, to)
	stranger := dialLines(t, to.IMAP, nil)
	p := pop(t, to)
	p.must(t, "DELE 1")
	mail, err := dialLMTP(to.LMTP)
	if err != nil {
		t.Fatal(err)
	}
	defer mail.close()

	code, took := s.stop(t)
	if code != 0 || took > 15*time.Second {
		t.Errorf("exit code %d after %v, want 0 within 15 s", code, took)
	}
	for name, c := range map[string]*lineClient{"waiting": waiting, "idle": idle, "stranger": stranger} {
		// RFC 3501 section 7.1.5: a server that shuts down says BYE.
		if said, ended := c.ended(); !ended || !strings.Contains(said, "* BYE ") {
			t.Errorf("%s client: %q, closed: %v", name, said, ended)
		}
	}
	if err := s.launch(); err != nil {
		t.Fatal(err)
	}
	sameCount(t, to, 1) // POP3's DELE without QUIT did nothing
}

// TestForeignFiles has a file of somebody else's in the data directory.
func TestForeignFiles(t *testing.T) {
	t.Parallel()
	s := startServer(t, "")
	path := filepath.Join(s.data, "notes.txt")
	write(t, path, "mine")
	if code, _ := s.stop(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if err := s.launch(); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(path); string(text) != "mine\n" {
		t.Errorf("notes.txt: %q, %v", text, err)
	}
	info, err := os.Stat(s.data)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the data directory: %v, %v; want mode 0700", info.Mode(), err)
	}
}

// TestReloadKeepsSessions sends SIGHUP while a client is connected.
func TestReloadKeepsSessions(t *testing.T) {
	t.Parallel()
	s := startServer(t, "")
	to := s.account(t, "alice")
	c := dialLines(t, to.IMAP, &to)
	if err := s.proc.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	c.ok(t, "SELECT INBOX")
	deliver(t, to, samples()[0])
	if lines := c.ok(t, "NOOP"); !strings.Contains(fmt.Sprint(lines), "1 EXISTS") {
		t.Errorf("NOOP: %q", lines)
	}
}

// TestAdministrationWhileServing uses the verbs on a store that a server holds.
func TestAdministrationWhileServing(t *testing.T) {
	t.Parallel()
	s := startServer(t, "")
	to := s.account(t, "alice")
	if out, err := s.runWith(samples()[0], "deliver", "--to", "alice"); err != nil {
		t.Fatalf("tandem deliver: %v\n%s", err, out)
	}
	sameCount(t, to, 1)
	if out := s.mustRun(t, "account", "list", "--json"); !strings.Contains(out, `"alice"`) {
		t.Errorf("account list: %s", out)
	}
	s.mustRun(t, "check")
	s.mustRun(t, "account", "disable", "alice")
	if c, err := dialIMAP(to, nil); err == nil {
		c.Close()
		t.Error("a disabled account logs in")
	}
	s.mustRun(t, "account", "enable", "alice")
	sameCount(t, to, 1)
	if out, err := s.run("account", "add"); exitCode(err) != 2 {
		t.Errorf("account add without a name: exit code %d: %s", exitCode(err), out)
	}
}
