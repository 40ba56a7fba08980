package clienttest

import (
	"fmt"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"testing"
	"time"
)

// popClient is a POP3 session (RFC 1939).
type popClient struct {
	conn net.Conn
	text *textproto.Conn
}

func dialPOP(to target) (*popClient, error) {
	conn, err := net.DialTimeout("tcp", to.POP3, patience)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(6 * patience))
	c := &popClient{conn: conn, text: textproto.NewConn(conn)}
	for _, line := range []string{"", "USER " + to.User, "PASS " + to.Pass} {
		if _, err := c.command(line); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return c, nil
}

// pop is dialPOP for a test that ends without it.
func pop(t testing.TB, to target) *popClient {
	t.Helper()
	c, err := dialPOP(to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.conn.Close() })
	return c
}

// command sends a line (nothing when empty) and returns the text after +OK.
func (c *popClient) command(line string) (string, error) {
	if line != "" {
		if err := c.text.PrintfLine("%s", line); err != nil {
			return "", err
		}
	}
	reply, err := c.text.ReadLine()
	if err != nil {
		return "", err
	}
	rest, ok := strings.CutPrefix(reply, "+OK")
	if !ok {
		return "", fmt.Errorf("%.20s: %s", line, reply)
	}
	return strings.TrimSpace(rest), nil
}

// retr returns a message as the server has it.
func (c *popClient) retr(n int) ([]byte, error) {
	if err := c.text.PrintfLine("RETR %d", n); err != nil {
		return nil, err
	}
	return c.answer()
}

// answer reads the answer to a RETR, CRLF line ends and all. textproto's dot
// reader would turn them into LF.
func (c *popClient) answer() ([]byte, error) {
	if _, err := c.command(""); err != nil {
		return nil, err
	}
	var text []byte
	for {
		line, err := c.text.R.ReadSlice('\n')
		text = append(text, line...)
		if err != nil && err.Error() != "bufio: buffer full" {
			return nil, err
		}
		if err == nil && (string(text) == ".\r\n" || strings.HasSuffix(string(text[max(0, len(text)-5):]), "\r\n.\r\n")) {
			break
		}
	}
	text = text[:len(text)-len(".\r\n")]
	// RFC 1939 section 3: a dot at the beginning of a line was doubled.
	unstuffed := strings.ReplaceAll("\r\n"+string(text), "\r\n..", "\r\n.")
	return []byte(unstuffed[2:]), nil
}

// listing returns number to value of a LIST or UIDL.
func (c *popClient) listing(command string) (map[int]string, error) {
	if _, err := c.command(command); err != nil {
		return nil, err
	}
	lines, err := c.text.ReadDotLines()
	if err != nil {
		return nil, err
	}
	found := map[int]string{}
	for _, line := range lines {
		number, value, _ := strings.Cut(line, " ")
		n, err := strconv.Atoi(number)
		if err != nil {
			return nil, err
		}
		found[n] = value
	}
	return found, nil
}

// all retrieves every message.
func (c *popClient) all(t testing.TB) [][]byte {
	t.Helper()
	list, err := c.listing("LIST")
	if err != nil {
		t.Fatal(err)
	}
	var messages [][]byte
	for n := range len(list) {
		m, err := c.retr(n + 1)
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, m)
	}
	return messages
}

// must sends commands that have to succeed.
func (c *popClient) must(t testing.TB, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if _, err := c.command(line); err != nil {
			t.Fatal(err)
		}
	}
}
