package pop3d

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"iter"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"tandem/auth"
	"tandem/internal/listen"
	"tandem/store"
	"tandem/store/sqlite"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 10 * time.Second

// world is a store with the accounts alice and bob (password "secret") and a
// server over it.
type world struct {
	t      testing.TB
	store  *store.Store
	server *Server
	by     store.Actor // alice
	addr   string      // of the server, once listen was called
	addrs  string      // the same with implicit TLS
	limits listen.Limits
	stop   func() // drains it

	engine *faulty
}

// faulty is the real engine, but for verbs that a test wants to fail or to
// count.
type faulty struct {
	store.Engine
	quitError error // what Quit gives, when set
	purged    bool  // Messages finds nothing any more
	damaged   int   // chunk number that does not match its digest, -1: none

	chunks int // calls of ReadChunk; for tests with one session at a time
}

func (e *faulty) Messages(ctx context.Context, ids []store.MessageID, want store.Want) iter.Seq2[*store.Message, error] {
	if e.purged {
		ids = nil
	}
	return e.Engine.Messages(ctx, ids, want)
}

func (e *faulty) ReadChunk(ctx context.Context, body store.BodyID, n int) ([]byte, error) {
	e.chunks++
	if n == e.damaged {
		return nil, store.Errorf(store.Corrupt, "chunk %d of body %d does not match its digest", n, body)
	}
	return e.Engine.ReadChunk(ctx, body, n)
}

func (e *faulty) Quit(ctx context.Context, by store.Actor, id store.MailboxID, q store.Quit) (store.QuitResult, error) {
	if e.quitError != nil {
		return store.QuitResult{}, e.quitError
	}
	return e.Engine.Quit(ctx, by, id, q)
}

func newWorld(t testing.TB, edit ...func(*Config)) *world {
	t.Helper()
	return newWorldIn(t, t.TempDir(), edit...)
}

