package lmtpd

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"tandem/store"
)

const note = "From: a@example.com\r\nSubject: hello\r\n\r\nfirst\r\n.dot\r\n"

func TestDelivery(t *testing.T) {
	w := newWorld(t).listen()
	c := w.hello()
	c.envelope("sender@example.com", "alice@mail.example.org")
	c.data(note, "250 2.0.0 delivered as *")
	c.script("C: QUIT\nS: 221 2.0.0 *\nS: EOF")
	trace, text := w.only("alice", "INBOX")
	if text != note {
		t.Errorf("stored %q", text)
	}
	want := regexp.MustCompile(`^Return-Path: <sender@example\.com>\r\n` +
		`Delivered-To: alice@mail\.example\.org\r\n` +
		`Received: from mx\.example\.com \(\[127\.0\.0\.1\]\)\r\n` +
		`\tby mail\.example\.org with LMTP id [a-z0-9]+\.1\r\n` +
		`\tfor <alice@mail\.example\.org>;\r\n` +
		`\t(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}\r\n$`)
	if !want.MatchString(trace) {
		t.Errorf("trace fields are\n%s", trace)
	}
}

func TestCommands(t *testing.T) {
	w := newWorld(t).listen()
	const (
		hi   = "C: LHLO mx\nS: 250-mail.example.org\nS: 250-PIPELINING\nS: 250-8BITMIME\nS: 250-SMTPUTF8\nS: 250-ENHANCEDSTATUSCODES\nS: 250-SIZE 8388608\nS: 250 CHUNKING\n"
		mail = hi + "C: MAIL FROM:<a@b.c>\nS: 250 2.1.0 *\n"
		rcpt = mail + "C: RCPT TO:<alice>\nS: 250 2.1.5 *\n"
	)
	tests := map[string]string{
		"smtp greetings":       "C: EHLO mx\nS: 500 5.5.1 *\nC: HELO mx\nS: 500 5.5.1 *",
		"LHLO without name":    "C: LHLO\nS: 501 5.5.4 *",
		"unknown":              hi + "C: TURN\nS: 500 5.5.1 *\nC: STARTTLS\nS: 500 5.5.1 *\nC: AUTH PLAIN\nS: 500 5.5.1 *",
		"before LHLO":          "C: MAIL FROM:<a@b.c>\nS: 503 5.5.1 *\nC: RCPT TO:<alice>\nS: 503 5.5.1 *\nC: DATA\nS: 503 5.5.1 *\nC: NOOP\nS: 250 2.0.0 *\nC: RSET\nS: 250 2.0.0 *\nC: QUIT\nS: 221 2.0.0 *\nS: EOF",
		"before MAIL":          hi + "C: RCPT TO:<alice>\nS: 503 5.5.1 *\nC: DATA\nS: 503 5.5.1 *",
		"before RCPT":          mail + "C: DATA\nS: 503 5.5.1 no valid recipients\nC: BDAT 5 LAST\nC: abc\nS: 503 5.5.1 no valid recipients\nC: NOOP\nS: 250 *",
		"BDAT without LHLO":    "C: BDAT 5 LAST\nC: abc\nS: 503 5.5.1 *\nC: NOOP\nS: 250 *",
		"all refused":          mail + "C: RCPT TO:<nobody@mail.example.org>\nS: 550 5.1.1 *\nC: DATA\nS: 503 5.5.1 no valid recipients",
		"MAIL twice":           mail + "C: MAIL FROM:<a@b.c>\nS: 503 5.5.1 *",
		"RSET":                 rcpt + "C: RSET\nS: 250 2.0.0 *\nC: DATA\nS: 503 5.5.1 *\nC: MAIL FROM:<>\nS: 250 *",
		"LHLO resets":          rcpt + hi + "C: MAIL FROM:<>\nS: 250 *",
		"null sender":          hi + "C: MAIL FROM:<>\nS: 250 2.1.0 *",
		"bad senders":          hi + "C: MAIL\nS: 501 5.1.7 *\nC: MAIL a@b\nS: 501 5.1.7 *\nC: MAIL FROM:<a b@c>\nS: 501 5.1.7 *\nC: MAIL FROM:<a@b> \nS: 250 *",
		"size":                 hi + "C: MAIL FROM:<> SIZE=8388609\nS: 552 5.3.4 *\nC: MAIL FROM:<> SIZE=99999999999999999999\nS: 552 5.3.4 *\nC: MAIL FROM:<> SIZE=x\nS: 501 5.5.4 *\nC: MAIL FROM:<> SIZE=\nS: 501 5.5.4 *\nC: MAIL FROM:<> SIZE=8388608\nS: 250 *",
		"body":                 hi + "C: MAIL FROM:<> BODY=BINARYMIME\nS: 501 5.5.4 *\nC: mail from:<> body=8bitmime\nS: 250 *",
		"unknown parameter":    hi + "C: MAIL FROM:<> RET=HDRS\nS: 555 5.5.4 *\nC: MAIL FROM:<>\nS: 250 *\nC: RCPT TO:<alice> NOTIFY=NEVER\nS: 555 5.5.4 *\nC: RCPT TO:<alice>\nS: 250 *",
		"utf8 without":         hi + "C: MAIL FROM:<jürgen@example.com>\nS: 553 5.6.7 *\nC: MAIL FROM:<>\nS: 250 *\nC: RCPT TO:<jürgen@example.com>\nS: 550 5.6.7 *",
		"utf8 with":            hi + "C: MAIL FROM:<jürgen@example.com> SMTPUTF8\nS: 250 *\nC: RCPT TO:<jürgen@mail.example.org>\nS: 550 5.1.1 *",
		"bad recipients":       mail + "C: RCPT\nS: 501 5.1.3 *\nC: RCPT TO:<>\nS: 501 5.1.3 *\nC: RCPT TO:alice\nS: 501 5.1.3 *\nC: RCPT TO:<a/b@mail.example.org>\nS: 550 5.1.1 *\nC: RCPT TO:<\"a b\"@mail.example.org>\nS: 550 5.1.1 *",
		"relaying":             mail + "C: RCPT TO:<alice@elsewhere.example>\nS: 550 5.1.1 *",
		"disabled":             mail + "C: RCPT TO:<off@mail.example.org>\nS: 550 5.2.1 *",
		"VRFY":                 "C: VRFY alice\nS: 252 2.5.0 *",
		"DATA with argument":   rcpt + "C: DATA 1\nS: 501 5.5.4 *",
		"DATA after BDAT":      rcpt + "C: BDAT 2\nC: \nS: 250 2.0.0 2 octets received\nC: DATA\nS: 503 5.5.1 *\nC: RCPT TO:<bob>\nS: 503 5.5.1 *\nC: MAIL FROM:<>\nS: 503 5.5.1 *\nC: BDAT 0 LAST\nS: 250 2.0.0 *",
		"BDAT without size":    rcpt + "C: BDAT LAST\nS: 501 5.5.4 *\nS: EOF",
		"BDAT with bad word":   rcpt + "C: BDAT 1 FIRST\nS: 501 5.5.4 *\nS: EOF",
		"BDAT of absurd size":  rcpt + "C: BDAT 9999999999999999 LAST\nS: 552 5.3.4 *\nS: EOF",
		"control characters":   "C: NO\x00OP\nS: 500 5.5.2 *\nC: VRFY a\rb\nS: 500 5.5.2 *",
		"long line":            "C: NOOP " + strings.Repeat("x", 4084) + "\nS: 250 *\nC: NOOP " + strings.Repeat("x", 4095) + "\nS: 500 5.5.2 *\nC: NOOP " + strings.Repeat("x", 40000) + "\nS: 500 5.5.2 *\nC: NOOP\nS: 250 *",
		"web client":           "C: GET / HTTP/1.0\nS: EOF",
		"bad commands":         strings.Repeat("C: XYZZY\nS: 500 5.5.1 *\n", 10) + "S: 421 4.7.0 *\nS: EOF",
		"lower case and blank": "C: lhlo mx\nS: 250-mail*\nS: 250-*\nS: 250-*\nS: 250-*\nS: 250-*\nS: 250-*\nS: 250 *\nC: mail from: <a@b.c>\nS: 250 *\nC: rcpt to:<ALICE@Mail.Example.ORG>\nS: 250 *",
	}
	for name, script := range tests {
		t.Run(name, func(t *testing.T) {
			c := w.dial()
			c.t = t
			c.script(script)
		})
	}
}

