package clienttest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// message builds a message with CRLF line ends.
func message(id, subject, body string, headers ...string) []byte {
	head := []string{
		"From: Ada <ada@example.org>",
		"To: Bob <bob@example.org>",
		"Date: Tue, 3 Mar 2026 10:20:30 +0100",
		"Message-ID: <" + id + "@example.org>",
		"Subject: " + subject,
	}
	text := strings.Join(append(head, headers...), "\n") + "\n\n" + body
	return []byte(strings.ReplaceAll(text, "\n", "\r\n"))
}

// samples are messages that clients and servers get wrong: dots at line starts,
// From lines, 8-bit text, a long line, nested parts, no body, a large attachment.
// Each ends in CRLF, so that POP3 adds nothing to it.
func samples() [][]byte {
	attachment := strings.Repeat("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAx\n", 6000)
	return [][]byte{
		message("plain", "Tea at four", "Dear Bob,\n\ntea is at four.\n"),
		message("dots", "Dots", ".\n..\n.hidden\n\n...\nend\n"),
		message("from", "A line that begins with From", "From here on\n>From there\n>>From anywhere\n"),
		message("utf8", "=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße aus Zürich – schön!\n",
			"MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"),
		message("latin1", "Eight bits and no charset", "caf\xe9 cr\xe8me\n"),
		message("long", "A long line", strings.Repeat("long ", 1200)+"\nshort\n"),
		message("blank", "Blank lines at the end", "text\n\n\n\n"),
		message("empty", "No body", ""),
		// Just as Python's email package writes parts: getmail passes mail through it.
		message("parts", "Parts within parts", "--a\nContent-Type: multipart/alternative; boundary=b\n\n"+
			"--b\nContent-Type: text/plain\n\nplain\n\n--b\nContent-Type: text/html\n\n<p>html</p>\n\n--b--\n\n"+
			"--a\nContent-Type: message/rfc822\n\nFrom: c@example.org\nSubject: inner\n\ninner body\n\n"+
			"--a\nContent-Type: application/octet-stream; name=x.bin\nContent-Transfer-Encoding: base64\n\nAAECAw==\n\n--a--\n",
			"MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=a"),
		message("large", "A large attachment", "--a\nContent-Type: text/plain\n\nsee there\n--a\n"+
			"Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n"+attachment+"--a--\n",
			"MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=a"),
	}
}

// lf turns CRLF into LF, the form in which clients keep mail on Unix.
func lf(text []byte) []byte { return bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")) }

// crlf turns LF into CRLF.
func crlf(text []byte) []byte { return bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")) }

// digests counts messages by their digest, with CRLF as LF.
func digests(messages ...[]byte) map[string]int {
	count := map[string]int{}
	for _, m := range messages {
		count[fmt.Sprintf("%x", sha256.Sum256(lf(m)))]++
	}
	return count
}

// sameMail fails the test unless got and want are the same messages, in any
// order, byte for byte but for line ends.
func sameMail(t testing.TB, got, want [][]byte) {
	t.Helper()
	g, w := digests(got...), digests(want...)
	if maps.Equal(g, w) {
		return
	}
	t.Errorf("got %d messages, want %d", len(got), len(want))
	differ := slices.DeleteFunc(slices.Concat(got, want), func(m []byte) bool { return g[one(m)] == w[one(m)] })
	for _, m := range differ[:min(len(differ), 6)] {
		t.Errorf("%d times instead of %d: %s", g[one(m)], w[one(m)], head(m))
	}
}

func one(m []byte) string { return slices.Collect(maps.Keys(digests(m)))[0] }

// head is the beginning of a message, for an error.
func head(m []byte) string { return fmt.Sprintf("%d octets: %.400q", len(m), m) }

// clientLines are the header lines that clients add to what they copy: mbsync and
// offlineimap to know their copies again, getmail and mutt always.
var clientLines = regexp.MustCompile(`(?m)^(X-TUID: .*|X-OfflineIMAP: .*|Return-Path: <unknown>|X-getmail-retrieved-from-mailbox: .*|Status: .*|Content-Length: .*|Lines: .*)\n`)

// unmarked is mail without those lines.
func unmarked(mails [][]byte) [][]byte {
	var out [][]byte
	for _, m := range mails {
		head, body, _ := bytes.Cut(lf(m), []byte("\n\n"))
		head = clientLines.ReplaceAll(append(head[:len(head):len(head)], '\n'), nil)
		out = append(out, slices.Concat(head, []byte("\n"), body))
	}
	return out
}

// values are the messages of a map.
func values(m map[string][]byte) [][]byte { return slices.Collect(maps.Values(m)) }
