package compare

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// heard is a connection on which the server says what it is given and hears
// everything.
type heard struct {
	net.Conn
	io.Reader
	said bytes.Buffer
}

func (h *heard) Read(p []byte) (int, error)       { return h.Reader.Read(p) }
func (h *heard) Write(p []byte) (int, error)      { return h.said.Write(p) }
func (h *heard) Close() error                     { return nil }
func (h *heard) SetReadDeadline(time.Time) error  { return nil }
func (h *heard) SetWriteDeadline(time.Time) error { return nil }

// meterText meters a conversation in which the server says text.
func meterText(text []byte, protocol Protocol, s script, secrets []string) (*conn, *recorder) {
	rec := &recorder{clock: NewFakeClock(began)}
	rec.add(origin{}, Event{Kind: KindRun, Run: &Run{}})
	from := origin{protocol: protocol, conn: rec.next()}
	rec.add(from, Event{Kind: KindConnect})
	c := meter(context.Background(), &heard{Reader: bytes.NewReader(text)}, rec, Link{}, from, s, secrets)
	return c, rec
}

// checkHeard looks whether what was recorded is a list of events as it has to be.
func checkHeard(t *testing.T, c *conn, rec *recorder, secret string) {
	t.Helper()
	c.close("")
	events := rec.list(0)
	if err := Check(events); err != nil {
		t.Fatal(err)
	}
	var lines, wires int64
	for _, e := range events {
		if e.Kind == KindLine {
			lines += e.Bytes
		}
		if e.Kind == KindWire {
			wires += e.Bytes
		}
		if secret != "" && strings.Contains(e.Text, secret) {
			t.Fatalf("the secret is in %q", e.Text)
		}
	}
	if lines > wires { // what is incomplete at the end is no line
		t.Fatalf("%d octets in lines, %d on the wire", lines, wires)
	}
}

func FuzzPOP3(f *testing.F) {
	for _, text := range []string{
		"+OK hello\r\n+OK\r\nPIPELINING\r\nUIDL\r\n.\r\n+OK\r\n+OK\r\n+OK\r\n1 abc\r\n2 def\r\n.\r\n+OK\r\n1 10\r\n2 20\r\n.\r\n+OK\r\nSubject: a\r\n b\r\nMessage-ID: <x@y>\r\n\r\n..dot\r\n.\r\n+OK\r\nx\r\n.\r\n+OK bye\r\n",
		"-ERR no\r\n", "+OK\r\n-ERR\r\n-ERR\r\n", "+OK\n+OK\nSASL PLAIN\n.\n+ \n+OK\n", "+OK\r\n+OK\r\n.\r\n+OK sesame open\r\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		login := Login{"alice", "sesame open"}
		c, rec := meterText(text, POP3, &popScript{}, secretsOf(login))
		p := newPopClient(c)
		if p.begin(t.Context(), &Service{Address: "127.0.0.1:110"}, login) == nil {
			if list, err := p.maildrop(); err == nil {
				commands := make([]string, min(len(list), 3))
				for i := range commands {
					commands[i] = "RETR 1"
				}
				_ = p.each(commands, func(int) error {
					head, _, err := p.message()
					headOf(head)
					return err
				})
			}
			_, _ = p.ask("QUIT")
		}
		checkHeard(t, c, rec, login.Password)
	})
}

func FuzzIMAP(f *testing.F) {
	for _, text := range []string{
		"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN IDLE] hi\r\nT1 OK [CAPABILITY IMAP4rev1 LITERAL+] in\r\n* 3 EXISTS\r\n* OK [UIDNEXT 4] x\r\nT2 OK [READ-WRITE] ok\r\n* 1 FETCH (UID 1 FLAGS (\\Seen) ENVELOPE (NIL \"=?utf-8?q?a?=\" NIL NIL NIL NIL NIL NIL NIL \"<x@y>\") BODY[] {3}\r\nabc)\r\nT3 OK\r\n",
		"* PREAUTH hi\r\n", "* BYE no\r\n", "* OK hi\r\n* CAPABILITY IMAP4rev1\r\nT1 OK\r\nT2 NO [AUTH] sesame open\r\n",
		"* OK [CAPABILITY IMAP4rev2] x\r\nT1 OK [CAPABILITY IMAP4rev2] x\r\n* LIST (\\Sent) \"/\" {4}\r\nSent\r\n* LIST () NIL (((((((()\r\nT2 OK\r\n",
		"* OK [CAPABILITY A] x\r\nT1 OK [CAPABILITY A] x\r\n* 1 FETCH (BODYSTRUCTURE ((\"text\" \"plain\" NIL NIL NIL \"7bit\" 12 1)(\"image\" \"png\" NIL NIL NIL \"base64\" 99) \"mixed\"))\r\nT2 OK\r\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		login := Login{"alice", "sesame open"}
		c, rec := meterText(text, IMAP, &imapScript{}, secretsOf(login))
		m := newImapClient(c)
		if m.begin(t.Context(), &Service{Address: "127.0.0.1:143"}, login) == nil {
			_, _ = m.folders()
			_ = m.open("SELECT", "INBOX")
			_ = m.fetch("FETCH 1:* "+about, func(f *fetched) { parts(&f.parts, "") })
			_, _ = m.append("INBOX", "", []byte("Subject: a\r\n\r\nb\r\n"))
			if m.startIdle() == nil && m.awaitNew() == nil {
				_ = m.stopIdle()
			}
		}
		checkHeard(t, c, rec, login.Password)
	})
}

// FuzzTranscript gives both sides anything.
func FuzzTranscript(f *testing.F) {
	f.Add([]byte("T1 LOGIN a b\r\n"), []byte("* OK\r\nT1 OK {3}\r\nab"), true)
	f.Add([]byte("PASS x\r\nRETR 1\r\nRETR 2\r\n"), []byte("+OK\r\n+OK\r\nbody\r\n.\r\n+OK"), false)
	f.Fuzz(func(t *testing.T, client, server []byte, imap bool) {
		protocol, s := POP3, script(&popScript{})
		if imap {
			protocol, s = IMAP, &imapScript{}
		}
		c, rec := meterText(server, protocol, s, []string{"secret"})
		in := bufio.NewReader(c)
		for len(client) > 0 {
			n := min(len(client), 40)
			if _, err := c.Write(client[:n]); err != nil {
				t.Fatal(err)
			}
			client = client[n:]
			_, _ = in.ReadString('\n')
			c.settle()
		}
		checkHeard(t, c, rec, "secret")
	})
}