func TestRecipients(t *testing.T) {
	w := newWorld(t).listen()
	for _, name := range []string{"Lists", "Lists/go", "twin", "Twin"} {
		if _, err := w.store.CreateMailbox(t.Context(), w.by("alice"), w.by("alice").Account, store.NewMailbox{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct{ to, account, mailbox string }{
		{"alice", "alice", "INBOX"},
		{"alice@mail.example.org", "alice", "INBOX"},
		{"carol@example.net", "carol@example.net", "INBOX"},
		{"dave+work@mail.example.org", "dave+work", "INBOX"},
		{"alice+lists@mail.example.org", "alice", "Lists"},
		{"alice+LISTS/go@mail.example.org", "alice", "Lists/go"},
		{"alice+twin@mail.example.org", "alice", "twin"},
		{"alice+Twin@mail.example.org", "alice", "Twin"},
		{"alice+nothing@mail.example.org", "alice", "INBOX"},
		{"alice+@mail.example.org", "alice", "INBOX"},
		{"alice+trash@mail.example.org", "alice", "INBOX"},
		{"alice+inbox@mail.example.org", "alice", "INBOX"},
		{"carol+x+y@example.net", "carol@example.net", "INBOX"},
		{`"alice"@mail.example.org`, "alice", "INBOX"},
	}
	c := w.hello()
	for i, tt := range tests {
		c.envelope("s@example.com", tt.to)
		text := fmt.Sprintf("Subject: %d\r\n\r\n", i)
		c.data(text, "250 *")
		list := w.mail(tt.account, tt.mailbox)
		if len(list) == 0 || !strings.HasSuffix(list[len(list)-1], text) {
			t.Errorf("%s did not reach %s of %s", tt.to, tt.mailbox, tt.account)
		}
	}
}

func TestSubaddressOff(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.InboxOnly = true }).listen()
	if _, err := w.store.CreateMailbox(t.Context(), w.by("alice"), w.by("alice").Account, store.NewMailbox{Name: "lists"}); err != nil {
		t.Fatal(err)
	}
	c := w.hello()
	c.envelope("s@example.com", "alice+lists@mail.example.org")
	c.data(note, "250 *")
	w.only("alice", "INBOX")
}

func TestJunk(t *testing.T) {
	w := newWorld(t).listen()
	c := w.hello()
	c.envelope("s@example.com", "alice+lists@mail.example.org", "bob")
	c.data("Subject: a\r\nx-spam: YES\r\n\r\n", "250 *", "250 *")
	w.only("alice", "Junk")
	w.only("bob", "Junk")
	c.envelope("s@example.com", "alice")
	c.data("Subject: a\r\n\r\nX-Spam: yes\r\n", "250 *")
	w.only("alice", "INBOX")
}

// Several recipients: one transaction, a reply each in their order, and none
// learns of the others.
func TestManyRecipients(t *testing.T) {
	w := newWorld(t).listen()
	c := w.hello()
	c.script(`C: MAIL FROM:<s@example.com>
		S: 250 *
		C: RCPT TO:<alice@mail.example.org>
		S: 250 *
		C: RCPT TO:<nobody@mail.example.org>
		S: 550 5.1.1 *
		C: RCPT TO:<bob@mail.example.org>
		S: 250 *
		C: RCPT TO:<Alice@mail.example.org>
		S: 250 *`)
	w.inserts = 0
	c.data(note, "250 2.0.0 *", "250 2.0.0 *", "250 2.0.0 *")
	c.script("C: NOOP\nS: 250 *")
	if w.inserts != 1 {
		t.Errorf("%d transactions, want 1", w.inserts)
	}
	for _, name := range []string{"alice", "bob"} {
		trace, text := w.only(name, "INBOX")
		if text != note || !strings.Contains(trace, "\r\nDelivered-To: "+name+"@") || strings.Count(trace, "@mail.example.org") != 1 {
			t.Errorf("%s got %q", name, trace)
		}
	}
}

func TestOneRecipientFails(t *testing.T) {
	w := newWorld(t).listen()
	w.insertError = func(i int) error {
		if i == 0 {
			return store.Errorf(store.OverQuota, "full")
		}
		return nil
	}
	c := w.hello()
	c.envelope("s@example.com", "alice", "bob")
	c.data(note, "452 4.2.2 *", "250 2.0.0 *")
	if list := w.mail("alice", "INBOX"); len(list) != 0 {
		t.Errorf("alice has %d messages", len(list))
	}
	w.only("bob", "INBOX")
}

func TestTooManyRecipients(t *testing.T) {
	w := newWorld(t).listen()
	c := w.hello()
	c.script("C: MAIL FROM:<>\nS: 250 *")
	for range 100 {
		c.script("C: RCPT TO:<alice>\nS: 250 *")
	}
	c.script("C: RCPT TO:<bob>\nS: 452 4.5.3 *")
	replies := make([]string, 100)
	for i := range replies {
		replies[i] = "250 *"
	}
	c.data(note, replies...)
	w.only("alice", "INBOX")
}

// An MTA that sends MAIL, RCPT and DATA at once learns only then that nobody
// wants the message; it may do so all day on one connection.
func TestRefusedMessagesAreNoBadCommands(t *testing.T) {
	w := newWorld(t).listen()
	c := w.hello()
	for range 30 {
		c.script("C: MAIL FROM:<>\nC: RCPT TO:<nobody>\nC: RCPT TO:<>\nC: DATA\nC: RSET\nS: 250 *\nS: 550 *\nS: 501 *\nS: 503 *\nS: 250 *")
		c.script("C: MAIL FROM:<> SIZE=99999999\nC: RCPT TO:<alice>\nC: DATA\nS: 552 *\nS: 503 *\nS: 503 *")
	}
	for range 3 { // and a delivery makes up for what was bad before
		for range 9 {
			c.script("C: XYZZY\nS: 500 *")
		}
		c.envelope("", "alice")
		c.data(note, "250 *")
	}
}

// What ends a session, and each limit, is logged once.
func TestLoggedOnce(t *testing.T) {
	var log syncBuffer
	w := newWorld(t, func(c *Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
		c.Limits.Recipients = 1
	}).listen()
	c := w.hello()
	c.envelope("s@example.com", "alice")
	for range 5 {
		c.script("C: RCPT TO:<bob>\nS: 452 4.5.3 *")
	}
	c.script("C: DATA\nS: 354 *\nC: half")
	c.Close()
	for end := time.Now().Add(patience); !strings.Contains(log.String(), "session ended"); <-time.After(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no end in the log:\n%s", log.String())
		}
	}
	w.stop()
	for _, msg := range []string{"session ended", "too many recipients"} {
		if n := strings.Count(log.String(), msg); n != 1 {
			t.Errorf("%q %d times in the log:\n%s", msg, n, log.String())
		}
	}
}

