package dovecot

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tandem/auth"
	"tandem/store"
)

const (
	maxLine     = 16 * 1024        // octets, what the protocol says to expect at most
	maxRequests = 64               // of one connection, under way at once
	maxDelay    = 8 * time.Second  // of a failing reply: Postfix gives up after 10 s
	idleTime    = 30 * time.Minute // MTA processes keep the connection for their life
	writeTime   = 10 * time.Second
)

var errProtocol = errors.New("protocol error")

// Server serves the connections of MTAs. Make it with New.
type Server struct {
	auth  *auth.Authenticator
	log   *slog.Logger
	conns atomic.Uint32 // to tell connections apart (CUID)
}

// New returns a server that checks logins with a.
func New(a *auth.Authenticator, log *slog.Logger) *Server {
	return &Server{auth: a, log: log}
}

// conn is one connection. Its own goroutine reads; each request has one more
// while it is being decided.
type conn struct {
	server  *Server
	session string
	nc      net.Conn
	ctx     context.Context // ends with the connection

	wg sync.WaitGroup

	writing sync.Mutex // one reply at a time

	mu       sync.Mutex
	requests map[string]*request // under way, by id
}

// request is an AUTH under way.
type request struct {
	id       string
	exchange *auth.Exchange
	busy     bool // a response is being decided; guarded by conn.mu
}

// Serve serves one connection until it or ctx ends. The caller closes nc.
func (s *Server) Serve(ctx context.Context, nc net.Conn, session string) {
	ctx, cancel := context.WithCancel(ctx)
	c := &conn{server: s, session: session, nc: nc, ctx: ctx, requests: map[string]*request{}}
	stop := context.AfterFunc(ctx, func() { nc.Close() })
	defer func() {
		cancel()
		c.wg.Wait()
		stop()
	}()
	if err := c.run(); ctx.Err() == nil && !errors.Is(err, io.EOF) {
		s.log.Warn("auth connection ended", "session", session, "err", err)
	}
}

// run reads lines until there is an error; the end of the connection is one.
func (c *conn) run() error {
	if err := c.greet(); err != nil {
		return err
	}
	lines := bufio.NewReaderSize(c.nc, maxLine)
	for {
		if err := c.nc.SetReadDeadline(time.Now().Add(idleTime)); err != nil {
			return err
		}
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return fmt.Errorf("%w: line longer than %d octets", errProtocol, maxLine)
		}
		if err != nil {
			return err
		}
		if err := c.command(split(strings.TrimSuffix(string(line), "\n"))); err != nil {
			return err
		}
	}
}

// greet sends the server's half of the handshake, without waiting for the
// client's: some clients wait for ours first.
func (c *conn) greet() error {
	var cookie [16]byte
	rand.Read(cookie[:]) // never fails
	hello := join("VERSION", "1", "2")
	for _, m := range c.server.auth.Mechanisms(auth.Attempt{Scope: store.ScopeSMTP, TLS: true}) {
		hello += join("MECH", m, "plaintext")
	}
	hello += join("SPID", strconv.Itoa(os.Getpid())) +
		join("CUID", strconv.FormatUint(uint64(c.server.conns.Add(1)), 10)) +
		join("COOKIE", hex.EncodeToString(cookie[:])) +
		join("DONE")
	return c.write(hello)
}

func (c *conn) command(fields []string) error {
	name, args := fields[0], fields[1:]
	switch name {
	case "VERSION":
		if len(args) < 1 || args[0] != "1" {
			return fmt.Errorf("%w: client speaks version %.20q", errProtocol, strings.Join(args, "."))
		}
		return nil
	case "CPID":
		return nil
	case "AUTH":
		return c.auth(args)
	case "CONT":
		return c.cont(args)
	case "CANCEL":
		return c.cancel(args)
	}
	return fmt.Errorf("%w: unknown command %.40q", errProtocol, name)
}

