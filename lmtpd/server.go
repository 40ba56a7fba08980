package lmtpd

import (
	"bufio"
	"context"
	"crypto/rand"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"tandem/internal/listen"
	"tandem/store"
)

// Config is what a Server works with. Store is needed.
type Config struct {
	Store    *store.Store
	Hostname string // in the greeting and in Received headers

	// InboxOnly files mail for alice+lists into INBOX even when she has a
	// mailbox lists: [lmtp] subaddress = "inbox".
	InboxOnly bool
	// JunkHeader is a header line such as "X-Spam: yes": messages that have it
	// go to the \Junk mailbox. "": none.
	JunkHeader string
	// FullIsFinal refuses mail above a quota for good (552), so that its sender
	// is told at once; else the sender keeps it and tries again (452).
	FullIsFinal bool

	Limits Limits
	Logger *slog.Logger // nil is slog.Default
}

// Limits are a server's limits; 0 means no limit. The size of a message is
// limited by the store's MessageSize.
type Limits struct {
	Recipients    int           // of one message
	LargeMessages int           // of more than 32 KiB, being received at once; others wait
	BadCommands   int           // since the last delivery, until the connection is closed
	Idle          time.Duration // silence; RFC 5321 section 4.5.3.2.7 asks for at least 5 minutes
	WriteStall    time.Duration // how long a client may take no byte of an answer
}

// DefaultLimits are the limits of a server that is not configured otherwise.
func DefaultLimits() Limits {
	return Limits{
		Recipients: 100, LargeMessages: 16, BadCommands: 10,
		Idle: 5 * time.Minute, WriteStall: 5 * time.Minute,
	}
}

// Server serves LMTP connections. It is safe for concurrent use.
type Server struct {
	store     *store.Store
	hostname  string
	inboxOnly bool
	junk      headerLine
	full      reply // to mail above a quota
	limits    Limits
	log       *slog.Logger
	commands  map[string]command
	room      *room
}

// New makes a server.
func New(cfg Config) *Server {
	s := &Server{
		store: cfg.Store, hostname: cfg.Hostname, inboxOnly: cfg.InboxOnly,
		junk: parseHeaderLine(cfg.JunkHeader), limits: cfg.Limits, log: cfg.Logger,
		commands: map[string]command{}, room: newRoom(cfg.Limits.LargeMessages),
	}
	s.full = failures[store.OverQuota]
	if cfg.FullIsFinal {
		s.full.code, s.full.enhanced = 552, "5.2.2" // RFC 3463 section 3.3
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

// Serve serves one connection to its end and closes it. When ctx ends, the
// command in hand is finished (a message that is being sent is taken) and the
// connection closed with 421.
func (s *Server) Serve(ctx context.Context, conn net.Conn) {
	ss := s.newSession(ctx, conn)
	defer ss.close()
	defer func() {
		if p := recover(); p != nil {
			ss.log.Error("panic in a session", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	stop := context.AfterFunc(ctx, ss.interrupt)
	defer stop()
	ss.run()
}

func (s *Server) newSession(ctx context.Context, conn net.Conn) *session {
	ss := &session{srv: s, ctx: ctx, work: context.WithoutCancel(ctx), conn: conn}
	if c, ok := conn.(*listen.Conn); ok {
		ss.id, ss.remote = c.Session, c.Remote()
	} else {
		ss.id = strings.ToLower(rand.Text()[:16])
		if a, err := netip.ParseAddrPort(conn.RemoteAddr().String()); err == nil {
			ss.remote = a.Addr().Unmap().WithZone("")
		}
	}
	ss.by = store.Actor{Session: ss.id, Protocol: "lmtp"}
	if ss.remote.IsValid() {
		ss.by.Remote = ss.remote.String()
	}
	ss.in = bufio.NewReaderSize(ss, readBuffer)
	ss.out = bufio.NewWriterSize(stallWriter{ss}, writeBuffer)
	remote := "local"
	if ss.remote.IsValid() {
		remote = ss.remote.String()
	}
	ss.log = s.log.With("protocol", "lmtp", "session", ss.id, "remote", remote)
	return ss
}