func TestTooBig(t *testing.T) {
	w := newWorld(t).listen()
	text := note + strings.Repeat(strings.Repeat("x", 98)+"\r\n", maxMessage/100)
	c := w.hello()
	c.envelope("s@example.com", "alice", "bob")
	c.data(text, "552 5.3.4 *", "552 5.3.4 *")
	// The rest of the session is unharmed.
	c.envelope("s@example.com", "alice")
	c.send(fmt.Sprintf("BDAT %d\r\n%sBDAT %d\r\n%sBDAT 3 LAST\r\nx\r\nNOOP\r\n", len(text)/2, text[:len(text)/2], len(text)-len(text)/2, text[len(text)/2:]))
	c.script("S: 250 2.0.0 *\nS: 552 5.3.4 *\nS: 552 5.3.4 *\nS: 250 *")
	c.envelope("s@example.com", "alice")
	c.data(note, "250 *")
	w.only("alice", "INBOX")
}

// A whole session in one packet, two messages in it.
func TestPipelining(t *testing.T) {
	w := newWorld(t).listen()
	c := w.dial()
	c.send("LHLO mx\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<alice>\r\nRCPT TO:<nobody>\r\nRCPT TO:<bob>\r\nDATA\r\n" + note[:len(note)-len(".dot\r\n")] + "..dot\r\n.\r\n" +
		"MAIL FROM:<>\r\nRCPT TO:<alice>\r\nBDAT 4\r\na: bBDAT 2\r\n\r\nBDAT 0 LAST\r\nQUIT\r\n")
	for range 6 {
		c.script("S: 250-*")
	}
	c.script(`S: 250 CHUNKING
		S: 250 2.1.0 *
		S: 250 2.1.5 *
		S: 550 5.1.1 *
		S: 250 2.1.5 *
		S: 354 *
		S: 250 2.0.0 *
		S: 250 2.0.0 *
		S: 250 2.1.0 *
		S: 250 2.1.5 *
		S: 250 2.0.0 4 octets received
		S: 250 2.0.0 2 octets received
		S: 250 2.0.0 delivered as *
		S: 221 2.0.0 *
		S: EOF`)
	list := w.mail("alice", "INBOX")
	if len(list) != 2 {
		t.Fatalf("alice has %d messages, want 2", len(list))
	}
	if _, text := split(t, list[0]); text != note {
		t.Errorf("first message %q", text)
	}
	if _, text := split(t, list[1]); text != "a: b\r\n" {
		t.Errorf("second message %q", text)
	}
	w.only("bob", "INBOX")
}

