package imapd

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tandem/auth"
	"tandem/store"
)

// grammarian is a session that lines are tried in, and another one that must
// stay served.
type grammarian struct {
	t      testing.TB
	srv    *Server
	log    *errorLog
	conn   net.Conn
	in     *bufio.Reader
	tag    int
	lines  int
	second *grammarian

	enable string // after login
}

func newGrammarian(t testing.TB) *grammarian {
	st := openStore(t, store.Options{MessageSize: 1 << 16, MaxMailboxes: 200})
	log := &errorLog{}
	cfg := Config{
		Store:    st,
		Auth:     auth.New(st, auth.Config{Log: slog.New(slog.DiscardHandler)}),
		Limits:   DefaultLimits(st.MessageSize()),
		Hostname: "h",
		Logger:   slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelError})),
	}
	cfg.Limits.BadUser = 0
	g := &grammarian{t: t, srv: New(cfg), log: log, enable: "X"}
	g.second = &grammarian{t: t, srv: g.srv, log: log, enable: "X"}
	return g
}

// connect logs in and selects INBOX, with two messages in it.
func (g *grammarian) connect() {
	g.dial()
	for _, line := range []string{"LOGIN alice secret", "SELECT INBOX", `UID STORE 1:* +FLAGS.SILENT (\Deleted)`, "EXPUNGE", "ENABLE " + g.enable, "APPEND INBOX {9+}\r\na: b\r\n\r\nc {9+}\r\na: d\r\n\r\ne", "SELECT INBOX"} {
		if got := g.play(line); got != "OK" {
			g.t.Fatalf("%q: %s", line, got)
		}
	}
}

// dial begins a new session and reads its greeting.
func (g *grammarian) dial() {
	if g.conn != nil {
		_ = g.conn.Close()
	}
	server, conn := net.Pipe()
	g.conn, g.in = conn, bufio.NewReader(conn)
	go func() {
		g.srv.Serve(context.Background(), server)
		_ = server.Close()
	}()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := g.in.ReadString('\n'); err != nil {
		g.t.Fatal(err)
	}
}

// play sends a line and gives the word of its tagged answer. Where the server
// asks for more it gets as much as the line has announced, or DONE.
func (g *grammarian) play(line string) string {
	g.tag++
	tag := "t" + strconv.Itoa(g.tag) + " "
	_ = g.conn.SetDeadline(time.Now().Add(10 * time.Second))
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.WriteString(g.conn, tag+line+"\r\n")
	}()
	defer func() { <-sent }()
	for {
		got, err := g.in.ReadString('\n')
		if err != nil {
			return fmt.Sprintf("dropped: %v", err)
		}
		if rest, ok := strings.CutPrefix(got, tag); ok {
			word, _, _ := strings.Cut(rest, " ")
			return word
		}
		if strings.HasPrefix(got, "* BAD") { // no tag could be read
			return "BAD"
		}
		if strings.HasPrefix(got, "+ ") {
			<-sent
			more := "DONE\r\n"
			if n := announced(line); n >= 0 {
				more = strings.Repeat("x", n) + "\r\n"
			}
			go func() { _, _ = io.WriteString(g.conn, more) }()
		}
	}
}

// announced gives the length of the literal that a line ends with, or -1.
func announced(line string) int {
	m := regexp.MustCompile(`\{(\d+)\}$`).FindStringSubmatch(line)
	if m == nil {
		return -1
	}
	n, err := strconv.Atoi(m[1])
	if err != nil || n > 1<<17 {
		return -1
	}
	return n
}

// try plays a line in a session that has INBOX selected and looks after both
// sessions.
func (g *grammarian) try(line string) string {
	if g.conn == nil || g.lines%50 == 0 {
		g.connect()
	}
	if g.second.conn == nil {
		g.second.connect()
	}
	g.lines++
	got := g.play(line)
	if text := g.log.String(); text != "" {
		g.t.Fatalf("%q: %s", line, text)
	}
	if !slices.Contains([]string{"OK", "NO", "BAD"}, got) {
		g.t.Fatalf("%q: %s", line, got)
	}
	if other := g.second.play("NOOP"); other != "OK" {
		g.t.Fatalf("after %q a second session is answered %s", line, other)
	}
	word := strings.ToUpper(strings.TrimSpace(line))
	for _, last := range []string{"LOGOUT", "COMPRESS", "UNAUTHENTICATE", "ENABLE"} {
		if strings.HasPrefix(word, last) && got == "OK" {
			g.connect()
			return got
		}
	}
	if again := g.play("SELECT INBOX"); again != "OK" {
		g.t.Fatalf("after %q the session is answered %s", line, again)
	}
	return got
}