// auth is AUTH <id> <mechanism> [parameters].
func (c *conn) auth(args []string) error {
	if len(args) < 2 || !validID(args[0]) {
		return fmt.Errorf("%w: AUTH without id and mechanism", errProtocol)
	}
	id, mech, params := args[0], args[1], args[2:]
	r := &request{id: id, busy: true}
	if err := c.add(r); err != nil {
		return err
	}
	// The client's address as the MTA saw it; without one it is local mail.
	var remote netip.Addr
	if rip, ok := param(params, "rip"); ok {
		addr, err := netip.ParseAddr(rip)
		if err != nil {
			return c.fail(r, "", auth.ErrMalformed)
		}
		remote = addr
	}
	_, secured := param(params, "secured")
	x, err := c.server.auth.Start(c.ctx, mech, auth.Attempt{
		Scope: store.ScopeSMTP, Remote: remote, TLS: secured,
		Protocol: "smtp", Session: c.session, MaxDelay: maxDelay,
	})
	if err != nil {
		return c.fail(r, "", err)
	}
	r.exchange = x
	resp, ok := param(params, "resp")
	if !ok {
		return c.next(r, nil)
	}
	return c.decode(r, resp)
}

// cont is CONT <id> <response>.
func (c *conn) cont(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("%w: CONT without id and response", errProtocol)
	}
	c.mu.Lock()
	r := c.requests[args[0]]
	ready := r != nil && !r.busy
	if ready {
		r.busy = true
	}
	c.mu.Unlock()
	if !ready {
		return fmt.Errorf("%w: CONT for no request that waits", errProtocol)
	}
	return c.decode(r, args[1])
}

// cancel is CANCEL <id>. What is being decided is decided; its reply is still
// sent, as the client may expect either.
func (c *conn) cancel(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("%w: CANCEL without id", errProtocol)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.requests[args[0]]; r != nil && !r.busy {
		delete(c.requests, r.id)
	}
	return nil
}

// validID says whether id is an unsigned 32-bit number.
func validID(id string) bool {
	_, err := strconv.ParseUint(id, 10, 32)
	return err == nil
}

func (c *conn) add(r *request) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.requests[r.id] != nil {
		return fmt.Errorf("%w: request %s is under way already", errProtocol, r.id)
	}
	if len(c.requests) >= maxRequests {
		return fmt.Errorf("%w: more than %d requests under way", errProtocol, maxRequests)
	}
	c.requests[r.id] = r
	return nil
}

func (c *conn) decode(r *request, response string) error {
	b, err := base64.StdEncoding.DecodeString(response)
	if err != nil {
		return c.fail(r, "", auth.ErrMalformed)
	}
	return c.next(r, b)
}

// next hands the exchange a response, in a goroutine of its own: deciding may
// take seconds, and other requests need not wait for it.
func (c *conn) next(r *request, response []byte) error {
	c.wg.Go(func() {
		defer c.recovered()
		challenge, done, err := r.exchange.Next(response)
		switch {
		case err != nil:
			err = c.fail(r, r.exchange.Login(), err)
		case done:
			c.remove(r)
			err = c.write(join("OK", r.id, "user="+r.exchange.Identity().Name))
		default:
			c.mu.Lock()
			r.busy = false
			c.mu.Unlock()
			err = c.write(join("CONT", r.id, base64.StdEncoding.EncodeToString(challenge)))
		}
		if err != nil {
			c.nc.Close() // ends run
		}
	})
	return nil
}

// recovered keeps a panic in a request from ending more than its connection.
func (c *conn) recovered() {
	if p := recover(); p != nil {
		c.server.log.Error("panic in a session", "session", c.session, "panic", p, "stack", string(debug.Stack()))
		c.nc.Close() // ends run
	}
}

// fail ends a request. temp makes the MTA answer 454 rather than 535.
func (c *conn) fail(r *request, login string, err error) error {
	c.remove(r)
	fields := []string{"FAIL", r.id}
	if login != "" {
		fields = append(fields, "user="+login)
	}
	switch {
	case errors.Is(err, auth.ErrBusy):
		fields = append(fields, "code=temp_fail", "temp")
	case errors.Is(err, auth.ErrNotAuthorized):
		fields = append(fields, "code=authz_fail", "authz")
	case !errors.Is(err, auth.ErrFailed):
		fields = append(fields, "reason="+err.Error())
	}
	return c.write(join(fields...))
}

func (c *conn) remove(r *request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.requests, r.id)
}

func (c *conn) write(s string) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if err := c.nc.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return err
	}
	_, err := io.WriteString(c.nc, s)
	return err
}
