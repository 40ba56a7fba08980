package imapd

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"tandem/auth"
	"tandem/imapd/internal/wire"
	"tandem/store"
	"tandem/store/sqlite"
)

// bigMessage is one of several chunks, with structure.
func bigMessage(size int) string {
	var b strings.Builder
	b.WriteString("Subject: big\r\nContent-Type: multipart/mixed; boundary=xx\r\n\r\n--xx\r\nContent-Type: text/plain\r\n\r\n")
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, "line %d of a message that fills more than one chunk\r\n", i)
	}
	b.WriteString("--xx\r\nContent-Type: text/plain\r\n\r\nlast part\r\n--xx--\r\n")
	return b.String()
}

// literal sends a FETCH for one item and gives the literal in the answer.
func (c *client) literal(command string) string {
	c.t.Helper()
	c.send("x " + command)
	line := c.line()
	open := strings.LastIndexByte(line, '{')
	if open < 0 {
		c.t.Fatalf("no literal in %q", line)
	}
	n, err := strconv.Atoi(line[open+1 : len(line)-1])
	if err != nil {
		c.t.Fatal(err)
	}
	buf := make([]byte, n)
	if _, err := io.ReadFull(c.in, buf); err != nil {
		c.t.Fatal(err)
	}
	c.expect(")")
	c.expect("x OK ...")
	return string(buf)
}

// TestPartialsOfBigMessage compares ranges of a message of several chunks with
// its bytes.
func TestPartialsOfBigMessage(t *testing.T) {
	ts := startServer(t, nil)
	c := ts.login(t, "alice")
	text := bigMessage(700 << 10)
	c.raw(fmt.Sprintf("1 APPEND INBOX {%d+}\r\n%s\r\n", len(text), text))
	c.expect("1 OK ...")
	c.send("2 EXAMINE INBOX")
	drain(t, c.conn, "2 OK")
	if got := c.literal("FETCH 1 BODY[]"); got != text {
		t.Fatalf("BODY[] is %d octets, not the %d sent", len(got), len(text))
	}
	body := text[strings.Index(text, "\r\n\r\n")+4:]
	if got := c.literal("FETCH 1 BODY[TEXT]"); got != body {
		t.Errorf("BODY[TEXT] is wrong: %d octets, want %d", len(got), len(body))
	}
	if got := c.literal("FETCH 1 BODY[2]"); got != "last part" {
		t.Errorf("BODY[2] = %q", got)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		off, n := rnd.IntN(len(text)+10), 1+rnd.IntN(300<<10)
		want := text[min(off, len(text)):min(off+n, len(text))]
		if got := c.literal(fmt.Sprintf("FETCH 1 BODY[]<%d.%d>", off, n)); got != want {
			t.Fatalf("BODY[]<%d.%d>: %d octets, want %d", off, n, len(got), len(want))
		}
	}
}