// TestGrammar tries every command and every word of the registry as it should
// be, and then as it should not: the answer is OK, NO or BAD, nobody is dropped
// and nothing is a fault of ours. What an extension adds is tried without being
// named here; a word that no line gets accepted asks for one in after.
func TestGrammar(t *testing.T) {
	g, play := newGrammar(), newGrammarian(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	states := newRegistry(extensions()).commands
	accepted := map[string]bool{}
	var good []string
	for _, play.enable = range []string{"X", "QRESYNC", "UIDONLY", "IMAP4rev2 UTF8=ACCEPT"} {
		play.connect()
		for _, template := range g.commands {
			if states[commandOf(states, template)].states&selected == 0 {
				continue // see TestGrammarOfStrangers
			}
			for _, line := range g.spread(template) {
				if play.try(line.text) == "BAD" {
					continue
				}
				good = append(good, line.text)
				accepted["commands "+template] = true
				for _, word := range line.words {
					accepted[word] = true
				}
			}
		}
	}
	g.words["commands"] = g.commands
	for joint, words := range g.words {
		for _, word := range words {
			if !accepted[joint+" "+word] && !slices.Contains(forStrangers(), word) {
				t.Errorf("%q of %s is accepted nowhere: it needs another line in after", word, joint)
			}
		}
	}
	slices.Sort(good)
	good = slices.Compact(good)
	play.enable = "X"
	for _, line := range good {
		for range 5 {
			play.try(mutate(rnd, line))
		}
	}
	t.Logf("%d lines as they should be, %d in all", len(good), play.lines)
}

// forStrangers are the commands that are taken before login only.
func forStrangers() []string { return []string{"AUTHENTICATE", "LOGIN", "STARTTLS"} }

// commandOf gives the name of the command that a line begins with.
func commandOf(commands map[string]command, line string) string {
	words := strings.Fields(line)
	if len(words) > 1 {
		if two := words[0] + " " + words[1]; commands[two].name != "" {
			return two
		}
	}
	return words[0]
}

// trial is a line and the words that it is about.
type trial struct {
	text  string
	words []string
}

// spread makes lines of one, so that each word of each joint in it, and of
// those in these words, is in one of them.
func (g *grammar) spread(line string) (trials []trial) {
	counts := map[string]int{}
	for want := 1; want > 0; want-- {
		var used []string
		text := g.fill(line, func(joint string, n int) int {
			if counts[joint] == 0 {
				want = max(want, n)
			}
			i := counts[joint] % n
			counts[joint]++
			used = append(used, joint+" "+g.words[joint][i])
			return i
		})
		trials = append(trials, trial{text, used})
	}
	return trials
}

// TestGrammarOfStrangers tries the commands before login, whose number of
// mistakes is bounded.
func TestGrammarOfStrangers(t *testing.T) {
	g := newGrammarian(t)
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, line := range []string{"AUTHENTICATE PLAIN", "AUTHENTICATE PLAIN =", "AUTHENTICATE SCRAM-SHA-256 biws", "STARTTLS", "CAPABILITY", "ID NIL", "NOOP", "FETCH 1 FLAGS", "LOGIN {5}"} {
		for range 40 {
			g.dial()
			if got := g.play(mutate(rnd, line)); !slices.Contains([]string{"OK", "NO", "BAD"}, got) {
				t.Fatalf("%q: %s", line, got)
			}
			if text := g.log.String(); text != "" {
				t.Fatal(text)
			}
		}
	}
}

// FuzzGrammar goes on where TestGrammar ends: lines drawn and spoiled at random.
func FuzzGrammar(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, uint8(seed%4))
	}
	g, play := newGrammar(), newGrammarian(f)
	f.Fuzz(func(t *testing.T, seed uint64, spoil uint8) {
		rnd := rand.New(rand.NewPCG(seed, 5))
		play.t, play.second.t = t, t
		line := g.fill(g.commands[rnd.IntN(len(g.commands))], func(_ string, n int) int { return rnd.IntN(n) })
		for range spoil % 8 {
			line = mutate(rnd, line)
		}
		play.try(line)
	})
}

// literal is the announcement of octets that follow at once.
var literal = regexp.MustCompile(`~?\{(\d+)\+\}\r\n`)

// mutate spoils what is not a literal in a line.
func mutate(rnd *rand.Rand, line string) string {
	var parts []string // text and literals in turn
	rest := line
	for {
		at := literal.FindStringSubmatchIndex(rest)
		if at == nil {
			break
		}
		n, _ := strconv.Atoi(rest[at[2]:at[3]])
		parts = append(parts, rest[:at[0]], rest[at[0]:at[1]+n])
		rest = rest[at[1]+n:]
	}
	parts = append(parts, rest)
	for range 20 {
		i := 2 * rnd.IntN(len(parts)/2+1)
		text := spoil(rnd, parts[i])
		if !strings.HasSuffix(text, "+}") { // would announce octets that do not come
			parts[i] = text
			break
		}
	}
	return strings.Join(parts, "")
}

func spoil(rnd *rand.Rand, line string) string {
	if line == "" {
		return "x"
	}
	at := rnd.IntN(len(line))
	end := min(len(line), at+1+rnd.IntN(6))
	odd := []string{"(", ")", "((((((", `"`, `\`, "%", "*", "{", "}", "[", "]", "<", ">", " ", "  ", "\x00", "\x7f", "\xff", "ü", "&", "~", "$", "+", "-", ",", ":", "0", "4294967296", "18446744073709551616", "NIL", ".", ";"}
	switch rnd.IntN(7) {
	case 0:
		return line[:at] + line[end:]
	case 1:
		return line[:at] + odd[rnd.IntN(len(odd))] + line[at:]
	case 2:
		return line[:at] + odd[rnd.IntN(len(odd))] + line[end:]
	case 3:
		return line[:at]
	case 4:
		return line[:end] + line[at:]
	case 5:
		words := strings.Split(line, " ")
		i, j := rnd.IntN(len(words)), rnd.IntN(len(words))
		words[i], words[j] = words[j], words[i]
		return strings.Join(words, " ")
	default:
		return strings.ToLower(line[:at]) + strings.Repeat(line[at:end], 1+rnd.IntN(300)) + line[end:]
	}
}
