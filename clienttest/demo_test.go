package clienttest

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

var (
	pasteLine = regexp.MustCompile(`(?m)^curl .*$`)
	trusting  = regexp.MustCompile(`\s(-\w*k|--insecure|--cacert)\s`)
)

// TestDemo runs `tandem demo` with stdin closed and pastes the commands that it
// prints.
func TestDemo(t *testing.T) {
	t.Parallel()
	needs(t, "curl", "curl")
	dependOnSources(t)
	tmp := t.TempDir()
	p, err := spawn([]string{"TMPDIR=" + tmp}, "demo")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		p.cmd.Process.Kill()
		<-p.exit
	}()
	if err := p.log.wait(regexp.MustCompile(`(?is)thunderbird.*lmtp`), p.exit); err != nil {
		t.Fatalf("%v; it printed:\n%s", err, p.log)
	}
	printed := p.log.String()
	if strings.Contains(printed, "\x1b") {
		t.Errorf("colour without a terminal: %q", printed)
	}

	var messages [][]byte
	commands := pasteLine.FindAllString(printed, -1)
	for _, command := range commands {
		if !strings.Contains(command, "--user") || !trusting.MatchString(command) {
			t.Errorf("no --user, or neither -k nor --cacert: %s", command)
		}
		out, err := exec.Command("sh", "-c", command).Output()
		if err != nil || len(out) == 0 {
			t.Errorf("%s: %v, %d octets", command, err, len(out))
		}
		if bytes.Contains(out, []byte("\r\n\r\n")) {
			messages = append(messages, out)
		}
	}
	if len(messages) < 2 || !bytes.Equal(messages[0], messages[1]) {
		t.Fatalf("the first two commands do not show the same message, of %q", commands)
	}
	if !strings.Contains(commands[0]+commands[1], "imap") || !strings.Contains(commands[0]+commands[1], "pop3") {
		t.Errorf("not one over IMAP and one over POP3: %q", commands[:2])
	}

	p.cmd.Process.Signal(syscall.SIGINT)
	select {
	case <-p.exit:
	case <-time.After(patience):
		t.Fatal("it does not end at Ctrl-C")
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d, want 0; it printed:\n%s", code, p.log)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
