package message

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestPreview(t *testing.T) {
	const html = "Content-Type: text/html\n\n"
	for _, tt := range []struct{ name, text, want string }{
		{"plain", "Subject: x\n\nHello,\n\n  this is\tit.\n", "Hello, this is it."},
		{"cut", "\n" + strings.Repeat("word ", 100), strings.TrimSpace(strings.Repeat("word ", 8))},
		{"none", "Subject: x\n\n", ""},
		{"decoded", "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nGr=FC=DFe=\n aus", "Grüße aus"},
		{"base64", "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\nSGVsbG8=\n", "Hello"},
		{"broken charset", "\ncaf\xe9", "café"},
		{"page", html + "<html><head><title>No</title><style>p{}</style></head><body class=x><p>One &amp; two<br>three</body>", "One & two three"},
		{"page without body", html + "<b>Bold</b>ly", "Boldly"},
		{"padded", html + "<body>Sale\u200c \u034f \u200c \u034f&nbsp;now", "Sale now"},
		{"answer below", "\nOn Monday, Bob wrote:\n> What?\n>> Why?\n\nBecause.\n-- \nAlice", "Because."},
		{"answer above", "\nYes.\n\nOn Monday,\nBob wrote:\n\n> What?\n", "Yes. On Monday,"},
		{"only quotes", "\n> What?\n", "> What?"},
		{"encrypted", "\n-----BEGIN PGP MESSAGE-----\n\nabc", ""},
		{"encrypted parts", "Content-Type: multipart/encrypted; boundary=b\n\n--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--b\nContent-Type: application/octet-stream\n\nxx\n--b--\n", ""},
		{"alternative", "Content-Type: multipart/alternative; boundary=b\n\nignored\n--b\n\nplain\n--b\n" + html + "<p>page\n--b--\n", "plain"},
		{"alternative with an empty text", "Content-Type: multipart/alternative; boundary=b\n\n--b\n\n \n--b\n" + html + "<p>page\n--b--\n", "page"},
		{"image first", "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: image/gif\n\nGIF\n--b\n\ntext\n--b--\n", "text"},
		{"a message attached", "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n\ninner\n--b\n\nouter\n--b--\n", "outer"},
	} {
		msg := crlf(tt.text)
		got, err := Parse(msg).Preview(bytes.NewReader(msg), 40)
		if err != nil || got != tt.want {
			t.Errorf("%s: %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
}

func FuzzPreview(f *testing.F) {
	f.Add([]byte("Content-Type: text/html\r\n\r\n<body>a&#x10ffff;<b>\xff\u200d</b>"))
	f.Add([]byte("\r\nOn x:\r\n> y\r\n-- \r\nz"))
	f.Add([]byte("Content-Transfer-Encoding: base64\r\n\r\n/////w=="))
	f.Fuzz(func(t *testing.T, msg []byte) {
		got, err := Parse(msg).Preview(bytes.NewReader(msg), 20)
		if err != nil {
			t.Fatal(err)
		}
		if n := utf8.RuneCountInString(got); n > 20 || !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) || strings.TrimSpace(got) != got {
			t.Fatalf("%d characters: %q", n, got)
		}
	})
}
