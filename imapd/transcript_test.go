package imapd

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestTranscripts plays the dialogues in testdata/*.txt, each against a server
// of its own. A line is one of
//
//	C: text         the client sends text and CRLF
//	C" "text\r\n"   the client sends exactly this Go string
//	S: pattern      the server must send this line; "..." stands for anything
//	S*              then lines matching the following "=" lines, in any order
//	= pattern
//	until: pattern  the server sends lines, the last one matching
//	connect         a client connects; the greeting is the next S:
//	login USER      a client connects and logs in, unseen
//	starttls        the client shakes hands
//	compress        the client speaks DEFLATE from here on
//	decompress      and no more
//	closed          the server must close the connection
//
// and is ignored when empty or when it starts with "#". A number after C, S
// or the word says which client; without one it is client 1.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p := &player{ts: transcriptServer(t, file), clients: map[int]*client{}}
			lines := strings.Split(string(text), "\n")
			for i := 0; i < len(lines); i++ {
				where := place{t, fmt.Sprintf("%s:%d", file, i+1), lines[i]}
				any := p.anyOrder(lines[i+1:])
				p.play(where, lines[i], any)
				i += len(any)
			}
		})
	}
}

// place makes failures say where in the transcript they are.
type place struct {
	testing.TB
	at, line string
}

func (p place) Fatalf(format string, args ...any) {
	p.Helper()
	p.TB.Fatalf("%s: %s\n%s", p.at, p.line, fmt.Sprintf(format, args...))
}

func (p place) Fatal(args ...any) {
	p.Helper()
	p.Fatalf("%s", fmt.Sprint(args...))
}

// player plays one transcript.
type player struct {
	ts      *testServer
	clients map[int]*client
}

// anyOrder gives the "=" lines that stand at the front.
func (p *player) anyOrder(lines []string) (list []string) {
	for _, line := range lines {
		if !strings.HasPrefix(line, "= ") {
			break
		}
		list = append(list, line[2:])
	}
	return list
}

func (p *player) play(t place, line string, any []string) {
	t.Helper()
	line = strings.TrimRight(line, " \t")
	if line == "" || line[0] == '#' {
		return
	}
	end := strings.IndexFunc(line, func(r rune) bool { return strings.ContainsRune(`0123456789:"* `, r) })
	if end < 0 {
		end = len(line)
	}
	word, rest := line[:end], line[end:]
	if word == "connect" || word == "login" {
		rest = strings.TrimSpace(rest)
	}
	number := 1
	if digits := len(rest) - len(strings.TrimLeft(rest, "0123456789")); digits > 0 {
		number, _ = strconv.Atoi(rest[:digits])
		rest = rest[digits:]
	}
	if c := p.clients[number]; c != nil {
		c.t = t
	} else if word != "connect" && word != "login" {
		t.Fatalf("client %d is not connected", number)
	}
	p.step(t, word, number, rest, any)
}

func (p *player) step(t place, word string, number int, rest string, any []string) {
	t.Helper()
	c := p.clients[number]
	switch {
	case word == "connect":
		p.clients[number] = p.ts.dial(t)
	case word == "login":
		p.clients[number] = p.ts.login(t, strings.TrimSpace(rest))
	case word == "starttls":
		c.startTLS()
	case word == "compress":
		c.compress()
	case word == "decompress":
		c.decompress()
	case word == "closed":
		c.closed()
	case word == "C" && strings.HasPrefix(rest, `"`):
		text, err := strconv.Unquote(strings.TrimSpace(rest[1:]))
		if err != nil {
			t.Fatal(err)
		}
		c.raw(text)
	case word == "C" && strings.HasPrefix(rest, ": "):
		c.send(rest[2:])
	case word == "S" && strings.HasPrefix(rest, ": "):
		c.expect(rest[2:])
	case word == "S" && rest == ":":
		c.expect("")
	case word == "until" && strings.HasPrefix(rest, ": "):
		for !matches(rest[2:], c.line()) {
		}
	case word == "S" && rest == "*":
		c.expectAll(any)
	default:
		t.Fatalf("what does this line mean?")
	}
}

// expectAll reads as many lines as there are patterns and matches them in any
// order.
func (c *client) expectAll(patterns []string) {
	c.t.Helper()
	left := append([]string(nil), patterns...)
	for range patterns {
		line := c.line()
		found := false
		for i, p := range left {
			if matches(p, line) {
				left = append(left[:i], left[i+1:]...)
				found = true
				break
			}
		}
		if !found {
			c.t.Fatalf("got %s\nwant one of\n%s", line, strings.Join(left, "\n"))
		}
	}
}
