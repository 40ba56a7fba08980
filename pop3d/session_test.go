package pop3d

import (
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

func TestTransaction(t *testing.T) {
	w := newWorld(t).listen()
	w.put("INBOX", "Subject: one\r\n\r\nfirst\r\nsecond\r\n") // 31 octets
	w.put("INBOX", "Subject: two\r\n\r\n.dot\r\n..\r\n.")     // 27, no line end
	w.put("INBOX", "Subject: three\r\n\r\n")                  // 18, no body
	c := w.login()
	c.script(`
		C: STAT
		S: +OK 3 76
		C: LIST
		S: +OK 3 messages
		S: 1 31
		S: 2 27
		S: 3 18
		S: .
		C: LIST 2
		S: +OK 2 27
		C: RETR 1
		S: +OK 31 octets
		S: Subject: one
		S: 
		S: first
		S: second
		S: .
		C: RETR 2
		S: +OK 27 octets
		S: Subject: two
		S: 
		S: ..dot
		S: ...
		S: ..
		S: .
		C: RETR 3
		S: +OK 18 octets
		S: Subject: three
		S: 
		S: .
		C: TOP 1 0
		S: +OK*
		S: Subject: one
		S: 
		S: .
		C: TOP 1 1
		S: +OK*
		S: Subject: one
		S: 
		S: first
		S: .
		C: TOP 2 99999999999999999999
		S: +OK*
		S: Subject: two
		S: 
		S: ..dot
		S: ...
		S: ..
		S: .
		C: DELE 2
		S: +OK*
		C: STAT
		S: +OK 2 49
		C: LIST
		S: +OK 2 messages
		S: 1 31
		S: 3 18
		S: .
		C: LIST 2
		S: -ERR message is marked as deleted
		C: UIDL 2
		S: -ERR message is marked as deleted
		C: RETR 2
		S: -ERR message is marked as deleted
		C: TOP 2 0
		S: -ERR message is marked as deleted
		C: DELE 2
		S: -ERR message is marked as deleted
		C: LIST 3
		S: +OK 3 18
		C: RSET
		S: +OK*
		C: STAT
		S: +OK 3 76
		C: NOOP
		S: +OK
		C: QUIT
		S: +OK*
		S: EOF`)
	if got := len(w.uids("INBOX")); got != 3 {
		t.Errorf("%d messages are left after RSET and QUIT, want 3", got)
	}
}

func TestArguments(t *testing.T) {
	w := newWorld(t).listen()
	w.put("INBOX", message(1))
	c := w.login()
	for _, cmd := range []string{
		"RETR", "RETR x", "RETR 0", "RETR -1", "RETR 2", "RETR 1 1", "RETR 4294967297", "RETR 99999999999999999999999",
		"LIST x", "LIST 0", "LIST 2", "LIST 1 1", "UIDL 0", "UIDL 2", "UIDL -1",
		"DELE", "DELE 0", "DELE 2", "TOP", "TOP 1", "TOP 0 1", "TOP 2 1", "TOP 1 -1", "TOP 1 x", "TOP x 1", "TOP 1 1 1",
		"STAT 1", "NOOP 1", "RSET 1", "QUIT 1", "CAPA 1", strings.Repeat("NOOP ", 200),
		"LAST", "XTND XMIT", "RETR\t1",
	} {
		c.send(cmd + "\r\n")
		got, err := c.line()
		if err != nil || !strings.HasPrefix(got, "-ERR ") || len(got) < 10 {
			t.Fatalf("%s: got %q, %v; want -ERR with a reason", cmd, got, err)
		}
		c.script("C: NOOP\nS: +OK")
	}
	c.script("C: LIST 1 \nS: +OK 1 *\nC: retr  1\nS: +OK*\nS: From: a@example.org\nS: Subject: number 1\nS: \nS: body of 1\nS: .")
}

func TestUidl(t *testing.T) {
	w := newWorld(t).listen()
	for n := range 3 {
		w.put("INBOX", message(n))
	}
	listing := func(dele string) string {
		c := w.login()
		if dele != "" {
			c.script("C: DELE " + dele + "\nS: +OK*")
		}
		c.script("C: UIDL\nS: +OK*")
		list := c.body()
		c.script("C: UIDL 3\nS: +OK " + strings.Split(list, "\r\n")[strings.Count(list, "\n")-1])
		c.script("C: QUIT\nS: +OK*\nS: EOF")
		return list
	}
	before := listing("")
	lines := strings.Split(strings.TrimSpace(before), "\r\n")
	seen := map[string]bool{}
	for i, l := range lines {
		n, id, _ := strings.Cut(l, " ")
		if n != strconv.Itoa(i+1) || len(id) == 0 || len(id) > 70 || seen[id] {
			t.Errorf("UIDL line %q", l)
		}
		seen[id] = true
	}
	if got := listing("1"); got != strings.Join(lines[1:], "\r\n")+"\r\n" {
		t.Errorf("with 1 marked:\n%swant\n%s", got, before)
	}
}

func TestCapaAfterLogin(t *testing.T) {
	w := newWorld(t).listen()
	c := w.login()
	c.script("C: CAPA\nS: +OK*")
	want := "TOP\r\nUIDL\r\nPIPELINING\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nLANG\r\nUSER\r\nUTF8 USER\r\nSASL PLAIN LOGIN\r\nLOGIN-DELAY 0\r\nEXPIRE NEVER\r\nIMPLEMENTATION tandem\r\n"
	if got := c.body(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// RETR gives exactly the stored octets, whatever they are, and LIST their
// number; TOP gives their beginning.
func TestBytesExact(t *testing.T) {
	w := newWorld(t).listen()
	rnd := rand.New(rand.NewPCG(3, 3))
	var texts []string
	for i := range 60 {
		texts = append(texts, fmt.Sprintf("X-N: %d\r\n\r\n%s", i, randomText(rnd)))
	}
	var large strings.Builder
	large.WriteString("X-N: large\r\n\r\n")
	for large.Len() < 3<<20 {
		large.Write(randomText(rnd))
		large.WriteString("\r\n.line\r\n")
	}
	texts = append(texts, large.String(), "", "\r\n", "no header and no line end", "A: "+strings.Repeat("x", 300<<10)+"\r\n\r\nb\r\n")
	w.putAll("INBOX", texts)

	c := w.login()
	for i, text := range texts {
		c.script(fmt.Sprintf("C: LIST %d\nS: +OK %d %d\nC: RETR %d\nS: +OK %d octets", i+1, i+1, len(text), i+1, len(text)))
		want := text
		if want != "" && !strings.HasSuffix(want, "\n") {
			want += "\r\n"
		}
		if got := readBody(c); got != want {
			t.Fatalf("message %d of %d octets came as %d octets", i+1, len(text), len(got))
		}
		k := rnd.IntN(4)
		c.script(fmt.Sprintf("C: TOP %d %d\nS: +OK*", i+1, k))
		want = string(top([]byte(text), k))
		if want != "" && !strings.HasSuffix(want, "\n") {
			want += "\r\n"
		}
		if got := readBody(c); got != want {
			t.Fatalf("TOP %d %d: %d octets, want %d", i+1, k, len(got), len(want))
		}
	}
}

// readBody reads a multi-line response octet by octet as it is.
func readBody(c *client) string {
	c.t.Helper()
	var b bytes.Buffer
	for {
		line, err := c.r.ReadBytes('\n')
		if err != nil {
			c.t.Fatal(err)
		}
		if string(line) == ".\r\n" {
			return b.String()
		}
		b.Write(bytes.TrimPrefix(line, []byte(".")))
	}
}

// Ten thousand commands in one go are answered in order without the client
// reading in between: the replies wait in the sockets, not in a deadlock.
// A limit that a client keeps hitting fills no log.
func TestLongLinesAreLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	w := newWorld(t, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) }).listen()
	c := w.login()
	for range 30 {
		c.script("C: NOOP " + strings.Repeat("x", 600) + "\nS: -ERR command line too long\nC: NOOP\nS: +OK")
	}
	c.script("C: QUIT\nS: +OK*\nS: EOF")
	w.stop()
	if n := strings.Count(log.String(), "too long"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, log.String())
	}
}

