package webd

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"tandem/auth"
	"tandem/internal/listen"
	"tandem/store"
	"tandem/store/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a store with the accounts alice and bob (password "secret") and a web
// server over it on loopback.
type world struct {
	t     *testing.T
	store *store.Store
	url   string
	stop  context.CancelFunc // drains it
	ended chan struct{}
}

func newWorld(t *testing.T, edit ...func(*Config)) *world {
	t.Helper()
	engine, err := sqlite.Open(t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: store.Open(engine, store.Options{}), ended: make(chan struct{})}
	var list []store.NewAccount
	for _, name := range []string{"alice", "bob"} {
		list = append(list, store.NewAccount{Name: name, Hash: "{PLAIN}secret", KeepScheme: true})
	}
	if err := w.store.CreateAccounts(t.Context(), list, false); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	cfg := Config{Store: w.store, Auth: auth.New(w.store, auth.Config{Log: log}), Hostname: "mail.example.org", Logger: log}
	for _, e := range edit {
		e(&cfg)
	}
	server := New(cfg)
	listeners := listen.New(listen.DefaultLimits(), log)
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	err = listeners.Bind(ctx, listen.Service{Name: "web", Addresses: []string{"127.0.0.1:0"}, Peers: true, Serve: server.Serve})
	if err != nil {
		t.Fatal(err)
	}
	w.url = "http://" + listeners.Addrs("web")[0].String()
	go func() {
		defer close(w.ended)
		listeners.Serve(ctx)
		server.Close()
	}()
	t.Cleanup(func() {
		stop()
		<-w.ended
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// browser is a client that keeps cookies.
type browser struct {
	*world
	client *http.Client
}

func (w *world) browser() *browser {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	transport := &http.Transport{}
	w.t.Cleanup(transport.CloseIdleConnections)
	return &browser{w, &http.Client{Jar: jar, Transport: transport}}
}

// page is an answer, redirections followed.
type page struct {
	status int
	path   string
	header http.Header
	text   string
}

func (b *browser) do(r *http.Request) page {
	b.t.Helper()
	answer, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return page{answer.StatusCode, answer.Request.URL.Path, answer.Header, string(text)}
}

func (b *browser) get(path string) page {
	b.t.Helper()
	r, err := http.NewRequest(http.MethodGet, b.url+path, http.NoBody)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(r)
}

// form is a POST of a form, with more headers.
func (b *browser) form(path string, values url.Values, headers ...string) page {
	b.t.Helper()
	r, err := http.NewRequest(http.MethodPost, b.url+path, strings.NewReader(values.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return b.do(r)
}

func (b *browser) login(name, password string) page {
	b.t.Helper()
	return b.form("/login", url.Values{"name": {name}, "password": {password}})
}

var tokenField = regexp.MustCompile(`name="token" value="([^"]+)"`)

// token is that of a page's forms.
func (p page) token() string {
	if m := tokenField.FindStringSubmatch(p.text); m != nil {
		return m[1]
	}
	return ""
}

// dial opens a bare connection.
func (w *world) dial() net.Conn {
	w.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	return c
}
