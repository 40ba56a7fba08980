package listen

import (
	"container/list"
	"fmt"
	"net/netip"
	"sync"
)

// Limits says how many connections are kept. Zero means no limit.
type Limits struct {
	Strangers           int // connections not logged in, in all; at the limit the oldest goes
	StrangersPerAddress int // connections not logged in from one IPv4 address or IPv6 /64
	Sessions            int // connections logged in, in all
	PerUser             int // sessions of one user
	PerUserAddress      int // sessions of one user from one address
}

// DefaultLimits returns the limits of a server that is not configured otherwise.
func DefaultLimits() Limits {
	return Limits{
		Strangers:           1000,
		StrangersPerAddress: 20,
		Sessions:            5000,
		PerUser:             250,
		PerUserAddress:      20,
	}
}

// LimitError says which limit refused or ended a connection. Name is the
// limit's name in the configuration.
type LimitError struct {
	Name string
	Max  int
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("too many connections (%s = %d)", e.Name, e.Max)
}

// place is where a connection stands in the gate.
type place int

const (
	outside place = iota
	stranger
	session
	peer
)

type userAddr struct {
	user string
	addr netip.Addr
}

// gate counts the connections of all services together.
type gate struct {
	limits Limits

	mu            sync.Mutex
	strangers     list.List // of *Conn, oldest first
	strangersAddr map[netip.Addr]int
	sessions      int
	peers         int
	users         map[string]int
	userAddrs     map[userAddr]int
}

func newGate(l Limits) *gate {
	return &gate{
		limits:        l,
		strangersAddr: map[netip.Addr]int{},
		users:         map[string]int{},
		userAddrs:     map[userAddr]int{},
	}
}

// over reports whether one more than n exceeds max.
func over(n, max int) bool { return max > 0 && n >= max }

// enter admits a new connection as a stranger. evicted is the oldest stranger
// when it had to make room; the caller ends it.
func (g *gate) enter(c *Conn) (evicted *Conn, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c.addr.IsValid() && over(g.strangersAddr[c.network], g.limits.StrangersPerAddress) {
		return nil, &LimitError{"connections_per_address", g.limits.StrangersPerAddress}
	}
	if over(g.strangers.Len(), g.limits.Strangers) {
		evicted = g.strangers.Front().Value.(*Conn)
		g.leaveLocked(evicted)
	}
	c.place = stranger
	c.element = g.strangers.PushBack(c)
	g.strangersAddr[c.network]++
	return evicted, nil
}

// enterPeer admits a connection that will never log in (an MTA's). Peers have
// as many places as strangers do, of their own: mail delivery is not the
// victim of a crowd at the mail readers' doors, nor the other way round.
func (g *gate) enterPeer(c *Conn) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if over(g.peers, g.limits.Strangers) {
		return &LimitError{"strangers", g.limits.Strangers}
	}
	c.place = peer
	g.peers++
	return nil
}

// login turns a stranger into a session of user.
func (g *gate) login(c *Conn, user string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := userAddr{user, c.addr}
	switch {
	case c.place != stranger && c.place != session:
		return &LimitError{"strangers", g.limits.Strangers} // evicted meanwhile
	case c.place == session && c.user == user:
		return nil
	case c.place == stranger && over(g.sessions, g.limits.Sessions):
		return &LimitError{"connections", g.limits.Sessions}
	case over(g.users[user], g.limits.PerUser):
		return &LimitError{"sessions_per_user", g.limits.PerUser}
	case c.addr.IsValid() && over(g.userAddrs[key], g.limits.PerUserAddress):
		return &LimitError{"sessions_per_user_address", g.limits.PerUserAddress}
	}
	g.leaveLocked(c)
	c.place, c.user = session, user
	g.sessions++
	g.users[user]++
	g.userAddrs[key]++
	return nil
}

func (g *gate) leave(c *Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.leaveLocked(c)
}

func (g *gate) leaveLocked(c *Conn) {
	switch c.place {
	case stranger:
		g.strangers.Remove(c.element)
		c.element = nil
		decrement(g.strangersAddr, c.network)
	case session:
		g.sessions--
		decrement(g.users, c.user)
		decrement(g.userAddrs, userAddr{c.user, c.addr})
	case peer:
		g.peers--
	}
	c.place = outside
}

// crowded reports whether half the strangers' places are taken.
func (g *gate) crowded() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.limits.Strangers > 0 && 2*g.strangers.Len() >= g.limits.Strangers
}

// decrement takes one from m[k] and drops the entry at zero, so that the maps
// stay as small as what they count.
func decrement[K comparable](m map[K]int, k K) {
	if m[k]--; m[k] <= 0 {
		delete(m, k)
	}
}
