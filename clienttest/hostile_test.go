package clienttest

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// memoryAllowed is how much an attack may add to the server's memory.
const memoryAllowed = 250 << 20

// memory is the resident set of the server, in octets.
func (s *server) memory(t testing.TB) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.proc.cmd.Process.Pid))
	if err != nil {
		t.Skip("no /proc: ", err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// hostile runs an attack and checks that the server goes on serving others, in
// bounded memory.
func hostile(t *testing.T, attack func(t *testing.T, s *server, to target)) {
	t.Helper()
	t.Parallel()
	s := startServer(t, "")
	victim, other := s.account(t, "alice"), s.account(t, "bob")
	deliver(t, other, samples()[0])
	served := dialLines(t, other.IMAP, &other)
	before := s.memory(t)
	attack(t, s, victim)
	served.SetDeadline(time.Now().Add(patience))
	served.ok(t, "SELECT INBOX")
	deliver(t, other, samples()[1]) // a new delivery, a new login
	waitForLogin(t, other)
	sameCount(t, other, 2)
	if added := s.memory(t) - before; added > memoryAllowed {
		t.Errorf("the attack added %d MiB", added>>20)
	}
}

// waitForLogin returns when a login succeeds: the server may still hold the
// places of strangers that have just gone.
func waitForLogin(t testing.TB, to target) {
	t.Helper()
	eventually(t, func() error {
		c, err := dialIMAP(to, nil)
		if err == nil {
			c.Close()
		}
		return err
	})
}

// send writes to a new connection and closes it without reading.
func send(t testing.TB, addr, text string) {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(conn, text)
	conn.Close()
}

// flood writes text again and again until the server closes the connection or
// limit octets are sent, and returns what the server said.
func flood(t testing.TB, addr, prefix string, text []byte, limit int) string {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	said := make(chan string, 1)
	go func() { // ends with the connection
		text, _ := io.ReadAll(io.LimitReader(conn, 1<<20))
		said <- string(text)
	}()
	io.WriteString(conn, prefix)
	for sent := 0; sent < limit; {
		n, err := conn.Write(text)
		sent += n
		if err != nil {
			return <-said
		}
	}
	conn.(*net.TCPConn).CloseWrite()
	return <-said
}

// TestHostileVanish has clients vanish in the middle of everything.
func TestHostileVanish(t *testing.T) {
	hostile(t, func(t *testing.T, s *server, to target) {
		login := fmt.Sprintf("a LOGIN %q %q\r\n", to.User, to.Pass)
		pass := fmt.Sprintf("USER %s\r\nPASS %s\r\n", to.User, to.Pass)
		mail := fmt.Sprintf("LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<%s>\r\n", to.Rcpt)
		for range 5 {
			for _, text := range []string{"", "a", "a LOG", "a LOGIN {5}\r\nal", login + "b SELECT INB", login + "b SELECT INBOX\r\nc IDLE\r\n",
				login + "b APPEND INBOX {1000}\r\nFrom: half", login + "b APPEND INBOX {1000000+}\r\n" + strings.Repeat("half\r\n", 60000)} {
				send(t, to.IMAP, text)
			}
			for _, text := range []string{"US", "USER a\r\n", pass, pass + "DELE 1\r\n", pass + "RETR 1"} {
				send(t, to.POP3, text)
			}
			for _, text := range []string{"LH", mail, mail + "DATA\r\n", mail + "DATA\r\nSubject: half\r\n\r\nhalf",
				mail + "DATA\r\n" + strings.Repeat("half of a large message\r\n", 40000), mail + "BDAT 1000 LAST\r\nhalf"} {
				send(t, to.LMTP, text)
			}
			send(t, to.IMAPS, "\x16\x03\x01")
			send(t, to.POP3S, "no TLS at all\r\n")
		}
		waitForLogin(t, to)
		sameCount(t, to, 0) // of no message half
	})
}

// TestHostileLines sends lines and literals without end.
func TestHostileLines(t *testing.T) {
	hostile(t, func(t *testing.T, s *server, to target) {
		login := fmt.Sprintf("a LOGIN %q %q\r\n", to.User, to.Pass)
		xs := bytes.Repeat([]byte("x"), 64<<10)
		parens := bytes.Repeat([]byte("("), 64<<10)
		for name, attack := range map[string]struct {
			addr, prefix string
			text         []byte
			answer       string
		}{
			"IMAP line":             {to.IMAP, "a ", xs, "BAD"},
			"IMAP line after login": {to.IMAP, login + "b SEARCH ", xs, "BAD"},
			"IMAP parentheses":      {to.IMAP, login + "b SELECT INBOX\r\nc SEARCH ", parens, "BAD"},
			"IMAP literal":          {to.IMAP, "a LOGIN {4000000000+}\r\n", xs, "B"}, // BAD or BYE
			"IMAP append":           {to.IMAP, login + "b APPEND INBOX {4000000000+}\r\n", xs, "b"},
			"POP3 line":             {to.POP3, "USER ", xs, "-ERR"},
			"LMTP line":             {to.LMTP, "LHLO ", xs, "5"},
			"LMTP header":           {to.LMTP, fmt.Sprintf("LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<%s>\r\nDATA\r\nSubject: ", to.Rcpt), xs, "250"},
		} {
			said := flood(t, attack.addr, attack.prefix, attack.text, 80<<20)
			if !strings.Contains(said, attack.answer) {
				t.Errorf("%s: no %s, but %.300q", name, attack.answer, said)
			}
		}
		// A non-synchronising literal that is refused is not run as commands.
		said := flood(t, to.IMAP, login+"b LOGIN {100000+}\r\n", []byte("x CREATE Injected\r\n"), 100_000)
		if strings.Contains(said, "x OK") || strings.Count(said, "x ") > 3 {
			t.Errorf("a literal was taken for commands: %.300q", said)
		}
	})
}

// TestHostileGarbage sends random octets, and another protocol.
func TestHostileGarbage(t *testing.T) {
	hostile(t, func(t *testing.T, s *server, to target) {
		random := rand.NewChaCha8([32]byte{7})
		for range 20 {
			garbage := make([]byte, 4096)
			random.Read(garbage)
			for _, addr := range []string{to.IMAP, to.IMAPS, to.POP3, to.POP3S, to.LMTP} {
				send(t, addr, string(garbage))
			}
			login := fmt.Sprintf("a LOGIN %q %q\r\nb SELECT INBOX\r\n", to.User, to.Pass)
			send(t, to.IMAP, login+string(garbage))
		}
		for _, addr := range []string{to.IMAP, to.POP3, to.LMTP} {
			said := flood(t, addr, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", []byte("a NOOP\r\n"), 1<<20)
			if strings.Contains(said, "a OK") || strings.Count(said, "\n") > 5 {
				t.Errorf("HTTP was answered: %.300q", said)
			}
		}
	})
}

// TestHostileCrowd has 200 strangers hold connections open, more than an
// address may: others are served, and places come free when they go.
func TestHostileCrowd(t *testing.T) {
	hostile(t, func(t *testing.T, s *server, to target) {
		var crowd []net.Conn
		for i := range 200 {
			conn, err := net.DialTimeout("tcp", []string{to.IMAP, to.POP3}[i%2], patience)
			if err != nil {
				t.Fatal(err)
			}
			crowd = append(crowd, conn)
			defer conn.Close()
		}
		// They have filled the places of this address; they go, and a login works.
		for _, conn := range crowd {
			conn.Close()
		}
		waitForLogin(t, to)
	})
}

// TestHostileSlowReader asks for much and reads nothing: the others do not
// wait, and the answers do not pile up in memory.
func TestHostileSlowReader(t *testing.T) {
	hostile(t, func(t *testing.T, s *server, to target) {
		fill(t, to, "INBOX", [][]byte{message("huge", "Huge", strings.Repeat("a line of a very large message\n", 300_000))})
		for range 10 {
			c := dialLines(t, to.IMAP, &to)
			c.Conn.(*net.TCPConn).SetReadBuffer(4096)
			c.ok(t, "SELECT INBOX")
			for n := range 50 {
				fmt.Fprintf(c, "s%d FETCH 1 BODY.PEEK[]\r\n", n)
			}
		}
	})
}

// TestBadCommands makes mistakes that a session survives, and too many.
func TestBadCommands(t *testing.T) {
	t.Parallel()
	to := newTarget(t)
	c := dialLines(t, to.IMAP, &to)
	for _, command := range []string{"NOSUCH", "SELECT", "FETCH 1 FLAGS", `LOGIN "half`, "SELECT INBOX)", "STORE 1 FLAGS"} {
		// RFC 3501 section 7.1.3: BAD is a command that was not understood.
		if lines := c.command(t, command); !strings.Contains(lines[len(lines)-1], " BAD ") {
			t.Errorf("%s: %q, want BAD", command, lines)
		}
	}
	c.ok(t, "SELECT INBOX")

	p := pop(t, to)
	for _, line := range []string{"NOSUCH", "RETR", "RETR 0", "RETR x", "RETR 99999999999999999999", "TOP 1", "USER again"} {
		if _, err := p.command(line); err == nil {
			t.Errorf("POP3 took %q", line)
		}
	}
	p.must(t, "STAT", "QUIT")
	said := flood(t, to.IMAP, "", []byte("a NOSUCH\r\n"), 1<<20)
	if strings.Count(said, "a BAD") > 5 || !strings.Contains(said, "* BYE ") {
		t.Errorf("bad commands before login: %.300q", said)
	}
}
