package imapd

import (
	"strconv"
	"strings"
	"time"
)

// extInProgress is RFC 9585: searches, copies and moves that take long tell
// how far they are.
func extInProgress() extension {
	return extension{
		name: "INPROGRESS",
		rfc:  "RFC 9585",
		capabilities: []capability{{name: "INPROGRESS", states: anyState, word: func(s *session) string {
			if s.srv.cfg.Limits.Progress == 0 {
				return ""
			}
			return "INPROGRESS"
		}}},
	}
}

// progress is what has been told of the command in hand.
type progress struct {
	s    *session
	next time.Time // when to tell again
}

func (s *session) newProgress() *progress {
	return &progress{s: s, next: time.Now().Add(s.srv.cfg.Limits.Progress)}
}

// at tells that done of goal messages have been looked at, when it is time to.
func (p *progress) at(done, goal uint32) {
	every := p.s.srv.cfg.Limits.Progress
	if now := time.Now(); every > 0 && goal > 0 && !now.Before(p.next) {
		p.next = now.Add(every)
		p.s.tellProgress(strconv.Itoa(int(done)) + " " + strconv.Itoa(int(goal)))
	}
}

// tellProgress sends a response at once, since nothing else may be sent for a
// while (RFC 9585 section 4). A tag that would seem to end the response code
// is not told.
func (s *session) tellProgress(howFar string) {
	tag := `"` + s.tag + `"`
	if strings.Contains(tag, "]") {
		tag = "NIL"
	}
	s.status("*", answer{"OK", "INPROGRESS (" + tag + " " + howFar + ")", "Still at it"})
	_ = s.enc.Flush()
}

// meanwhile runs work, of which nobody knows how far it is, and tells the
// client now and then that it goes on. work must leave the session's
// connection alone.
func (s *session) meanwhile(work func()) {
	every := s.srv.cfg.Limits.Progress
	if every == 0 {
		work()
		return
	}
	// The goroutine ends with the work; what it panics with is the session's.
	done := make(chan any, 1)
	go func() {
		defer func() { done <- recover() }()
		work()
	}()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case panicked := <-done:
			if panicked != nil {
				panic(panicked)
			}
			return
		case <-tick.C:
			s.tellProgress("NIL NIL")
		}
	}
}
