package compare

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"
)

// Target is the server that a run talks to, and the account it uses.
type Target struct {
	Name  string   // the server in words, for the report
	IMAP  *Service // nil: the server has none
	POP3  *Service
	Login Login // of both; POP3 devices may get one of their own from Devices

	// Devices makes what only tandem has; nil for other servers.
	Devices Devices
}

// Login is a user name and password. Neither is recorded.
type Login struct{ User, Password string }

// Service is where a protocol is served.
type Service struct {
	Address  string      // host:port, for Dial and for the transcript
	Security Security    //
	TLS      *tls.Config // ServerName is filled in; nil: the system's authorities
	// Dial connects; nil: TCP to Address.
	Dial func(ctx context.Context) (net.Conn, error)
}

// Security says how a connection is protected.
type Security string

// The ways. Auto is TLS from the beginning on a port that is known for it, else
// STARTTLS; unprotected only on loopback and if the server has nothing else.
const (
	Auto     Security = "auto"
	Implicit Security = "tls"
	StartTLS Security = "starttls"
	Plain    Security = "none"
)

// Devices gives POP3 devices logins whose deletions mean what a policy says.
type Devices interface {
	// Policies lists what there is: "trash", "expunge", "keep", "shared".
	Policies() []string
	// Login makes one for a device; for one that has a login, that gets the policy.
	// "" is the account's policy.
	Login(ctx context.Context, device, policy string) (Login, error)
	// Revoke ends all logins: the devices are gone, and no message waits for them.
	Revoke(ctx context.Context) error
}

// errNoService is a protocol that the target does not have.
type errNoService struct{ protocol Protocol }

func (e errNoService) Error() string { return "the server has no " + e.protocol.String() }

// service gives where the protocol is served.
func (t *Target) service(p Protocol) (*Service, error) {
	s := t.IMAP
	if p == POP3 {
		s = t.POP3
	}
	if s == nil {
		return nil, errNoService{p}
	}
	return s, nil
}

// dial connects.
func (s *Service) dial(ctx context.Context) (net.Conn, error) {
	if s.Dial != nil {
		return s.Dial(ctx)
	}
	d := net.Dialer{Timeout: patience}
	return d.DialContext(ctx, "tcp", s.Address)
}

// security decides Auto by the port: the registered ones and tandem's
// unprivileged ones.
func (s *Service) security() Security {
	if s.Security != Auto && s.Security != "" {
		return s.Security
	}
	if _, port, err := net.SplitHostPort(s.Address); err == nil {
		switch port {
		case "993", "995", "10993", "10995":
			return Implicit
		}
	}
	return Auto
}

// noGreeting says what is wrong when a connection does not begin with one: where
// TLS comes first, a server waits for it in vain and hangs up.
func (s *Service) noGreeting(err error) error {
	if s.security() == Auto {
		return fmt.Errorf("greeting: %w (if TLS comes first on this port: --security tls)", err)
	}
	return fmt.Errorf("greeting: %w", err)
}

// tlsConfig names the server that the certificate has to be for.
func (s *Service) tlsConfig() *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.TLS != nil {
		config = s.TLS.Clone()
	}
	if config.ServerName == "" {
		if host, _, err := net.SplitHostPort(s.Address); err == nil {
			config.ServerName = host
		}
	}
	return config
}

// mayBePlain tells whether a password may go over this connection without TLS.
func (s *Service) mayBePlain() error {
	host, _, err := net.SplitHostPort(s.Address)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() || s.Security == Plain {
		return nil
	}
	return errors.New("the server offers no TLS (none of the password is sent; --security none sends it all the same)")
}

