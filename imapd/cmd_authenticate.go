package imapd

import (
	"context"
	"encoding/base64"
	"errors"

	"tandem/imapd/internal/wire"
)

// RFC 3501 section 6.2.2; the initial response is RFC 4959. Which mechanisms a
// connection may use is for package auth to say.
func authenticateCommand() command {
	return row("AUTHENTICATE", stranger, 0, parseAuthenticate, (*session).authenticate)
}

type authenticateArgs struct {
	mechanism string
	initial   []byte // nil: none was sent
}

func parseAuthenticate(_ *session, d *wire.Decoder) (a authenticateArgs) {
	d.SP()
	a.mechanism = d.Atom()
	text, sent := d.TrySASL()
	if !sent {
		return a
	}
	if text == "=" { // RFC 4959 section 3: an empty response
		a.initial = []byte{}
		return a
	}
	response, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		d.Fail("The initial response is not base64")
	}
	a.initial = response
	return a
}

func (s *session) authenticate(ctx context.Context, a authenticateArgs) error {
	exchange, err := s.srv.cfg.Auth.Start(ctx, a.mechanism, s.attempt())
	if err != nil {
		return loginAnswer(err)
	}
	response := a.initial
	for {
		challenge, done, err := exchange.Next(response)
		if err != nil {
			return loginAnswer(err)
		}
		if done && len(challenge) == 0 {
			return s.logIn(exchange.Identity())
		}
		var cancelled bool
		response, cancelled, err = s.challenge(challenge)
		switch {
		case err != nil:
			return err
		case cancelled && exchange.Cancel() != nil: // RFC 7628 section 4.3
			return loginAnswer(exchange.Cancel())
		case cancelled:
			return bad("Authentication cancelled")
		}
		if done { // the client has only acknowledged the last challenge
			return s.logIn(exchange.Identity())
		}
	}
}

// challenge sends a server challenge and reads the client's answer to it, or that
// it gives up.
func (s *session) challenge(data []byte) (response []byte, cancelled bool, err error) {
	s.enc.Raw("+ ").Raw(base64.StdEncoding.EncodeToString(data)).CRLF()
	line, err := s.dec.RawLine(s.dec.Limits().SASL)
	var syntax *wire.Error
	if err != nil && !errors.As(err, &syntax) {
		return nil, false, err
	}
	if err != nil {
		return nil, false, syntax
	}
	if line == "*" {
		return nil, true, nil
	}
	if response, err = base64.StdEncoding.DecodeString(line); err != nil {
		return nil, false, bad("The response is not base64")
	}
	return response, false, nil
}
