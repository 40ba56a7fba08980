package page

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"tandem/compare"
)

// The bounds of a show.
const (
	showTime   = 30 * time.Minute // from its beginning
	unseenTime = 2 * time.Minute  // without anybody who watches
	keptTime   = 10 * time.Minute // after its end: to be saved
	maxActs    = 500
	maxEvents  = 4000             // of a play: 100 acts, or polling for a quarter of an hour
	closeTime  = 20 * time.Second // to tidy up after a show

	batchEvents = 200              // sent to a viewer at a time
	viewerTime  = 20 * time.Second // in which a viewer must take them
	keepAlive   = 20 * time.Second
)

// show is a run that may be under way.
type show struct {
	id    string
	ctx   context.Context // ends when it should
	stop  context.CancelFunc
	stage *compare.Stage
	visit Visit
	acts  chan act // nil: a tour

	mu       sync.Mutex
	changed  chan struct{} // closed and made anew when there are more events
	over     bool
	viewers  int
	watched  time.Time // when the last viewer left, or it began
	finished time.Time
	done     int // acts
}

// wake tells viewers that there is more to see.
func (s *show) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
}

// finish says that no more will come.
func (s *show) finish() {
	s.mu.Lock()
	s.over, s.finished = true, time.Now()
	s.mu.Unlock()
	s.wake()
}

// look tells whether the show is over and how to wait for more.
func (s *show) look() (over bool, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over, s.changed
}

// watch counts viewers.
func (s *show) watch(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.viewers += n
	s.watched = time.Now()
}

// stale tells whether a show may go: nobody has watched it for a while, or it is
// long over.
func (s *show) stale(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return now.Sub(s.finished) > keptTime && s.viewers == 0
	}
	return s.viewers == 0 && now.Sub(s.watched) > unseenTime
}

// shows are all there are.
type shows struct {
	most int

	mu     sync.Mutex
	byID   map[string]*show
	closed bool
	wg     sync.WaitGroup // those under way
	ended  chan struct{}
}

func newShows(most int) shows {
	return shows{most: most, byID: map[string]*show{}, ended: make(chan struct{})}
}

var errFull = errors.New("too many people are trying this out at the moment: try again in some minutes")

// begin opens a mailbox and runs a show in it. The show outlives the request.
func (p *Pages) begin(r *http.Request, link compare.Link, acts chan act, run func(*show)) (*show, error) {
	if err := p.shows.room(); err != nil {
		return nil, err
	}
	visit, err := p.cfg.Open(r.Context())
	if err != nil {
		return nil, fmt.Errorf("make a mailbox: %w", err)
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(r.Context()), showTime)
	s := &show{id: strings.ToLower(rand.Text()[:16]), ctx: ctx, stop: stop, visit: visit, acts: acts, changed: make(chan struct{}), watched: time.Now()}
	s.stage = compare.NewStage(visit.Target, compare.Options{Clock: compare.NewWaitingClock(), Link: link, Write: true,
		Subjects: 20, Messages: 40, Observe: func(compare.Event) { s.wake() }})
	if !p.shows.add(s) {
		stop()
		visit.Close()
		return nil, errFull
	}
	go func() {
		defer p.shows.wg.Done()
		p.shows.guard(s)
	}()
	go func() {
		defer p.shows.wg.Done()
		run(s)
		s.finish()
		stop()
		tidy, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
		defer cancel()
		if err := s.stage.Close(tidy); err != nil {
			p.log.Info("a show was not tidied up", "err", err)
		}
		visit.Close()
	}()
	return s, nil
}

// room makes a place for one more, where one can be had.
func (l *shows) room() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for id, s := range l.byID {
		if s.stale(now) {
			delete(l.byID, id)
			s.stop()
		}
	}
	if len(l.byID) < l.most && !l.closed {
		return nil
	}
	for id, s := range l.byID { // one that is over can go: who wanted to keep it has had time
		if over, _ := s.look(); over {
			delete(l.byID, id)
			return nil
		}
	}
	return errFull
}

