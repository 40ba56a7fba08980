package auth

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"github.com/emersion/go-sasl"
)

// maxResponse bounds one SASL response, decoded.
const maxResponse = 12 * 1024

// mechanism is one SASL mechanism.
type mechanism struct {
	name     string
	password bool                               // the client sends its password as it is
	offered  func(*Authenticator, Attempt) bool // nil: wherever password lets it be
	start    func(*Exchange) sasl.Server
}

// mechanisms returns those there are, in the order in which they are offered.
func mechanisms() []mechanism {
	return []mechanism{
		scramSHA256.mechanism(true),
		scramSHA256.mechanism(false),
		scramSHA1.mechanism(true),
		scramSHA1.mechanism(false),
		external(),
		oauthBearer(),
		xoauth2(),
		{name: "PLAIN", password: true, start: startPlain},
		{name: "LOGIN", password: true, start: startLogin},
	}
}

// Mechanisms returns the names of the SASL mechanisms to offer to a client: all
// that Start would begin for at.
func (a *Authenticator) Mechanisms(at Attempt) []string {
	var names []string
	for _, m := range mechanisms() {
		if a.usable(m, at) == nil {
			names = append(names, m.name)
		}
	}
	return names
}

// Offers reports whether a mechanism is among those offered.
func (a *Authenticator) Offers(name string, at Attempt) bool {
	for _, m := range mechanisms() {
		if m.name == name {
			return a.usable(m, at) == nil
		}
	}
	return false
}

// usable is nil where a mechanism may be used.
func (a *Authenticator) usable(m mechanism, at Attempt) error {
	switch {
	case m.offered != nil && !m.offered(a, at):
		return ErrMechanism
	case m.password && !a.PasswordsAllowed(at.TLS, at.Remote):
		return ErrPrivacyRequired
	}
	return nil
}

// Exchange is a SASL mechanism in progress. It is used by one goroutine.
type Exchange struct {
	auth   *Authenticator
	ctx    context.Context // of Start: the mechanisms' interface passes none
	at     Attempt
	given  string // as login, by a client of SCRAM
	server sasl.Server
	id     Identity
}

// Start begins the mechanism called mech (in any case). Of at, everything but
// Login and Password is used. ctx is that of the whole exchange.
func (a *Authenticator) Start(ctx context.Context, mech string, at Attempt) (*Exchange, error) {
	for _, m := range mechanisms() {
		if !strings.EqualFold(m.name, mech) {
			continue
		}
		if err := a.usable(m, at); err != nil {
			return nil, err
		}
		x := &Exchange{auth: a, ctx: ctx, at: at}
		x.server = m.start(x)
		return x, nil
	}
	return nil, ErrMechanism
}

// Next takes the client's next response, decoded, and returns the next
// challenge to send. The first call takes the initial response: nil when there
// is none, empty but not nil when it is empty (RFC 4422 section 4.3.b). When
// done, the client has proved its Identity. The errors are this package's.
func (x *Exchange) Next(response []byte) (challenge []byte, done bool, err error) {
	if len(response) > maxResponse {
		return nil, false, ErrMalformed
	}
	challenge, done, err = x.server.Next(response)
	if err != nil && !isOurs(err) {
		err = ErrMalformed
	}
	if err != nil {
		return nil, false, err
	}
	return challenge, done, nil
}

// Identity returns who the client is, once Next has said done.
func (x *Exchange) Identity() Identity { return x.id }

// Cancel ends an exchange that the client breaks off. It returns why the client
// was refused, if it has been told that in a challenge, else nil: the client may
// answer that with a cancellation (RFC 7628 section 3.2.3).
func (x *Exchange) Cancel() error {
	if b, ok := x.server.(*bearerServer); ok {
		return b.failed
	}
	return nil
}

// Login returns the name the client gave, at most 255 bytes of it, or "" before
// it gave one.
func (x *Exchange) Login() string { return x.at.Login[:min(len(x.at.Login), maxLogin)] }

func isOurs(err error) bool {
	for _, e := range []error{ErrFailed, ErrBusy, ErrPrivacyRequired, ErrNotAuthorized, ErrMechanism, ErrMalformed} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// verify ends an exchange of a password. authzid is whom the client wants to
// act as, "" for itself.
func (x *Exchange) verify(authzid, login, password string) error {
	x.at.Login = login
	at := x.at
	at.Password = password
	id, err := x.auth.Verify(x.ctx, at)
	if err != nil {
		return err
	}
	if authzid != "" && authzid != login && !strings.EqualFold(prepare(authzid), id.Name) {
		x.auth.logAttempt(at, slog.LevelWarn, "login refused: may not act as that user", "as", logString(authzid))
		return ErrNotAuthorized
	}
	x.id = id
	return nil
}

// startPlain begins PLAIN (RFC 4616).
func startPlain(x *Exchange) sasl.Server { return sasl.NewPlainServer(x.verify) }

// startLogin begins LOGIN, which has no RFC (draft-murchison-sasl-login): the
// server asks for the name, then for the password.
//
// Deviation: RFC 5034 section 4 has an initial response refused with mechanisms
// in which the server speaks first. Clients send the name in it, and other
// servers take it.
func startLogin(x *Exchange) sasl.Server { return &loginServer{verify: x.verify} }

type loginServer struct {
	verify func(authzid, login, password string) error
	asked  bool // for the name
	named  bool
	login  string
	done   bool
}

func (s *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	switch {
	case s.done:
		return nil, false, ErrMalformed
	case response == nil && !s.asked:
		s.asked = true
		return []byte("Username:"), false, nil
	case !s.named: // as the answer, or as an initial response
		s.asked, s.named, s.login = true, true, string(response)
		return []byte("Password:"), false, nil
	}
	s.done = true
	return nil, true, s.verify("", s.login, string(response))
}
