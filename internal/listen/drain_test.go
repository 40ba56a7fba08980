package listen

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// pipeListener hands out one end of a pipe for each dial.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipeListener() *pipeListener {
	return &pipeListener{make(chan net.Conn), make(chan struct{})}
}

func (l *pipeListener) dial() net.Conn {
	near, far := net.Pipe()
	l.conns <- far
	return near
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { close(l.closed); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Net: "unix"} }

// drain serves one connection with a front end, stops the server and returns
// how long Serve took to return.
func drain(serve func(context.Context, *Conn)) time.Duration {
	l := newPipeListener()
	s := New(DefaultLimits(), slog.New(slog.DiscardHandler))
	s.bound = []bound{{Service{Name: "test", Serve: serve}, l}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Serve(ctx)
	}()
	c := l.dial()
	defer c.Close()
	synctest.Wait()
	start := time.Now()
	cancel()
	<-done
	return time.Since(start)
}

func TestDrainWaitsForTheCommandInHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		took := drain(func(ctx context.Context, c *Conn) {
			<-ctx.Done()
			time.Sleep(5 * time.Second) // the bubble's: a command in hand
			if err := c.SetDeadline(time.Time{}); err != nil {
				t.Errorf("the connection was closed under it: %v", err)
			}
		})
		if took != 5*time.Second {
			t.Errorf("the server ended after %v", took)
		}
	})
}

func TestDrainClosesWhoDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		took := drain(func(_ context.Context, c *Conn) { io.Copy(io.Discard, c) })
		if took != drainTime {
			t.Errorf("the server ended after %v", took)
		}
	})
}

func TestDrainEndsInTimeWhateverHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		took := drain(func(context.Context, *Conn) { <-stuck })
		if took >= 15*time.Second {
			t.Errorf("the server ended after %v", took)
		}
		close(stuck)
		synctest.Wait()
	})
}

func TestWhatCountsAsOneClient(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.1":         "192.0.2.1",
		"2001:db8:1:2:3::4": "2001:db8:1:2::",
		"::1":               "::",
	} {
		if got := networkOf(netip.MustParseAddr(addr)).String(); got != want {
			t.Errorf("%s counts as %s, want %s", addr, got, want)
		}
	}
	mapped := &net.TCPAddr{IP: net.ParseIP("192.0.2.1").To16(), Port: 1}
	if got := remoteAddr(mapped); got != netip.MustParseAddr("192.0.2.1") {
		t.Errorf("mapped IPv4 is %v", got)
	}
}