// TestDamagedBytes: a message whose stored bytes changed is refused, and the
// others are served.
func TestDamagedBytes(t *testing.T) {
	dir := t.TempDir()
	serve := func(f func(c *client)) {
		engine, err := sqlite.Open(dir, sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		st := store.Open(engine, store.Options{})
		defer func() { _ = st.Close() }()
		_ = st.CreateAccounts(t.Context(), []store.NewAccount{{Name: "alice", Hash: "{PLAIN}secret", KeepScheme: true}}, true)
		srv := New(Config{Store: st, Auth: auth.New(st, auth.Config{Log: slog.New(slog.DiscardHandler)}), Hostname: "h"})
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		done := make(chan struct{})
		go func() {
			defer close(done)
			conn, err := listener.Accept()
			if err == nil {
				srv.Serve(context.Background(), conn)
				_ = conn.Close()
			}
		}()
		ts := &testServer{addr: listener.Addr().String()}
		f(ts.login(t, "alice"))
		<-done
	}
	const marks = 3
	serve(func(c *client) {
		for i := range marks {
			text := strings.Replace(bigMessage(600<<10), "last part", fmt.Sprintf("mark-%d-mark", i), 1)
			c.raw(fmt.Sprintf("1 APPEND INBOX {%d+}\r\n%s\r\n", len(text), text))
			c.expect("1 OK ...")
		}
		c.send("2 LOGOUT")
		drain(t, c.conn, "2 OK")
	})
	path := filepath.Join(dir, "tandem.db")
	db, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(db, []byte("mark-1-mark")); n != 1 {
		t.Fatalf("the text lies %d times in the file", n)
	}
	if err := os.WriteFile(path, bytes.Replace(db, []byte("mark-1-mark"), []byte("mark-1-MARK"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	serve(func(c *client) {
		c.send("1 SELECT INBOX")
		drain(t, c.conn, "1 OK")
		c.send("2 FETCH 1:3 (UID BODY.PEEK[2])")
		c.expect("* 1 FETCH (UID 1 BODY[2] {11}")
		c.expect("mark-0-mark)")
		c.expect("* 3 FETCH (UID 3 BODY[2] {11}")
		c.expect("mark-2-mark)")
		c.expect("2 NO [SERVERBUG] ...")
		c.send("3 FETCH 2 BODY.PEEK[]")
		c.expect("3 NO [SERVERBUG] ...")
		c.send("4 FETCH 2 (RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
		c.expect("* 2 FETCH (RFC822.SIZE ... BODY[HEADER.FIELDS (SUBJECT)] {16}")
		c.expect("Subject: big")
		c.expect("")
		c.expect(")")
		c.expect("4 OK ...")
		c.send("5 LOGOUT")
		drain(t, c.conn, "5 OK")
	})
}

// TestManyKeywords: more keywords than fit into one integer come back, and are
// found.
func TestManyKeywords(t *testing.T) {
	ts := startServer(t, nil)
	c := ts.login(t, "alice")
	c.raw("1 APPEND INBOX {4+}\r\na: b\r\n")
	c.expect("1 OK ...")
	c.send("2 SELECT INBOX")
	drain(t, c.conn, "2 OK")
	var names []string
	for i := range 120 {
		names = append(names, fmt.Sprintf("key%d", i))
	}
	c.send("3 STORE 1 FLAGS.SILENT (" + strings.Join(names, " ") + ")")
	drain(t, c.conn, "3 OK")
	c.send("4 STORE 1 -FLAGS.SILENT (key3 key100)")
	c.expect("4 OK ...")
	c.send("5 FETCH 1 FLAGS")
	line := c.line()
	for i, name := range names {
		if has := strings.Contains(line+" ", name+" ") || strings.Contains(line, name+")"); has == (i == 3 || i == 100) {
			t.Errorf("%s: present is %v in %s", name, has, line)
		}
	}
	c.expect("5 OK ...")
	c.send("6 SEARCH KEYWORD key119 UNKEYWORD key100")
	c.expect("* SEARCH 1")
	c.expect("6 OK ...")
}

// FuzzArguments reads the arguments of the commands of a selected mailbox from
// any bytes: none may panic, and what is accepted is bounded.
func FuzzArguments(f *testing.F) {
	for _, line := range []string{
		" RETURN (RELEVANCY ALL) NOT FUZZY OR FUZZY TEXT \"a b  c\" (SEEN)",
		" 1:* (UID FLAGS BODY.PEEK[1.2.HEADER.FIELDS (a \"b c\")]<0.10>) (CHANGEDSINCE 5)", " 1 ALL", " *:4 FULL", " 1 RFC822.SIZE",
		" 1 (BINARY[1.2]<3.9223372036854775807> BINARY.PEEK[] BINARY.SIZE[4])",
		" 1,3:5 (UNCHANGEDSINCE 7) +FLAGS.SILENT (\\Seen $x)", " 1 -FLAGS \\Deleted a b",
		" RETURN (MIN ALL) CHARSET utf-8 OR (SEEN 1:4) NOT FROM {3+}\r\nabc", " HEADER a \"\" SINCE 1-Jan-2020 MODSEQ \"/flags/\\\\seen\" all 4",
		" IN (mailboxes (a \"b\") subtree-one c inboxes subtree (d/e)) RETURN (MIN COUNT) CHARSET utf-8 SUBJECT x", " IN (personal (x y)) ALL",
		" RETURN (PARTIAL -1:-4294967295 SAVE) (REVERSE DATE displayto) utf-8 NOT $", " REFS US-ASCII UID $ OLDER 5", " $ PREVIEW (lazy) (PARTIAL 9:1)", " 1 (PREVIEW (LAZY) EMAILID SAVEDATE)",
		" NOT NOT NOT ALL", " ((((ALL))))", " \"INBOX\" (CONDSTORE)",
		" SET STATUS (mailboxes (INBOX {1+}\r\nx) (messageNew (uid flags) messageExpunge)) (selected NONE)", " SET (personal (AnnotationChange x))",
		" INBOX (QRESYNC (7 20 1:9,12 (1,3:4 2,9:10)))", " 1:* FLAGS (CHANGEDSINCE 0 VANISHED)",
	} {
		f.Add(line)
	}
	s := &session{srv: &Server{reg: newRegistry(extensions())}, enabled: map[string]bool{qresync: true}}
	f.Fuzz(func(t *testing.T, line string) {
		for _, name := range []string{"UID FETCH", "STORE", "SEARCH", "SELECT", "COPY", "UID EXPUNGE", "NOTIFY", "ESEARCH", "UID SORT", "THREAD"} {
			d := wire.NewDecoder(bufio.NewReader(strings.NewReader(line+"\r\n")), wire.UserLimits(1000), func() error { return nil })
			if d.Begin() != nil {
				return
			}
			_ = s.srv.reg.commands[name].prepare(s, d)
			_ = d.EOL()
		}
	})
}

// TestGoneForGood: when also the bytes of an expunged message are gone, FETCH
// by number says so, and by UID leaves it out.
func TestGoneForGood(t *testing.T) {
	engine, err := sqlite.Open(t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	st := store.Open(engine, store.Options{})
	defer func() { _ = st.Close() }()
	if err := st.CreateAccounts(t.Context(), []store.NewAccount{{Name: "alice", Hash: "{PLAIN}secret", KeepScheme: true}}, false); err != nil {
		t.Fatal(err)
	}
	ts := startServer(t, func(cfg *Config) {
		cfg.Store, cfg.Auth = st, auth.New(st, auth.Config{Log: slog.New(slog.DiscardHandler)})
	})
	c := ts.login(t, "alice")
	c.raw("1 APPEND INBOX {4+}\r\na: b {4+}\r\nc: d\r\n")
	c.expect("1 OK ...")
	c.send("2 SELECT INBOX")
	drain(t, c.conn, "2 OK")
	other := ts.login(t, "alice")
	other.send("1 SELECT INBOX")
	drain(t, other.conn, "1 OK")
	other.send("2 UID STORE 1 +FLAGS.SILENT (\\Deleted)")
	other.expect("2 OK ...")
	other.send("3 EXPUNGE")
	other.expect("* 1 EXPUNGE")
	other.expect("3 OK ...")
	if err := engine.Prune(t.Context(), st.Now().Add(time.Hour), nil); err != nil {
		t.Fatal(err)
	}
	c.send("3 FETCH 1:2 (UID)")
	c.expect("* 2 FETCH (UID 2)")
	c.expect("3 NO [EXPUNGEISSUED] ...")
	c.send("4 UID FETCH 1:2 (BODY.PEEK[])")
	c.expect("* 2 FETCH (UID 2 BODY[] {4}")
	c.expect("c: d)")
	c.expect("* 1 EXPUNGE")
	c.expect("4 OK ...")
	c.send("5 LOGOUT")
	drain(t, c.conn, "5 OK")
	other.send("5 LOGOUT")
	drain(t, other.conn, "5 OK")
}
