package imapd

import (
	"bufio"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// deflated is a client's connection after COMPRESS.
type deflated struct {
	net.Conn
	in *bufio.Reader // before it
	w  *flate.Writer
}

func (d deflated) Write(p []byte) (int, error) {
	n, err := d.w.Write(p)
	if err == nil {
		err = d.w.Flush()
	}
	return n, err
}

// compress makes the client speak and hear DEFLATE.
func (c *client) compress() {
	w, _ := flate.NewWriter(c.conn, flate.DefaultCompression)
	c.conn, c.in = deflated{c.conn, c.in, w}, bufio.NewReader(flate.NewReader(c.in))
}

// decompress takes that back; a flush's mark may still be unread.
func (c *client) decompress() {
	c.t.Helper()
	d := c.conn.(deflated)
	c.conn, c.in = d.Conn, d.in
	_, _ = d.in.Discard(d.in.Buffered())
}

// startCompress asks for compression and begins it.
func (c *client) startCompress() {
	c.t.Helper()
	c.send("z COMPRESS DEFLATE")
	c.expect("z OK ...")
	c.compress()
}

// deflate gives text as DEFLATE, flushed.
func deflate(text string) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression)
	_, _ = io.WriteString(w, text)
	_ = w.Flush()
	return b.Bytes()
}

// TestCompressPipelined: a client compresses from the CRLF of its command on,
// without waiting for the answer, in one packet.
func TestCompressPipelined(t *testing.T) {
	c := startServer(t, nil).login(t, "alice")
	c.raw("1 COMPRESS DEFLATE\r\n" + string(deflate("2 NOOP\r\n3 LIST \"\" INBOX\r\n")))
	c.expect("1 OK ...")
	c.compress()
	c.expect("2 OK ...")
	c.expect("* LIST ...")
	c.expect("3 OK ...")
}

// TestCompressDribble: bits that come one byte at a time are a command as soon
// as the last has come.
func TestCompressDribble(t *testing.T) {
	c := startServer(t, nil).login(t, "alice")
	conn := c.conn
	c.startCompress()
	for _, b := range deflate("1 NOOP\r\n2 IDLE\r\nDONE\r\n") {
		if _, err := conn.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	c.expect("1 OK ...")
	c.expect("+ idling")
	c.expect("2 OK ...")
}

// TestCompressEnds: the next user's login may follow UNAUTHENTICATE in the same
// packet, not compressed any more (RFC 8437 section 4.1).
func TestCompressEnds(t *testing.T) {
	c := startServer(t, nil).login(t, "alice")
	conn, in := c.conn, c.in
	c.startCompress()
	if _, err := conn.Write(append(deflate("1 NOOP\r\n2 UNAUTHENTICATE\r\n"), "3 LOGIN bob secret\r\n4 NOOP\r\n"...)); err != nil {
		t.Fatal(err)
	}
	c.expect("1 OK ...")
	c.expect("2 OK ...")
	c.conn, c.in = conn, in
	if line := c.line(); !strings.Contains(line, "3 OK ") { // behind the mark of a flush
		t.Fatal(line)
	}
	c.expect("4 OK ...")
}

// TestCompressBig sends and fetches messages that compress well and not at
// all.
func TestCompressBig(t *testing.T) {
	c := startServer(t, nil).login(t, "alice")
	c.startCompress()
	noise := make([]byte, 300<<10)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = 'A' + byte(r.Uint32()%64)
	}
	for i, body := range []string{strings.Repeat("all alike\r\n", 40_000), string(noise)} {
		message := "Subject: big\r\n\r\n" + body
		c.raw(fmt.Sprintf("1 APPEND INBOX {%d+}\r\n%s\r\n", len(message), message))
		for !strings.HasPrefix(c.line(), "1 OK") {
		}
		c.send("2 EXAMINE INBOX")
		for !strings.HasPrefix(c.line(), "2 OK") {
		}
		c.send(fmt.Sprintf("3 FETCH %d BODY[]", i+1))
		c.expect(fmt.Sprintf("* %d FETCH (BODY[] {%d}", i+1, len(message)))
		got := make([]byte, len(message))
		if _, err := io.ReadFull(c.in, got); err != nil || string(got) != message {
			t.Fatalf("message %d came back otherwise: %v", i+1, err)
		}
		c.expect(")")
		c.expect("3 OK ...")
	}
}

