package clienttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for anything before it fails.
const patience = 20 * time.Second

// password is that of every account the tests make.
const password = "correct horse"

// server is a tandem with a directory and ports of its own.
type server struct {
	dir, config, data        string
	imap, imaps, pop3, pop3s string // host:port
	lmtp                     string
	proc                     *process // nil while it does not run
}

// process is one run of the binary.
type process struct {
	cmd  *exec.Cmd
	log  *logBuffer    // what it printed, both streams
	exit chan struct{} // closed when it has ended
	err  error         // of Wait; may be read after exit is closed
}

var (
	readyLine = regexp.MustCompile(`\bready\b`)
	panicLine = regexp.MustCompile(`(?m)\bpanic\b|fatal error|goroutine \d+ \[|DATA RACE`)
)

// startServer starts a tandem whose configuration ends with extra (TOML), and
// at the end of the test stops it and looks whether all is well.
func startServer(t testing.TB, extra string) *server {
	t.Helper()
	dependOnSources(t)
	dir := t.TempDir()
	s := &server{dir: dir, config: filepath.Join(dir, "tandem.toml"), data: filepath.Join(dir, "data")}
	for attempt := 0; ; attempt++ {
		s.configure(t, extra)
		err := s.launch()
		if err == nil {
			break
		}
		// Between asking for a free port and binding it another may have taken it.
		if attempt == 4 || !strings.Contains(err.Error(), "address already in use") {
			t.Fatalf("starting tandem: %v", err)
		}
	}
	t.Cleanup(func() { s.finish(t) })
	return s
}

// configure writes a configuration with fresh ports.
func (s *server) configure(t testing.TB, extra string) {
	t.Helper()
	ports := freePorts(t, 5)
	s.imap, s.imaps, s.pop3, s.pop3s, s.lmtp = ports[0], ports[1], ports[2], ports[3], ports[4]
	text := fmt.Sprintf("hostname = \"localhost\"\ndomains = [\"example.org\"]\ndata = %q\n"+
		"[imap]\nlisten = [%q]\nlisten_tls = [%q]\n[pop3]\nlisten = [%q]\nlisten_tls = [%q]\n[lmtp]\nlisten = [%q]\n%s",
		s.data, s.imap, s.imaps, s.pop3, s.pop3s, s.lmtp, extra)
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// freePorts asks the kernel for n loopback ports that nobody uses.
func freePorts(t testing.TB, n int) []string {
	t.Helper()
	var addrs []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		addrs = append(addrs, l.Addr().String())
	}
	return addrs
}

// launch starts the server and returns when it is ready, or why it is not.
func (s *server) launch() error {
	proc, err := spawn(nil, "serve", "--config", s.config)
	if err != nil {
		return err
	}
	if err := proc.log.wait(readyLine, proc.exit); err != nil {
		proc.cmd.Process.Kill()
		<-proc.exit
		return fmt.Errorf("%w; it printed:\n%s", err, proc.log)
	}
	s.proc = proc
	return nil
}

// spawn starts the binary with stdin closed and env beside the environment.
func spawn(env []string, args ...string) (*process, error) {
	p := &process{cmd: tandem(context.Background(), args...), log: newLogBuffer(), exit: make(chan struct{})}
	p.cmd.Env = append(p.cmd.Env, env...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { // ends with the process
		p.err = p.cmd.Wait()
		close(p.exit)
	}()
	return p, nil
}

// tandem is a command line of the binary under test, without the settings of
// whoever runs the tests.
func tandem(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Getenv("TANDEM_BIN"), args...)
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "TANDEM_") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	return cmd
}

// kill ends the server as a power cut would, as far as a process can tell.
func (s *server) kill(t testing.TB) {
	t.Helper()
	s.proc.cmd.Process.Kill()
	<-s.proc.exit
	s.mustBeQuiet(t, s.proc)
	s.proc = nil
}

// stop asks the server to end and returns its exit code and how long it took.
func (s *server) stop(t testing.TB) (int, time.Duration) {
	t.Helper()
	start := time.Now()
	p := s.proc
	s.proc = nil
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exit:
	case <-time.After(patience):
		p.cmd.Process.Signal(syscall.SIGQUIT) // the stacks show what hangs
		<-p.exit
		t.Errorf("no exit %v after SIGTERM:\n%s", patience, p.log)
	}
	s.mustBeQuiet(t, p)
	return p.cmd.ProcessState.ExitCode(), time.Since(start)
}

