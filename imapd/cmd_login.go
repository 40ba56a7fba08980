package imapd

import (
	"context"
	"errors"

	"tandem/auth"
	"tandem/imapd/internal/wire"
	"tandem/store"
)

// RFC 3501 section 6.2.3.
func loginCommand() command {
	return row("LOGIN", stranger, secret, parseLogin, (*session).login)
}

type loginArgs struct{ name, password string }

func parseLogin(_ *session, d *wire.Decoder) (a loginArgs) {
	d.SP()
	a.name = d.Astring()
	d.SP()
	a.password = d.Astring()
	return a
}

func (s *session) login(ctx context.Context, a loginArgs) error {
	at := s.attempt()
	at.Login, at.Password = a.name, a.password
	id, err := s.srv.cfg.Auth.Verify(ctx, at)
	if err != nil {
		return loginAnswer(err)
	}
	return s.logIn(id)
}

// attempt is what a login from this connection has in common with others.
func (s *session) attempt() auth.Attempt {
	return auth.Attempt{
		Scope:    store.ScopeIMAP,
		Remote:   s.peer.addr,
		TLS:      s.private(),
		Conn:     s.peer.tls,
		Protocol: "imap",
		Session:  s.peer.session,
	}
}

// loginAnswer maps the errors of package auth (RFC 5530 section 3).
func loginAnswer(err error) error {
	switch {
	case errors.Is(err, auth.ErrFailed):
		return no("AUTHENTICATIONFAILED", "Wrong name or password")
	case errors.Is(err, auth.ErrNotAuthorized):
		return no("AUTHORIZATIONFAILED", "Not allowed to act as that user")
	case errors.Is(err, auth.ErrPrivacyRequired):
		return no("PRIVACYREQUIRED", "Passwords are not taken without TLS (STARTTLS first)")
	case errors.Is(err, auth.ErrMechanism):
		return no("CANNOT", "Unknown authentication mechanism")
	case errors.Is(err, auth.ErrMalformed):
		return bad("Malformed authentication response")
	case errors.Is(err, auth.ErrBusy), errors.Is(err, context.Canceled):
		// A NO would make clients ask their users for a new password.
		return &goodbye{code: "UNAVAILABLE", text: "The server is busy, try again later"}
	default:
		return err
	}
}

// errRevoked is why a session ends whose password is good no more.
var errRevoked = errors.New("the password was revoked")

// logIn makes the session id's.
func (s *session) logIn(id auth.Identity) error {
	if err := s.peer.door.LoggedIn(id.Name); err != nil {
		s.limitHit(err.Error())
		return &goodbye{"LIMIT", capital(err.Error()), true}
	}
	s.id = id
	s.actor = store.Actor{
		Account:    id.Account,
		Credential: id.Credential,
		Session:    s.peer.session,
		Protocol:   "imap",
		Remote:     s.peer.remote(),
	}
	s.signOff = s.srv.cfg.Store.BeginSession(s.actor, func() { s.peer.door.End(errRevoked) })
	s.state = user
	s.noteClient()
	s.stream.loggedIn = true
	s.dec.SetLimits(s.srv.cfg.Limits.User)
	s.log = s.log.With("account", id.Name)
	s.ok(s.capabilityWords(), "Logged in")
	return nil
}
