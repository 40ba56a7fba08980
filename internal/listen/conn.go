package listen

import (
	"container/list"
	"context"
	"net"
	"net/netip"
	"time"
)

// Conn is one accepted connection. On a service with implicit TLS the embedded
// net.Conn is the *tls.Conn, its handshake done.
type Conn struct {
	net.Conn

	Session  string    // names this connection in logs and in the journal; never used twice
	Accepted time.Time // before the TLS handshake, if there was one

	addr    netip.Addr // the client's; invalid for a unix socket
	network netip.Addr // what StrangersPerAddress counts by
	gate    *gate
	raw     net.Conn // the socket, for closing from outside the front end
	cancel  context.CancelCauseFunc

	// guarded by gate.mu
	place   place
	element *list.Element
	user    string
}

// Remote returns the client's address, IPv4 in its four-byte form. It is the
// zero Addr when the client came over a unix socket.
func (c *Conn) Remote() netip.Addr { return c.addr }

// LoggedIn counts the connection as a session of user from now on, no longer
// as a stranger. A *LimitError says that the user, or the server, has too many
// sessions; the connection is then what it was before.
func (c *Conn) LoggedIn(user string) error { return c.gate.login(c, user) }

// Crowded reports whether at least half the strangers' places are taken: time
// to give each of them less time to log in.
func (c *Conn) Crowded() bool { return c.gate.crowded() }

// End ends the context that the connection is served with, as a drain does; its
// cause says why.
func (c *Conn) End(cause error) { c.cancel(cause) }

// NetConn returns the socket itself, as tls.Conn's does.
func (c *Conn) NetConn() net.Conn { return c.raw }

// remoteAddr returns the IP address in a, or the zero Addr.
func remoteAddr(a net.Addr) netip.Addr {
	if t, ok := a.(*net.TCPAddr); ok {
		return t.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

// networkOf returns what one client can be assumed to hold alone: an IPv4
// address, or an IPv6 /64.
func networkOf(a netip.Addr) netip.Addr {
	if !a.Is6() {
		return a
	}
	p, err := a.Prefix(64)
	if err != nil {
		return a
	}
	return p.Addr()
}
