package listen

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 10 * time.Second

// start serves services until the test ends, and returns the server and what
// stops it earlier.
func start(t *testing.T, limits Limits, log io.Writer, services ...Service) (*Server, func()) {
	t.Helper()
	s := New(limits, slog.New(slog.NewTextHandler(log, nil)))
	if err := s.Bind(t.Context(), services...); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Serve(ctx)
	}()
	stop := func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return s, stop
}

// login is a front end: "user NAME" logs in, "crowded" asks, "panic" panics,
// anything else is echoed. It says goodbye when its context ends.
func login(ctx context.Context, c *Conn) {
	stop := context.AfterFunc(ctx, func() {
		fmt.Fprintf(c, "bye %v\n", context.Cause(ctx))
		c.Close()
	})
	defer stop()
	fmt.Fprintf(c, "hello\n")
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		switch word, arg, _ := strings.Cut(lines.Text(), " "); word {
		case "user":
			if err := c.LoggedIn(arg); err != nil {
				fmt.Fprintf(c, "no %v\n", err)
				continue
			}
			fmt.Fprintf(c, "ok %s\n", arg)
		case "crowded":
			fmt.Fprintf(c, "%v\n", c.Crowded())
		case "panic":
			panic("front end")
		default:
			fmt.Fprintf(c, "%s\n", lines.Text())
		}
	}
}

type client struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

func dial(t *testing.T, a net.Addr) *client {
	t.Helper()
	nc, err := net.Dial(a.Network(), a.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(patience))
	return &client{t, nc, bufio.NewReader(nc)}
}

func (c *client) say(line string) {
	c.t.Helper()
	if _, err := io.WriteString(c, line+"\n"); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) want(line string) {
	c.t.Helper()
	got, err := c.r.ReadString('\n')
	if err != nil || strings.TrimSuffix(got, "\n") != line {
		c.t.Fatalf("got %q (%v), want %q", got, err, line)
	}
}

func (c *client) wantClosed() {
	c.t.Helper()
	if got, err := c.r.ReadString('\n'); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatalf("got %q (%v), want the connection closed", got, err)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}

func plain(serve func(context.Context, *Conn)) Service {
	return Service{Name: "test", Addresses: []string{"127.0.0.1:0"}, Serve: serve,
		Refusal: func(e *LimitError) string { return "refused " + e.Name + "\n" }}
}

func TestSessionsAndGoodbye(t *testing.T) {
	s, stop := start(t, DefaultLimits(), io.Discard, plain(login))
	c := dial(t, s.Addrs("test")[0])
	c.want("hello")
	c.say("user alice")
	c.want("ok alice")
	c.say("echo")
	c.want("echo")
	go stop()
	c.want("bye server is shutting down")
	c.wantClosed()
}

func TestOldestStrangerMakesRoom(t *testing.T) {
	s, _ := start(t, Limits{Strangers: 3}, io.Discard, plain(login))
	addr := s.Addrs("test")[0]
	member := dial(t, addr)
	member.want("hello")
	member.say("user alice")
	member.want("ok alice")
	var cs []*client
	for range 4 {
		c := dial(t, addr)
		c.want("hello")
		cs = append(cs, c)
	}
	cs[0].want("bye too many connections (strangers = 3)")
	cs[0].wantClosed()
	for _, c := range append(cs[1:], member) {
		c.say("still here")
		c.want("still here")
	}
}

func TestEvictedStrangerThatIgnoresItIsClosed(t *testing.T) {
	block := make(chan struct{})
	s, _ := start(t, Limits{Strangers: 1}, io.Discard, plain(func(_ context.Context, c *Conn) {
		fmt.Fprintf(c, "hello\n")
		io.Copy(io.Discard, c)
		<-block
	}))
	defer close(block)
	first := dial(t, s.Addrs("test")[0])
	first.want("hello")
	dial(t, s.Addrs("test")[0]).want("hello")
	first.wantClosed()
}

func TestStrangersPerAddress(t *testing.T) {
	s, _ := start(t, Limits{StrangersPerAddress: 2}, io.Discard, plain(login))
	addr := s.Addrs("test")[0]
	a, b := dial(t, addr), dial(t, addr)
	a.want("hello")
	b.want("hello")
	c := dial(t, addr)
	c.want("refused connections_per_address")
	c.wantClosed()
	a.say("user alice") // frees a stranger's place
	a.want("ok alice")
	dial(t, addr).want("hello")
}