func TestUnixSocket(t *testing.T) {
	w := newWorld(t).listen()
	c := w.dialOn("unix", w.unix)
	c.lhlo()
	c.envelope("", "alice")
	c.data(note, "250 *")
	if trace, _ := w.only("alice", "INBOX"); !strings.Contains(trace, "Return-Path: <>\r\n") || !strings.Contains(trace, "Received: from mx.example.com\r\n") {
		t.Errorf("trace fields are\n%s", trace)
	}
}

func TestUTF8(t *testing.T) {
	w := newWorld(t).listen()
	if err := w.store.CreateAccounts(t.Context(), []store.NewAccount{{Name: "jürgen", Hash: "{PLAIN}x", KeepScheme: true}}, false); err != nil {
		t.Fatal(err)
	}
	c := w.hello()
	c.script("C: MAIL FROM:<ö@example.com> SMTPUTF8 BODY=8BITMIME\nS: 250 *\nC: RCPT TO:<jürgen@mail.example.org>\nS: 250 *")
	c.data("Subject: grüße\r\n\r\nß\r\n", "250 *")
	trace, text := w.only("jürgen", "INBOX")
	if text != "Subject: grüße\r\n\r\nß\r\n" || !strings.Contains(trace, "with UTF8LMTP id") || !strings.Contains(trace, "Return-Path: <ö@example.com>") {
		t.Errorf("got %q\n%q", trace, text)
	}
}

