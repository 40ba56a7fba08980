package message

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"
)

// What is made to be slow to read takes no longer than its size explains.
func TestHostileMessages(t *testing.T) {
	const size = 4 << 20
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	field := func(s string) string { return strings.Repeat(s, 60_000/len(s)) }
	var nest strings.Builder
	for i := range 99 {
		nest.WriteString("Content-Type: multipart/mixed; boundary=x" + strings.Repeat("y", 900) + string(rune('0'+i%10)) + string(rune('0'+i/10)) + "\r\n\r\n--x" + strings.Repeat("y", 900) + string(rune('0'+i%10)) + string(rune('0'+i/10)) + "\r\n")
	}
	msgs := map[string]string{
		"lines like delimiters": nest.String() + "\r\n" + fill("--x"+strings.Repeat("y", 900)+"zz\r\n"),
		"short lines":           nest.String() + "\r\n" + fill("--\r\n"),
		"many parts":            "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + fill("--b\r\n\r\n"),
		"nested messages":       fill("Content-Type: message/rfc822\r\n\r\n"),
		"nested multiparts":     fill("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"),
		"many fields":           fill("To: a@x\r\n"),
		"one field":             "To: " + fill("a@x,\r\n "),
		"parts with long types": "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + fill("--b\r\nContent-Type: a/b; "+field("=a ")+"\r\n\r\n"),
		"spaces":                "Content-Type: a/b; c=" + field("d ") + field(" ") + "\r\n\r\n",
		"open comments":         "To: " + field("(") + "\r\nCc: " + field("[@") + "\r\nBcc: " + field("\"<") + "\r\n\r\n",
		"open words":            "Subject: " + field("=?a?q?") + "\r\nX: " + field("=?u?b? ") + "?=\r\n\r\n",
		"references":            "References: " + field("<") + "\r\nIn-Reply-To: " + field("<a@b>") + "\r\n\r\n",
		"tags":                  "Content-Type: text/html\r\n\r\n" + fill("<"),
		"entities":              "Content-Type: text/html\r\n\r\n" + fill("&#"),
		"accents":               "Content-Type: text/plain; charset=utf-8\r\n\r\na" + fill("\u0301"),
		"escapes":               "Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + fill("=  "),
	}
	for name, text := range msgs {
		t.Run(name, func(t *testing.T) {
			msg := []byte(text)
			start := time.Now()
			s := Parse(msg)
			parsed := time.Since(start)
			checkStructure(t, msg, s)
			start = time.Now()
			if _, err := s.SearchText(bytes.NewReader(msg), true, 1<<20); err != nil {
				t.Fatal(err)
			}
			searched := time.Since(start)
			start = time.Now()
			c := NewCanonical(io.Discard)
			c.Write(msg)
			c.Close()
			t.Logf("%d bytes: structure %v (%d bytes), search text %v, canonical %v", len(msg), parsed, len(s.BodyStructure), searched, time.Since(start))
			if total := time.Since(start) + parsed + searched; total > 20*time.Second {
				t.Errorf("takes %v", total)
			}
		})
	}
}
