package webd

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"tandem/internal/listen"
)

// handoff is a listener of connections that others have accepted.
type handoff struct {
	conns chan net.Conn
	ended chan struct{} // closed by Close
	once  sync.Once
}

func newHandoff() *handoff {
	return &handoff{conns: make(chan net.Conn), ended: make(chan struct{})}
}

// Accept implements net.Listener.
func (h *handoff) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.ended:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (h *handoff) Close() error {
	h.once.Do(func() { close(h.ended) })
	return nil
}

// Addr implements net.Listener; nobody asks for it.
func (h *handoff) Addr() net.Addr { return &net.TCPAddr{} }

// conn tells when net/http has done with a connection.
type conn struct {
	net.Conn
	peer   peer
	spoke  atomic.Bool // the client has sent something
	closed chan struct{}
	once   sync.Once
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.spoke.Store(true)
	}
	return n, err
}

// Close implements net.Conn.
func (c *conn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { close(c.closed) })
	return err
}

// peer is what handlers know of a connection.
type peer struct {
	session string     // for logs
	remote  netip.Addr // zero: a unix socket
	tls     bool
}

type peerKey struct{}

// peerOf tells whose connection a request came over.
func peerOf(r *http.Request) peer {
	p, _ := r.Context().Value(peerKey{}).(peer)
	return p
}

// Serve serves one connection to its end. When ctx ends the request in hand is
// finished, but no stream of events.
func (s *Server) Serve(ctx context.Context, c *listen.Conn) {
	select {
	case s.places <- struct{}{}:
		defer func() { <-s.places }()
	default:
		s.log.Warn("limit hit", "limit", "web connections", "session", c.Session)
		return
	}
	_, private := c.Conn.(*tls.Conn)
	hc := &conn{Conn: c, peer: peer{c.Session, c.Remote(), private}, closed: make(chan struct{})}
	select {
	case s.incoming.conns <- hc:
	case <-s.incoming.ended:
		return
	}
	select {
	case <-hc.closed:
	case <-ctx.Done():
		if !hc.spoke.Load() { // net/http would give it five seconds
			hc.Close()
		}
		s.drain()
		<-hc.closed
	}
}

// drain ends all connections once their requests are answered. It is called as
// soon as the context of one of them ends, which is that of the listeners.
func (s *Server) drain() {
	s.draining.Do(func() {
		s.stop()
		ctx, cancel := context.WithTimeout(context.Background(), drainTime)
		defer cancel()
		if err := s.http.Shutdown(ctx); err != nil {
			s.http.Close()
		}
	})
}

// serveHTTP runs net/http's server until the drain.
func (s *Server) serveHTTP() {
	if err := s.http.Serve(s.incoming); !errors.Is(err, http.ErrServerClosed) {
		s.log.Error("web server failed", "err", err)
	}
}

const drainTime = 5 * time.Second // for requests in hand