// connect gives a connection before its greeting, metered or, with a recorder of
// its own, not.
func (s *Service) connect(ctx context.Context, rec *recorder, link Link, from origin, sc script, login Login) (*conn, error) {
	raw, err := s.dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	rec.clock.spend(ctx, link.Latency) // TCP's SYN and its answer
	from.conn = rec.next()
	rec.add(from, Event{Kind: KindConnect, Text: s.Address, Trips: 1, RFC: "RFC 9293 section 3.5"})
	c := meter(ctx, raw, rec, link, from, sc, secretsOf(login))
	if s.security() == Implicit {
		if err := c.startTLS(ctx, s.tlsConfig()); err != nil {
			c.close(reason(err))
			return nil, err
		}
	}
	return c, nil
}

// openPOP3 gives a logged-in client; caps are what the device knows from before,
// nil if nothing.
func openPOP3(ctx context.Context, s *Service, rec *recorder, link Link, from origin, login Login, caps map[string]string) (*popClient, error) {
	c, err := s.connect(ctx, rec, link, from, &popScript{}, login)
	if err != nil {
		return nil, err
	}
	p := newPopClient(c)
	p.caps = caps
	if err := p.begin(ctx, s, login); err != nil {
		c.close(reason(err))
		return nil, err
	}
	return p, nil
}

// begin greets, protects the connection and logs in.
func (p *popClient) begin(ctx context.Context, s *Service, login Login) error {
	_, err := p.answer()
	p.conn.settle()
	if err != nil {
		return s.noGreeting(err)
	}
	if want := s.security(); want == StartTLS || want == Auto {
		if err := p.protect(ctx, s, want); err != nil {
			return err
		}
	}
	if err := p.capabilities(); err != nil {
		return err
	}
	return p.login(login.User, login.Password)
}

// protect upgrades the connection by STLS (RFC 2595 section 4).
func (p *popClient) protect(ctx context.Context, s *Service, want Security) error {
	if err := p.capabilities(); err != nil {
		return err
	}
	if !p.can("STLS") {
		if want == StartTLS {
			return errors.New("the server offers no STLS")
		}
		return s.mayBePlain()
	}
	if _, err := p.ask("STLS"); err != nil {
		return fmt.Errorf("STLS refused: %w", err)
	}
	if p.in.Buffered() > 0 {
		return errors.New("the server sent more behind its answer to STLS")
	}
	p.caps = nil // RFC 2595 section 4: what was said before TLS does not count
	return p.conn.startTLS(ctx, s.tlsConfig())
}

// openIMAP gives a logged-in client.
func openIMAP(ctx context.Context, s *Service, rec *recorder, link Link, from origin, login Login) (*imapClient, error) {
	c, err := s.connect(ctx, rec, link, from, &imapScript{}, login)
	if err != nil {
		return nil, err
	}
	m := newImapClient(c)
	if err := m.begin(ctx, s, login); err != nil {
		c.close(reason(err))
		return nil, err
	}
	return m, nil
}

func (m *imapClient) begin(ctx context.Context, s *Service, login Login) error {
	if err := m.greeting(); err != nil {
		return s.noGreeting(err)
	}
	if want := s.security(); want == StartTLS || want == Auto {
		if err := m.protect(ctx, s, want); err != nil {
			return err
		}
	}
	if err := m.capabilities(); err != nil {
		return err
	}
	return m.login(login.User, login.Password)
}

// protect upgrades the connection by STARTTLS (RFC 3501 section 6.2.1).
func (m *imapClient) protect(ctx context.Context, s *Service, want Security) error {
	if err := m.capabilities(); err != nil {
		return err
	}
	if !m.can("STARTTLS") {
		if want == StartTLS {
			return errors.New("the server offers no STARTTLS")
		}
		return s.mayBePlain()
	}
	if err := m.ask("STARTTLS", nil); err != nil {
		return err
	}
	if m.in.in.Buffered() > 0 {
		return errors.New("the server sent more behind its answer to STARTTLS")
	}
	m.caps = nil
	return m.conn.startTLS(ctx, s.tlsConfig())
}

// silent records nothing that anybody sees: for what a run does beside the
// comparison.
func silent() *recorder { return &recorder{clock: NewFakeClock(time.Time{})} }