// mustBeQuiet fails the test when the log tells of a panic.
func (s *server) mustBeQuiet(t testing.TB, p *process) {
	t.Helper()
	if at := panicLine.FindStringIndex(p.log.String()); at != nil {
		text := p.log.String()[at[0]:]
		t.Errorf("the server panicked:\n%.4000s", text)
	}
}

// finish is the end of every test with a server: it drains, and its store is whole.
func (s *server) finish(t testing.TB) {
	t.Helper()
	if s.proc != nil {
		p := s.proc
		if code, took := s.stop(t); code != 0 || took > 15*time.Second {
			t.Errorf("after SIGTERM: exit code %d in %v, want 0 within 15 s", code, took)
		}
		if t.Failed() {
			t.Logf("the server's log ends:\n%s", p.log.tail(4000))
		}
	}
	if out, err := s.run("check"); err != nil {
		t.Errorf("tandem check: %v\n%s", err, out)
	}
}

// run runs a verb of the binary with this server's configuration.
func (s *server) run(args ...string) (string, error) { return s.runWith(nil, args...) }

// runWith is run with something on stdin.
func (s *server) runWith(stdin []byte, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := tandem(ctx, append(args, "--config", s.config)...)
	cmd.Stdin = bytes.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// mustRun is run for verbs that have to succeed.
func (s *server) mustRun(t testing.TB, args ...string) string {
	t.Helper()
	out, err := s.run(args...)
	if err != nil {
		t.Fatalf("tandem %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// account adds an account and returns what a client needs to know of it.
func (s *server) account(t testing.TB, name string) target {
	t.Helper()
	if out, err := s.runWith([]byte(password+"\n"), "account", "add", name, "--password-stdin"); err != nil {
		t.Fatalf("tandem account add %s: %v\n%s", name, err, out)
	}
	return target{
		IMAP: s.imap, IMAPS: s.imaps, POP3: s.pop3, POP3S: s.pop3s, LMTP: s.lmtp,
		User: name, Pass: password, Rcpt: name + "@example.org", CA: s.ca(t),
	}
}

// ca is the certificate of the authority the server made for itself.
func (s *server) ca(t testing.TB) string {
	t.Helper()
	found := ""
	filepath.WalkDir(s.data, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "ca.pem" {
			found = path
		}
		return err
	})
	if found == "" {
		t.Fatal("no ca.pem in the data directory")
	}
	return found
}

// exitCode is the code of a command that ran.
func exitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	return -1
}

// logBuffer keeps what a process prints and tells who waits for it.
type logBuffer struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{} // closed and replaced at each write
}

func newLogBuffer() *logBuffer { return &logBuffer{changed: make(chan struct{})} }

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.changed)
	b.changed = make(chan struct{})
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// tail is the last n bytes.
func (b *logBuffer) tail(n int) string {
	text := b.String()
	return text[max(0, len(text)-n):]
}

// wait returns once a line matches; an error when gone is closed before, or
// patience ends.
func (b *logBuffer) wait(line *regexp.Regexp, gone <-chan struct{}) error {
	deadline := time.After(patience)
	for {
		b.mu.Lock()
		found, changed := line.Match(b.text.Bytes()), b.changed
		b.mu.Unlock()
		if found {
			return nil
		}
		select {
		case <-changed:
		case <-gone:
			if line.MatchString(b.String()) {
				return nil
			}
			return errors.New("it ended")
		case <-deadline:
			return fmt.Errorf("nothing like %v within %v", line, patience)
		}
	}
}

// poll calls what until it returns nil, or returns its last error when patience
// ends.
func poll(what func() error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for {
		err := what()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-deadline:
			return fmt.Errorf("after %v: %w", patience, err)
		}
	}
}

// eventually is poll for what has to happen.
func eventually(t testing.TB, what func() error) {
	t.Helper()
	if err := poll(what); err != nil {
		t.Fatal(err)
	}
}