func TestPipelining(t *testing.T) {
	w := newWorld(t).listen()
	const messages = 500
	var texts []string
	for n := range messages {
		texts = append(texts, message(n+1))
	}
	w.putAll("INBOX", texts)
	c := w.login()
	var all strings.Builder
	for round := range 20 {
		for n := range messages {
			fmt.Fprintf(&all, "RETR %d\r\n", (n+round)%messages+1)
		}
	}
	all.WriteString("QUIT\r\n")
	go c.Write([]byte(all.String()))
	for round := range 20 {
		for n := range messages {
			if line, err := c.line(); err != nil || !strings.HasPrefix(line, "+OK ") {
				t.Fatalf("round %d, message %d: %q, %v", round, n+1, line, err)
			}
			if want := message((n+round)%messages + 1); c.body() != want {
				t.Fatalf("round %d: another message than %d", round, n+1)
			}
		}
	}
	c.script("S: +OK*\nS: EOF")
}

// A login and all after it may come in one packet (RFC 2449 section 6.6 leaves
// out only what changes the state; we are not that strict).
func TestPipelinedLogin(t *testing.T) {
	w := newWorld(t).listen()
	w.put("INBOX", message(1))
	c := w.dial()
	c.send("USER alice\r\nPASS secret\r\nSTAT\r\nDELE 1\r\nQUIT\r\n")
	c.script("S: +OK*\nS: +OK*\nS: +OK 1 *\nS: +OK*\nS: +OK*\nS: EOF")
	if got := w.uids("INBOX"); len(got) != 0 {
		t.Errorf("INBOX still has %v", got)
	}
}
