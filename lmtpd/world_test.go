package lmtpd

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem/internal/listen"
	"tandem/store"
	"tandem/store/sqlite"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 10 * time.Second

// world is a store with some accounts and a server over it. The host,
// mail.example.org, is a domain of ours.
type world struct {
	t      testing.TB
	store  *store.Store
	server *Server
	tcp    string // the server's addresses, once listen was called
	unix   string
	stop   func() // drains it

	insertError func(i int) error // what the engine's Insert gives for each insertion, when set
	inserts     int               // calls of Insert
}

// faulty is the real engine, but for verbs that a test wants to fail.
type faulty struct {
	store.Engine
	w *world
}

func (e *faulty) Insert(ctx context.Context, by store.Actor, list []store.Insertion, atomic bool, maxKeywords int) ([]store.Inserted, error) {
	e.w.inserts++
	if e.w.insertError == nil {
		return e.Engine.Insert(ctx, by, list, atomic, maxKeywords)
	}
	out := make([]store.Inserted, len(list))
	for i := range list {
		if out[i].Err = e.w.insertError(i); out[i].Err != nil {
			continue
		}
		one, err := e.Engine.Insert(ctx, by, list[i:i+1], atomic, maxKeywords)
		if err != nil {
			return nil, err
		}
		out[i] = one[0]
	}
	return out, nil
}

const maxMessage = 8 << 20

func newWorld(t testing.TB, edit ...func(*Config)) *world {
	t.Helper()
	engine, err := sqlite.Open(t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t}
	w.store = store.Open(&faulty{engine, w}, store.Options{Domains: []string{"mail.example.org"}, MessageSize: maxMessage})
	t.Cleanup(func() {
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
	var list []store.NewAccount
	for _, name := range []string{"alice", "bob", "carol@example.net", "dave+work", "off"} {
		list = append(list, store.NewAccount{Name: name, Hash: "{PLAIN}secret", KeepScheme: true})
	}
	if err := w.store.CreateAccounts(t.Context(), list, false); err != nil {
		t.Fatal(err)
	}
	disabled := false
	if err := w.store.UpdateAccount(t.Context(), w.by("off").Account, store.AccountUpdate{Enabled: &disabled}); err != nil {
		t.Fatal(err)
	}
	cfg := Config{
		Store: w.store, Hostname: "mail.example.org", Limits: DefaultLimits(),
		JunkHeader: "X-Spam: yes", Logger: slog.New(slog.DiscardHandler),
	}
	for _, e := range edit {
		e(&cfg)
	}
	w.server = New(cfg)
	return w
}

func (w *world) by(name string) store.Actor {
	w.t.Helper()
	a, err := w.store.Account(w.t.Context(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	return store.Actor{Account: a.ID, Protocol: "imap"}
}

// listen puts the server on TCP and on a unix socket.
func (w *world) listen() *world {
	w.t.Helper()
	w.unix = filepath.Join(w.t.TempDir(), "s")
	l := listen.New(listen.DefaultLimits(), slog.New(slog.DiscardHandler))
	err := l.Bind(w.t.Context(), listen.Service{
		Name: "lmtp", Addresses: []string{"127.0.0.1:0", "unix:" + w.unix}, Peers: true,
		Serve: func(ctx context.Context, c *listen.Conn) { w.server.Serve(ctx, c) },
	})
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
	w.tcp = l.Addrs("lmtp")[0].String()
	return w
}

// mail gives the bytes of all messages in an account's mailbox, in order.
func (w *world) mail(account, mailbox string) (texts []string) {
	w.t.Helper()
	ctx, by := w.t.Context(), w.by(account)
	m, err := w.store.Mailbox(ctx, by, mailbox)
	if err != nil {
		w.t.Fatal(err)
	}
	v, err := w.store.View(ctx, by, m.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	defer v.Close()
	if err := v.Load(ctx); err != nil {
		w.t.Fatal(err)
	}
	var ids []store.MessageID
	for _, e := range v.ByUID(store.AllUIDs()[0], make([]store.Member, 0, 10000)) {
		ids = append(ids, e.Message)
	}
	for msg, err := range w.store.Messages(ctx, ids, store.Want{Header: true}) {
		if err != nil {
			w.t.Fatal(err)
		}
		var b bytes.Buffer
		if err := w.store.Reader(ctx, msg).WriteRange(&b, 0, msg.Size); err != nil {
			w.t.Fatal(err)
		}
		texts = append(texts, b.String())
	}
	return texts
}

// only gives the one message in a mailbox, less the three trace fields.
func (w *world) only(account, mailbox string) (trace, text string) {
	w.t.Helper()
	list := w.mail(account, mailbox)
	if len(list) != 1 {
		w.t.Fatalf("%s has %d messages in %s, want 1", account, len(list), mailbox)
	}
	return split(w.t, list[0])
}

// split parts the trace fields that delivery added from the message.
func split(t testing.TB, text string) (trace, rest string) {
	t.Helper()
	n := 0
	for _, name := range []string{"Return-Path: ", "Delivered-To: ", "Received: "} {
		if !strings.HasPrefix(text[n:], name) {
			t.Fatalf("no %sin front of %.200q", name, text[n:])
		}
		n += fieldEnd([]byte(text[n:]))
	}
	return text[:n], text[n:]
}

// syncBuffer is a log that may be read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// client is an LMTP client that knows what it expects.
type client struct {
	t testing.TB
	net.Conn
	r *bufio.Reader
}

func (w *world) dial() *client {
	w.t.Helper()
	return w.dialOn("tcp", w.tcp)
}

func (w *world) dialOn(network, addr string) *client {
	w.t.Helper()
	c, err := net.Dial(network, addr)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	cl := &client{w.t, c, bufio.NewReader(c)}
	cl.script("S: 220 mail.example.org *")
	return cl
}

// hello connects and says LHLO.
func (w *world) hello() *client {
	w.t.Helper()
	c := w.dial()
	c.lhlo()
	return c
}

func (c *client) lhlo() {
	c.t.Helper()
	c.send("LHLO mx.example.com\r\n")
	for {
		line, err := c.line()
		if err != nil || !strings.HasPrefix(line, "250") {
			c.t.Fatalf("LHLO: %q, %v", line, err)
		}
		if line[3] == ' ' {
			return
		}
	}
}

func (c *client) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) line() (string, error) {
	c.SetReadDeadline(time.Now().Add(patience))
	line, err := c.r.ReadString('\n')
	return strings.TrimSuffix(line, "\r\n"), err
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

// envelope sends a sender and recipients that are all accepted.
func (c *client) envelope(from string, to ...string) {
	c.t.Helper()
	c.script("C: MAIL FROM:<" + from + ">\nS: 250 2.1.0 *")
	for _, r := range to {
		c.script("C: RCPT TO:<" + r + ">\nS: 250 2.1.5 *")
	}
}

// data sends a message, whatever its octets, with dots stuffed, and expects
// the replies.
func (c *client) data(text string, replies ...string) {
	c.t.Helper()
	c.script("C: DATA\nS: 354 *")
	text = strings.ReplaceAll("\r\n"+text, "\r\n.", "\r\n..")[2:]
	c.send(text)
	if text != "" && !strings.HasSuffix(text, "\r\n") {
		c.t.Fatalf("%.100q cannot be sent with DATA", text)
	}
	c.send(".\r\n")
	for _, r := range replies {
		c.script("S: " + r)
	}
}
