package imapd

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"tandem/imapd/internal/wire"
)

// How a connection can end that is still there.
var (
	errIdle     = errors.New("idle for too long")
	errLogin    = errors.New("login took too long")
	errDraining = errors.New("server is shutting down")
)

// writePiece is how much is written under one deadline, so that a slow but
// steady reader is never taken for a stalled one.
const writePiece = 16 << 10

// farewell is what a BYE may take once the time of a drain is over.
const farewell = time.Second

// stream is the connection as the session sees it: reading flushes output
// first and is bounded by the deadline in force, writing by progress. Its
// fields belong to the session's goroutine, except that while waiting is set
// one other goroutine may be inside Read.
type stream struct {
	net.Conn // *tls.Conn after STARTTLS
	socket   net.Conn
	limits   *Limits
	enc      *wire.Encoder
	door     door

	accepted time.Time
	loggedIn bool
	busy     bool // a command is in hand
	waiting  bool // IDLE: another goroutine reads; do not flush for it

	readErr  error // sticky
	writeErr error // sticky

	drainBy atomic.Int64 // Unix nanoseconds; 0 until the server stops
}

// drain is called from outside when the server stops: it wakes a session that
// waits for input and bounds what the command in hand may still take.
func (c *stream) drain() {
	by := time.Now().Add(c.limits.Drain)
	c.drainBy.Store(by.UnixNano())
	_ = c.socket.SetReadDeadline(time.Now())
	_ = c.socket.SetWriteDeadline(by.Add(farewell))
}

// draining gives the moment by which all must be over once the server stops.
func (c *stream) draining() (by time.Time, yes bool) {
	n := c.drainBy.Load()
	return time.Unix(0, n), n != 0
}

// readDeadline gives the moment until which input is waited for, and what it
// means when it passes. Dribbling before login does not extend it.
func (c *stream) readDeadline() (time.Time, error) {
	switch {
	case c.loggedIn:
		return time.Now().Add(c.limits.Idle), errIdle
	case c.door.Crowded():
		return c.accepted.Add(c.limits.CrowdedTime), errLogin
	default:
		return c.accepted.Add(c.limits.LoginTime), errLogin
	}
}

// Read is called by the session's bufio.Reader when its buffer is empty, which
// is the moment to send what has been answered so far.
func (c *stream) Read(p []byte) (int, error) {
	if c.readErr != nil {
		return 0, c.readErr
	}
	if !c.waiting {
		if err := c.enc.Rest(); err != nil {
			return 0, c.endRead(err)
		}
	}
	if c.busy {
		acknowledge(c.socket)
	}
	deadline, meaning := c.readDeadline()
	_ = c.SetReadDeadline(deadline)
	for {
		// Looked at after the deadline was set: drain does it in the other
		// order, so that its deadline is never lost.
		if by, yes := c.draining(); yes {
			if !c.busy || c.waiting || !time.Now().Before(by) {
				return 0, c.endRead(errDraining)
			}
			_ = c.SetReadDeadline(by)
		}
		n, err := c.Conn.Read(p)
		if n > 0 || err == nil {
			return n, nil
		}
		if !isTimeout(err) {
			return 0, c.endRead(err)
		}
		if _, yes := c.draining(); !yes {
			return 0, c.endRead(meaning)
		}
	}
}

func (c *stream) endRead(err error) error {
	c.readErr = err
	return err
}

// Write sends p in pieces, each with its own deadline.
func (c *stream) Write(p []byte) (int, error) {
	if c.writeErr != nil {
		return 0, c.writeErr
	}
	done := 0
	for done < len(p) {
		_ = c.SetWriteDeadline(time.Now().Add(c.limits.WriteStall))
		if by, yes := c.draining(); yes {
			_ = c.SetWriteDeadline(by.Add(farewell))
		}
		n, err := c.Conn.Write(p[done:min(len(p), done+writePiece)])
		done += n
		if err != nil {
			c.writeErr = err
			return done, err
		}
	}
	return done, nil
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// hangup is what a client's leaving looks like; it is not worth a log line.
func hangup(err error) bool {
	return err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, context.Canceled)
}
