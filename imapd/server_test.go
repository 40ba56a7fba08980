package imapd

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"tandem/auth"
	"tandem/store"
	"tandem/store/sqlite"
)

// testServer is a server on a loopback socket, over the real engine in a
// directory of its own, with the accounts alice, bob, an administrator, carol, and
// shared, whose mailboxes are nobody's in particular; everybody's
// password is "secret".
type testServer struct {
	*Server
	addr  string
	store *store.Store
	stop  context.CancelFunc // begins the drain
}

// openStore opens the real engine and the accounts.
func openStore(t testing.TB, opts store.Options) *store.Store {
	t.Helper()
	engine, err := sqlite.Open(t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	st := store.Open(engine, opts)
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Errorf("closing the store: %v", err)
		}
	})
	accounts := []store.NewAccount{
		{Name: "alice", Hash: "{PLAIN}secret", KeepScheme: true},
		{Name: "bob", Hash: "{PLAIN}secret", KeepScheme: true, Admin: true},
		{Name: "carol", Hash: "{PLAIN}secret", KeepScheme: true},
		{Name: "shared", Hash: "{PLAIN}secret", KeepScheme: true},
	}
	if err := st.CreateAccounts(t.Context(), accounts, false); err != nil {
		t.Fatal(err)
	}
	return st
}

// startServer starts a server. change, if not nil, changes its configuration.
func startServer(t testing.TB, change func(*Config)) *testServer {
	t.Helper()
	st := openStore(t, store.Options{MessageSize: 1 << 20})
	discard := slog.New(slog.DiscardHandler)
	cfg := Config{
		Store:    st,
		Auth:     auth.New(st, auth.Config{Log: discard}),
		TLS:      testTLS(t),
		Limits:   DefaultLimits(st.MessageSize()),
		Hostname: "mail.example.org",
		Version:  "1.2.3",
	}
	if change != nil {
		change(&cfg)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ts := &testServer{Server: New(cfg), addr: listener.Addr().String(), store: st, stop: stop}
	done := make(chan struct{})
	go func() {
		defer close(done)
		ts.accept(ctx, listener)
	}()
	t.Cleanup(func() {
		stop()
		_ = listener.Close()
		<-done
	})
	return ts
}

// accept serves until the listener is closed, and waits for the sessions.
func (ts *testServer) accept(ctx context.Context, listener net.Listener) {
	sessions := make(chan struct{}, 1000)
	n := 0
	for {
		conn, err := listener.Accept()
		if err != nil {
			break
		}
		n++
		go func() {
			ts.Serve(ctx, conn)
			_ = conn.Close()
			sessions <- struct{}{}
		}()
	}
	for range n {
		<-sessions
	}
}

// testTLS makes a certificate for the run.
func testTLS(t testing.TB) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, leaf, leaf, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// client is the other end of a connection.
type client struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader

	validity string // the UIDVALIDITY last told
}

// dial connects; the greeting is still to be read.
func (ts *testServer) dial(t testing.TB) *client {
	t.Helper()
	conn, err := net.Dial("tcp", ts.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return &client{t: t, conn: conn, in: bufio.NewReader(conn)}
}

// login connects and logs a user in.
func (ts *testServer) login(t testing.TB, user string) *client {
	t.Helper()
	c := ts.dial(t)
	c.expect("* OK ...")
	c.send("login LOGIN " + user + " secret")
	c.expect("login OK ...")
	return c
}

// send sends a line, in which <UIDVALIDITY> stands for what was told last.
func (c *client) send(line string) {
	c.raw(strings.ReplaceAll(line, "<UIDVALIDITY>", c.validity) + "\r\n")
}

// raw sends bytes.
func (c *client) raw(s string) {
	c.t.Helper()
	if _, err := c.conn.Write([]byte(s)); err != nil {
		c.t.Fatalf("sending %q: %v", s, err)
	}
}

// line reads one line.
func (c *client) line() string {
	c.t.Helper()
	line, err := c.in.ReadString('\n')
	if err != nil {
		c.t.Fatalf("reading a line: %v (so far %q)", err, line)
	}
	if !strings.HasSuffix(line, "\r\n") {
		c.t.Fatalf("line %q does not end in CRLF", line)
	}
	if _, code, ok := strings.Cut(line, "[UIDVALIDITY "); ok {
		c.validity, _, _ = strings.Cut(code, "]")
	}
	return strings.TrimSuffix(line, "\r\n")
}

// expect reads a line that must match a pattern, in which "..." stands for
// anything.
func (c *client) expect(pattern string) string {
	c.t.Helper()
	line := c.line()
	if !matches(pattern, line) {
		c.t.Fatalf("got  %s\nwant %s", line, pattern)
	}
	return line
}

// closed expects the server to close the connection.
func (c *client) closed() {
	c.t.Helper()
	rest, err := c.in.ReadString('\n')
	if err == nil || isTimeout(err) {
		c.t.Fatalf("the connection is still open: %q, %v", rest, err)
	}
}

// startTLS shakes hands.
func (c *client) startTLS() {
	c.t.Helper()
	conn := tls.Client(c.conn, &tls.Config{InsecureSkipVerify: true})
	if err := conn.Handshake(); err != nil {
		c.t.Fatalf("TLS: %v", err)
	}
	c.conn, c.in = conn, bufio.NewReader(conn)
}

// matches compares a line with a pattern in which "..." stands for anything.
func matches(pattern, line string) bool {
	parts := strings.Split(pattern, "...")
	if !strings.HasPrefix(line, parts[0]) {
		return false
	}
	line = line[len(parts[0]):]
	for i, part := range parts[1:] {
		if i == len(parts)-2 {
			return strings.HasSuffix(line, part)
		}
		at := strings.Index(line, part)
		if at < 0 {
			return false
		}
		line = line[at+len(part):]
	}
	return line == "" || len(parts) > 1
}
