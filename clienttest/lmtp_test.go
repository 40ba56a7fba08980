package clienttest

import (
	"fmt"
	"net"
	"net/textproto"
	"testing"
	"time"
)

// lmtpClient delivers mail as a mail server would.
type lmtpClient struct {
	conn net.Conn
	text *textproto.Conn
}

func dialLMTP(addr string) (*lmtpClient, error) {
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(3 * patience))
	c := &lmtpClient{conn: conn, text: textproto.NewConn(conn)}
	if _, _, err := c.text.ReadResponse(220); err != nil {
		conn.Close()
		return nil, err
	}
	if err := c.command(250, "LHLO client.example.org"); err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

// command sends a line and reads a reply that must have the code.
func (c *lmtpClient) command(code int, format string, args ...any) error {
	if err := c.text.PrintfLine(format, args...); err != nil {
		return err
	}
	_, _, err := c.text.ReadResponse(code)
	return err
}

// deliver sends a message; nil means that every recipient was acknowledged.
func (c *lmtpClient) deliver(message []byte, rcpts ...string) error {
	if err := c.command(250, "MAIL FROM:<ada@example.org>"); err != nil {
		return err
	}
	for _, rcpt := range rcpts {
		if err := c.command(250, "RCPT TO:<%s>", rcpt); err != nil {
			return err
		}
	}
	if err := c.command(354, "DATA"); err != nil {
		return err
	}
	w := c.text.DotWriter()
	if _, err := w.Write(message); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	for _, rcpt := range rcpts {
		// RFC 2033 section 4.2: one reply for each recipient.
		if _, _, err := c.text.ReadResponse(250); err != nil {
			return fmt.Errorf("%s: %w", rcpt, err)
		}
	}
	return nil
}

func (c *lmtpClient) close() { c.conn.Close() }

// deliver sends one message over a connection of its own.
func deliver(t testing.TB, to target, message []byte) {
	t.Helper()
	c, err := dialLMTP(to.LMTP)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if err := c.deliver(message, to.Rcpt); err != nil {
		t.Fatal(err)
	}
}
