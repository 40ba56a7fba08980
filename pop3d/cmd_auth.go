package pop3d

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"tandem/auth"
	"tandem/store"
)

// handshakeTime is how long a TLS handshake after STLS may take.
const handshakeTime = 15 * time.Second

// cmdUser: RFC 1939 section 7. Every name is welcome: PASS decides.
func cmdUser(s *session, a arguments) {
	if !s.srv.auth.PasswordsAllowed(s.private, s.remote) {
		s.refuseLogin(auth.ErrPrivacyRequired)
		return
	}
	s.user = a.text
	s.ok("now the password")
}

// cmdPass: RFC 1939 section 7. The password is all of the line, spaces too.
func cmdPass(s *session, a arguments) {
	if s.user == "" {
		s.badCommand("USER first")
		return
	}
	at := s.attempt()
	at.Login, at.Password = s.user, a.text
	s.user = ""
	id, err := s.srv.auth.Verify(s.ctx, at)
	if err != nil {
		s.refuseLogin(err)
		return
	}
	s.enter(id)
}

func (s *session) attempt() auth.Attempt {
	return auth.Attempt{
		Scope: store.ScopePOP3, Remote: s.remote, TLS: s.private, Conn: s.tls, Protocol: "pop3", Session: s.id,
		Mailboxes: true,
	}
}

// cmdAuth: RFC 5034 section 4.
func cmdAuth(s *session, a arguments) {
	name, initial, given := strings.Cut(a.text, " ")
	x, err := s.srv.auth.Start(s.ctx, name, s.attempt())
	if err != nil {
		s.refuseLogin(err)
		return
	}
	var response []byte
	if given {
		if response, err = decodeResponse(initial); err != nil {
			s.refuseLogin(err)
			return
		}
	}
	for {
		challenge, done, err := x.Next(response)
		if err != nil {
			s.refuseLogin(err)
			return
		}
		if done {
			s.enter(x.Identity())
			return
		}
		s.out.WriteString("+ " + base64.StdEncoding.EncodeToString(challenge) + "\r\n")
		line, err := s.readLine()
		if err != nil {
			s.abandoned(err)
			return
		}
		if string(line) == "*" {
			// RFC 3206 section 6: every problem of credentials has [AUTH].
			if err := x.Cancel(); err != nil {
				s.refuseLogin(err)
				return
			}
			s.refuse("", "authentication cancelled")
			return
		}
		if response, err = decodeLine(line); err != nil {
			s.refuseLogin(err)
			return
		}
	}
}

// decodeResponse decodes an initial response; "=" is an empty one (RFC 5034
// section 4).
func decodeResponse(text string) ([]byte, error) {
	if text == "=" {
		return []byte{}, nil
	}
	return decodeLine([]byte(text))
}

// decodeLine decodes a line of a SASL exchange; nil is one that was too long.
func decodeLine(line []byte) ([]byte, error) {
	if line == nil {
		return nil, auth.ErrMalformed
	}
	b, err := base64.StdEncoding.Strict().DecodeString(string(line))
	if err != nil || strings.ContainsAny(string(line), "\r\n") {
		return nil, auth.ErrMalformed
	}
	if b == nil {
		b = []byte{}
	}
	return b, nil
}

// refuseLogin answers a login that failed, which is logged already.
func (s *session) refuseLogin(err error) {
	switch {
	case errors.Is(err, auth.ErrFailed):
		s.refuse(codeAuth, "wrong name or password") // RFC 3206 section 5
	case errors.Is(err, auth.ErrNotAuthorized):
		s.refuse(codeAuth, "not authorized to act as that user")
	case errors.Is(err, auth.ErrPrivacyRequired):
		s.refuse("", "passwords are not taken without TLS; use STLS or the TLS port")
	case errors.Is(err, auth.ErrMechanism):
		s.badCommand("no such authentication mechanism")
	case errors.Is(err, auth.ErrMalformed):
		s.badCommand("malformed authentication response")
	default: // auth.ErrBusy: a plain no would make clients ask for a new password
		s.refuse(codeTemp, "cannot check passwords now, try again later")
		s.over = true
	}
}

// enter brings a client that has proved who it is into the TRANSACTION state.
func (s *session) enter(id auth.Identity) {
	if err := s.peer.LoggedIn(id.Name); err != nil {
		s.log.Warn("login refused", "account", id.Name, "err", err)
		s.refuse(codeTemp, "too many connections")
		s.over = true
		return
	}
	if err := s.open(id); err != nil {
		s.release()
		s.drop = nil
		s.fail("opening the maildrop", err)
		return
	}
	s.bad = 0
	s.log.Info("maildrop opened", "account", id.Name, "messages", s.drop.left, "octets", s.drop.octets)
	s.ok(fmt.Sprintf(s.say("maildrop has %d messages (%d octets)"), s.drop.left, s.drop.octets))
}

// open takes the lease and numbers the messages.
func (s *session) open(id auth.Identity) (err error) {
	if s.account, err = s.srv.store.Account(s.work, id.Name); err != nil {
		return err
	}
	by := store.Actor{Account: id.Account, Credential: id.Credential, Session: s.id, Protocol: "pop3"}
	if s.remote.IsValid() {
		by.Remote = s.remote.String()
	}
	box, err := s.mailbox(by, id.Mailbox)
	if err != nil {
		return err
	}
	s.kept = s.srv.store.KeptDays(box.Use)
	key := leaseKey{box.ID, id.Credential}
	if s.lease, err = s.srv.leases.acquire(s.ctx, key, s.interrupt); err != nil {
		return err
	}
	if s.drop, err = openMaildrop(s.work, s.srv.store, by, box.ID); err != nil {
		return err
	}
	if !s.utf8 {
		if err = s.drop.downgrade(s.work); err != nil {
			return err
		}
	}
	s.signOff = s.srv.store.BeginSession(by, func() { s.peer.End(errRevoked) })
	return nil
}

// cmdStls: RFC 2595 section 4.
func cmdStls(s *session, _ arguments) {
	switch {
	case s.private:
		s.refuse("", "TLS is active already")
		return
	case s.utf8: // RFC 6856 section 2.1
		s.refuse("", "STLS must come before UTF8")
		return
	case s.srv.tls == nil:
		s.refuse("", "TLS is not set up here")
		return
	case s.in.Buffered() > 0:
		// What came before the handshake was not protected by it: somebody may
		// have put it there to be run as if it were.
		s.log.Warn("input after STLS")
		s.refuse("", "nothing may follow STLS before the handshake")
		s.over = true
		return
	}
	s.ok("begin TLS")
	if err := s.out.Flush(); err != nil {
		s.over = true
		return
	}
	if err := s.handshake(); err != nil {
		s.log.Info("TLS handshake failed", "err", err)
		s.over = true
	}
}

func (s *session) handshake() error {
	deadline := time.Now().Add(handshakeTime)
	if login := s.deadline(); !login.IsZero() && login.Before(deadline) {
		deadline = login
	}
	ctx, cancel := context.WithDeadline(s.ctx, deadline)
	defer cancel()
	if err := s.raw.SetDeadline(deadline); err != nil {
		return err
	}
	conn := tls.Server(s.raw, s.srv.tls)
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	if err := s.raw.SetDeadline(time.Time{}); err != nil {
		return err
	}
	state := conn.ConnectionState()
	s.conn, s.private, s.tls = conn, true, &state
	s.texts = nil // somebody in between may have put LANG in (RFC 6856 section 7)
	s.in = bufio.NewReaderSize(s, readBuffer)
	return nil
}