func TestUserLimits(t *testing.T) {
	s, _ := start(t, Limits{Sessions: 3, PerUser: 2}, io.Discard, plain(login))
	addr := s.Addrs("test")[0]
	enter := func(user, want string) *client {
		t.Helper()
		c := dial(t, addr)
		c.want("hello")
		c.say("user " + user)
		c.want(want)
		return c
	}
	first := enter("alice", "ok alice")
	enter("alice", "ok alice")
	refused := enter("alice", "no too many connections (sessions_per_user = 2)")
	enter("bob", "ok bob")
	enter("carol", "no too many connections (connections = 3)")

	first.Close()
	eventually(t, "a session less", func() bool { _, n, _ := s.Counts(); return n == 2 })
	refused.say("user alice")
	refused.want("ok alice")
}

func TestPerUserAddress(t *testing.T) {
	s, _ := start(t, Limits{PerUserAddress: 1}, io.Discard, plain(login))
	for i, want := range []string{"ok alice", "no too many connections (sessions_per_user_address = 1)"} {
		c := dial(t, s.Addrs("test")[0])
		c.want("hello")
		c.say("user alice")
		c.want(want)
		if i == 1 {
			c.say("user bob")
			c.want("ok bob")
		}
	}
}

func TestCrowded(t *testing.T) {
	s, _ := start(t, Limits{Strangers: 4}, io.Discard, plain(login))
	for i, want := range []string{"false", "true"} {
		c := dial(t, s.Addrs("test")[0])
		c.want("hello")
		c.say("crowded")
		if c.want(want); i == 1 {
			c.say("user alice")
			c.want("ok alice")
			c.say("crowded")
			c.want("false")
		}
	}
}

func TestPeersAndStrangersDoNotCompete(t *testing.T) {
	peer := plain(login)
	peer.Name, peer.Peers = "lmtp", true
	s, _ := start(t, Limits{Strangers: 2, StrangersPerAddress: 1}, io.Discard, plain(login), peer)
	for range 2 {
		dial(t, s.Addrs("lmtp")[0]).want("hello")
	}
	dial(t, s.Addrs("lmtp")[0]).want("refused strangers")
	dial(t, s.Addrs("test")[0]).want("hello")
}

func TestPanicClosesOnlyItsConnection(t *testing.T) {
	var log syncBuffer
	s, _ := start(t, DefaultLimits(), &log, plain(login))
	a, b := dial(t, s.Addrs("test")[0]), dial(t, s.Addrs("test")[0])
	a.want("hello")
	b.want("hello")
	a.say("panic")
	a.wantClosed()
	b.say("fine")
	b.want("fine")
	if !strings.Contains(log.String(), "listen_test.go") {
		t.Errorf("no stack in the log: %s", log.String())
	}
}

// syncBuffer is a log that the test reads while the server writes.
type syncBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestBindIsAllOrNothing(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	sock := filepath.Join(t.TempDir(), "s")
	s := New(DefaultLimits(), slog.New(slog.DiscardHandler))
	err = s.Bind(t.Context(), Service{Name: "imap", Addresses: []string{"unix:" + sock, taken.Addr().String()}})
	if err == nil || !strings.Contains(err.Error(), "imap: cannot listen on "+taken.Addr().String()) {
		t.Fatalf("err = %v", err)
	}
	if _, err := os.Lstat(sock); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket bound before was left: %v", err)
	}
}

func TestUnixSocket(t *testing.T) {
	sock := filepath.Join(t.TempDir(), "s")
	abandon(t, sock)
	svc := plain(login)
	svc.Addresses = []string{"unix:" + sock}
	svc.SocketMode, svc.SocketGroup = 0o660, fmt.Sprint(os.Getgid())
	s, stop := start(t, Limits{StrangersPerAddress: 1}, io.Discard, svc)
	info, err := os.Stat(sock)
	if err != nil || info.Mode().Perm() != 0o660 {
		t.Fatalf("mode %v (%v), want 0660", info.Mode(), err)
	}
	for range 3 { // no address, no limit by address
		dial(t, s.Addrs("test")[0]).want("hello")
	}
	other := New(DefaultLimits(), slog.New(slog.DiscardHandler))
	if err := other.Bind(t.Context(), svc); err == nil {
		t.Error("took a socket that another server listens on")
	}
	stop()
	if _, err := os.Lstat(sock); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("socket left behind: %v", err)
	}
}

