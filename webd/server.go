package webd

import (
	"cmp"
	"context"
	"embed"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"tandem/auth"
	"tandem/store"
)

// Config is what a Server works with. Store and Auth are needed.
type Config struct {
	Store    *store.Store
	Auth     *auth.Authenticator
	Hostname string
	Logger   *slog.Logger // nil is slog.Default

	// AddPassword makes an app password, with a hash and keys for it.
	AddPassword func(ctx context.Context, account store.Account, made store.NewCredential) (password string, err error)

	// Mounts are further pages by the pattern of net/http's ServeMux, such as
	// "/compare/". They get the same headers and checks as the others.
	Mounts map[string]http.Handler

	Connections int           // at once; 0 is 500
	Idle        time.Duration // after which a browser must log in again; 0 is 30 minutes
	Longest     time.Duration // the same from the login on; 0 is 12 hours
}

// The limits of a request (limits.md has those of the mail protocols).
const (
	maxHeader = 16 << 10
	maxForm   = 64 << 10

	headerTime = 10 * time.Second
	readTime   = 30 * time.Second // header and form
	writeTime  = time.Minute      // an answer; streams of events set their own
	idleTime   = 2 * time.Minute  // between requests
)

// Server serves the pages. Make it with New; Close ends it.
type Server struct {
	store    *store.Store
	auth     *auth.Authenticator
	hostname string
	log      *slog.Logger
	mounts   map[string]http.Handler

	addCredential func(context.Context, store.Account, store.NewCredential) (string, error)

	pages    pages
	sessions *sessions

	http     *http.Server
	incoming *handoff
	places   chan struct{} // one for each connection
	stop     context.CancelFunc
	draining sync.Once
}

//go:embed static
var static embed.FS

// New makes a server.
func New(cfg Config) *Server {
	s := &Server{store: cfg.Store, auth: cfg.Auth, hostname: cfg.Hostname, log: cfg.Logger, mounts: cfg.Mounts, addCredential: cfg.AddPassword,
		pages: parsePages(), incoming: newHandoff()}
	if s.log == nil {
		s.log = slog.Default()
	}
	s.sessions = newSessions(cmp.Or(cfg.Idle, 30*time.Minute), cmp.Or(cfg.Longest, 12*time.Hour))
	s.places = make(chan struct{}, cmp.Or(cfg.Connections, 500))
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.http = &http.Server{
		Handler:           s.secured(s.routes()),
		MaxHeaderBytes:    maxHeader,
		ReadHeaderTimeout: headerTime, ReadTimeout: readTime, WriteTimeout: writeTime, IdleTimeout: idleTime,
		ErrorLog:    slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return ctx },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, peerKey{}, c.(*conn).peer)
		},
	}
	go s.serveHTTP() // until Close
	return s
}

// Close ends the server. Connections that are being served end too.
func (s *Server) Close() { s.drain() }

// routes is the one list of pages.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", s.ownRoutes())
	for pattern, h := range s.mounts {
		mux.Handle(pattern, h)
	}
	return mux
}

// ownRoutes take small forms only; mounted pages bound theirs themselves.
func (s *Server) ownRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /static/", http.FileServerFS(static))
	mux.HandleFunc("GET /{$}", s.startPage)
	mux.HandleFunc("GET /login", s.loginPage)
	mux.HandleFunc("POST /login", s.login)
	mux.HandleFunc("POST /logout", s.behindLogin(s.logout))
	for pattern, h := range map[string]func(http.ResponseWriter, *http.Request, *user){
		"GET /account/{$}":               s.accountPage,
		"POST /account/policy":           s.setPolicy,
		"GET /account/sessions":          s.sessionsPage,
		"POST /account/undo":             s.undo,
		"GET /account/live":              s.livePage,
		"GET /account/live/events":       s.live,
		"GET /account/passwords":         s.passwordsPage,
		"POST /account/passwords/add":    s.addPassword,
		"POST /account/passwords/policy": s.setPasswordPolicy,
		"POST /account/passwords/revoke": s.revokePassword,
		"GET /account/deleted":           s.deletedPage,
		"POST /account/undelete":         s.undelete,
		"GET /account/story":             s.storyPage,
	} {
		mux.HandleFunc(pattern, s.behindLogin(h))
	}
	mux.HandleFunc("GET /", s.notFound)
	return http.MaxBytesHandler(mux, maxForm)
}
