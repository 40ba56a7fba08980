package page

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"tandem/compare"
)

// Config is what the pages work with.
type Config struct {
	// Open makes a mailbox for one show; ctx is the request's.
	Open func(ctx context.Context) (Visit, error)
	// Runs is the directory of saved runs, made when needed; "": none are saved.
	Runs   string
	Shows  int          // at once; 0 is 20
	Logger *slog.Logger // nil is slog.Default
}

// Visit is a mailbox that one show has to itself.
type Visit struct {
	Target compare.Target
	Close  func() // removes it
}

// Pages serves what is below /compare/. Close ends all shows.
type Pages struct {
	cfg   Config
	log   *slog.Logger
	mux   *http.ServeMux
	page  *template.Template
	shows shows

	places  chan struct{} // one for each whole run in memory
	keeping sync.Mutex    // while a run is written
}

//go:embed templates
var templates embed.FS

//go:embed static
var static embed.FS

// New makes the pages.
func New(cfg Config) *Pages {
	if cfg.Shows == 0 {
		cfg.Shows = 20
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	p := &Pages{cfg: cfg, log: cfg.Logger, mux: http.NewServeMux(), page: template.Must(template.ParseFS(templates, "templates/*.html")),
		places: make(chan struct{}, maxHeavy)}
	p.shows = newShows(cfg.Shows)
	p.mux.Handle("GET /compare/static/", http.StripPrefix("/compare/", http.FileServerFS(static)))
	p.mux.HandleFunc("GET /compare/{$}", p.live)
	p.mux.HandleFunc("GET /compare/words.json", words)
	p.mux.HandleFunc("POST /compare/tour", small(p.beginTour))
	p.mux.HandleFunc("POST /compare/play", small(p.beginPlay))
	p.mux.HandleFunc("POST /compare/shows/{show}/acts", small(p.act))
	p.mux.HandleFunc("GET /compare/shows/{show}/events", p.follow)
	p.mux.HandleFunc("GET /compare/shows/{show}/run.json", p.withRun(p.download))
	p.mux.HandleFunc("POST /compare/shows/{show}/save", small(p.withRun(p.save)))
	p.mux.HandleFunc("POST /compare/replay", p.withRun(p.upload))
	p.mux.HandleFunc("GET /compare/replay/{run}", p.withRun(p.replay))
	p.mux.HandleFunc("GET /compare/replays/{run}/events", p.withRun(p.replayEvents))
	p.mux.HandleFunc("GET /compare/replays/{run}/run.json", p.withRun(p.replayFile))
	return p
}

// maxForm bounds what a visitor's act says; a run to be shown is larger (upload).
const maxForm = 4 << 10

// small is a handler that takes small forms only.
func small(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			refuse(w, http.StatusBadRequest, "That is more than a form of this page has.")
			return
		}
		h(w, r)
	}
}

// ServeHTTP implements http.Handler.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.mux.ServeHTTP(w, r) }

// Close ends all shows and removes their mailboxes.
func (p *Pages) Close() { p.shows.close() }

// pageData is what the template shows.
type pageData struct {
	Mode   string // "live" or "replay"
	Show   string // the saved run
	Scenes []scene
	Links  []linkChoice
}

// linkChoice is a line of the menu of links.
type linkChoice struct{ Name, Text string }

func (p *Pages) live(w http.ResponseWriter, _ *http.Request) {
	p.show(w, http.StatusOK, "compare", pageData{Mode: "live", Scenes: scenes(), Links: []linkChoice{
		{"dsl", "at home (30 ms, 16 Mbit/s)"}, {"lan", "the same building (1 ms)"}, {"mobile", "mobile (80 ms, 5 Mbit/s)"}, {"bad", "bad (600 ms, 128 kbit/s)"}}})
}

// show sends a page, whole or not at all.
func (p *Pages) show(w http.ResponseWriter, status int, name string, data any) {
	var text bytes.Buffer
	if err := p.page.ExecuteTemplate(&text, name+".html", data); err != nil {
		p.log.Error("page not made", "err", err)
		http.Error(w, "The page could not be made; the log says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = text.WriteTo(w)
}

// words are the explanations of what is said on the wire.
func words(w http.ResponseWriter, _ *http.Request) {
	type explained struct {
		RFC  string `json:"rfc"`
		Text string `json:"text"`
	}
	out := map[compare.Protocol]map[string]explained{}
	for _, p := range []compare.Protocol{compare.POP3, compare.IMAP} {
		out[p] = map[string]explained{}
		for _, verb := range compare.Verbs(p) {
			e := compare.Explain(p, verb)
			out[p][verb] = explained{e.RFC, e.Text}
		}
	}
	answer(w, http.StatusOK, out)
}

// answer sends JSON.
func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// refuse tells the page's script what is wrong.
func refuse(w http.ResponseWriter, status int, why string) {
	answer(w, status, map[string]string{"error": why})
}

// sentence begins a message with a capital and ends it with a full stop.
func sentence(err error) string {
	s := strings.TrimSuffix(err.Error(), ".")
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
