package imapd

import (
	"context"
	"crypto/tls"
	"time"
)

// startTLS is RFC 3501 section 6.2.1.
func startTLS() extension {
	return extension{
		name:         "STARTTLS",
		rfc:          "RFC 3501",
		capabilities: []capability{{name: "STARTTLS", states: stranger, word: offersTLS}},
		commands:     []command{row("STARTTLS", stranger, noSync, noArgs, (*session).startTLS)},
	}
}

func offersTLS(s *session) string {
	if s.srv.cfg.TLS == nil || s.private() {
		return ""
	}
	return "STARTTLS"
}

// startTLS answers by itself, in the clear, and then shakes hands. What the
// client sent in the clear after the command is thrown away: it could be
// anybody's (RFC 3501 section 6.2.1, CVE-2011-0411).
func (s *session) startTLS(ctx context.Context, _ none) error {
	switch {
	case s.private():
		return bad("TLS is already there")
	case s.srv.cfg.TLS == nil:
		return bad("TLS is not offered here")
	}
	s.after = s.shakeHands
	s.ok("", "Begin TLS negotiation now")
	return nil
}

// shakeHands turns the connection into a TLS one, after the tagged OK.
func (s *session) shakeHands(ctx context.Context) error {
	if err := s.enc.Flush(); err != nil {
		return err
	}
	conn := tls.Server(s.stream.Conn, s.srv.cfg.TLS)
	ctx, cancel := context.WithTimeout(ctx, s.srv.cfg.Limits.Handshake)
	defer cancel()
	_ = s.stream.SetDeadline(time.Now().Add(s.srv.cfg.Limits.Handshake))
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	s.stream.Conn = conn
	s.in.Reset(s.stream)
	state := conn.ConnectionState()
	s.peer.tls = &state
	return nil
}
