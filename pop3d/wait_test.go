package pop3d

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// pipe connects a client to the server without a network, for fake clocks.
// The server's end is awaited at the end of the test.
func (w *world) pipe(ctx context.Context) *client {
	server, cl := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.server.Serve(ctx, server)
	}()
	w.t.Cleanup(func() {
		cl.Close()
		<-done
	})
	return &client{t: w.t, Conn: cl, r: bufio.NewReader(cl)}
}

// silence waits until the server closes the connection and reports how long
// it took. Anything that the server says is an error.
func (c *client) silence() time.Duration {
	c.t.Helper()
	begun := time.Now()
	c.SetReadDeadline(time.Time{})
	if b, err := io.ReadAll(c.r); len(b) > 0 || err != nil && !errors.Is(err, io.ErrClosedPipe) {
		c.t.Errorf("the server said %q, %v", b, err)
	}
	return time.Since(begun)
}

func TestTimeToLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.pipe(t.Context())
		c.script("S: +OK*\nC: USER alice\nS: +OK*")
		begun := time.Now()
		for range 17 { // dribbling does not help
			time.Sleep(10 * time.Second)
			c.send("x")
		}
		time.Sleep(5 * time.Second)
		c.script("S: -ERR you took too long to log in\nS: EOF")
		if d := time.Since(begun); d != 180*time.Second {
			t.Errorf("closed after %v, want 180 s", d)
		}
	})
}

// A stranger that takes no answers has no more time than others.
func TestStrangerStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.pipe(t.Context())
		c.script("S: +OK*")
		time.Sleep(179 * time.Second)
		c.send("CAPA\r\n")
		time.Sleep(3 * time.Second) // nobody reads
		synctest.Wait()
		if d := c.silence(); d != 0 {
			t.Errorf("closed %v later than due", d)
		}
	})
}

func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put("INBOX", message(1))
		c := w.pipe(t.Context())
		c.script("S: +OK*\nC: USER alice\nS: +OK*\nC: PASS secret\nS: +OK*\nC: DELE 1\nS: +OK*")
		time.Sleep(9 * time.Minute)
		c.script("C: NOOP\nS: +OK")
		if d := c.silence(); d != 10*time.Minute {
			t.Errorf("closed after %v, want 10 min", d)
		}
		if got := w.uids("INBOX"); len(got) != 1 {
			t.Errorf("INBOX has %v after a time-out with a message marked", got)
		}
	})
}

func TestWriteStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put("INBOX", message(1))
		c := w.pipe(t.Context())
		c.script("S: +OK*\nC: USER alice\nS: +OK*\nC: PASS secret\nS: +OK*")
		c.send("RETR 1\r\n")
		time.Sleep(5*time.Minute + time.Second) // nobody reads
		synctest.Wait()
		c.SetReadDeadline(time.Now().Add(time.Second))
		if b, _ := io.ReadAll(c.r); len(b) > 0 {
			t.Errorf("the server still said %q", b)
		}
	})
}

// A second login waits for the first to end, an idle one gives way to it.
func TestSecondLogin(t *testing.T) {
	const login = "S: +OK*\nC: USER alice\nS: +OK*\nC: PASS secret\n"
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put("INBOX", message(1))
		first := w.pipe(t.Context())
		first.script(login + "S: +OK*\nC: DELE 1\nS: +OK*")

		second := w.pipe(t.Context())
		begun := time.Now()
		second.script(login + "S: -ERR [IN-USE] *")
		if d := time.Since(begun); d != 5*time.Second {
			t.Errorf("refused after %v, want 5 s", d)
		}
		time.Sleep(26 * time.Second)
		second.script("C: USER alice\nS: +OK*\nC: PASS secret\nS: +OK maildrop has 1 *")
		if d := first.silence(); d != 0 {
			t.Errorf("the first session lived on for %v", d)
		}
		second.script("C: STAT\nS: +OK 1 *\nC: QUIT\nS: +OK*\nS: EOF")
		if got := w.uids("INBOX"); len(got) != 1 {
			t.Errorf("INBOX has %v: the session that gave way deleted", got)
		}
	})
}

func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put("INBOX", message(1))
		ctx, cancel := context.WithCancel(t.Context())
		stranger, session := w.pipe(ctx), w.pipe(ctx)
		stranger.script("S: +OK*")
		session.script("S: +OK*\nC: USER alice\nS: +OK*\nC: PASS secret\nS: +OK*\nC: DELE 1\nS: +OK*")
		busy := w.pipe(ctx)
		busy.script("S: +OK*")
		busy.send("CAPA\r\n")
		synctest.Wait() // busy is at its answer, which nobody reads yet
		cancel()
		busy.script("S: +OK*")
		if len(busy.body()) == 0 {
			t.Error("the command in hand was not finished")
		}
		begun := time.Now()
		for _, c := range []*client{stranger, session, busy} {
			c.script("S: -ERR [SYS/TEMP] shutting down*\nS: EOF")
		}
		if d := time.Since(begun); d != 0 {
			t.Errorf("closed after %v", d)
		}
		if got := w.uids("INBOX"); len(got) != 1 {
			t.Errorf("INBOX has %v after the drain", got)
		}
	})
}

// crowd is a peer in a crowd of strangers.
type crowd struct{ uncounted }

func (crowd) Crowded() bool { return true }

// When many strangers are connected, each has less time; sessions have theirs.
func TestCrowded(t *testing.T) {
	begun := time.Now()
	s := &session{srv: &Server{limits: DefaultLimits()}, started: begun, asked: begun.Add(time.Second)}
	for _, tt := range []struct {
		peer peer
		drop *maildrop
		want time.Duration
	}{
		{uncounted{}, nil, 180 * time.Second},
		{crowd{}, nil, 60 * time.Second},
		{crowd{}, &maildrop{}, 10*time.Minute + time.Second},
	} {
		s.peer, s.drop = tt.peer, tt.drop
		if d := s.deadline().Sub(begun); d != tt.want {
			t.Errorf("crowded %v, logged in %v: %v, want %v", tt.peer.Crowded(), tt.drop != nil, d, tt.want)
		}
	}
}