// What was there before is left: a Return-Path header, 8-bit characters without
// BODY=8BITMIME, lines of any length, bare CR; what the store does not keep so
// (a bare LF, a missing line end) becomes canonical.
func TestBytesExact(t *testing.T) {
	w := newWorld(t).listen()
	rnd := rand.New(rand.NewPCG(4, 4))
	texts := []string{
		"Return-Path: <old@example.com>\r\n\r\nx\r\n",
		"", "\r\n", ".\r\n", "..\r\n", "\r\n.\r\n", "Subject: \xe4\xf6\r\n\r\n\xff\xfe\r\n",
		"A: b\r\n\r\n" + strings.Repeat("long ", 100_000) + "\r\n",
		"A: b\r\n\r\n" + strings.Repeat(".\r\n", 100_000),
		"A: b\r\n\r\n\r.\r\r\n.\r.\r\n",
	}
	for range 40 {
		var b strings.Builder
		b.WriteString("A: b\r\n\r\n")
		for range rnd.IntN(200) {
			b.WriteString([]string{".", "x", "\r\n", "\r\n.", "\rx", " ", "\xf0"}[rnd.IntN(7)])
		}
		texts = append(texts, b.String()+"\r\n")
	}
	c := w.hello()
	for i, text := range texts {
		c.envelope("s@example.com", "alice")
		if i%3 == 2 {
			c.send(fmt.Sprintf("BDAT %d\r\n%sBDAT %d LAST\r\n%s", len(text)/2, text[:len(text)/2], len(text)-len(text)/2, text[len(text)/2:]))
			c.script("S: 250 *\nS: 250 *")
		} else {
			c.data(text, "250 *")
		}
	}
	list := w.mail("alice", "INBOX")
	if len(list) != len(texts) {
		t.Fatalf("%d messages, want %d", len(list), len(texts))
	}
	for i, text := range texts {
		if _, got := split(t, list[i]); got != text {
			t.Errorf("message %d: stored %.300q, sent %.300q", i, got, text)
		}
	}
}

