package message

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"

	gomessage "github.com/emersion/go-message"
)

// corpus gives the messages of an mboxrd file of real mail, with CRLF line
// ends; it skips the test when there is none.
func corpus(t testing.TB) [][]byte {
	t.Helper()
	path := os.Getenv("TANDEM_CORPUS")
	if path == "" {
		path = filepath.Join("..", "..", "..", "shared", "corpus", "ham.mbox.gz")
	}
	f, err := os.Open(path)
	if err != nil {
		t.Skipf("no corpus (set TANDEM_CORPUS): %v", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return splitMbox(all)
}

func splitMbox(all []byte) (msgs [][]byte) {
	var msg []byte
	for line := range bytes.Lines(all) {
		if bytes.HasPrefix(line, []byte("From ")) {
			if msg != nil {
				msgs = append(msgs, bytes.TrimSuffix(msg, []byte("\r\n")))
			}
			msg = []byte{}
			continue
		}
		if bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte("From ")) {
			line = line[1:]
		}
		msg = append(msg, bytes.TrimSuffix(line, newline)...)
		msg = append(msg, "\r\n"...)
	}
	return append(msgs, bytes.TrimSuffix(msg, []byte("\r\n")))
}

// Every message of a real account has the properties of checkStructure, and
// other readers of mail see the same where they can read it at all.
func TestCorpus(t *testing.T) {
	msgs := corpus(t)
	compared, subjects, senders, dates, parts := 0, 0, 0, 0, 0
	size := 0
	for i, msg := range msgs {
		s := Parse(msg)
		checkStructure(t, msg, s)
		p := NewParser(Limits{})
		for rest := msg; len(rest) > 0; {
			n := min(len(rest), 1+i%97)
			p.Write(rest[:n])
			rest = rest[n:]
		}
		if got := p.Finish(); !bytes.Equal(got.BodyStructure, s.BodyStructure) || !bytes.Equal(got.Envelope, s.Envelope) {
			t.Errorf("message %d: in pieces it reads differently", i)
		}
		size += len(s.AppendBinary(nil))
		other, err := mail.ReadMessage(bytes.NewReader(msg))
		if err != nil {
			continue
		}
		compared++
		e, err := ParseEnvelope(s.Envelope)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Join(strings.Fields(e.Subject), "") != strings.Join(strings.Fields(other.Header.Get("Subject")), "") {
			subjects++
			t.Logf("message %d: subject %q, net/mail %q", i, e.Subject, other.Header.Get("Subject"))
		}
		if list, err := other.Header.AddressList("From"); err == nil && len(list) != len(e.From) {
			senders++
			t.Logf("message %d: %v, net/mail %v", i, e.From, list)
		}
		if when, err := other.Header.Date(); err == nil && numericZone(other.Header.Get("Date")) && (!s.HasSent || s.Sent != when.Unix()) {
			dates++
			t.Logf("message %d: date %d, net/mail %v", i, s.Sent, when)
		}
		if n, ok := leaves(msg); ok && n != countLeaves(s) {
			parts++
			t.Logf("message %d: %d leaves, go-message %d", i, countLeaves(s), n)
		}
	}
	t.Logf("%d messages, %d read by net/mail; different: %d subjects, %d senders, %d dates, %d part counts; %d bytes a structure",
		len(msgs), compared, subjects, senders, dates, parts, size/len(msgs))
	if bad := subjects + senders + dates + parts; bad > compared/100 {
		t.Errorf("%d of %d messages read otherwise than by other libraries", bad, compared)
	}
}

// numericZone says whether net/mail can know the zone: it takes names for UTC.
func numericZone(date string) bool { return strings.ContainsAny(date, "+-") }

// leaves counts the parts go-message finds, embedded messages as one.
func leaves(msg []byte) (int, bool) {
	e, err := gomessage.Read(bytes.NewReader(msg))
	if e == nil {
		return 0, err == nil
	}
	n, ok := 0, true
	err = e.Walk(func(_ []int, e *gomessage.Entity, err error) error {
		if err != nil && !gomessage.IsUnknownCharset(err) && !gomessage.IsUnknownEncoding(err) {
			ok = false
			return nil
		}
		if e.MultipartReader() == nil {
			n++
		}
		return nil
	})
	return n, ok && err == nil
}

func countLeaves(s *Structure) (n int) {
	for i := range s.Parts {
		p := &s.Parts[i]
		inMessage := false
		for j := p.Parent; j >= 0; j = s.Parts[j].Parent {
			inMessage = inMessage || s.Parts[j].Kind == KindMessage
		}
		if p.Kind != KindMultipart && !inMessage {
			n++
		}
	}
	return n
}

// benchMessage is a multipart of about 8 KiB.
func benchMessage() []byte {
	var b bytes.Buffer
	b.WriteString("Return-Path: <alice@example.org>\nReceived: from a.example.org by b.example.org with ESMTP id 1234567890\n\tfor <bob@example.org>; Mon, 1 Jan 2024 10:00:00 +0100\n" +
		"From: Alice Example <alice@example.org>\nTo: Bob <bob@example.org>, Carol <carol@example.org>\nSubject: the meeting of next week\nDate: Mon, 1 Jan 2024 10:00:00 +0100\n" +
		"Message-ID: <12345@example.org>\nIn-Reply-To: <12344@example.org>\nReferences: <12343@example.org> <12344@example.org>\nMIME-Version: 1.0\n" +
		"Content-Type: multipart/alternative; boundary=\"----=_Part_123\"\n\n------=_Part_123\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n")
	for range 45 {
		b.WriteString("The quick brown fox jumps over the lazy dog and goes on for a while yet.\n")
	}
	b.WriteString("------=_Part_123\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n")
	for range 50 {
		b.WriteString("<p>The quick brown fox jumps over the lazy dog and goes on and =\non.</p>\n")
	}
	b.WriteString("------=_Part_123--\n")
	return crlf(b.String())
}

func BenchmarkParse(b *testing.B) {
	msg := benchMessage()
	b.SetBytes(int64(len(msg)))
	b.ReportAllocs()
	for b.Loop() {
		Parse(msg)
	}
}

func BenchmarkParseCorpus(b *testing.B) {
	msgs := corpus(b)
	size := 0
	for _, m := range msgs {
		size += len(m)
	}
	b.SetBytes(int64(size))
	for b.Loop() {
		for _, m := range msgs {
			Parse(m)
		}
	}
}

func BenchmarkEnvelopeOf(b *testing.B) {
	blob := Parse(benchMessage()).AppendBinary(nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := EnvelopeOf(blob); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSearchTextCorpus(b *testing.B) {
	msgs := corpus(b)
	structures := make([]*Structure, len(msgs))
	size := 0
	for i, m := range msgs {
		structures[i] = Parse(m)
		size += len(m)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	var search Searcher
	for b.Loop() {
		for i, m := range msgs {
			if _, err := search.Text(structures[i], bytes.NewReader(m), true, 8<<20); err != nil {
				b.Fatal(err)
			}
		}
	}
}
