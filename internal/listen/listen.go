package listen

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

const (
	handshakeTime = 15 * time.Second // a TLS handshake, whole
	drainTime     = 12 * time.Second // front ends to finish, so that the process ends within 15 s
	closeTime     = 2 * time.Second  // front ends to notice that their connection was closed
	evictionTime  = time.Second      // a stranger's front end to say goodbye
	maxEvicted    = 100              // strangers saying goodbye at once; more are just closed
)

// ErrDraining is the cause of the connections' contexts once the server stops.
var ErrDraining = errors.New("server is shutting down")

// Service is one protocol on some addresses.
type Service struct {
	Name      string   // for logs: "imap", "imaps"
	Addresses []string // "host:port" or "unix:/path"

	// TLS, when set, makes every connection begin with a TLS handshake.
	TLS *tls.Config

	// SocketMode and SocketGroup are given to unix sockets. Zero is 0600, and
	// the process's own group.
	SocketMode  fs.FileMode
	SocketGroup string

	// Peers says that clients of this service never log in (MTAs). They are
	// not counted as strangers.
	Peers bool

	// Refusal, when set, returns the line that a client gets which is turned
	// away at the door. It is not used on TLS services: a handshake is too much
	// work for someone who is turned away.
	Refusal func(*LimitError) string

	// Serve serves one connection; the server closes it afterwards. When ctx
	// ends, Serve says goodbye as its protocol has it and returns:
	// context.Cause(ctx) is ErrDraining, or a *LimitError when this stranger
	// had to make room.
	Serve func(ctx context.Context, c *Conn)
}

// Server accepts connections for services. Make it with New; then Bind, then
// Serve, each once.
type Server struct {
	log  *slog.Logger
	gate *gate

	bound []bound

	wg sync.WaitGroup // accept loops and connections

	mu      sync.Mutex
	conns   map[*Conn]struct{}
	evicted int
}

type bound struct {
	service  Service
	listener net.Listener
}

// New returns a server that keeps to limits over all its services together.
func New(limits Limits, log *slog.Logger) *Server {
	return &Server{log: log, gate: newGate(limits), conns: map[*Conn]struct{}{}}
}

// Addrs returns the addresses bound for the service called name.
func (s *Server) Addrs(name string) []net.Addr {
	var addrs []net.Addr
	for _, b := range s.bound {
		if b.service.Name == name {
			addrs = append(addrs, b.listener.Addr())
		}
	}
	return addrs
}

// Counts returns how many strangers, sessions and peers are connected.
func (s *Server) Counts() (strangers, sessions, peers int) {
	s.gate.mu.Lock()
	defer s.gate.mu.Unlock()
	return s.gate.strangers.Len(), s.gate.sessions, s.gate.peers
}

// Serve accepts connections until ctx ends. Then it closes the listeners, lets
// the front ends finish, and closes the connections of those that have not
// after some seconds.
func (s *Server) Serve(ctx context.Context) {
	conns, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	for _, b := range s.bound {
		s.wg.Go(func() { s.accept(ctx, conns, b) })
	}
	<-ctx.Done()
	s.Close()
	cancel(ErrDraining)

	done := make(chan struct{})
	go func() {
		s.wg.Wait()
		close(done)
	}()
	if waitFor(done, drainTime) {
		return
	}
	s.closeAll()
	if !waitFor(done, closeTime) {
		s.log.Error("connections did not end", "service", "listen")
	}
}

// Close closes the listeners. It is for a server that is bound but will not be
// served.
func (s *Server) Close() {
	for _, b := range s.bound {
		if err := b.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			s.log.Warn("listener not closed", "service", b.service.Name, "err", err)
		}
	}
}

func (s *Server) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		s.log.Warn("connection closed: it did not end in time", "session", c.Session)
		c.raw.Close()
	}
}

func waitFor(done <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-t.C:
		return false
	}
}