// Bare LF ends no line of the data, but is stored as a line end.
func TestBareLF(t *testing.T) {
	w := newWorld(t).listen()
	c := w.hello()
	c.envelope("s@example.com", "alice")
	c.script("C: DATA\nS: 354 *")
	c.send("A: b\n\none\n.\nMAIL FROM:<>\n.\r\ntwo\r\n.\r\n")
	c.script("S: 250 *\nC: NOOP\nS: 250 *")
	if _, text := w.only("alice", "INBOX"); text != "A: b\r\n\r\none\r\n.\r\nMAIL FROM:<>\r\n.\r\ntwo\r\n" {
		t.Errorf("stored %q", text)
	}
}

// A connection that is lost before the end of the message leaves nothing.
func TestConnectionLost(t *testing.T) {
	w := newWorld(t).listen()
	c := w.hello()
	c.envelope("s@example.com", "alice")
	c.script("C: DATA\nS: 354 *")
	c.send(note + strings.Repeat("x", 2<<20) + "\r\n.")
	c.Close()
	c = w.hello()
	c.envelope("s@example.com", "alice")
	c.data(note, "250 *")
	w.only("alice", "INBOX")
}

// Every kind of store error has a reply whose codes agree; only what no later
// try can mend is permanent.
func TestFailures(t *testing.T) {
	permanent := map[store.Kind]bool{store.TooBig: true, store.Invalid: true, store.Forbidden: true}
	for _, k := range store.Kinds() {
		r := failureOf(fmt.Errorf("wrapped: %w", store.Errorf(k, "x")))
		class := 4
		if permanent[k] {
			class = 5
		}
		if r.code/100 != class || !strings.HasPrefix(r.enhanced, fmt.Sprint(class, ".")) || r.text == "" {
			t.Errorf("%v becomes %+v", k, r)
		}
	}
}

// Mail above a quota is kept by its sender, or given up.
func TestOverQuota(t *testing.T) {
	for want, final := range map[string]bool{"452 4.2.2 *": false, "552 5.2.2 *": true} {
		w := newWorld(t, func(c *Config) { c.FullIsFinal = final }).listen()
		one := int64(1)
		if err := w.store.UpdateAccount(t.Context(), w.by("alice").Account, store.AccountUpdate{MaxMessages: &one}); err != nil {
			t.Fatal(err)
		}
		c := w.hello()
		c.envelope("sender@example.com", "alice@mail.example.org")
		c.data(note, "250 2.0.0 *")
		c.envelope("sender@example.com", "alice@mail.example.org", "bob@mail.example.org")
		c.data(note, want, "250 2.0.0 *")
	}
}
