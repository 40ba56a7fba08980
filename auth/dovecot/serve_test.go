package dovecot

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"tandem/auth"
	"tandem/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// accounts are alice, whose password is "right", and popper, whose is only for
// POP3.
type accounts struct{}

func (accounts) FindLogin(_ context.Context, login string) (store.Account, []store.Credential, error) {
	c := store.Credential{ID: 1, Account: 1, Hash: "{PLAIN}right", KeepScheme: true, Scope: store.ScopeAll}
	switch login {
	case "panic":
		panic("in the store")
	case "alice", "alice@example.org":
	case "popper":
		c.Scope = store.ScopePOP3
	default:
		return store.Account{}, nil, store.Errorf(store.NotFound, "no account")
	}
	return store.Account{ID: 1, Name: "alice", Enabled: true}, []store.Credential{c}, nil
}

func (accounts) SetCredentialHash(context.Context, store.CredentialID, string, string) error {
	return nil
}

func (accounts) SetScramKeys(context.Context, store.CredentialID, string, store.ScramKeys) error {
	return nil
}

func (accounts) Scram(context.Context) (store.ScramState, error) { return store.ScramState{}, nil }

func (accounts) FoldLogin(login string) string { return login }

func (accounts) TouchCredential(store.CredentialUse) {}

// client speaks as Postfix does.
type client struct {
	t *testing.T
	net.Conn
	r    *bufio.Reader
	done chan struct{} // Serve returned
}

func connect(t *testing.T, cfg auth.Config) *client {
	t.Helper()
	cfg.Log = slog.New(slog.DiscardHandler)
	near, far := net.Pipe()
	s := New(auth.New(accounts{}, cfg), cfg.Log)
	c := &client{t, near, bufio.NewReader(near), make(chan struct{})}
	go func() {
		defer close(c.done)
		s.Serve(context.Background(), far, "test")
		far.Close()
	}()
	t.Cleanup(func() {
		near.Close()
		<-c.done
	})
	near.SetDeadline(time.Now().Add(time.Minute))
	return c
}

// greeted also does the handshake.
func greeted(t *testing.T, cfg auth.Config) *client {
	t.Helper()
	c := connect(t, cfg)
	for c.line() != "DONE" {
	}
	c.say("VERSION\t1\t0")
	c.say("CPID\t4711")
	return c
}

func (c *client) say(line string) {
	c.t.Helper()
	if _, err := io.WriteString(c, line+"\n"); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) line() string {
	c.t.Helper()
	line, err := c.r.ReadString('\n')
	if err != nil {
		c.t.Fatal(err)
	}
	return strings.TrimSuffix(line, "\n")
}

func (c *client) want(line string) {
	c.t.Helper()
	if got := c.line(); got != line {
		c.t.Fatalf("got %q, want %q", got, line)
	}
}

