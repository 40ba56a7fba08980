package imapd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem/auth"
	"tandem/internal/listen"
	"tandem/store"
)

func TestBadCommandsEndTheSession(t *testing.T) {
	ts := startServer(t, nil)
	c := ts.dial(t)
	c.expect("* OK ...")
	for range 3 {
		c.send("x NONSENSE")
		c.expect("x BAD ...")
	}
	c.expect("* BYE Too many bad commands (3)")
	c.closed()

	c = ts.login(t, "alice")
	for range 2 { // an answer in between starts the count anew
		for range 19 {
			c.send("x NONSENSE")
			c.expect("x BAD ...")
		}
		c.send("y NOOP")
		c.expect("y OK ...")
	}
	for range 20 {
		c.send("x NONSENSE")
		c.expect("x BAD ...")
	}
	c.expect("* BYE Too many bad commands (20)")
	c.closed()
}

func TestHTTPIsDropped(t *testing.T) {
	ts := startServer(t, nil)
	for _, first := range []string{
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST /x HTTP/1.0\r\n\r\na LOGIN alice secret\r\n",
		"CONNECT mail:143 HTTP/1.1\r\n\r\n",
	} {
		c := ts.dial(t)
		c.expect("* OK ...")
		c.raw(first)
		c.closed()
	}
}

func TestStrangersAreKeptShort(t *testing.T) {
	ts := startServer(t, nil)
	c := ts.dial(t)
	c.expect("* OK ...")
	c.send("a LOGIN alice {4097}")
	c.expect("a BAD Literal too long (the limit is 4096)")
	c.send("b LOGIN alice " + strings.Repeat("x", 9000))
	c.expect("b BAD Command line too long (the limit is 8192)")
	c.send("c NOOP")
	c.expect("c OK ...")
	c.send("d AUTHENTICATE PLAIN")
	c.expect("+ ...")
	c.send(strings.Repeat("A", 13000))
	c.expect("d BAD Line too long (the limit is 12288)")
	c.expect("* BYE ...")
	c.closed()

	c = ts.dial(t)
	c.expect("* OK ...")
	c.send("a LOGIN alice {100000+}")
	c.expect("a BAD Literal too long (the limit is 4096)")
	c.expect("* BYE Too much refused input")
	c.closed()
}

func TestPasswordsNeedPrivacy(t *testing.T) {
	ts := startServer(t, func(cfg *Config) {
		cfg.Auth = auth.New(cfg.Store, auth.Config{Plaintext: auth.PlaintextNever, Log: slog.New(slog.DiscardHandler)})
	})
	c := ts.dial(t)
	if greeting := c.line(); !strings.Contains(greeting, "LOGINDISABLED") || strings.Contains(greeting, "AUTH=") {
		t.Errorf("greeting offers passwords: %s", greeting)
	}
	c.send("a LOGIN alice {6+}")
	c.send("secret")
	c.expect("a NO [PRIVACYREQUIRED] ...")
	c.send("b AUTHENTICATE PLAIN")
	c.expect("b NO [PRIVACYREQUIRED] ...")
	c.send("c STARTTLS")
	c.expect("c OK ...")
	c.startTLS()
	c.send("d CAPABILITY")
	if line := c.line(); strings.Contains(line, "LOGINDISABLED") || !strings.Contains(line, "AUTH=PLAIN") {
		t.Errorf("under TLS: %s", line)
	}
	c.expect("d OK ...")
	c.send("e LOGIN alice secret")
	c.expect("e OK ...")
}

func TestTimeouts(t *testing.T) {
	ts := startServer(t, func(cfg *Config) { cfg.Limits.LoginTime = 50 * time.Millisecond })
	c := ts.dial(t)
	c.expect("* OK ...")
	c.expect("* BYE Login took too long")
	c.closed()

	ts = startServer(t, func(cfg *Config) { cfg.Limits.Idle = 50 * time.Millisecond })
	c = ts.login(t, "alice")
	c.expect("* BYE Idle for too long")
	c.closed()
}