// TestCompressBomb: 64 MB of nothing in 64 KB are a line too long, answered
// and cut off like any other.
func TestCompressBomb(t *testing.T) {
	c := startServer(t, nil).login(t, "alice")
	c.startCompress()
	go func() { _, _ = c.conn.Write(bytes.Repeat([]byte("a"), 64<<20)) }()
	c.expect("* BAD Command line too long ...")
	c.expect("* BYE Too much refused input")
	c.closed()
}

func TestCompressDamaged(t *testing.T) {
	c := startServer(t, nil).login(t, "alice")
	conn := c.conn
	c.startCompress()
	if _, err := conn.Write([]byte("\xffx NOOP\r\n")); err != nil {
		t.Fatal(err)
	}
	c.expect("* BYE Damaged compressed data")
	c.closed()
}

// TestCompressDrain: a server that stops says so in compressed form, to clients
// that wait and to those that idle.
func TestCompressDrain(t *testing.T) {
	ts := startServer(t, nil)
	var clients []*client
	for i := range 2 {
		c := ts.login(t, "alice")
		c.startCompress()
		if i > 0 {
			c.send("1 IDLE")
			c.expect("+ idling")
		}
		clients = append(clients, c)
	}
	ts.stop()
	for _, c := range clients {
		c.expect("* BYE The server is shutting down")
	}
}

// TestMemoryOfCompression: sessions that are compressed and wait hold a few KB
// more than others, and no compressors.
func TestMemoryOfCompression(t *testing.T) {
	if testing.Short() || underRace {
		t.Skip("measures memory")
	}
	const sessions, budget = 200, 16 << 10
	ts := startServer(t, nil)
	measure := func(lines ...string) int64 {
		rest := settled()
		var served sync.WaitGroup
		var conns []net.Conn
		for range sessions {
			client, server := net.Pipe()
			_ = client.SetDeadline(time.Now().Add(time.Minute))
			conns = append(conns, client)
			served.Go(func() {
				ts.Serve(t.Context(), server)
				_ = server.Close()
			})
			(&quiet{client}).talk(t, lines)
		}
		each := (settled() - rest) / sessions
		for _, conn := range conns {
			_ = conn.Close()
		}
		served.Wait()
		return each
	}
	plain := measure("1 LOGIN alice secret", "2 SELECT INBOX", "3 IDLE")
	ts.compressors.buffers.Put(ts.compressors.compress(nil)) // makes a compressor, which all share
	packed := measure("1 LOGIN alice secret", "z COMPRESS DEFLATE", "2 SELECT INBOX", "3 IDLE")
	t.Logf("an idle session: %d KB, compressed %d KB", plain>>10, packed>>10)
	if packed-plain > budget {
		t.Errorf("compression holds %d bytes a session, more than %d", packed-plain, budget)
	}
}

// quiet is a client that holds next to nothing.
type quiet struct{ conn net.Conn }

// talk sends lines, compressed after COMPRESS, and waits for an answer to
// each: something that ends a piece.
func (c *quiet) talk(t *testing.T, lines []string) {
	t.Helper()
	buf := make([]byte, 4<<10)
	packed := false
	read := func(until string) {
		var got []byte
		for {
			n, err := c.conn.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, buf[:n]...)
			plain := got
			if packed {
				plain, _ = io.ReadAll(flate.NewReader(bytes.NewReader(got)))
			}
			if bytes.Contains(plain, []byte(until)) {
				return
			}
		}
	}
	read("ready")
	for _, line := range lines {
		b := []byte(line + "\r\n")
		if packed {
			b = deflate(line + "\r\n")
		}
		if _, err := c.conn.Write(b); err != nil {
			t.Fatal(err)
		}
		tag, name, _ := strings.Cut(line, " ")
		if name == "IDLE" {
			read("idling")
		} else {
			read(tag + " OK")
		}
		packed = packed || strings.HasPrefix(name, "COMPRESS")
	}
}