func (c *client) wantClosed() {
	c.t.Helper()
	<-c.done
	if rest, _ := io.ReadAll(c.r); len(rest) > 0 {
		c.t.Errorf("before the end: %q", rest)
	}
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

const params = "service=smtp\tnologin\tlip=192.0.2.9\trip=192.0.2.1\tsecured"

func TestHandshake(t *testing.T) {
	c := connect(t, auth.Config{})
	var names []string
	for {
		line := c.line()
		names = append(names, strings.SplitN(line, "\t", 2)[0])
		if line == "DONE" {
			break
		}
		if strings.HasPrefix(line, "MECH") && line != "MECH\tPLAIN\tplaintext" && line != "MECH\tLOGIN\tplaintext" {
			t.Errorf("offered %q", line)
		}
	}
	if got := strings.Join(names, " "); got != "VERSION MECH MECH SPID CUID COOKIE DONE" {
		t.Errorf("handshake: %s", got)
	}
	c.say("VERSION\t2\t0") // another major version
	c.wantClosed()
}

func TestLogins(t *testing.T) {
	c := greeted(t, auth.Config{})
	for i, x := range []struct{ request, reply string }{
		{"PLAIN\t" + params + "\tresp=" + b64("\x00alice\x00right"), "OK\t%d\tuser=alice"},
		{"PLAIN\t" + params + "\tresp=" + b64("\x00alice@example.org\x00right"), "OK\t%d\tuser=alice"},
		{"PLAIN\t" + params + "\tresp=" + b64("\x00alice\x00wrong"), "FAIL\t%d\tuser=alice"},
		{"PLAIN\t" + params + "\tresp=" + b64("\x00nobody\x00right"), "FAIL\t%d\tuser=nobody"},
		{"PLAIN\t" + params + "\tresp=" + b64("\x00popper\x00right"), "FAIL\t%d\tuser=popper"},
		{"PLAIN\t" + params + "\tresp=" + b64("\x00a\tOK\n\x00x"), "FAIL\t%d\tuser=a\x01tOK\x01n"},
		{"PLAIN\t" + params + "\tresp=" + b64("bob\x00alice\x00right"), "FAIL\t%d\tuser=alice\tcode=authz_fail\tauthz"},
		{"PLAIN\t" + params + "\tresp=" + b64("nonsense"), "FAIL\t%d\treason=malformed authentication response"},
		{"PLAIN\t" + params + "\tresp=!", "FAIL\t%d\treason=malformed authentication response"},
		{"PLAIN\tservice=smtp\trip=nowhere\tresp=", "FAIL\t%d\treason=malformed authentication response"},
		{"PLAIN\tservice=smtp\trip=192.0.2.1\tresp=" + b64("\x00alice\x00right"), "FAIL\t%d\treason=password refused without TLS"},
		{"PLAIN\tservice=smtp\trip=127.0.0.1\tresp=" + b64("\x00alice\x00right"), "OK\t%d\tuser=alice"},
		{"CRAM-MD5\t" + params, "FAIL\t%d\treason=unsupported authentication mechanism"},
	} {
		c.say(fmt.Sprintf("AUTH\t%d\t%s", i+1, x.request))
		c.want(fmt.Sprintf(x.reply, i+1))
	}
}

func TestExchanges(t *testing.T) {
	c := greeted(t, auth.Config{})
	c.say("AUTH\t1\tPLAIN\t" + params)
	c.want("CONT\t1\t")
	c.say("AUTH\t2\tLOGIN\t" + params) // while the first waits
	c.want("CONT\t2\t" + b64("Username:"))
	c.say("CONT\t1\t" + b64("\x00alice\x00right"))
	c.want("OK\t1\tuser=alice")
	c.say("CONT\t2\t" + b64("alice"))
	c.want("CONT\t2\t" + b64("Password:"))
	c.say("CONT\t2\t" + b64("right"))
	c.want("OK\t2\tuser=alice")

	c.say("AUTH\t3\tLOGIN\t" + params)
	c.want("CONT\t3\t" + b64("Username:"))
	c.say("CANCEL\t3")
	c.say("AUTH\t3\tLOGIN\t" + params + "\tresp=" + b64("alice"))
	c.want("CONT\t3\t" + b64("Password:"))
	c.say("CONT\t3\t" + b64("wrong"))
	c.want("FAIL\t3\tuser=alice")
}

func TestProtocolErrorsEndTheConnection(t *testing.T) {
	for name, lines := range map[string]string{
		"HTTP":           "GET / HTTP/1.1",
		"empty line":     "",
		"no mechanism":   "AUTH\t1",
		"bad id":         "AUTH\tx\tPLAIN",
		"huge id":        "AUTH\t4294967296\tPLAIN",
		"id twice":       "AUTH\t1\tLOGIN\nAUTH\t1\tLOGIN",
		"CONT of none":   "CONT\t9\t",
		"CONT too short": "CONT\t9",
		"long line":      strings.Repeat("a", maxLine+1),
	} {
		t.Run(name, func(t *testing.T) {
			c := greeted(t, auth.Config{Plaintext: auth.PlaintextAlways})
			go io.WriteString(c, lines+"\n")
			for { // requests before the error are answered
				if _, err := c.r.ReadString('\n'); err != nil {
					break
				}
			}
			c.wantClosed()
		})
	}
}

// A panic while a login is decided ends its connection only.
func TestPanicEndsTheConnection(t *testing.T) {
	c := greeted(t, auth.Config{})
	c.say("AUTH\t1\tPLAIN\t" + params + "\tresp=" + b64("\x00panic\x00x"))
	c.wantClosed()
}

// What a client sends fills no page of the log.
func TestErrorsAreShort(t *testing.T) {
	c := conn{}
	for _, line := range []string{"VERSION" + strings.Repeat("\t", 16000), strings.Repeat("x", 16000)} {
		if err := c.command(split(line)); err == nil || len(err.Error()) > 250 {
			t.Errorf("error %.300v", err)
		}
	}
}

func TestRequestsAreBounded(t *testing.T) {
	c := greeted(t, auth.Config{})
	for i := range maxRequests {
		c.say(fmt.Sprintf("AUTH\t%d\tLOGIN\t%s", i, params))
		c.want(fmt.Sprintf("CONT\t%d\t%s", i, b64("Username:")))
	}
	c.say("AUTH\t9999\tLOGIN\t" + params)
	c.wantClosed()
}

// Postfix closes the connection when a reply takes ten seconds.
func TestFailuresAnswerBeforePostfixGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := greeted(t, auth.Config{FailedLoginDelay: true})
		c.SetDeadline(time.Time{})
		request := func(id int, password string) time.Duration {
			start := time.Now()
			c.say(fmt.Sprintf("AUTH\t%d\tPLAIN\t%s\tresp=%s", id, params, b64("\x00alice\x00"+password)))
			c.line()
			return time.Since(start)
		}
		for i, least := range []time.Duration{1, 3, 5, 8, 8, 8} {
			took := request(i, fmt.Sprint("wrong", i))
			if took < least*time.Second || took > maxDelay {
				t.Errorf("failure %d took %v", i, took)
			}
		}
		if took := request(99, "right"); took != 0 {
			t.Errorf("the right password took %v", took)
		}
	})
}