// accept takes connections from one listener until ctx ends. Any error but the
// listener's closing passes (EMFILE above all), so it waits and tries again.
func (s *Server) accept(ctx, conns context.Context, b bound) {
	var wait time.Duration
	for ctx.Err() == nil {
		nc, err := b.listener.Accept()
		switch {
		case err == nil:
			wait = 0
			s.admit(conns, b.service, nc)
		case ctx.Err() != nil || errors.Is(err, net.ErrClosed):
			return
		default:
			if wait == 0 {
				s.log.Error("cannot accept, pausing", "service", b.service.Name, "err", err)
			}
			wait = min(max(2*wait, 5*time.Millisecond), time.Second)
			waitFor(ctx.Done(), wait)
		}
	}
}

// admit asks the gate and starts the goroutine of a connection.
func (s *Server) admit(conns context.Context, svc Service, nc net.Conn) {
	if t, ok := nc.(*net.TCPConn); ok {
		// Long enough apart not to keep a phone's radio awake. A failure only
		// means that a dead client is noticed later.
		_ = t.SetKeepAliveConfig(net.KeepAliveConfig{
			Enable: true, Idle: 2 * time.Minute, Interval: 30 * time.Second, Count: 5,
		})
	}
	ctx, cancel := context.WithCancelCause(conns)
	addr := remoteAddr(nc.RemoteAddr())
	c := &Conn{
		Conn:     nc,
		Session:  strings.ToLower(rand.Text()[:16]),
		Accepted: time.Now(),
		addr:     addr,
		network:  networkOf(addr),
		gate:     s.gate,
		raw:      nc,
		cancel:   cancel,
	}
	if err := s.enter(c, svc); err != nil {
		s.refuse(c, svc, err)
		cancel(err)
		return
	}
	s.mu.Lock()
	s.conns[c] = struct{}{}
	s.mu.Unlock()
	s.wg.Go(func() { s.serve(ctx, c, svc) })
}

// enter finds a place for c, at the cost of the oldest stranger if need be.
func (s *Server) enter(c *Conn, svc Service) error {
	if svc.Peers {
		return s.gate.enterPeer(c)
	}
	evicted, err := s.gate.enter(c)
	if evicted != nil {
		s.evict(evicted)
	}
	return err
}

func (s *Server) refuse(c *Conn, svc Service, err error) {
	s.log.Warn("connection refused", "service", svc.Name, "remote", c.raw.RemoteAddr().String(), "err", err)
	if limit, ok := errors.AsType[*LimitError](err); ok && svc.Refusal != nil && svc.TLS == nil {
		// The line fits the socket's empty buffer: the write does not wait.
		_ = c.raw.SetWriteDeadline(time.Now().Add(evictionTime))
		_, _ = c.raw.Write([]byte(svc.Refusal(limit)))
	}
	c.raw.Close()
}

// evict ends the connection of a stranger that lost its place. Its front end
// may say goodbye, unless so many are at it already that this would become a
// way around the limit.
func (s *Server) evict(c *Conn) {
	limit := &LimitError{"strangers", s.gate.limits.Strangers}
	s.log.Warn("stranger closed to make room", "session", c.Session, "remote", c.raw.RemoteAddr().String(), "err", limit)
	c.cancel(limit)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.evicted >= maxEvicted {
		c.raw.Close()
		return
	}
	s.evicted++
	time.AfterFunc(evictionTime, func() {
		c.raw.Close()
		s.mu.Lock()
		s.evicted--
		s.mu.Unlock()
	})
}

// serve is the goroutine of a connection.
func (s *Server) serve(ctx context.Context, c *Conn, svc Service) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("panic in a session", "service", svc.Name, "session", c.Session,
				"panic", p, "stack", string(debug.Stack()))
		}
		s.gate.leave(c)
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
		c.Close()
		c.raw.Close()
		c.cancel(nil)
	}()
	if svc.TLS != nil {
		if err := handshake(ctx, c, svc.TLS); err != nil {
			s.log.Info("TLS handshake failed", "service", svc.Name, "session", c.Session,
				"remote", c.raw.RemoteAddr().String(), "err", err)
			return
		}
	}
	svc.Serve(ctx, c)
}

// handshake puts TLS between the socket and the front end.
func handshake(ctx context.Context, c *Conn, cfg *tls.Config) error {
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	t := tls.Server(c.raw, cfg)
	if err := t.HandshakeContext(ctx); err != nil {
		return err
	}
	c.Conn = t
	return nil
}
