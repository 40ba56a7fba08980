package store

import (
	"cmp"
	"slices"
	"time"
)

// OpenSession is a session that has logged in and not ended yet.
type OpenSession struct {
	Actor
	Began time.Time
}

// BeginSession notes that a session has logged in; end must be called when it
// is over, once.
func (s *Store) BeginSession(by Actor) (end func()) {
	open := &OpenSession{by, s.opts.Now()}
	s.sessionsMu.Lock()
	defer s.sessionsMu.Unlock()
	s.sessions[open] = true
	return func() {
		s.sessionsMu.Lock()
		defer s.sessionsMu.Unlock()
		delete(s.sessions, open)
	}
}

// OpenSessions lists the sessions of an account that are open now, the oldest
// first.
func (s *Store) OpenSessions(account AccountID) (list []OpenSession) {
	s.sessionsMu.Lock()
	for open := range s.sessions {
		if open.Account == account {
			list = append(list, *open)
		}
	}
	s.sessionsMu.Unlock()
	slices.SortFunc(list, func(a, b OpenSession) int {
		return cmp.Or(a.Began.Compare(b.Began), cmp.Compare(a.Session, b.Session))
	})
	return list
}