func TestEndsWithItsContext(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	ctx, cancel := context.WithCancel(t.Context())
	log := slog.New(slog.DiscardHandler)
	done := make(chan struct{})
	go func() {
		defer close(done)
		New(auth.New(accounts{}, auth.Config{Log: log}), log).Serve(ctx, far, "test")
	}()
	r := bufio.NewReader(near)
	for line := ""; line != "DONE\n"; {
		var err error
		if line, err = r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	<-done
}

func TestEscaping(t *testing.T) {
	for _, s := range []string{"", "plain", "a\tb\nc\rd\x00e\x01f", "\x01"} {
		if got := unescape(escape(s)); got != s {
			t.Errorf("%q came back as %q", s, got)
		}
		if strings.ContainsAny(escape(s), "\t\n\r\x00") {
			t.Errorf("%q is not escaped: %q", s, escape(s))
		}
	}
}

// FuzzServe: no input makes the server panic or answer anything but replies of
// the protocol, and a well-formed login never comes out of a wrong password.
func FuzzServe(f *testing.F) {
	f.Add("AUTH\t1\tPLAIN\tservice=smtp\tsecured\tresp=" + b64("\x00alice\x00wrong") + "\n")
	f.Add("VERSION\t1\t1\nCPID\t1\nAUTH\t1\tLOGIN\trip=::1\nCONT\t1\tYWxpY2U=\nCANCEL\t1\n")
	f.Add("AUTH\t1\tplain\tresp\nCONT\t1\t\x01\x01\n")
	log := slog.New(slog.DiscardHandler)
	s := New(auth.New(accounts{}, auth.Config{Log: log}), log)
	f.Fuzz(func(t *testing.T, input string) {
		near, far := net.Pipe()
		defer near.Close()
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.Serve(context.Background(), far, "fuzz")
			far.Close()
		}()
		go func() {
			io.WriteString(near, input+"\nEND\n") // an unknown command
		}()
		lines := bufio.NewScanner(near)
		for lines.Scan() {
			name, _, _ := strings.Cut(lines.Text(), "\t")
			switch name {
			case "VERSION", "MECH", "SPID", "CUID", "COOKIE", "DONE", "CONT", "OK", "FAIL":
			default:
				t.Errorf("reply %q", lines.Text())
			}
		}
		<-done
	})
}