// add reports whether there was a place.
func (l *shows) add(s *show) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || len(l.byID) >= l.most {
		return false
	}
	l.byID[s.id] = s
	l.wg.Add(2)
	return true
}

// guard ends a show that nobody watches any more.
func (l *shows) guard(s *show) {
	tick := time.NewTicker(unseenTime / 4)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-l.ended:
			s.stop()
			return
		case now := <-tick.C:
			if s.stale(now) {
				s.stop()
				return
			}
		}
	}
}

func (l *shows) find(id string) *show {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byID[id]
}

// close ends all shows and waits until their mailboxes are gone.
func (l *shows) close() {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		close(l.ended)
	}
	l.mu.Unlock()
	l.wg.Wait()
}

// follow streams a show's events (server-sent events; their ids are the events'
// numbers).
func (p *Pages) follow(w http.ResponseWriter, r *http.Request) {
	s := p.shows.find(r.PathValue("show"))
	if s == nil {
		http.Error(w, "there is no such run", http.StatusNotFound)
		return
	}
	s.watch(1)
	defer s.watch(-1)
	stream := newStream(w, r)
	for {
		over, changed := s.look()
		events := s.stage.Events(stream.sent)
		if err := stream.send(events); err != nil {
			return
		}
		if over {
			stream.over()
			return
		}
		if !stream.wait(r.Context(), changed) {
			return
		}
	}
}

// stream is one viewer's.
type stream struct {
	w     http.ResponseWriter
	ctl   *http.ResponseController
	sent  int       // the last event's number
	until time.Time // zero: as long as the viewer takes what comes
}

func newStream(w http.ResponseWriter, r *http.Request) *stream {
	s := &stream{w: w, ctl: http.NewResponseController(w)}
	if n, err := strconv.Atoi(r.Header.Get("Last-Event-ID")); err == nil && n > 0 {
		s.sent = n
	}
	w.Header().Set("Content-Type", "text/event-stream")
	return s
}

// send sends events, some at a time, to a viewer that takes them.
func (s *stream) send(events []compare.Event) error {
	for len(events) > 0 {
		batch := events[:min(len(events), batchEvents)]
		events = events[len(batch):]
		text, err := json.Marshal(batch)
		if err != nil {
			return err
		}
		s.sent = batch[len(batch)-1].Seq
		if err := s.write(fmt.Sprintf("id: %d\ndata: %s\n\n", s.sent, text)); err != nil {
			return err
		}
	}
	return nil
}

func (s *stream) write(text string) error {
	deadline := time.Now().Add(viewerTime)
	if !s.until.IsZero() && s.until.Before(deadline) { // the browser connects again and says which it has
		deadline = s.until
	}
	if err := s.ctl.SetWriteDeadline(deadline); err != nil {
		return err
	}
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.ctl.Flush()
}

// over tells the browser not to connect again.
func (s *stream) over() { _ = s.write("event: over\ndata: {}\n\n") }

// wait waits for more, and reports whether to go on.
func (s *stream) wait(ctx context.Context, changed <-chan struct{}) bool {
	alive := time.NewTimer(keepAlive)
	defer alive.Stop()
	for {
		select {
		case <-changed:
			return true
		case <-ctx.Done():
			return false
		case <-alive.C:
			if s.write(": alive\n\n") != nil {
				return false
			}
			alive.Reset(keepAlive)
		}
	}
}

// download gives a show's events as a file.
func (p *Pages) download(w http.ResponseWriter, r *http.Request) {
	s := p.shows.find(r.PathValue("show"))
	if s == nil {
		http.Error(w, "there is no such run", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="tandem-run.json"`)
	if err := compare.Save(w, s.stage.Events(0)); err != nil {
		p.log.Info("run not downloaded", "err", err)
	}
}
