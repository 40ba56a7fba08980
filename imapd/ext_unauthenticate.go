package imapd

import (
	"bytes"
	"context"
	"io"
	"time"
)

// extUnauthenticate is RFC 8437: one connection, several users after each
// other.
func extUnauthenticate() extension {
	return extension{
		name:         "UNAUTHENTICATE",
		rfc:          "RFC 8437",
		capabilities: []capability{{name: "UNAUTHENTICATE", states: loggedIn}},
		commands:     []command{row("UNAUTHENTICATE", loggedIn, noSync, noArgs, (*session).unauthenticate)},
	}
}

// unauthenticate leaves the mailbox without expunging; all else goes after the
// answer, which is still sent as the client expects it.
func (s *session) unauthenticate(context.Context, none) error {
	s.leaveMailbox()
	s.endNotify()
	s.after = s.startOver
	return nil
}

// startOver makes the session a stranger's again. Everything but the
// connection and its TLS is forgotten (RFC 8437 section 3): what was ENABLEd,
// saved or compressed too. The client's compressed stream ends with the flush
// that its command ended in. The listener goes on counting the connection as the last
// user's until another logs in.
func (s *session) startOver(context.Context) error {
	if err := s.enc.Flush(); err != nil {
		return err
	}
	if s.compressed != nil {
		rest, err := s.compressed.End()
		if err != nil {
			return err
		}
		s.in.Reset(io.MultiReader(bytes.NewReader(rest), s.stream))
		s.enc.Redirect(s.stream)
	}
	s.enc.UTF8, s.dec.UTF8 = false, false
	s.dec.SetLimits(s.srv.cfg.Limits.Stranger)
	s.stream.loggedIn, s.stream.accepted = false, time.Now()
	s.signOff()
	*s = session{
		srv: s.srv, peer: s.peer, log: s.srv.sessionLog(&s.peer),
		stream: s.stream, in: s.in, dec: s.dec, enc: s.enc,
		state: stranger, enabled: map[string]bool{}, limits: s.limits, runs: s.runs,
	}
	return nil
}
