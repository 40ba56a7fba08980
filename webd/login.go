package webd

import (
	"crypto/sha256"
	"errors"
	"net/http"

	"tandem/auth"
	"tandem/store"
)

// user is who a request behind the login is from.
type user struct {
	*session
	account store.Account
}

// actor says so to the store.
func (u *user) actor(r *http.Request) store.Actor {
	p := peerOf(r)
	by := store.Actor{Account: u.account.ID, Credential: u.identity.Credential, Session: p.session, Protocol: "web"}
	if p.remote.IsValid() {
		by.Remote = p.remote.String()
	}
	return by
}

// behindLogin gives a handler its user, and sends strangers to the login. A form
// must have the session's token.
func (s *Server) behindLogin(h func(http.ResponseWriter, *http.Request, *user)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		u, err := s.userOf(r)
		switch {
		case err != nil:
			s.fail(w, r, err)
		case u == nil:
			http.Redirect(w, r, "/login", http.StatusSeeOther)
		case r.Method == http.MethodPost && !u.validToken(r.PostFormValue("token")):
			s.problem(w, r, http.StatusForbidden, "This form is no longer good: load the page again.")
		default:
			h(w, r, u)
		}
	}
}

// userOf tells who a request is from; nil for strangers, and for those whose
// password was changed or revoked since.
func (s *Server) userOf(r *http.Request) (*user, error) {
	name := cookieName(peerOf(r).tls)
	cookie, err := r.Cookie(name)
	if err != nil {
		return nil, nil
	}
	ses := s.sessions.find(cookie.Value)
	if ses == nil {
		return nil, nil
	}
	account, creds, err := s.store.FindLogin(r.Context(), ses.identity.Name)
	if err != nil && store.KindOf(err) != store.NotFound {
		return nil, err
	}
	if err == nil && account.ID == ses.identity.Account && account.Enabled {
		for _, c := range creds {
			if c.ID == ses.identity.Credential && sha256.Sum256([]byte(c.Hash)) == ses.password {
				return &user{ses, account}, nil
			}
		}
	}
	s.sessions.remove(cookie.Value)
	return nil, nil
}

func (s *Server) loginPage(w http.ResponseWriter, r *http.Request) {
	s.render(w, r, http.StatusOK, "login", loginData{})
}

// loginData is what the login page shows.
type loginData struct{ Name, Problem string }

func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	p := peerOf(r)
	name, password := r.PostFormValue("name"), r.PostFormValue("password")
	id, err := s.auth.Verify(r.Context(), auth.Attempt{Login: name, Password: password, Scope: store.ScopeWeb,
		Remote: p.remote, TLS: p.tls, Protocol: "web", Session: p.session})
	if err != nil {
		status, why := loginProblem(err)
		s.render(w, r, status, "login", loginData{name, why})
		return
	}
	_, creds, err := s.store.FindLogin(r.Context(), id.Name)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	for _, c := range creds {
		if c.ID == id.Credential {
			setCookie(w, p.tls, s.sessions.add(id, c.Hash), 0)
		}
	}
	http.Redirect(w, r, "/account/", http.StatusSeeOther)
}

// loginProblem says why a login failed, as little as the mail ports do.
func loginProblem(err error) (status int, why string) {
	switch {
	case errors.Is(err, auth.ErrBusy):
		return http.StatusServiceUnavailable, "The server is too busy to check passwords. Try again in a minute."
	case errors.Is(err, auth.ErrPrivacyRequired):
		return http.StatusForbidden, "Passwords are not taken without encryption here. Use the https address."
	}
	return http.StatusUnauthorized, "The name or the password is wrong."
}

func (s *Server) logout(w http.ResponseWriter, r *http.Request, _ *user) {
	private := peerOf(r).tls
	if cookie, err := r.Cookie(cookieName(private)); err == nil {
		s.sessions.remove(cookie.Value)
	}
	setCookie(w, private, "", -1)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}
