package webd

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"sync"
	"time"

	"tandem/auth"
)

// maxSessions bounds the browsers that are logged in; the one unused longest
// goes.
const maxSessions = 10000

// session is a browser that has logged in.
type session struct {
	identity auth.Identity
	password [32]byte // SHA-256 of the credential's hash: a new password ends it
	token    string   // of forms
	began    time.Time

	// guarded by sessions.mu
	used time.Time
	news string // for the next page to say
}

// sessions finds them by the SHA-256 of the cookie's value.
type sessions struct {
	idle, longest time.Duration

	mu   sync.Mutex
	byID map[[32]byte]*session
}

func newSessions(idle, longest time.Duration) *sessions {
	return &sessions{idle: idle, longest: longest, byID: map[[32]byte]*session{}}
}

// add begins a session and gives the cookie's value.
func (l *sessions) add(id auth.Identity, hash string) (cookie string) {
	cookie = rand.Text()
	now := time.Now()
	s := &session{identity: id, password: sha256.Sum256([]byte(hash)), token: rand.Text(), began: now, used: now}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep(now)
	l.byID[sha256.Sum256([]byte(cookie))] = s
	return cookie
}

// sweep forgets what is over and makes a place for one more.
func (l *sessions) sweep(now time.Time) {
	var oldest [32]byte
	var first *session
	for id, s := range l.byID {
		switch {
		case l.over(s, now):
			delete(l.byID, id)
		case first == nil || s.used.Before(first.used):
			oldest, first = id, s
		}
	}
	if len(l.byID) >= maxSessions {
		delete(l.byID, oldest)
	}
}

func (l *sessions) over(s *session, now time.Time) bool {
	return now.Sub(s.used) > l.idle || now.Sub(s.began) > l.longest
}

// find gives the session of a cookie and notes that it was used; nil if there is
// none.
func (l *sessions) find(cookie string) *session {
	id, now := sha256.Sum256([]byte(cookie)), time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.byID[id]
	if s == nil {
		return nil
	}
	if l.over(s, now) {
		delete(l.byID, id)
		return nil
	}
	s.used = now
	return s
}

// tell leaves something for the session's next page to say.
func (l *sessions) tell(s *session, news string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.news = news
}

// told gives that, once.
func (l *sessions) told(s *session) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	news := s.news
	s.news = ""
	return news
}

func (l *sessions) remove(cookie string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.byID, sha256.Sum256([]byte(cookie)))
}

// validToken reports whether a form is one that this session was given.
func (s *session) validToken(token string) bool {
	return subtle.ConstantTimeCompare([]byte(token), []byte(s.token)) == 1
}

// cookieName is bound to this host where the connection is private (RFC 6265bis
// section 4.1.3.2).
func cookieName(private bool) string {
	if private {
		return "__Host-tandem"
	}
	return "tandem"
}

func setCookie(w http.ResponseWriter, private bool, value string, age int) {
	http.SetCookie(w, &http.Cookie{Name: cookieName(private), Value: value, Path: "/", MaxAge: age,
		HttpOnly: true, Secure: private, SameSite: http.SameSiteStrictMode})
}
