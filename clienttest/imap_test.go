package clienttest

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// wholeMessage is BODY.PEEK[].
var wholeMessage = &imap.FetchItemBodySection{Peek: true}

// dialIMAP logs in over plain TCP.
func dialIMAP(to target, handler *imapclient.UnilateralDataHandler) (*imapclient.Client, error) {
	c, err := imapclient.DialInsecure(to.IMAP, &imapclient.Options{UnilateralDataHandler: handler})
	if err != nil {
		return nil, err
	}
	if err := c.Login(to.User, to.Pass).Wait(); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// imapSession is dialIMAP for a test that ends without it.
func imapSession(t testing.TB, to target, handler *imapclient.UnilateralDataHandler) *imapclient.Client {
	t.Helper()
	c, err := dialIMAP(to, handler)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// trust is a TLS configuration that trusts the target's server only.
func trust(t testing.TB, to target) *tls.Config {
	t.Helper()
	pem, err := os.ReadFile(to.CA)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		t.Fatalf("no certificate in %s", to.CA)
	}
	return &tls.Config{RootCAs: pool, ServerName: "localhost"}
}

// appendMail stores a message and returns its UID.
func appendMail(c *imapclient.Client, mailbox string, message []byte, flags ...imap.Flag) (imap.UID, error) {
	cmd := c.Append(mailbox, int64(len(message)), &imap.AppendOptions{Flags: flags})
	if _, err := cmd.Write(message); err != nil {
		return 0, err
	}
	if err := cmd.Close(); err != nil {
		return 0, err
	}
	data, err := cmd.Wait()
	if err != nil {
		return 0, err
	}
	return data.UID, nil
}

// fill stores messages in a mailbox.
func fill(t testing.TB, to target, mailbox string, messages [][]byte, flags ...imap.Flag) {
	t.Helper()
	c := imapSession(t, to, nil)
	defer c.Close()
	for _, m := range messages {
		if _, err := appendMail(c, mailbox, m, flags...); err != nil {
			t.Fatalf("APPEND to %s: %v", mailbox, err)
		}
	}
}

// fetched is a message as IMAP shows it.
type fetched struct {
	uid   imap.UID
	flags []imap.Flag
	size  int64
	text  []byte
}

// fetchAll returns the messages of a mailbox, in its order.
func fetchAll(c *imapclient.Client, mailbox string) ([]fetched, *imap.SelectData, error) {
	box, err := c.Select(mailbox, &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil {
		return nil, nil, fmt.Errorf("EXAMINE %s: %w", mailbox, err)
	}
	if box.NumMessages == 0 {
		return nil, box, nil
	}
	cmd := c.Fetch(imap.SeqSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{
		UID: true, Flags: true, RFC822Size: true, BodySection: []*imap.FetchItemBodySection{wholeMessage},
	})
	defer cmd.Close()
	var all []fetched
	for m := cmd.Next(); m != nil; m = cmd.Next() {
		buf, err := m.Collect()
		if err != nil {
			return nil, nil, err
		}
		all = append(all, fetched{buf.UID, buf.Flags, buf.RFC822Size, buf.FindBodySection(wholeMessage)})
	}
	return all, box, cmd.Close()
}

// mailboxMail returns the bytes of the messages of a mailbox.
func mailboxMail(t testing.TB, to target, mailbox string) [][]byte {
	t.Helper()
	c := imapSession(t, to, nil)
	defer c.Close()
	all, _, err := fetchAll(c, mailbox)
	if err != nil {
		t.Fatal(err)
	}
	var messages [][]byte
	for _, m := range all {
		messages = append(messages, m.text)
	}
	return messages
}

// lineClient speaks IMAP line by line, for what a library will not send.
type lineClient struct {
	net.Conn
	r   *bufio.Reader
	tag int
}

// dialLines connects, reads the greeting and, for a target, logs in.
func dialLines(t testing.TB, addr string, to *target) *lineClient {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	c := greeted(t, conn, nil)
	if to != nil {
		c.ok(t, fmt.Sprintf("LOGIN %q %q", to.User, to.Pass))
	}
	return c
}

// greeted reads the greeting on conn, over TLS when a target is given to trust.
func greeted(t testing.TB, conn net.Conn, over *target) *lineClient {
	t.Helper()
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	if over != nil {
		conn = tls.Client(conn, trust(t, *over))
	}
	c := &lineClient{Conn: conn, r: bufio.NewReader(conn)}
	if _, err := c.line(); err != nil {
		t.Fatalf("greeting: %v", err)
	}
	return c
}

// line reads a line without its end.
func (c *lineClient) line() (string, error) {
	line, err := c.r.ReadString('\n')
	return strings.TrimRight(line, "\r\n"), err
}

// until reads lines up to the first that begins with prefix, which is the last returned.
func (c *lineClient) until(t testing.TB, prefix string) []string {
	t.Helper()
	var lines []string
	for {
		line, err := c.line()
		if err != nil {
			t.Fatalf("waiting for %q: %v; came: %.2000q", prefix, err, lines)
		}
		lines = append(lines, line)
		if strings.HasPrefix(line, prefix) {
			return lines
		}
	}
}

// ok sends a command that has to succeed and returns its untagged responses.
func (c *lineClient) ok(t testing.TB, command string) []string {
	t.Helper()
	lines := c.command(t, command)
	if last := lines[len(lines)-1]; !strings.HasPrefix(last, fmt.Sprintf("c%d OK", c.tag)) {
		t.Fatalf("%.100s: %.500s", command, last)
	}
	return lines[:len(lines)-1]
}

// command sends a command and returns all lines up to its tagged reply.
func (c *lineClient) command(t testing.TB, command string) []string {
	t.Helper()
	c.tag++
	fmt.Fprintf(c, "c%d %s\r\n", c.tag, command)
	return c.until(t, fmt.Sprintf("c%d ", c.tag))
}

// ended reports whether the server closes the connection within patience,
// and what it said before.
func (c *lineClient) ended() (string, bool) {
	c.SetReadDeadline(time.Now().Add(patience))
	rest, err := io.ReadAll(c.r)
	if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		return string(rest), false
	}
	return string(rest), true
}

// flagAll adds a flag to every message of the selected mailbox.
func flagAll(t testing.TB, c *imapclient.Client, flag imap.Flag) {
	t.Helper()
	add := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{flag}}
	if err := c.Store(imap.SeqSet{{Start: 1, Stop: 0}}, add, nil).Close(); err != nil {
		t.Fatal(err)
	}
}
