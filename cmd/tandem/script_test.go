package main

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tandem": main})
}

// TestScripts runs testdata/script: the whole program, as a person types it.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("XDG_DATA_HOME", filepath.Join(env.WorkDir, "share"))
			env.Setenv("HOME", env.WorkDir)
			for _, name := range []string{"IMAP", "IMAPS", "POP3", "POP3S", "LMTP", "WEB"} {
				port, err := freePort()
				if err != nil {
					return err
				}
				env.Setenv(name, "127.0.0.1:"+port)
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"dial":     dialScript,
			"gz":       gzScript,
			"subst":    substScript,
			"capture":  captureScript,
			"pop3":     pop3Script,
			"uidl":     uidlScript,
			"nofiles":  noFilesScript,
			"longpath": longPathScript,
		},
	})
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}

// dial ADDR waits until a server greets its clients there.
func dialScript(ts *testscript.TestScript, neg bool, args []string) {
	network, addr := "tcp", args[0]
	if strings.HasPrefix(addr, "/") {
		network = "unix"
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); ; <-tick.C {
		conn, err := net.Dial(network, addr)
		if err == nil {
			_, err = conn.Read(make([]byte, 1))
			conn.Close()
		}
		if (err != nil) == neg {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("dial %s: %v", addr, err)
		}
	}
}

// gz FILE compresses it to FILE.gz.
func gzScript(ts *testscript.TestScript, _ bool, args []string) {
	f, err := os.Create(ts.MkAbs(args[0] + ".gz"))
	ts.Check(err)
	z := gzip.NewWriter(f)
	_, err = io.WriteString(z, ts.ReadFile(args[0]))
	ts.Check(err)
	ts.Check(z.Close())
	ts.Check(f.Close())
}

// subst FILE puts the values of variables into it.
func substScript(ts *testscript.TestScript, _ bool, args []string) {
	text := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// capture NAME PREFIX sets a variable to what follows PREFIX on a line of the
// last output.
func captureScript(ts *testscript.TestScript, _ bool, args []string) {
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), args[1]); ok {
			ts.Setenv(args[0], strings.TrimSpace(value))
			return
		}
	}
	ts.Fatalf("no line starts with %q", args[1])
}

// pop3 ADDR USER PASSWORD [WANT [COMMAND...]] logs in and, with WANT, expects the
// count of messages; the commands have to work. Negated, the login has to fail.
func pop3Script(ts *testscript.TestScript, neg bool, args []string) {
	conn, answer := pop3Login(ts, neg, args)
	defer conn.Close()
	if len(args) > 3 {
		fmt.Fprintf(conn, "STAT\r\n")
		if line := answer(); !strings.HasPrefix(line, "+OK "+args[3]+" ") {
			ts.Fatalf("STAT of %s: %s, want %s messages", args[1], line, args[3])
		}
	}
	for _, command := range args[min(4, len(args)):] {
		fmt.Fprintf(conn, "%s\r\n", command)
		if line := answer(); !strings.HasPrefix(line, "+OK") {
			ts.Fatalf("%s: %s", command, line)
		}
	}
}

// pop3Login logs in at ADDR as USER with PASSWORD.
func pop3Login(ts *testscript.TestScript, neg bool, args []string) (conn net.Conn, answer func() string) {
	conn, err := net.Dial("tcp", args[0])
	ts.Check(err)
	ts.Check(conn.SetDeadline(time.Now().Add(30 * time.Second)))
	in := bufio.NewReader(conn)
	answer = func() string {
		line, err := in.ReadString('\n')
		ts.Check(err)
		return line
	}
	answer()
	fmt.Fprintf(conn, "USER %s\r\n", args[1])
	answer()
	fmt.Fprintf(conn, "PASS %s\r\n", args[2])
	if line := answer(); strings.HasPrefix(line, "+OK") == neg {
		ts.Fatalf("login of %s: %s", args[1], line)
	}
	return conn, answer
}

// uidl ADDR USER PASSWORD UIDL... says what UIDL lists; "*" is any.
func uidlScript(ts *testscript.TestScript, neg bool, args []string) {
	conn, answer := pop3Login(ts, neg, args)
	defer conn.Close()
	fmt.Fprintf(conn, "UIDL\r\n")
	answer()
	for i, want := range append(args[3:], ".") {
		number, got, _ := strings.Cut(strings.TrimSpace(answer()), " ")
		if want == "." {
			number, got = strconv.Itoa(i+1), number
		}
		if number != strconv.Itoa(i+1) || got != want && want != "*" {
			ts.Fatalf("UIDL %s is %s, want %s", number, got, want)
		}
	}
	fmt.Fprintf(conn, "QUIT\r\n")
	answer()
}

// nofiles PATTERN says that no file matches.
func noFilesScript(ts *testscript.TestScript, _ bool, args []string) {
	found, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(found) > 0 {
		ts.Fatalf("%s is there", found)
	}
}

// longpath NAME makes a directory whose path no socket address can hold.
func longPathScript(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(filepath.Join(args[0], strings.Repeat("long/", 30)))
	ts.Check(os.MkdirAll(path, 0o700))
	ts.Setenv("LONG", path)
}
