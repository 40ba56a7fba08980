package pop3d

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"tandem/store"
)

// TestTranscripts plays the dialogues in testdata/*.txt, each against a server
// of its own with the accounts alice and bob (password "secret"). A line is one
// of
//
//	C: text          the client sends text and CRLF
//	C"text\r\n"      the client sends exactly this Go string
//	S: text          the server must send this line; a * at the end is anything
//	S"text\xff"      the server must send this Go string and CRLF
//	connect          a client connects; the greeting is the next S:
//	login [NAME]     a client connects and logs in, unseen
//	starttls         the client shakes hands
//	hangup           the client closes the connection
//	closed           the server must close the connection
//	put BOX "text"   a message comes into a mailbox of alice, made when missing
//	put8 BOX "text"  one that came with SMTPUTF8
//	has BOX N        the mailbox must have N messages
//	quit fails       from here on the store cannot do a QUIT's work
//	quit works       from here on it can
//
// and is ignored when empty or when it starts with "#". A number after C, S or
// the word says which client; without one it is client 1.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p := &player{world: newWorld(t, func(c *Config) { c.Limits.BadCommandsBefore = 0 }).listen(), clients: map[int]*client{}}
			for i, line := range strings.Split(string(text), "\n") {
				if line = strings.TrimRight(line, "\r"); line != "" && line[0] != '#' {
					p.play(place{t, fmt.Sprintf("%s:%d", file, i+1), line}, line)
				}
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
	*world
	clients map[int]*client
}

func (p *player) play(t place, line string) {
	t.Helper()
	p.world.t = t
	end := strings.IndexAny(line, `0123456789:" `)
	if end < 0 {
		end = len(line)
	}
	word, rest := line[:end], line[end:]
	if word == "put" && strings.HasPrefix(rest, "8") {
		word, rest = "put8", rest[1:]
	}
	number := 1
	if digits := len(rest) - len(strings.TrimLeft(rest, "0123456789")); digits > 0 {
		number, _ = strconv.Atoi(rest[:digits])
		rest = rest[digits:]
	}
	switch word {
	case "put", "put8", "has", "quit":
		p.arrange(t, word, strings.TrimSpace(rest))
	case "connect", "login":
		p.connect(t, number, word == "login", strings.TrimSpace(rest))
	default:
		c := p.clients[number]
		if c == nil {
			t.Fatalf("client %d is not connected", number)
		}
		c.t = t
		c.step(t, word, rest)
	}
}

func (p *player) connect(t place, number int, login bool, name string) {
	t.Helper()
	c := p.dialSilently()
	p.clients[number] = c
	if login {
		if name == "" {
			name = "alice"
		}
		c.script("S: +OK*\nC: USER " + name + "\nS: +OK*\nC: PASS secret\nS: +OK*")
	}
}

// arrange does what no client does.
func (p *player) arrange(t place, word, rest string) {
	t.Helper()
	box, text, _ := strings.Cut(rest, " ")
	switch word {
	case "quit":
		p.engine.quitError = nil
		if rest == "fails" {
			p.engine.quitError = store.Errorf(store.ReadOnly, "no writing")
		}
	case "has":
		if n := len(p.uids(box)); strconv.Itoa(n) != text {
			t.Fatalf("%d messages", n)
		}
	default:
		if _, err := p.store.Mailbox(t.Context(), p.by, box); store.KindOf(err) == store.NotFound && err != nil {
			if _, err := p.store.CreateMailbox(t.Context(), p.by, p.by.Account, store.NewMailbox{Name: box}); err != nil {
				t.Fatal(err)
			}
		}
		if word == "put8" {
			p.putUTF8(box, unquote(t, text))
		} else {
			p.put(box, unquote(t, text))
		}
	}
}

func (c *client) step(t place, word, rest string) {
	t.Helper()
	switch {
	case word == "C" && strings.HasPrefix(rest, `"`):
		c.send(unquote(t, rest))
	case word == "S" && strings.HasPrefix(rest, `"`):
		want := unquote(t, rest)
		if got, err := c.line(); err != nil || got != want {
			t.Fatalf("got %q, %v; want %q", got, err, want)
		}
	case word == "C":
		c.send(strings.TrimPrefix(rest, ": ") + "\r\n")
	case word == "S":
		want, some := strings.CutSuffix(strings.TrimPrefix(rest, ": "), "*")
		if got, err := c.line(); err != nil || got != want && !(some && strings.HasPrefix(got, want)) {
			t.Fatalf("got %q, %v", got, err)
		}
	case word == "starttls":
		c.startTLS()
	case word == "hangup":
		c.Close()
	case word == "closed":
		c.script("S: EOF")
	default:
		t.Fatalf("no such word %q", word)
	}
}

func unquote(t place, text string) string {
	t.Helper()
	s, err := strconv.Unquote(strings.TrimSpace(text))
	if err != nil {
		t.Fatalf("%q is no Go string: %v", text, err)
	}
	return s
}