// abandon leaves a socket file that nobody listens on, as a crash does.
func abandon(t *testing.T, path string) {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
}

func TestUnixSocketDefaultsToOwner(t *testing.T) {
	sock := filepath.Join(t.TempDir(), "s")
	svc := plain(login)
	svc.Addresses = []string{"unix:" + sock}
	start(t, DefaultLimits(), io.Discard, svc)
	if info, err := os.Stat(sock); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v (%v), want 0600", info.Mode(), err)
	}
}

func TestFileInTheWayStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := New(DefaultLimits(), slog.New(slog.DiscardHandler))
	if err := s.Bind(t.Context(), Service{Addresses: []string{"unix:" + path}}); err == nil {
		t.Error("bound over a file")
	}
	if b, _ := os.ReadFile(path); string(b) != "mine" {
		t.Errorf("the file is now %q", b)
	}
}

func TestPassedSocketIsMatchedByAddress(t *testing.T) {
	any6 := &net.TCPAddr{IP: net.IPv6unspecified, Port: 143}
	loop := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 143}
	sock := &net.UnixAddr{Net: "unix", Name: "/run/s"}
	for _, c := range []struct {
		bound      net.Addr
		configured string
		want       bool
	}{
		{any6, ":143", true}, {any6, "0.0.0.0:143", true}, {any6, "[::]:143", true},
		{any6, "127.0.0.1:143", false}, {any6, ":110", false},
		{loop, "127.0.0.1:143", true}, {loop, ":143", false},
		{sock, "unix:/run/s", true}, {sock, "unix:/run/t", false}, {sock, ":143", false},
	} {
		if got := matches(c.bound, c.configured); got != c.want {
			t.Errorf("matches(%v, %s) = %v", c.bound, c.configured, got)
		}
	}
}

// failing fails Accept some times, as it does without file descriptors.
type failing struct {
	net.Listener
	left int
}

func (l *failing) Accept() (net.Conn, error) {
	if l.left > 0 {
		l.left--
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return l.Listener.Accept()
}

func TestAcceptGoesOnAfterErrors(t *testing.T) {
	var log syncBuffer
	s := New(DefaultLimits(), slog.New(slog.NewTextHandler(&log, nil)))
	if err := s.Bind(t.Context(), plain(login)); err != nil {
		t.Fatal(err)
	}
	s.bound[0].listener = &failing{s.bound[0].listener, 3}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { s.Serve(ctx) })
	dial(t, s.Addrs("test")[0]).want("hello")
	cancel()
	wg.Wait()
	if n := strings.Count(log.String(), "cannot accept"); n != 1 {
		t.Errorf("logged %d times, want once", n)
	}
}

func TestImplicitTLS(t *testing.T) {
	certs, err := LocalCerts(t.TempDir(), "mail.example.org", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	svc := plain(login)
	svc.TLS = certs.Config()
	s, _ := start(t, DefaultLimits(), io.Discard, svc)
	addr := s.Addrs("test")[0]
	silent := dial(t, addr) // a client that never begins must not hold up others
	for _, name := range []string{"localhost", "mail.example.org", "127.0.0.1", "::1"} {
		tc := tls.Client(dial(t, addr).Conn, &tls.Config{ServerName: name, RootCAs: pool(t, certs)})
		c := &client{t, tc, bufio.NewReader(tc)}
		c.want("hello")
		c.say("user alice")
		c.want("ok alice")
	}
	old := tls.Client(silent.Conn, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11})
	if err := old.Handshake(); err == nil {
		t.Error("TLS 1.1 was accepted")
	}
}

func pool(t *testing.T, c *Certs) *x509.CertPool {
	t.Helper()
	pem, err := os.ReadFile(c.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(pem) {
		t.Fatal("no certificate in " + c.CAFile())
	}
	return p
}

func TestHandshakeEndsWithTheServer(t *testing.T) {
	certs, err := LocalCerts(t.TempDir(), "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	svc := plain(login)
	svc.TLS = certs.Config()
	s, stop := start(t, DefaultLimits(), io.Discard, svc)
	c := dial(t, s.Addrs("test")[0])
	eventually(t, "the connection is accepted", func() bool { n, _, _ := s.Counts(); return n == 1 })
	stop()
	c.wantClosed()
}