// TestDribblingDoesNotExtendLogin sends a byte at a time and is ended all the
// same.
func TestDribblingDoesNotExtendLogin(t *testing.T) {
	ts := startServer(t, func(cfg *Config) { cfg.Limits.LoginTime = 100 * time.Millisecond })
	c := ts.dial(t)
	c.expect("* OK ...")
	start := time.Now()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		if _, err := c.conn.Write([]byte("x")); err != nil || time.Since(start) > 5*time.Second {
			break
		}
	}
	if took := time.Since(start); took > 4*time.Second {
		t.Errorf("the connection lived for %v", took)
	}
}

func TestDrain(t *testing.T) {
	ts := startServer(t, func(cfg *Config) { cfg.Limits.Drain = 10 * time.Second })
	idle, busy := ts.login(t, "alice"), ts.login(t, "alice")
	busy.send("a APPEND INBOX {10}")
	busy.expect("+ ...")
	ts.stop()
	idle.expect("* BYE The server is shutting down")
	idle.closed()
	busy.raw("a: b\r\n\r\nxy\r\n") // the command in hand is finished
	busy.expect("a OK [APPENDUID ...")
	busy.expect("* BYE The server is shutting down")
	busy.closed()
}

func TestDrainDoesNotWaitForever(t *testing.T) {
	ts := startServer(t, func(cfg *Config) { cfg.Limits.Drain = 50 * time.Millisecond })
	c := ts.login(t, "alice")
	c.send("a APPEND INBOX {10}")
	c.expect("+ ...")
	ts.stop()
	c.expect("* BYE The server is shutting down")
	c.closed()
}

func TestStalledReaderIsDropped(t *testing.T) {
	ts := startServer(t, func(cfg *Config) { cfg.Limits.WriteStall = 50 * time.Millisecond })
	server, conn := net.Pipe() // without a buffer of its own
	defer conn.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		ts.Serve(context.Background(), server)
	}()
	select {
	case <-done: // nobody reads the greeting
	case <-time.After(10 * time.Second):
		t.Error("a reader that reads nothing is served forever")
	}
}

