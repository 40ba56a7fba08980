package clienttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net"
	"net/mail"
	"net/textproto"
	"strings"
	"testing"
	"time"
)

// TestInternationalizedMail brings in a message by each door that tells
// internationalized mail from other: POP3 gives it to everybody, in the form
// that each can read, with the size of that form (RFC 6856, RFC 6858).
func TestInternationalizedMail(t *testing.T) {
	t.Parallel()
	s := startServer(t, "")
	to := s.account(t, "alice")
	text := crlf([]byte("From: Jürgen <jürgen@exämple.example>\nTo: alice@example.org\nSubject: Grüße 💌\n" +
		"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8; name=\"grüße.txt\"\n\nGrüße\n--b--\n"))

	// LMTP with SMTPUTF8, and without (where it is but a message with 8-bit headers).
	for _, param := range []string{" SMTPUTF8", ""} {
		l, err := dialLMTP(s.lmtp)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.command(250, "MAIL FROM:<ada@example.org>%s", param); err != nil {
			t.Fatal(err)
		}
		for _, step := range []error{l.command(250, "RCPT TO:<alice>"), l.command(354, "DATA")} {
			if step != nil {
				t.Fatal(step)
			}
		}
		w := l.text.DotWriter()
		w.Write(text)
		w.Close()
		if _, _, err := l.text.ReadResponse(250); err != nil {
			t.Fatal(err)
		}
	}
	// IMAP's form for such mail.
	c := dialLines(t, to.IMAP, &to)
	c.ok(t, "ENABLE UTF8=ACCEPT")
	c.ok(t, fmt.Sprintf("APPEND INBOX UTF8 (~{%d+}\r\n%s)", len(text), text))

	var whole, plain [][]byte
	for _, utf8 := range []bool{true, false} {
		p, err := dialPOPWith(to, utf8)
		if err != nil {
			t.Fatal(err)
		}
		sizes, err := p.listing("LIST")
		if err != nil {
			t.Fatal(err)
		}
		for n := 1; n <= 3; n++ {
			m, err := p.retr(n)
			if err != nil {
				t.Fatalf("RETR %d: %v", n, err)
			}
			if got := fmt.Sprint(len(m)); got != sizes[n] {
				t.Errorf("UTF8 %v, message %d: %s octets came, LIST says %s", utf8, n, got, sizes[n])
			}
			if utf8 {
				whole = append(whole, m)
			} else {
				plain = append(plain, m)
			}
		}
		if _, err := p.command("QUIT"); err != nil {
			t.Error(err)
		}
	}
	for n, m := range whole {
		if !bytes.HasSuffix(m, text) {
			t.Errorf("message %d came as\n%s", n+1, m)
		}
	}
	if !bytes.Equal(plain[1], whole[1]) {
		t.Errorf("mail that did not come as internationalized was changed:\n%s", plain[1])
	}
	for _, n := range []int{0, 2} {
		m, err := mail.ReadMessage(bytes.NewReader(plain[n]))
		if err != nil {
			t.Fatal(err)
		}
		subject, _ := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		from, err := m.Header.AddressList("From")
		if err != nil || subject != "Grüße 💌" || from[0].Name != "Jürgen" || strings.Contains(from[0].Address, "j\u00fcrgen") {
			t.Errorf("message %d: subject %q, from %v, %v", n+1, subject, from, err)
		}
		head, _, _ := bytes.Cut(plain[n], []byte("\r\n\r\n"))
		if strings.ContainsFunc(string(head), func(r rune) bool { return r > '~' }) || bytes.Contains(plain[n], []byte("grüße.txt")) || !bytes.Contains(plain[n], []byte("\r\nGrüße\r\n")) {
			t.Errorf("message %d came as\n%s", n+1, plain[n])
		}
	}
}

// TestMailboxByName reads another mailbox than INBOX with fetchmail, as a ticket
// system does, with a password of its own.
func TestMailboxByName(t *testing.T) {
	t.Parallel()
	needs(t, "fetchmail", "fetchmail")
	s := startServer(t, "")
	to, mails, dir := s.account(t, "alice"), samples(), t.TempDir()
	if err := imapSession(t, to, nil).Create("Support/Neu", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	fill(t, to, "INBOX", mails[:1])
	fill(t, to, "Support/Neu", mails[1:5])
	var made struct{ Password string }
	if err := json.Unmarshal([]byte(s.mustRun(t, "app-password", "add", "alice", "tickets", "--scope", "pop3", "--pop3-delete", "expunge", "--json")), &made); err != nil {
		t.Fatal(err)
	}
	tickets := to
	tickets.User, tickets.Pass = to.User+"+Support/Neu", made.Password
	fetchmail(t, dir, fetchmailConfig(t, dir, tickets, "protocol POP3 service "+port(t, to.POP3S), "ssl nokeep fetchall"))
	sameMail(t, savedMail(t, dir), mails[1:5])
	sameMail(t, mailboxMail(t, to, "Support/Neu"), nil)
	sameMail(t, mailboxMail(t, to, "INBOX"), mails[:1])
	sameMail(t, mailboxMail(t, to, "Trash"), nil)
}

// dialPOPWith is dialPOP with or without UTF8.
func dialPOPWith(to target, utf8 bool) (*popClient, error) {
	if !utf8 {
		return dialPOP(to)
	}
	conn, err := net.DialTimeout("tcp", to.POP3, patience)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(patience))
	c := &popClient{conn: conn, text: textproto.NewConn(conn)}
	for _, line := range []string{"", "UTF8", "USER " + to.User, "PASS " + to.Pass} {
		if _, err := c.command(line); err != nil {
			return nil, err
		}
	}
	return c, nil
}
