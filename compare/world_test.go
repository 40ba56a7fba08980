package compare

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"tandem/auth"
	"tandem/imapd"
	"tandem/internal/listen"
	"tandem/pop3d"
	"tandem/store"
	"tandem/store/sqlite"
)

// password is that of the account in the tests.
const password = "correct horse battery"

// began is when runs of the tests begin.
var began = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// world is a tandem on loopback sockets, over the real engine, with the account
// alice.
type world struct {
	store  *store.Store
	target Target
}

func newWorld(t testing.TB) *world { return newWorldWith(t, nil, false) }

func testLog(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
}

// newWorldWith offers TLS, or with implicit begins with it.
func newWorldWith(t testing.TB, config *tls.Config, implicit bool) *world {
	t.Helper()
	engine, err := sqlite.Open(t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	log := testLog(t)
	st := store.Open(engine, store.Options{MessageSize: 50 << 20, Logger: log})
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	account := store.NewAccount{Name: "alice", Hash: auth.HashPassword(password)}
	if err := st.CreateAccounts(t.Context(), []store.NewAccount{account}, false); err != nil {
		t.Fatal(err)
	}
	logins := auth.New(st, auth.Config{Log: log})
	imap := imapd.New(imapd.Config{Store: st, Auth: logins, TLS: config, Limits: imapd.DefaultLimits(st.MessageSize()), Hostname: "mail.test", Version: "test", Logger: log})
	pop := pop3d.New(pop3d.Config{Store: st, Auth: logins, TLSConfig: config, Limits: pop3d.DefaultLimits(), Hostname: "mail.test", Logger: log})
	begin := config
	if !implicit {
		begin = nil
	}
	servers := listen.New(listen.DefaultLimits(), log)
	err = servers.Bind(t.Context(),
		listen.Service{Name: "imap", Addresses: []string{"127.0.0.1:0"}, TLS: begin, Serve: func(ctx context.Context, c *listen.Conn) { imap.Serve(ctx, c) }},
		listen.Service{Name: "pop3", Addresses: []string{"127.0.0.1:0"}, TLS: begin, Serve: func(ctx context.Context, c *listen.Conn) { pop.Serve(ctx, c) }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() { // ends with the test
		defer close(served)
		servers.Serve(ctx)
	}()
	t.Cleanup(func() { stop(); <-served })
	service := func(name, address string) *Service {
		at := servers.Addrs(name)[0].String()
		return &Service{Address: address, Security: Plain, Dial: func(ctx context.Context) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", at)
			if err != nil {
				return nil, err
			}
			if config != nil {
				return conn, nil
			}
			return &steadyConn{Conn: conn, in: bufio.NewReader(conn)}, nil
		}}
	}
	return &world{store: st, target: Target{Name: "tandem", Login: Login{"alice", password},
		IMAP: service("imap", "imap.test:143"), POP3: service("pop3", "pop3.test:110"),
		Devices: &appPasswords{st, map[string]bool{}}}}
}

// appPasswords are logins for devices.
type appPasswords struct {
	store *store.Store
	made  map[string]bool
}

func (a *appPasswords) Policies() []string { return []string{"trash", "expunge", "keep", "shared"} }

func (a *appPasswords) Login(ctx context.Context, device, policy string) (Login, error) {
	alice, err := a.store.Account(ctx, "alice")
	if err != nil {
		return Login{}, err
	}
	made := device + " has a password"
	if a.made[device] {
		p := store.DeletePolicy(policy)
		return Login{"alice", made}, a.store.UpdateCredential(ctx, alice.ID, device, store.CredentialUpdate{POP3Delete: &p})
	}
	a.made[device] = true
	_, err = a.store.AddCredential(ctx, alice.ID, store.NewCredential{Label: device, Hash: auth.HashPassword(made), Scope: store.ScopePOP3,
		POP3Delete: store.DeletePolicy(policy)})
	return Login{"alice", made}, err
}

func (a *appPasswords) Revoke(ctx context.Context) error {
	alice, err := a.store.Account(ctx, "alice")
	for device := range a.made {
		err = errors.Join(err, a.store.RevokeCredential(ctx, alice.ID, device))
	}
	clear(a.made)
	return err
}

// steadyConn makes the same of what differs from run to run (names that a store
// draws at random) and from one version to the next (capabilities).
type steadyConn struct {
	net.Conn
	in   *bufio.Reader
	rest []byte
	capa bool // in POP3's list of capabilities
}

var (
	storeName    = regexp.MustCompile(`^(\d+ )[0-9a-z]{10}([0-9a-z]{8}\r\n)$`)
	uidValidity  = regexp.MustCompile(`(UIDVALIDITY|APPENDUID|COPYUID) \d{10}`)
	mailboxID    = regexp.MustCompile(`MAILBOXID \([^)]{16}\)`)
	capabilities = regexp.MustCompile(`\[CAPABILITY [^\]]*\]`)
)

const steadyCapabilities = "[CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR LITERAL+ LIST-EXTENDED SPECIAL-USE STATUS=SIZE IDLE UIDPLUS MOVE]"

func (c *steadyConn) Read(p []byte) (int, error) {
	for len(c.rest) == 0 {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return 0, err
		}
		c.rest = []byte(c.steady(line))
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *steadyConn) steady(line string) string {
	switch {
	case strings.HasPrefix(line, "+OK capabilities"):
		c.capa = true
	case c.capa && line == ".\r\n":
		c.capa = false
	case c.capa && !strings.Contains(" TOP UIDL PIPELINING RESP-CODES USER ", " "+strings.TrimSpace(line)+" "):
		return ""
	}
	line = storeName.ReplaceAllString(line, "${1}storestore$2")
	line = uidValidity.ReplaceAllString(line, "$1 1700000000")
	line = mailboxID.ReplaceAllString(line, "MAILBOXID (0123456789abcdef)")
	return capabilities.ReplaceAllLiteralString(line, steadyCapabilities)
}
