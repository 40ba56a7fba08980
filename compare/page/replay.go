package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"tandem/compare"
)

// The bounds of what is kept; the oldest runs go.
const (
	maxRuns  = 200
	maxKept  = 128 << 20 // octets of all runs
	maxRun   = 4 << 20   // octets of one: a tour has half of one, a long play three
	maxHeavy = 2         // requests at once that have a whole run in memory
	heavyMax = time.Minute
)

// runName is what a saved run is called: a hash of what is in it.
var runName = regexp.MustCompile(`^[a-z2-7]{26}$`)

var errTooLarge = fmt.Errorf("the run is larger than %d MiB and not kept here: tandem compare --replay shows its file", maxRun>>20)

// withRun is a handler that needs a whole run in memory: few of them work at
// once, and each has a minute.
func (p *Pages) withRun(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		patience := time.NewTimer(viewerTime)
		defer patience.Stop()
		select {
		case p.places <- struct{}{}:
			defer func() { <-p.places }()
		case <-r.Context().Done():
			return
		case <-patience.C:
			refuse(w, http.StatusServiceUnavailable, "Too many runs are being shown at the moment: try again in a minute.")
			return
		}
		if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(heavyMax)); err != nil {
			p.log.Error("run not shown", "err", err)
			http.Error(w, "the run cannot be shown", http.StatusInternalServerError)
			return
		}
		h(w, r)
	}
}

// keep stores a run and gives its name.
func (p *Pages) keep(events []compare.Event) (string, error) {
	if p.cfg.Runs == "" {
		return "", errors.New("runs are not kept here: download it instead")
	}
	var text bytes.Buffer
	if err := compare.Save(&text, events); err != nil {
		return "", err
	}
	if text.Len() > maxRun {
		return "", errTooLarge
	}
	if err := os.MkdirAll(p.cfg.Runs, 0o700); err != nil {
		return "", err
	}
	p.keeping.Lock() // two may keep the same run
	defer p.keeping.Unlock()
	sum := sha256.Sum256(text.Bytes())
	name := strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:26])
	root, err := os.OpenRoot(p.cfg.Runs)
	if err != nil {
		return "", err
	}
	defer root.Close()
	if err := root.WriteFile(name+".new", text.Bytes(), 0o600); err != nil {
		return "", err
	}
	if err := root.Rename(name+".new", name+".json"); err != nil {
		return "", err
	}
	p.forgetOld()
	return name, nil
}

// forgetOld removes the oldest runs beyond what is kept.
func (p *Pages) forgetOld() {
	names, err := filepath.Glob(filepath.Join(p.cfg.Runs, "*.json"))
	if err != nil {
		return
	}
	about := map[string]fs.FileInfo{}
	for _, n := range names {
		if info, err := os.Stat(n); err == nil {
			about[n] = info
		}
	}
	names = slices.DeleteFunc(names, func(n string) bool { return about[n] == nil })
	slices.SortFunc(names, func(a, b string) int { return about[b].ModTime().Compare(about[a].ModTime()) })
	var size int64
	for i, n := range names {
		if size += about[n].Size(); i < maxRuns && size <= maxKept {
			continue
		}
		if err := os.Remove(n); err != nil {
			p.log.Warn("old run not removed", "err", err)
		}
	}
}

// statusOf is that of a run which was not kept.
func statusOf(err error) int {
	if errors.Is(err, errTooLarge) {
		return http.StatusUnprocessableEntity
	}
	return http.StatusInternalServerError
}

// load reads a kept run.
func (p *Pages) load(name string) ([]compare.Event, error) {
	if p.cfg.Runs == "" || !runName.MatchString(name) {
		return nil, fs.ErrNotExist
	}
	f, err := os.Open(filepath.Join(p.cfg.Runs, name+".json"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return compare.Load(f)
}

func (p *Pages) save(w http.ResponseWriter, r *http.Request) {
	s := p.shows.find(r.PathValue("show"))
	if s == nil {
		refuse(w, http.StatusNotFound, "This run is no longer there.")
		return
	}
	name, err := p.keep(s.stage.Events(0))
	if err != nil {
		refuse(w, statusOf(err), sentence(err))
		return
	}
	answer(w, http.StatusOK, map[string]string{"link": "/compare/replay/" + name})
}

// upload takes a run's file and shows it.
func (p *Pages) upload(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxRun+64<<10)
	parts, err := r.MultipartReader()
	if err != nil {
		p.problem(w, http.StatusBadRequest, "Choose the file of a run first.")
		return
	}
	file, err := parts.NextPart()
	if err != nil || file.FormName() != "run" {
		p.problem(w, http.StatusBadRequest, "Choose the file of a run first.")
		return
	}
	events, err := compare.Load(file)
	if errors.As(err, new(*http.MaxBytesError)) {
		err = errTooLarge
	}
	if err != nil {
		p.problem(w, http.StatusUnprocessableEntity, sentence(err))
		return
	}
	name, err := p.keep(events)
	if err != nil {
		p.problem(w, statusOf(err), sentence(err))
		return
	}
	http.Redirect(w, r, "/compare/replay/"+name, http.StatusSeeOther)
}

func (p *Pages) replay(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("run")
	if _, err := p.load(name); err != nil {
		p.notLoaded(w, err)
		return
	}
	p.show(w, http.StatusOK, "compare", pageData{Mode: "replay", Show: name})
}

func (p *Pages) notLoaded(w http.ResponseWriter, err error) {
	if errors.Is(err, fs.ErrNotExist) {
		p.problem(w, http.StatusNotFound, "There is no such run; perhaps it was kept too long ago.")
		return
	}
	p.problem(w, http.StatusUnprocessableEntity, sentence(err))
}

// problem shows a person what is wrong.
func (p *Pages) problem(w http.ResponseWriter, status int, text string) {
	p.show(w, status, "problem", text)
}

func (p *Pages) replayEvents(w http.ResponseWriter, r *http.Request) {
	events, err := p.load(r.PathValue("run"))
	if err != nil {
		http.Error(w, "there is no such run", http.StatusNotFound)
		return
	}
	s := newStream(w, r)
	s.until = time.Now().Add(heavyMax)
	if s.send(events[min(s.sent, len(events)):]) == nil {
		s.over()
	}
}

func (p *Pages) replayFile(w http.ResponseWriter, r *http.Request) {
	events, err := p.load(r.PathValue("run"))
	if err != nil {
		http.Error(w, "there is no such run", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="tandem-run.json"`)
	if err := compare.Save(w, events); err != nil {
		p.log.Info("run not downloaded", "err", err)
	}
}
