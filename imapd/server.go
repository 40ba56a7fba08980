package imapd

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"runtime/debug"
	"time"

	"tandem/auth"
	"tandem/imapd/internal/wire"
	"tandem/internal/listen"
	"tandem/store"
)

// Config is what a Server needs.
type Config struct {
	Store *store.Store
	Auth  *auth.Authenticator

	// TLS is for STARTTLS, which is not offered when it is nil. Connections
	// with implicit TLS arrive with the handshake done.
	TLS *tls.Config

	// ShortLiterals advertises LITERAL- in place of LITERAL+ (RFC 7888): literals
	// of more than 4096 octets must be asked for.
	ShortLiterals bool

	// StrictHeaders refuses messages with 8-bit octets in their header from
	// clients that have not enabled UTF8=ACCEPT (RFC 9755 section 4).
	StrictHeaders bool

	// AdminContact is a URI by which the administrator is reached, told as
	// /shared/admin (RFC 5464 section 3.2.1.1); "" for none.
	AdminContact string

	Limits   Limits // zero: DefaultLimits of the store's message size
	Logger   *slog.Logger
	Hostname string // for the greeting
	Version  string // for ID, told to logged-in clients only
}

// Input bounds what one command may bring.
type Input = wire.Limits

// Limits are the bounds of a session; shared limits on connections are the
// listener's.
type Limits struct {
	Stranger Input // before login
	User     Input // after it

	LoginTime   time.Duration // from accept to login, whatever is sent meanwhile
	CrowdedTime time.Duration // the same when many strangers are connected
	Idle        time.Duration // without input after login
	WriteStall  time.Duration // without progress of output
	Drain       time.Duration // for the command in hand when the server stops
	Handshake   time.Duration // of STARTTLS
	Progress    time.Duration // after which a command tells how far it is, and again; 0: never

	Messages int // that a command works on (RFC 9738), 0: any number
	Saved    int // that a COPY or APPEND puts into a mailbox, likewise

	BadStranger int // bad commands before login that end the connection
	BadUser     int // the same after login, in a row
}

// DefaultLimits are the limits of a server that takes messages of up to
// message octets (0: of any size).
func DefaultLimits(message int64) Limits {
	return Limits{
		Stranger:    wire.StrangerLimits(),
		User:        wire.UserLimits(message),
		LoginTime:   180 * time.Second,
		CrowdedTime: 60 * time.Second,
		Idle:        30 * time.Minute, // RFC 3501 section 5.4: at least this
		WriteStall:  5 * time.Minute,
		Drain:       10 * time.Second,
		Handshake:   15 * time.Second,
		Progress:    10 * time.Second, // RFC 9585 section 4
		BadStranger: 3,
		BadUser:     20,
	}
}

// Server serves IMAP on connections that others accept.
type Server struct {
	cfg Config
	reg *registry
	log *slog.Logger

	compressors *compressors
}

// New makes a server. It panics when two extensions define the same word,
// which any test notices.
func New(cfg Config) *Server {
	if cfg.Limits == (Limits{}) {
		cfg.Limits = DefaultLimits(cfg.Store.MessageSize())
	}
	if cfg.ShortLiterals {
		cfg.Limits.Stranger.Unasked, cfg.Limits.User.Unasked = shortLiteral, shortLiteral
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Server{cfg: cfg, reg: newRegistry(extensions()), log: cfg.Logger,
		compressors: newCompressors(runtime.GOMAXPROCS(0))}
}

// Serve serves one connection to its end and leaves the closing to its caller.
// When ctx ends, an idle client gets BYE and a command in hand has
// Limits.Drain to finish. A *listen.Conn is told when its client logs in.
func (srv *Server) Serve(ctx context.Context, conn net.Conn) {
	s := srv.newSession(conn)
	defer s.close()
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("session panicked", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	s.serve(ctx)
}

// door is what a session asks of the listener that accepted its connection.
type door interface {
	LoggedIn(user string) error // counts the session as user's; refuses one too many
	Crowded() bool              // many strangers are connected
	End(cause error)            // ends the context that the connection is served with
}

// openDoor is the door of connections that did not come through package listen.
type openDoor struct{}

func (openDoor) LoggedIn(string) error { return nil }
func (openDoor) Crowded() bool         { return false }
func (openDoor) End(error)             {}

// peer is what is known about a connection when it arrives.
type peer struct {
	door    door
	session string // unique name of the connection
	addr    netip.Addr
	tls     *tls.ConnectionState
}

// remote names the client's address in the log and the journal.
func (p *peer) remote() string {
	if !p.addr.IsValid() {
		return "local"
	}
	return p.addr.String()
}

func newPeer(conn net.Conn) peer {
	p := peer{door: openDoor{}}
	inner := conn
	if c, ok := conn.(*listen.Conn); ok {
		p.door, p.session, p.addr, inner = c, c.Session, c.Remote(), c.Conn
	} else if t, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		p.addr = t.AddrPort().Addr().Unmap().WithZone("")
	}
	if p.session == "" {
		p.session = rand.Text()
	}
	if c, ok := inner.(*tls.Conn); ok {
		state := c.ConnectionState()
		p.tls = &state
	}
	return p
}
