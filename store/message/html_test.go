package message

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime/quotedprintable"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
)

// searchedBody is what SEARCH BODY looks in for a message of one part.
func searchedBody(t testing.TB, header, body string) string {
	t.Helper()
	msg := []byte(strings.ReplaceAll(header, "\n", "\r\n") + "\r\n" + body)
	text, err := Parse(msg).SearchText(bytes.NewReader(msg), false, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(text)
}

func TestHTMLText(t *testing.T) {
	tests := []struct{ in, want string }{
		{"plain", "plain"},
		{"<p>Hel<B>lo</B> W&ouml;rld<br>next</p>", "hello world next"},
		{"a&nbsp;b &amp; c &#8217;d&#x27; &notanentity; &", "a b & c ’d' ¬anentity; &"},
		{"1 < 2 <3 <", "1 < 2 <3 <"},
		{"<!-- secret > --> shown <!----><!--> yes -->", "shown yes -->"},
		{"<!DOCTYPE html><?xml x?></ junk>text", "text"},
		{"<script>if (a</b) hidden()</script >shown<STYLE>x{}</Style>more", "shown more"},
		{"<script>never ended", ""},
		{`go <a href="http://x.example/?a=1&amp;b=2" class=no>he<i>re</i></a> now`, "go here now http://x.example/?a=1&b=2"},
		{`<img alt='a > b' src=cid:1 /><img src="data:image/png;base64,AAAA"><area title=T>`, "a > b cid:1 t"},
		{`<a href="unended>text`, ""},
		{"<td>one</td><td>two</td>", "one two"},
		{"<abbreviation>x", "x"},
	}
	for _, tt := range tests {
		got := searchedBody(t, "Content-Type: text/html; charset=utf-8\n", tt.in)
		if want := strings.TrimSpace(Fold(strings.ReplaceAll(tt.want, "world", "wörld"))); got != want {
			t.Errorf("%q:\n got %q\nwant %q", tt.in, got, want)
		}
	}
}

// A body that is read in many pieces gives the text that it was made of.
func TestSearchTextPieces(t *testing.T) {
	var text strings.Builder
	for i := range 12_000 {
		fmt.Fprintf(&text, "wört%d=日本 %s\r\n", i, strings.Repeat("x", i%90))
	}
	latin := strings.ReplaceAll(text.String(), "日本", "§§")
	encode := func(s string, cte string) string {
		var b strings.Builder
		switch cte {
		case "base64":
			for line := range slicesOf(base64.StdEncoding.EncodeToString([]byte(s)), 76) {
				b.WriteString(line + "\r\n")
			}
		case "quoted-printable":
			w := quotedprintable.NewWriter(&b)
			w.Write([]byte(s))
			w.Close()
		default:
			return s
		}
		return b.String()
	}
	iso, _ := charmap.ISO8859_1.NewEncoder().String(latin)
	jp, _ := japanese.EUCJP.NewEncoder().String(strings.ReplaceAll(text.String(), "ö", "o"))
	charsets := []struct{ name, raw, want string }{
		{"utf-8", text.String(), text.String()},
		{"us-ascii", iso, latin},
		{"iso-8859-1", iso, latin},
		{"euc-jp", jp, strings.ReplaceAll(text.String(), "ö", "o")},
	}
	for _, kind := range []string{"text/plain", "text/html"} {
		for _, cte := range []string{"8bit", "base64", "quoted-printable"} {
			for _, c := range charsets {
				got := searchedBody(t, "Content-Type: "+kind+"; charset="+c.name+"\nContent-Transfer-Encoding: "+cte+"\n", encode(c.raw, cte))
				if want := strings.TrimSpace(Fold(c.want)); got != want {
					t.Errorf("%s %s %s: %d bytes, want %d", kind, cte, c.name, len(got), len(want))
				}
			}
		}
	}
}

// slicesOf cuts s into pieces of n bytes.
func slicesOf(s string, n int) func(func(string) bool) {
	return func(yield func(string) bool) {
		for len(s) > 0 {
			k := min(n, len(s))
			if !yield(s[:k]) {
				return
			}
			s = s[k:]
		}
	}
}

// Quoted-printable decodes to the same however it is cut into pieces.
func FuzzDecodeQuoted(f *testing.F) {
	for _, s := range []string{"a=3Db", "soft=\r\nbreak", "= \t\r\nx", "=", "==3D", "=zz", "=4", "=" + strings.Repeat(" ", 80) + "\n"} {
		f.Add([]byte(s), uint8(1))
	}
	f.Fuzz(func(t *testing.T, src []byte, step uint8) {
		whole, _ := decodeQuoted(nil, src, true)
		var out, held []byte
		n := int(step) + 1
		for rest := src; ; {
			k := min(n, len(rest))
			held = append(held, rest[:k]...)
			rest = rest[k:]
			var left []byte
			out, left = decodeQuoted(out, held, len(rest) == 0)
			held = bytes.Clone(left)
			if len(held) >= maxEscape {
				t.Fatalf("%d bytes held back", len(held))
			}
			if len(rest) == 0 {
				break
			}
		}
		if !bytes.Equal(out, whole) {
			t.Fatalf("in pieces of %d: %q, whole %q", n, out, whole)
		}
	})
}

// Any page ends, and gives no more text than the page and its links have room for.
func FuzzHTMLText(f *testing.F) {
	for _, s := range []string{"<a href=x>y</a>", "<!--", "<script></scr", "<a b=' c", "&#x110000;&lt", "</", "<a/b=c/>"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, page []byte) {
		h := htmlScanner{page: page}
		for len(h.page) > 0 {
			before := len(h.page)
			if h.next(); len(h.page) >= before {
				t.Fatalf("stuck at %q", h.page)
			}
		}
		if len(h.text)+len(h.links) > 2*len(page)+16 {
			t.Fatalf("%d bytes of text from %d", len(h.text)+len(h.links), len(page))
		}
	})
}

// A Searcher that has read other messages reads a message as a new one does.
func TestSearcherReused(t *testing.T) {
	msgs := [][]byte{
		crlf(searched),
		[]byte("Content-Type: text/html\r\n\r\n<a href=link>x</a> " + strings.Repeat("big <b>page</b> ", 200_000)),
		[]byte("Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\ncaf=E9=\r\n="),
		[]byte("Content-Transfer-Encoding: base64\r\n\r\nYWJj\r\nZ"),
		[]byte("Content-Type: text/html\r\n\r\n<p>small"),
		[]byte("Subject: none \r\n\r\n"),
	}
	var s Searcher
	for range 2 {
		for i, msg := range msgs {
			for _, header := range []bool{true, false} {
				want, err := Parse(msg).SearchText(bytes.NewReader(msg), header, 3<<20)
				if err != nil {
					t.Fatal(err)
				}
				got, err := s.Text(Parse(msg), bytes.NewReader(msg), header, 3<<20)
				if err != nil || string(got) != want {
					t.Errorf("message %d, header %v: %d bytes, want %d, %v", i, header, len(got), len(want), err)
				}
			}
		}
	}
}
