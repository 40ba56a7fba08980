package webd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"tandem/store"
)

// The bounds of the live page.
const (
	liveBack    = 15 * time.Minute // what it shows of sessions that are over
	liveEvery   = 5 * time.Second  // logins and logouts wake nobody: they are looked for
	liveRows    = 50
	liveActs    = 20               // of a session, the last
	viewerTime  = 20 * time.Second // in which a browser must take what is sent
	liveLongest = time.Hour        // of one stream; the browser begins another
)

func (s *Server) livePage(w http.ResponseWriter, r *http.Request, _ *user) {
	s.render(w, r, http.StatusOK, "live", nil)
}

// liveSession is a session as the page's script draws it.
type liveSession struct {
	ID       string    `json:"id"`
	Protocol string    `json:"protocol"`
	Device   string    `json:"device"`
	Remote   string    `json:"remote"`
	Began    string    `json:"began"`
	Open     bool      `json:"open"`
	Acts     []liveAct `json:"acts"`
}

type liveAct struct {
	Time string `json:"time"`
	Text string `json:"text"`
}

// live streams the account's sessions, anew whenever something has changed. It
// only looks.
func (s *Server) live(w http.ResponseWriter, r *http.Request, u *user) {
	ctx, cancel := context.WithTimeout(r.Context(), liveLongest)
	defer cancel()
	watch := s.store.Watch(u.account.ID)
	defer watch.Close()
	tick := time.NewTicker(liveEvery)
	defer tick.Stop()
	w.Header().Set("Content-Type", "text/event-stream")
	var last []byte
	for ctx.Err() == nil {
		text, err := s.liveSessions(ctx, u.account.ID)
		if err != nil {
			s.log.Info("live page ended", "err", err)
			return
		}
		message := ": alive\n\n"
		if !bytes.Equal(text, last) {
			message, last = fmt.Sprintf("data: %s\n\n", text), text
		}
		if err := send(w, message); err != nil {
			return
		}
		select {
		case <-watch.Wake():
			watch.Take()
		case <-tick.C:
			if now, err := s.userOf(r); err != nil || now == nil { // logged out, or the password changed
				return
			}
		case <-ctx.Done():
		}
	}
}

// send writes a piece of a stream.
func send(w http.ResponseWriter, text string) error {
	ctl := http.NewResponseController(w)
	if err := ctl.SetWriteDeadline(time.Now().Add(viewerTime)); err != nil {
		return err
	}
	if _, err := w.Write([]byte(text)); err != nil {
		return err
	}
	return ctl.Flush()
}

// liveSessions is what the page shows, as JSON.
func (s *Server) liveSessions(ctx context.Context, account store.AccountID) ([]byte, error) {
	past, err := s.store.Sessions(ctx, account, s.store.Now().Add(-liveBack))
	if err != nil {
		return nil, err
	}
	list := []liveSession{}
	for _, p := range past[:min(len(past), liveRows)] {
		l := liveSession{ID: p.Session, Protocol: p.Protocol, Device: deviceText(p.By), Remote: p.Remote, Began: clockText(p.Began), Open: p.Open, Acts: []liveAct{}}
		for _, a := range p.Acts[max(0, len(p.Acts)-liveActs):] {
			l.Acts = append(l.Acts, liveAct{clockText(a.Time), actText(a)})
		}
		list = append(list, l)
	}
	return json.Marshal(list)
}

func clockText(t time.Time) string { return t.Local().Format("15:04:05") }

// actText says what a session did.
func actText(a store.SessionAct) string {
	n := countText(a.UIDs.Len())
	switch a.Verb {
	case "read":
		return "read " + n + " in " + a.Mailbox
	case "flags":
		return "marked " + n + " in " + a.Mailbox
	case "insert":
		return "put " + n + " into " + a.Mailbox
	case "copy", "move":
		return map[string]string{"copy": "copied ", "move": "moved "}[a.Verb] + n + " from " + a.Mailbox + " to " + a.Other
	case "expunge":
		return "expunged " + n + " from " + a.Mailbox
	case "quit":
		if a.Other != "" {
			return "deleted " + n + " from " + a.Mailbox + ", now in " + a.Other
		}
		return "deleted " + n + " from " + a.Mailbox
	}
	if a.Mailbox == "" {
		return a.Verb
	}
	return a.Verb + " " + a.Mailbox
}