func newWorldIn(t testing.TB, dir string, edit ...func(*Config)) *world {
	t.Helper()
	engine, err := sqlite.Open(dir, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, limits: listen.DefaultLimits()}
	w.engine = &faulty{Engine: engine, damaged: -1}
	w.store = store.Open(w.engine, store.Options{POP3Trash: 30 * 24 * time.Hour, KeepTrash: 100 * 24 * time.Hour})
	t.Cleanup(func() {
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
	var list []store.NewAccount
	for _, name := range []string{"alice", "bob"} {
		list = append(list, store.NewAccount{Name: name, Hash: "{PLAIN}secret", KeepScheme: true})
	}
	if err := w.store.CreateAccounts(t.Context(), list, false); err != nil {
		t.Fatal(err)
	}
	alice, creds, err := w.store.FindLogin(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	w.by = store.Actor{Account: alice.ID, Credential: creds[0].ID, Protocol: "imap"}
	cfg := Config{
		Store: w.store, Hostname: "mail.example.org", Limits: DefaultLimits(),
		Auth:   auth.New(w.store, auth.Config{Log: slog.New(slog.DiscardHandler)}),
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	for _, e := range edit {
		e(&cfg)
	}
	w.server = New(cfg)
	return w
}

// listen puts the server on the network, with STLS and a port with implicit
// TLS.
func (w *world) listen() *world {
	w.t.Helper()
	log := slog.New(slog.NewTextHandler(w.t.Output(), nil))
	certs, err := listen.LocalCerts(w.t.TempDir(), "mail.example.org", log)
	if err != nil {
		w.t.Fatal(err)
	}
	w.server.tls = certs.Config()
	l := listen.New(w.limits, log)
	serve := func(ctx context.Context, c *listen.Conn) { w.server.Serve(ctx, c) }
	err = l.Bind(w.t.Context(),
		listen.Service{Name: "pop3", Addresses: []string{"127.0.0.1:0"}, Serve: serve},
		listen.Service{Name: "pop3s", Addresses: []string{"127.0.0.1:0"}, TLS: certs.Config(), Serve: serve})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.Serve(ctx)
	}()
	w.stop = func() {
		cancel()
		<-done
	}
	w.t.Cleanup(w.stop)
	w.addr, w.addrs = l.Addrs("pop3")[0].String(), l.Addrs("pop3s")[0].String()
	return w
}

// put appends a message to one of alice's mailboxes and gives its UID.
func (w *world) put(mailbox, text string) store.UID {
	w.t.Helper()
	return w.putAll(mailbox, []string{text})[0]
}

func (w *world) putAll(mailbox string, texts []string) (uids []store.UID) {
	w.t.Helper()
	return w.putMarked(mailbox, texts, func(*store.Ingest) {})
}

// putUTF8 puts a message that came as an internationalized one.
func (w *world) putUTF8(mailbox, text string) store.UID {
	w.t.Helper()
	return w.putMarked(mailbox, []string{text}, (*store.Ingest).MarkUTF8)[0]
}

func (w *world) putMarked(mailbox string, texts []string, mark func(*store.Ingest)) (uids []store.UID) {
	w.t.Helper()
	ctx := w.t.Context()
	var list []store.Insertion
	for _, text := range texts {
		in := w.store.NewIngest(ctx, 0)
		defer in.Close()
		mark(in)
		if _, err := in.Write([]byte(text)); err != nil {
			w.t.Fatal(err)
		}
		body, err := in.Finish()
		if err != nil {
			w.t.Fatal(err)
		}
		in.Used()
		list = append(list, store.Insertion{Mailbox: w.mailbox(mailbox).ID, Body: body, Internal: w.store.Now()})
	}
	out, err := w.store.Append(ctx, w.by, list)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, o := range out {
		uids = append(uids, o.UID)
	}
	return uids
}

func (w *world) mailbox(name string) store.Mailbox {
	w.t.Helper()
	m, err := w.store.Mailbox(w.t.Context(), w.by, name)
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// uids lists what an IMAP session finds in a mailbox.
func (w *world) uids(name string) (list []store.UID) {
	w.t.Helper()
	w.with(name, func(v *store.View) {
		for _, m := range v.ByUID(store.AllUIDs()[0], make([]store.Member, 0, 1000)) {
			if !m.Gone {
				list = append(list, m.UID)
			}
		}
	})
	return list
}

// with opens a mailbox as an IMAP session does.
func (w *world) with(name string, do func(*store.View)) {
	w.t.Helper()
	v, err := w.store.View(w.t.Context(), w.by, w.mailbox(name).ID)
	if err != nil {
		w.t.Fatal(err)
	}
	defer v.Close()
	if err := v.Load(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	do(v)
}

// expunge removes messages of INBOX as IMAP does.
func (w *world) expunge(uids ...store.UID) {
	w.t.Helper()
	w.with("INBOX", func(v *store.View) {
		var set store.UIDSet
		for _, u := range uids {
			set.Add(u)
		}
		if _, err := v.SetFlags(w.t.Context(), store.FlagsChange{UIDs: set, Op: store.FlagsAdd, Flags: store.FlagDeleted}); err != nil {
			w.t.Fatal(err)
		}
		if _, err := v.Expunge(w.t.Context(), set); err != nil {
			w.t.Fatal(err)
		}
	})
}

func (w *world) setPolicy(p store.DeletePolicy) {
	w.t.Helper()
	if err := w.store.UpdateAccount(w.t.Context(), w.by.Account, store.AccountUpdate{POP3Delete: &p}); err != nil {
		w.t.Fatal(err)
	}
}

// client is a POP3 client that knows what it expects.
type client struct {
	t testing.TB
	net.Conn
	r *bufio.Reader
}

func newClient(t testing.TB, c net.Conn) *client {
	t.Cleanup(func() { c.Close() })
	return &client{t, c, bufio.NewReader(c)}
}

// dial connects and reads the greeting.
func (w *world) dial() *client {
	w.t.Helper()
	c := w.dialSilently()
	c.script("S: +OK mail.example.org*")
	return c
}

func (w *world) dialSilently() *client {
	w.t.Helper()
	c, err := net.Dial("tcp", w.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	return newClient(w.t, c)
}

// login connects and logs in as alice.
func (w *world) login() *client {
	w.t.Helper()
	c := w.dial()
	c.script("C: USER alice\nS: +OK*\nC: PASS secret\nS: +OK*")
	return c
}

func (c *client) send(text string) {
	c.t.Helper()
	if _, err := c.Write([]byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) line() (string, error) {
	c.SetReadDeadline(time.Now().Add(patience))
	line, err := c.r.ReadString('\n')
	return strings.TrimSuffix(line, "\r\n"), err
}

// body reads a multi-line response after its first line.
func (c *client) body() string {
	c.t.Helper()
	var b strings.Builder
	for {
		line, err := c.line()
		if err != nil {
			c.t.Fatal(err)
		}
		if line == "." {
			return b.String()
		}
		b.WriteString(strings.TrimPrefix(line, ".") + "\r\n")
	}
}

// script plays a dialogue: "C: " lines are sent with CRLF, "S: " lines are
// expected, with a * at the end for anything; "S: EOF" is the end.
func (c *client) script(text string) {
	c.t.Helper()
	for _, l := range strings.Split(strings.TrimSpace(text), "\n") {
		l = strings.TrimLeft(l, "\t ")
		who, what := l[:min(3, len(l))], l[min(3, len(l)):]
		switch who {
		case "C: ":
			c.send(what + "\r\n")
		case "S: ":
			got, err := c.line()
			if what == "EOF" {
				if err == nil {
					c.t.Fatalf("got %q, want the end", got)
				}
				continue
			}
			if prefix, some := strings.CutSuffix(what, "*"); err != nil || got != what && !(some && strings.HasPrefix(got, prefix)) {
				c.t.Fatalf("got %q, %v; want %q", got, err, what)
			}
		default:
			c.t.Fatalf("bad script line %q", l)
		}
	}
}

// startTLS goes over to TLS on the client's side.
func (c *client) startTLS() {
	c.t.Helper()
	tc := tls.Client(c.Conn, &tls.Config{InsecureSkipVerify: true})
	if err := tc.Handshake(); err != nil {
		c.t.Fatal(err)
	}
	c.Conn, c.r = tc, bufio.NewReader(tc)
}

// message is a small message with a number.
func message(n int) string {
	return fmt.Sprintf("From: a@example.org\r\nSubject: number %d\r\n\r\nbody of %d\r\n", n, n)
}