func TestSessionsPerUser(t *testing.T) {
	ts := startServer(t, nil)
	front := listen.New(listen.Limits{PerUser: 1}, slog.New(slog.DiscardHandler))
	err := front.Bind(t.Context(), listen.Service{
		Name:      "imap",
		Addresses: []string{"127.0.0.1:0"},
		Serve:     func(ctx context.Context, c *listen.Conn) { ts.Serve(ctx, c) },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		front.Serve(ctx)
	}()
	defer func() {
		cancel()
		<-done
	}()
	ts.addr = front.Addrs("imap")[0].String()
	ts.login(t, "alice")
	c := ts.dial(t)
	c.expect("* OK ...")
	c.send("a LOGIN alice secret")
	c.expect("a NO [LIMIT] Too many connections ...")
	c.expect("* BYE [LIMIT] Too many connections ...")
	c.closed()
	ts.login(t, "bob")
}

// TestStoreErrors: every kind of store error has an answer, and nothing about
// faults of ours is told but the kind.
func TestStoreErrors(t *testing.T) {
	for _, kind := range store.Kinds() {
		err := fmt.Errorf("while testing: %w", store.Errorf(kind, "secret detail"))
		a, ours := answerTo(err)
		if a.word != "NO" || a.code == "" || a.text == "" {
			t.Errorf("%v: %+v", kind, a)
		}
		if ours && strings.Contains(a.text, "detail") {
			t.Errorf("%v tells of our faults: %s", kind, a.text)
		}
		if ours != (a.code == "SERVERBUG") {
			t.Errorf("%v: ours %v, code %s", kind, ours, a.code)
		}
	}
	if a, ours := answerTo(errors.New("secret detail")); !ours || a.code != "SERVERBUG" || strings.Contains(a.text, "detail") {
		t.Errorf("an unknown error: %+v", a)
	}
}

// TestPanicEndsOneConnection: a panic in a command ends its connection only.
func TestPanicEndsOneConnection(t *testing.T) {
	ts := startServer(t, nil)
	ts.reg.commands["PANIC"] = row("PANIC", anyState, 0, noArgs, func(*session, context.Context, none) error {
		panic("on purpose")
	})
	other := ts.login(t, "bob")
	c := ts.login(t, "alice")
	c.send("a PANIC")
	c.closed()
	other.send("b NOOP")
	other.expect("b OK ...")
}

// TestCapabilities: the table for the documentation has what is advertised.
func TestCapabilities(t *testing.T) {
	ts := startServer(t, nil)
	table := map[string]Capability{}
	for _, c := range Capabilities() {
		table[c.Name] = c
	}
	c := ts.login(t, "alice")
	c.send("a CAPABILITY")
	words := strings.Fields(c.expect("* CAPABILITY ..."))[2:]
	for _, word := range words {
		name := word
		if strings.HasPrefix(word, "APPENDLIMIT=") {
			name = "APPENDLIMIT"
		}
		if row, ok := table[name]; !ok || !row.AfterLogin || row.RFC == "" {
			t.Errorf("%s is not in the table as it should be: %+v", word, row)
		}
	}
}

// FuzzSession sends any bytes to a logged-in session. Whatever comes, the
// server neither panics nor hangs, and says nothing that is not a response.
func FuzzSession(f *testing.F) {
	for _, s := range []string{
		"a LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (*%) RETURN (STATUS (MESSAGES))\r\n",
		"a APPEND INBOX (\\Seen) {3+}\r\nabc {2+}\r\nab\r\nb STATUS INBOX (SIZE)\r\n",
		"a CREATE x (USE (\\Junk))\r\nb RENAME INBOX y\r\nc DELETE y\r\nd LSUB \"\" %\r\n",
		"a APPEND INBOX {9+}\r\na: b\r\n\r\nc\r\nb SELECT INBOX (CONDSTORE)\r\nc FETCH 1:* (UID FLAGS BODY.PEEK[1.MIME]<0.9> BODYSTRUCTURE ENVELOPE)\r\n",
		"a SELECT INBOX\r\nb UID SEARCH RETURN (ALL) OR NOT TEXT x (SINCE 1-Jan-2020 MODSEQ 1)\r\nc STORE 1 (UNCHANGEDSINCE 3) +FLAGS (\\Deleted $x)\r\nd EXPUNGE\r\n",
		"a SELECT INBOX\r\nb UID COPY 1:* Sent\r\nc MOVE 1 Trash\r\nd IDLE\r\nDONE\r\ne CLOSE\r\n",
		"a APPEND INBOX ~{42+}\r\nContent-Transfer-Encoding: binary\r\n\r\na\x00\nb\r\nb SELECT INBOX\r\nc FETCH 1 (BINARY[1] BINARY.SIZE[] BINARY.PEEK[1]<1.1>)\r\n",
		"a NOTIFY SET STATUS (selected (MessageNew (UID BODY.PEEK[1]) MessageExpunge FlagChange)) (subtree (Sent Drafts) (MessageNew MessageExpunge)) (personal (MailboxName SubscriptionChange))\r\nb SELECT INBOX\r\nc CREATE q/r\r\nd COPY 1 Sent\r\ne NOTIFY SET (selected-delayed NONE) (inboxes NONE)\r\nf IDLE\r\nDONE\r\ng NOTIFY NONE\r\n",
		"a ENABLE UIDONLY\r\nb SELECT INBOX\r\nc UID FETCH 1:* UID\r\nd FETCH 1 UID\r\ne UID SEARCH 1\r\nf UIDBATCHES 500 1:3\r\ng UIDBATCHES 4294967295 2:4294967295\r\n",
		"a ENABLE QRESYNC\r\nb SELECT INBOX (QRESYNC (1 1 1:9 (1 1)))\r\nc UID FETCH 1:* FLAGS (CHANGEDSINCE 0 VANISHED)\r\nd EXPUNGE\r\n",
		"a APPEND INBOX {6+}\r\na: b\r\n\r\nb SELECT INBOX\r\nc REPLACE 1 INBOX (\\Seen) \"17-Jul-1996 02:44:25 -0700\" {6+}\r\na: c\r\n\r\nd UID REPLACE * Sent {1+}\r\nx\r\n",
		"a APPEND INBOX {6+}\r\na: b\r\n\r\nb APPEND INBOX CATENATE (URL \"/INBOX/;UID=1/;SECTION=HEADER.FIELDS%20(a)/;PARTIAL=0.3\" TEXT {1+}\r\nx URL \";UID=1\")\r\n",
		"a SETMETADATA INBOX (/private/a/b ~{3+}\r\na\x00b /shared/c NIL)\r\nb GETMETADATA (DEPTH infinity MAXSIZE 2) INBOX (/private /shared/c)\r\nc GETMETADATA \"\" (DEPTH 1) /shared/a\r\nd LIST \"\" % RETURN (METADATA (/private/a/b))\r\n",
		"a GETQUOTAROOT INBOX\r\nb GETQUOTA {3+}\r\nbob\r\nc SETQUOTA alice (STORAGE 1 MESSAGE 9223372036854775807)\r\nd STATUS INBOX (DELETED DELETED-STORAGE)\r\n",
		"a APPEND INBOX {6+}\r\na: b\r\n\r\nb SELECT INBOX\r\nc SEARCH RETURN (UPDATE) UNSEEN\r\nd UID SORT RETURN (UPDATE CONTEXT MIN) (SUBJECT) UTF-8 UNDELETED\r\ne COPY 1 INBOX\r\nf STORE 1 +FLAGS (\\Deleted)\r\ng EXPUNGE\r\nh CANCELUPDATE \"c\" {1+}\r\nd\r\n",
		"a APPEND INBOX {6+}\r\na: b\r\n\r\nb ESEARCH IN (personal subtree INBOX) RETURN (COUNT) TEXT b\r\nc SELECT INBOX\r\nd ESEARCH RETURN (SAVE) ALL\r\ne ESEARCH IN (selected mailboxes (Sent INBOX)) UID 1:* RECENT\r\n",
		"a APPEND INBOX {29+}\r\nSubject: a\r\nReferences: <b>\r\n {24+}\r\nMessage-ID: <b>\r\nTo: a:;\r\n\r\nb SELECT INBOX\r\nc SORT RETURN (PARTIAL 2:1 SAVE MAX) (REVERSE SUBJECT DISPLAYTO DATE) utf-8 ALL\r\nd UID THREAD REFERENCES us-ascii $\r\ne THREAD ORDEREDSUBJECT utf-8 YOUNGER 9\r\nf FETCH $ (PREVIEW (LAZY) THREADID)\r\ng MOVE $ Sent\r\nh FETCH 1:* (SAVEDATE EMAILID) (PARTIAL -1:-1)\r\n",
		"a ID (\"a\" NIL)\r\nb ENABLE X\r\nc NAMESPACE\r\nd LOGOUT\r\n",
	} {
		f.Add(s)
	}
	st := openStore(f, store.Options{MessageSize: 1 << 16, MaxMailboxes: 50})
	var log errorLog
	cfg := Config{
		Store:    st,
		Auth:     auth.New(st, auth.Config{Log: slog.New(slog.DiscardHandler)}),
		Limits:   DefaultLimits(st.MessageSize()),
		Hostname: "h",
		Logger:   slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelError})),
	}
	cfg.Limits.Idle = 50 * time.Millisecond
	srv := New(cfg)
	f.Fuzz(func(t *testing.T, in string) {
		server, conn := net.Pipe()
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		go func() {
			srv.Serve(context.Background(), server)
			_ = server.Close()
		}()
		go func() { _, _ = io.WriteString(conn, "l LOGIN alice secret\r\n"+in+"\r\nz LOGOUT\r\n") }()
		_, err := io.Copy(io.Discard, conn)
		_ = conn.Close()
		if isTimeout(err) {
			t.Fatal("the session does not end")
		}
		if text := log.String(); text != "" {
			t.Fatal(text)
		}
	})
}

// errorLog keeps what is logged as an error: panics, and faults of ours.
type errorLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *errorLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *errorLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
