package webd

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"

	"tandem/store"
)

//go:embed templates
var templates embed.FS

// pages are the templates by name, each with the layout.
type pages map[string]*template.Template

func parsePages() pages {
	p := pages{}
	functions := template.FuncMap{"size": sizeText, "time": timeText, "count": func(n int64) string { return countText(int(n)) },
		"policy": policyText, "scope": scopeText, "device": deviceText, "canundo": canUndo, "pages": accountPages}
	for _, name := range []string{"start", "login", "problem", "account", "sessions", "passwords", "deleted", "story", "live"} {
		p[name] = template.Must(template.New(name).Funcs(functions).ParseFS(templates, "templates/layout.html", "templates/"+name+".html"))
	}
	return p
}

// link is a page of the account.
type link struct{ Path, Name string }

func accountPages() []link {
	return []link{{"/account/", "Overview"}, {"/account/sessions", "Sessions"}, {"/account/live", "Live"}, {"/account/passwords", "App passwords"},
		{"/account/deleted", "Deleted mail"}, {"/account/story", "A message's story"}}
}

// view is what the layout shows around a page.
type view struct {
	Host  string
	Path  string
	User  string // "" for strangers
	Token string // of forms
	Told  string // what was just done
	Data  any
}

// render shows a page, whole or not at all.
func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, page string, data any) {
	v := view{Host: s.hostname, Path: r.URL.Path, Data: data}
	if u, err := s.userOf(r); err == nil && u != nil {
		v.User, v.Token, v.Told = u.identity.Name, u.token, s.sessions.told(u.session)
	}
	var text bytes.Buffer
	if err := s.pages[page].ExecuteTemplate(&text, "layout", v); err != nil {
		s.log.Error("page not made", "page", page, "err", err)
		http.Error(w, "The page could not be made; the log says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = text.WriteTo(w)
}

func (s *Server) startPage(w http.ResponseWriter, r *http.Request) {
	s.render(w, r, http.StatusOK, "start", nil)
}

func (s *Server) notFound(w http.ResponseWriter, r *http.Request) {
	s.problem(w, r, http.StatusNotFound, "There is no such page.")
}

// problem shows a page that says what is wrong.
func (s *Server) problem(w http.ResponseWriter, r *http.Request, status int, text string) {
	s.render(w, r, status, "problem", text)
}

// fail shows an error of the store.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, text := http.StatusInternalServerError, "Something went wrong; the log says what."
	switch store.KindOf(err) {
	case store.Invalid, store.Exists, store.Limit, store.OverQuota, store.TooBig:
		status, text = http.StatusUnprocessableEntity, err.Error()
	case store.NotFound, store.Forbidden, store.Expunged:
		status, text = http.StatusNotFound, err.Error()
	case store.Unavailable, store.InUse, store.Busy:
		status, text = http.StatusServiceUnavailable, err.Error()
	case store.ReadOnly:
		status, text = http.StatusServiceUnavailable, "Nothing can be changed until the server is started again; reading goes on."
		s.log.Error("request failed", "path", r.URL.Path, "err", err)
	default:
		s.log.Error("request failed", "path", r.URL.Path, "err", err)
	}
	s.problem(w, r, status, text)
}
