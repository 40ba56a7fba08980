package uidlist

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// wire is a connection to a POP3 server, seen from the client.
type wire struct {
	conn    net.Conn
	r       *bufio.Reader
	w       *bufio.Writer
	timeout time.Duration
}

func newWire(conn net.Conn, timeout time.Duration) *wire {
	return &wire{conn: conn, r: bufio.NewReaderSize(conn, maxLine), w: bufio.NewWriter(conn), timeout: timeout}
}

// refusal is an -ERR answer.
type refusal struct{ text string }

func (r refusal) Error() string { return fmt.Sprintf("the server says %q", r.text) }

func isRefusal(err error) bool {
	var r refusal
	return errors.As(err, &r)
}

// command sends a command and reads its status line.
func (c *wire) command(text string) (string, error) {
	c.send(text)
	return c.status()
}

// send writes a command; status sends what is buffered.
func (c *wire) send(text string) {
	c.w.WriteString(text) // the writer keeps its first error
	c.w.WriteString("\r\n")
}

// status reads +OK, or + of AUTH, and gives what follows.
func (c *wire) status() (string, error) {
	if err := c.conn.SetDeadline(time.Now().Add(c.timeout)); err != nil {
		return "", err
	}
	if err := c.w.Flush(); err != nil {
		return "", err
	}
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	text := strings.TrimRight(string(line), "\r\n")
	word, rest, _ := strings.Cut(text, " ")
	switch {
	case word == "+OK" || word == "+":
		return rest, nil
	case word == "-ERR":
		return "", refusal{rest}
	}
	return "", fmt.Errorf("not a POP3 server: it says %.60q", text)
}

// multiline reads the lines of an answer up to its dot (RFC 1939 section 3),
// those of more than 16 KiB in pieces. It goes on reading after an error of
// take.
func (c *wire) multiline(take func(line []byte) error) error {
	var failed error
	for start := true; ; {
		if start {
			if err := c.conn.SetDeadline(time.Now().Add(c.timeout)); err != nil {
				return err
			}
		}
		line, err := c.r.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
		whole := err == nil
		text := line
		if whole {
			text = []byte(strings.TrimRight(string(line), "\r\n"))
		}
		if start && len(text) > 0 && text[0] == '.' {
			if text = text[1:]; len(text) == 0 && whole {
				return failed
			}
		}
		if failed == nil {
			failed = take(text)
		}
		start = whole
	}
}
