package pop3d

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"tandem/auth"
	"tandem/internal/listen"
	"tandem/store"
)

// Config is what a Server works with. Store and Auth are needed.
type Config struct {
	Store *store.Store
	Auth  *auth.Authenticator

	TLSConfig *tls.Config // for STLS; nil: STLS is not offered
	Hostname  string      // in the greeting
	Limits    Limits
	Logger    *slog.Logger // nil is slog.Default

	// Brake is the size of a maildrop above which a device's first deletions of
	// more than half of it are softened; see store.Quit. 0: never.
	Brake int
}

// Limits are a server's limits; 0 means no limit.
type Limits struct {
	LoginTime        time.Duration // from connecting to the login
	CrowdedLoginTime time.Duration // the same once half the strangers' places are taken
	Idle             time.Duration // silence after login; RFC 1939 section 3 asks for at least 10 minutes
	WriteStall       time.Duration // how long a client may take no byte of an answer
	SASLLine         int           // octets of a line with SASL data

	BadCommandsBefore int // bad commands before login until the connection is closed
	BadCommands       int // bad commands in a row after login
}

// DefaultLimits are the limits of a server that is not configured otherwise.
func DefaultLimits() Limits {
	return Limits{
		LoginTime:         180 * time.Second,
		CrowdedLoginTime:  60 * time.Second,
		Idle:              10 * time.Minute,
		WriteStall:        5 * time.Minute,
		SASLLine:          12 << 10,
		BadCommandsBefore: 3,
		BadCommands:       20,
	}
}

// Server serves POP3 connections. It is safe for concurrent use.
type Server struct {
	store    *store.Store
	auth     *auth.Authenticator
	tls      *tls.Config
	hostname string
	limits   Limits
	log      *slog.Logger
	commands map[string]command
	leases   leases
	brake    int
}

// New makes a server.
func New(cfg Config) *Server {
	s := &Server{
		store: cfg.Store, auth: cfg.Auth, tls: cfg.TLSConfig, hostname: cfg.Hostname,
		limits: cfg.Limits, log: cfg.Logger, commands: map[string]command{},
		leases: leases{held: map[leaseKey]*lease{}}, brake: cfg.Brake,
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.hostname == "" {
		s.hostname = "localhost"
	}
	for _, c := range commands() {
		s.commands[c.name] = c
	}
	return s
}

// peer is how a connection is counted; *listen.Conn is one.
type peer interface {
	LoggedIn(user string) error
	Crowded() bool
	End(cause error)
}

// uncounted is the peer of a connection that did not come through a
// listen.Server.
type uncounted struct{}

func (uncounted) LoggedIn(string) error { return nil }
func (uncounted) Crowded() bool         { return false }
func (uncounted) End(error)             {}

// Serve serves one connection to its end and closes it. On an implicit TLS
// port the handshake is done, and conn is a *tls.Conn or a *listen.Conn around
// one. When ctx ends, the command in hand is finished and the connection closed.
func (s *Server) Serve(ctx context.Context, conn net.Conn) {
	ss := s.newSession(ctx, conn)
	defer ss.close()
	defer func() {
		if p := recover(); p != nil {
			ss.log.Error("panic in a session", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	// Deadlines are goroutine-safe: this ends a wait for input, nothing else.
	stop := context.AfterFunc(ctx, ss.interrupt)
	defer stop()
	ss.run()
}

func (s *Server) newSession(ctx context.Context, conn net.Conn) *session {
	ss := &session{
		srv: s, ctx: ctx, work: context.WithoutCancel(ctx),
		raw: conn, conn: conn, peer: uncounted{}, started: time.Now(),
	}
	inner := conn
	if c, ok := conn.(*listen.Conn); ok {
		ss.peer, ss.id, ss.remote, inner = c, c.Session, c.Remote(), c.Conn
		ss.started = c.Accepted
	} else {
		ss.id = strings.ToLower(rand.Text()[:16])
		if a, err := netip.ParseAddrPort(conn.RemoteAddr().String()); err == nil {
			ss.remote = a.Addr().Unmap().WithZone("")
		}
	}
	if c, ok := inner.(*tls.Conn); ok {
		state := c.ConnectionState()
		ss.private, ss.tls = true, &state
	}
	ss.in = bufio.NewReaderSize(ss, readBuffer)
	ss.out = bufio.NewWriterSize(stallWriter{ss}, writeBuffer)
	ss.log = s.log.With("protocol", "pop3", "session", ss.id, "remote", ss.remoteName())
	return ss
}
