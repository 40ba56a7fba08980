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

	hangUp func()
}

// BeginSession notes that a session has logged in; end must be called when it
// is over, once. hangUp is called, from another goroutine, when the session's
// credential is revoked or its account removed; it must not wait for the session.
func (s *Store) BeginSession(by Actor, hangUp func()) (end func()) {
	open := &OpenSession{by, s.opts.Now(), hangUp}
	s.sessionsMu.Lock()
	defer s.sessionsMu.Unlock()
	s.sessions[open] = true
	if s.revoked[by.Credential] { // between the login and now
		go hangUp()
	}
	return func() {
		s.sessionsMu.Lock()
		defer s.sessionsMu.Unlock()
		delete(s.sessions, open)
	}
}

// hangUp ends the sessions of a credential, those too that are about to begin.
func (s *Store) hangUp(id CredentialID) {
	s.sessionsMu.Lock()
	defer s.sessionsMu.Unlock()
	s.revoked[id] = true
	for open := range s.sessions {
		if open.Credential == id {
			go open.hangUp()
		}
	}
}

// hangUpAll ends the sessions of an account.
func (s *Store) hangUpAll(id AccountID) {
	s.sessionsMu.Lock()
	defer s.sessionsMu.Unlock()
	for open := range s.sessions {
		if open.Account == id {
			go open.hangUp()
		}
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
