package lmtpd

import (
	"context"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Of two large messages one waits for the other; small ones do not wait. A
// message that waited too long is refused for now.
func TestLargeMessagesWait(t *testing.T) {
	large := note + strings.Repeat(strings.Repeat("x", 98)+"\r\n", 2*largeMessage/100)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *Config) { c.Limits.LargeMessages = 1 })
		first, second, small := w.pipe(t.Context()), w.pipe(t.Context()), w.pipe(t.Context())
		for _, c := range []*client{first, second, small} {
			c.lhlo()
			c.envelope("s@example.com", "alice")
		}
		first.script("C: DATA\nS: 354 *")
		first.send(large)
		second.script("C: DATA\nS: 354 *")
		go second.Write([]byte(large + ".\r\n"))
		synctest.Wait()
		small.data(note, "250 *")
		first.script("C: .\nS: 250 *")
		second.script("S: 250 *")

		first.envelope("s@example.com", "alice")
		first.script("C: DATA\nS: 354 *")
		first.send(large)
		second.envelope("s@example.com", "alice", "bob")
		second.script("C: DATA\nS: 354 *")
		begun := time.Now()
		go second.Write([]byte(large + ".\r\n"))
		if line := second.lineWithin(time.Hour); !strings.HasPrefix(line, "451 4.3.0 ") || time.Since(begun) != roomWait {
			t.Errorf("%q after %v", line, time.Since(begun))
		}
		second.script("S: 451 4.3.0 *")
		second.envelope("s@example.com", "alice")
		second.data(note, "250 *")
		first.Close() // its place is free again
		synctest.Wait()
		second.envelope("s@example.com", "alice")
		second.data(large, "250 *")
		if n := len(w.mail("alice", "INBOX")); n != 5 {
			t.Errorf("alice has %d messages, want 5", n)
		}
	})
}

// A server that stops lets nobody wait for a place.
func TestRoomWhileDraining(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := newRoom(1)
	if err := r.enter(ctx); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := r.enter(ctx); err == nil {
		t.Error("a second place in a room of one")
	}
	r.leave()
	if err := newRoom(0).enter(ctx); err != nil {
		t.Errorf("a room without limit: %v", err)
	}
}

// Messages that are not sent to their end take no more memory than they have
// octets, whatever their structure, until they are large.
func TestHeldMessagesAreSmall(t *testing.T) {
	w := newWorld(t)
	s := w.server.newSession(t.Context(), dead{})
	s.mail = &envelope{}
	s.begin()
	bomb := "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\n\r\n", largeMessage/7)
	to := sink{s}
	if _, err := to.Write([]byte(bomb[:largeMessage])); err != nil || s.mail.ingest != nil || cap(s.mail.held) > 2*largeMessage {
		t.Fatalf("held in %d octets, ingest %v, %v", cap(s.mail.held), s.mail.ingest, err)
	}
	if _, err := to.Write([]byte("x")); err != nil || s.mail.ingest == nil || s.mail.held != nil || len(w.server.room.places) != 1 {
		t.Fatalf("a large message: held %d octets, ingest %v, %v", len(s.mail.held), s.mail.ingest, err)
	}
	s.reset()
	if n := len(w.server.room.places); n != 0 {
		t.Errorf("%d places taken after the reset", n)
	}
}

// dead is a connection that nothing is done with.
type dead struct{ net.Conn }

func (dead) RemoteAddr() net.Addr { return &net.UnixAddr{} }
