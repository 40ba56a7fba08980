package lmtpd

import (
	"bufio"
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// pipe connects a client to the server without a network, for fake clocks.
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
	c := &client{w.t, cl, bufio.NewReader(cl)}
	c.script("S: 220 *")
	return c
}

// lineWithin reads a line that may take a while.
func (c *client) lineWithin(d time.Duration) string {
	c.t.Helper()
	c.SetReadDeadline(time.Now().Add(d))
	line, err := c.r.ReadString('\n')
	if err != nil {
		c.t.Fatal(err)
	}
	return line
}

func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.pipe(t.Context())
		c.lhlo()
		begun := time.Now()
		c.send("MAIL")
		time.Sleep(4 * time.Minute)
		c.send(" FR") // dribbling does not help
		line := c.lineWithin(time.Hour)
		if d := time.Since(begun); line[:10] != "421 4.4.2 " || d != 5*time.Minute {
			t.Errorf("%q after %v", line, d)
		}
		c.script("S: EOF")
	})
}

func TestIdleInData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.pipe(t.Context())
		c.lhlo()
		c.envelope("s@example.com", "alice")
		c.script("C: DATA\nS: 354 *")
		for range 3 {
			time.Sleep(4 * time.Minute)
			c.send("x\r\n")
		}
		c.script("C: .\nS: 250 *")
		w.only("alice", "INBOX")
		c.envelope("s@example.com", "alice")
		c.script("C: DATA\nS: 354 *\nC: half")
		if line := c.lineWithin(time.Hour); line[:10] != "421 4.4.2 " {
			t.Errorf("%q", line)
		}
		c.script("S: EOF")
		w.only("alice", "INBOX")
	})
}

// A drain ends waiting connections with 421; a message that is being sent is
// taken and answered first.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := context.WithCancel(t.Context())
		waiting, sending := w.pipe(ctx), w.pipe(ctx)
		waiting.lhlo()
		sending.lhlo()
		sending.envelope("s@example.com", "alice")
		sending.script("C: DATA\nS: 354 *\nC: Subject: half")
		synctest.Wait()
		cancel()
		waiting.script("S: 421 4.3.2 *\nS: EOF")
		sending.script("C: \nC: rest\nC: .\nS: 250 2.0.0 *\nS: 421 4.3.2 *\nS: EOF")
		w.only("alice", "INBOX")
	})
}
