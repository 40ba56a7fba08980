package pop3check

import (
	"context"
	"fmt"
	"net"
	"net/textproto"
	"time"
)

// lmtpSide puts mail in by LMTP (RFC 2033), each over a connection of its own.
type lmtpSide struct {
	ctx       context.Context
	addr      string
	recipient string
	timeout   time.Duration
}

func (l *lmtpSide) exact() bool              { return false }
func (l *lmtpSide) close() error             { return nil }
func (l *lmtpSide) clean(token string) error { return nil } // POP3 did what can be done

func (l *lmtpSide) put(text []byte) error {
	dialer := net.Dialer{Timeout: l.timeout}
	conn, err := dialer.DialContext(l.ctx, "tcp", l.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(l.timeout)); err != nil {
		return err
	}
	c := textproto.NewConn(conn)
	steps := []struct {
		line string
		code int
	}{
		{"", 220},
		{"LHLO check.example.org", 250},
		{"MAIL FROM:<check@example.org>", 250},
		{"RCPT TO:<" + l.recipient + ">", 250},
		{"DATA", 354},
	}
	for _, step := range steps {
		if step.line != "" {
			if err := c.PrintfLine("%s", step.line); err != nil {
				return err
			}
		}
		if _, _, err := c.ReadResponse(step.code); err != nil {
			return fmt.Errorf("LMTP %s: %w", step.line, err)
		}
	}
	w := c.DotWriter()
	if _, err := w.Write(text); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	// RFC 2033 section 4.2: one reply for each recipient, once it is stored.
	if _, _, err := c.ReadResponse(250); err != nil {
		return fmt.Errorf("LMTP DATA: %w", err)
	}
	return c.PrintfLine("QUIT")
}
