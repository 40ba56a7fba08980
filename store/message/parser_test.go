package message

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

const nested = `From: A <a@example.org>
To: b@example.org
Subject: outer
Content-Type: multipart/mixed; boundary=out

preamble
--out
Content-Type: multipart/alternative; boundary="in"

--in

plain
--in
Content-Type: text/html; charset=utf-8

<b>html</b>
--in--
--out
Content-Type: message/rfc822
Content-Disposition: attachment; filename="m.eml"

From: c@example.org
Subject: inner
Content-Type: multipart/mixed; boundary=deep

--deep
Content-Type: text/plain

one
two
--deep
Content-Type: application/octet-stream
Content-Transfer-Encoding: base64

AAAA
--deep--
--out--
epilogue
`

func TestBodyStructure(t *testing.T) {
	tests := []struct{ name, msg, want string }{
		{"empty", "", `("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL)`},
		{"no content type", "Subject: x\n\none\ntwo\n", `("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 10 2 NIL NIL NIL NIL)`},
		{"no header", "\nbody", `("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 4 0 NIL NIL NIL NIL)`},
		{"no blank line", "Subject: x\nbody\n", `("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL)`},
		{"type alone", "Content-Type: text\n\n", `("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL)`},
		{"charset and more", "Content-Type: TEXT/Html; Charset=\"UTF-8\"; format=flowed\nContent-Transfer-Encoding: Quoted-Printable\n\nx\n",
			`("TEXT" "Html" ("Charset" "UTF-8" "format" "flowed") NIL NIL "Quoted-Printable" 3 1 NIL NIL NIL NIL)`},
		{"all fields", "Content-Type: image/png; name=\"a\\\"b.png\"\nContent-ID: <1@x>\nContent-Description: a picture\nContent-MD5: Q2hlY2s=\n" +
			"Content-Disposition: attachment; filename*0*=utf-8''%41; filename*1=b; size=3\nContent-Language: en, de\nContent-Location: http://x/\n\nabc",
			`("image" "png" ("name" "a\"b.png") "<1@x>" "a picture" "7bit" 3 "Q2hlY2s=" ("attachment" ("filename*" "utf-8''%41b" "size" "3")) ("en" "de") "http://x/")`},
		{"no semicolons, comments", "Content-Type: text/plain (really) charset=utf-8 format=flowed\nContent-Disposition: filename=my file.txt\n\n",
			`("text" "plain" ("charset" "utf-8" "format" "flowed") NIL NIL "7bit" 0 0 NIL ("attachment" ("filename" "my file.txt")) NIL NIL)`},
		{"8-bit name", "Content-Type: text/plain; name=\"\xc3\xa9\"\n\n",
			"(\"text\" \"plain\" (\"name\" {2}\r\n\xc3\xa9 \"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0 NIL NIL NIL NIL)"},
		{"multipart without boundary", "Content-Type: multipart/mixed\n\ntext\n", `("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 6 1 NIL NIL NIL NIL)`},
		{"multipart without delimiters", "Content-Type: multipart/mixed; boundary=b\n\ntext\n",
			`(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 6 1 NIL NIL NIL NIL) "mixed" ("boundary" "b") NIL NIL NIL)`},
		{"multipart alone", "Content-Type: multipart; boundary=b\n\n--b\n\nx\n--b--\n",
			`(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1 0 NIL NIL NIL NIL) "mixed" ("boundary" "b") NIL NIL NIL)`},
		{"no end", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n",
			`(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 3 1 NIL NIL NIL NIL) "mixed" ("boundary" "b") NIL NIL NIL)`},
		{"white space behind boundary", "Content-Type: multipart/mixed; boundary=\"b \"\n\n--b \t\n\nx\n--b-- \n",
			`(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1 0 NIL NIL NIL NIL) "mixed" ("boundary" "b ") NIL NIL NIL)`},
		{"delimiter in header", "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n--b\n\nx\n--b--\n",
			`(("text" "html" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL)("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1 0 NIL NIL NIL NIL) "mixed" ("boundary" "b") NIL NIL NIL)`},
		{"digest", "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: in\n\nx\n--b--\n",
			`(("message" "rfc822" NIL NIL NIL "7bit" 16 (NIL "in" NIL NIL NIL NIL NIL NIL NIL NIL) ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1 0 NIL NIL NIL NIL) 2 NIL NIL NIL NIL) "digest" ("boundary" "b") NIL NIL NIL)`},
		{"pieces", "Content-Type: a/b; name*2=\" 100%\"; NAME*0*=utf-8''%e2%82%ac; x*1=lost; name*1*=%41; y*=plain; name*4=gap\n\n",
			`("a" "b" ("NAME*" "utf-8''%e2%82%ac%41%20100%25" "x*1" "lost" "y*" "plain" "name*4" "gap") NIL NIL "7bit" 0 NIL NIL NIL NIL)`},
		{"comments before and between", "Content-Type: (c) text (d) / (e) html (f); charset=utf-8, format=flowed\nContent-Transfer-Encoding: (x) base64\nContent-Disposition: (y) inline\n\n",
			`("text" "html" ("charset" "utf-8" "format" "flowed") NIL NIL "base64" 0 0 NIL ("inline" NIL) NIL NIL)`},
		{"CR CR LF", "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n",
			`(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 2 0 NIL NIL NIL NIL) "mixed" ("boundary" "b") NIL NIL NIL)`},
		{"boundary in pieces", "Content-Type: multipart/mixed; boundary*0=\"a\"; boundary*1*=%62\n\n--ab\n\nx\n--ab--\n",
			`(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1 0 NIL NIL NIL NIL) "mixed" ("boundary" "ab") NIL NIL NIL)`},
		{"same boundary inside", "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\n--b\n\ny\n--b--\n",
			`((("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1 0 NIL NIL NIL NIL) "mixed" ("boundary" "b") NIL NIL NIL)("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1 0 NIL NIL NIL NIL) "mixed" ("boundary" "b") NIL NIL NIL)`},
		{"nested", nested, `((("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 5 0 NIL NIL NIL NIL)("text" "html" ("charset" "utf-8") NIL NIL "7bit" 11 0 NIL NIL NIL NIL) "alternative" ("boundary" "in") NIL NIL NIL)` +
			`("message" "rfc822" NIL NIL NIL "7bit" 230 (NIL "inner" ((NIL NIL "c" "example.org")) ((NIL NIL "c" "example.org")) ((NIL NIL "c" "example.org")) NIL NIL NIL NIL NIL) ` +
			`(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 8 1 NIL NIL NIL NIL)("application" "octet-stream" NIL NIL NIL "base64" 4 NIL NIL NIL NIL) "mixed" ("boundary" "deep") NIL NIL NIL) 14 NIL ("attachment" ("filename" "m.eml")) NIL NIL) "mixed" ("boundary" "out") NIL NIL NIL)`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			msg := crlf(tt.msg)
			s := Parse(msg)
			checkStructure(t, msg, s)
			if got := string(s.BodyStructure); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestEnvelope(t *testing.T) {
	const me = `((NIL NIL "a" "x"))`
	tests := []struct{ name, msg, want string }{
		{"none", "\n", `(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)`},
		{"defaults", "Date: Mon, 1 Jan 2024\n 00:00:00 +0000\nSubject: a \"b\" \\c\nFrom: a@x\nMessage-ID: <1@x>\nIn-Reply-To: <0@x>\n\n",
			`("Mon, 1 Jan 2024 00:00:00 +0000" "a \"b\" \\c" ` + me + ` ` + me + ` ` + me + ` NIL NIL NIL "<0@x>" "<1@x>")`},
		{"folds", "Subject:\n one \n\t two\n   three\tfour  five\n\n", `(NIL "one two three` + "\t" + `four  five" NIL NIL NIL NIL NIL NIL NIL NIL)`},
		{"own sender", "From: a@x\nSender: s@x\nReply-To:\nSubject:\n\n",
			`(NIL "" ` + me + ` ((NIL NIL "s" "x")) ` + me + ` NIL NIL NIL NIL NIL)`},
		{"mbox line, bad lines", "From someone Mon Jan 1 12:00\nno colon here\nSubject : spaced\n\n", `(NIL "spaced" NIL NIL NIL NIL NIL NIL NIL NIL)`},
		{"8-bit", "Subject: caf\xe9\x00\r!\n\n", "(NIL {6}\r\ncaf\xe9 ! NIL NIL NIL NIL NIL NIL NIL NIL)"},
		{"twice", "Subject: one\nSubject: two\nTo: a@x\nTo: a@x\n\n", `(NIL "one" NIL NIL NIL ((NIL NIL "a" "x")(NIL NIL "a" "x")) NIL NIL NIL NIL)`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			msg := crlf(tt.msg)
			s := Parse(msg)
			checkStructure(t, msg, s)
			if got := string(s.Envelope); got != tt.want {
				t.Errorf("got\n%q\nwant\n%q", got, tt.want)
			}
		})
	}
}

func TestAddresses(t *testing.T) {
	tests := []struct{ in, want string }{
		{`a@x`, `(NIL NIL "a" "x")`},
		{`A B <a@x>`, `("A B" NIL "a" "x")`},
		{`John Q. Public <a@x>, "Last, First" <b@y>`, `("John Q. Public" NIL "a" "x")("Last, First" NIL "b" "y")`},
		{`"a\"b" <"o d d"@x>`, `("a\"b" NIL "o d d" "x")`},
		{`a@x (Joe (really) Blow)`, `("Joe (really) Blow" NIL "a" "x")`},
		{`<@r1,@r2:a@x>`, `(NIL "@r1,@r2" "a" "x")`},
		{`friends: a@x, B <b@y>;, c@z`, `(NIL NIL "friends" NIL)(NIL NIL "a" "x")("B" NIL "b" "y")(NIL NIL NIL NIL)(NIL NIL "c" "z")`},
		{`undisclosed-recipients:;`, `(NIL NIL "undisclosed-recipients" NIL)(NIL NIL NIL NIL)`},
		{`unended: a@x`, `(NIL NIL "unended" NIL)(NIL NIL "a" "x")(NIL NIL NIL NIL)`},
		{`<Undisclosed-Recipient:;>, a@x`, `(NIL NIL "Undisclosed-Recipient" NIL)(NIL NIL NIL NIL)(NIL NIL "a" "x")`},
		{`<list:;@relay.example>`, `(NIL NIL "list" NIL)(NIL NIL NIL NIL)`},
		{`root`, `(NIL NIL "root" "")`},
		{`Undisclosed Recipients`, `("Undisclosed Recipients" NIL "" "")`},
		{`Nobody <>`, `("Nobody" NIL "" "")`},
		{`a@x <a@x>`, `("a@x" NIL "a" "x")`},
		{`John Doe john@x`, `("John Doe" NIL "john" "x")`},
		{`a @ x`, `(NIL NIL "a" "x")`},
		{`<a@x, b@y`, `(NIL NIL "a" "x")(NIL NIL "b" "y")`},
		{`"unended <a@x>`, `("unended" NIL "a" "x")`},
		{`(open a@x`, `("(open" NIL "a" "x")`},
		{`a@[IPv6:::1], b@x`, `(NIL NIL "a" "[IPv6:::1]")(NIL NIL "b" "x")`},
		{"=?utf-8?q?J=C3=B6?= <a@x>", `("=?utf-8?q?J=C3=B6?=" NIL "a" "x")`},
		{"\"a\r\n b\"\r\n <a@x>,\r\n\tb@y", `("a b" NIL "a" "x")(NIL NIL "b" "y")`},
		{` , ,;`, ``},
	}
	for _, tt := range tests {
		var s addressScanner
		got, _ := s.appendList(nil, []byte(tt.in), 1000)
		if string(got) != tt.want {
			t.Errorf("%q:\n got %s\nwant %s", tt.in, got, tt.want)
		}
	}
}

// Any way of cutting a message into pieces gives the same structure.
func TestSplitWrites(t *testing.T) {
	msgs := []string{nested, "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n--b--\n-\n--\n--b\n",
		"Content-Type: multipart/mixed; boundary=b\n\n--b" + strings.Repeat(" ", 3000) + "\n\nx\n--b--" + strings.Repeat("-", 3000) + "\ny"}
	for _, m := range msgs {
		msg := crlf(m)
		want := Parse(msg)
		checkStructure(t, msg, want)
		for i := range len(msg) + 1 {
			p := NewParser(Limits{})
			p.Write(msg[:i])
			p.Write(msg[i:])
			if got := p.Finish(); !reflect.DeepEqual(got, want) {
				t.Fatalf("cut at %d:\n%+v\nwant\n%+v", i, got, want)
			}
		}
		p := NewParser(Limits{})
		for i := range msg {
			p.Write(msg[i : i+1])
		}
		if got := p.Finish(); !reflect.DeepEqual(got, want) {
			t.Fatalf("byte by byte:\n%+v\nwant\n%+v", got, want)
		}
	}
}

func TestRange(t *testing.T) {
	msg := crlf(nested)
	s := Parse(msg)
	prefix := "Received: x\r\n"
	served := prefix + string(msg)
	inner := served[strings.Index(served, "From: c@"):strings.Index(served, "\r\n--out--")]
	tests := []struct {
		path []uint32
		kind SectionKind
		want string
	}{
		{nil, SectionAll, served},
		{nil, SectionHeader, served[:strings.Index(served, "preamble")]},
		{nil, SectionText, served[strings.Index(served, "preamble"):]},
		{[]uint32{1, 1}, SectionAll, "plain"},
		{[]uint32{1, 1}, SectionMIME, "\r\n"},
		{[]uint32{1, 2}, SectionAll, "<b>html</b>"},
		{[]uint32{1, 2}, SectionMIME, "Content-Type: text/html; charset=utf-8\r\n\r\n"},
		{[]uint32{2}, SectionAll, inner},
		{[]uint32{2}, SectionHeader, inner[:strings.Index(inner, "--deep")]},
		{[]uint32{2}, SectionText, inner[strings.Index(inner, "--deep"):]},
		{[]uint32{2, 1}, SectionAll, "one\r\ntwo"},
		{[]uint32{2, 2}, SectionMIME, "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n"},
	}
	for _, tt := range tests {
		off, n, ok := s.Range(tt.path, tt.kind, int64(len(prefix)))
		if !ok || served[off:off+n] != tt.want {
			t.Errorf("%v kind %d: ok %v, got %q\nwant %q", tt.path, tt.kind, ok, served[off:off+n], tt.want)
		}
	}
	for _, path := range [][]uint32{{0}, {3}, {1, 3}, {1, 1, 1}, {2, 3}, {2, 1, 1}, {4294967295}} {
		if off, n, ok := s.Range(path, SectionAll, 0); ok {
			t.Errorf("%v: got %d+%d, want none", path, off, n)
		}
	}
	for _, kind := range []SectionKind{SectionHeader, SectionText} {
		if _, _, ok := s.Range([]uint32{1, 1}, kind, 0); ok {
			t.Error("HEADER or TEXT of a part that is no message")
		}
	}
	if _, _, ok := s.Range(nil, SectionMIME, 0); ok {
		t.Error("BODY[MIME]")
	}
}

func TestRangeOfPlainMessage(t *testing.T) {
	msg := "Subject: x\r\n\r\nbody\r\n"
	s := Parse([]byte(msg))
	served := "P: p\r\n" + msg
	for kind, want := range map[SectionKind]string{SectionAll: "body\r\n", SectionMIME: "P: p\r\nSubject: x\r\n\r\n"} {
		if off, n, ok := s.Range([]uint32{1}, kind, 6); !ok || served[off:off+n] != want {
			t.Errorf("kind %d: %q", kind, served[off:off+n])
		}
	}
	if _, _, ok := s.Range([]uint32{1, 1}, SectionAll, 0); ok {
		t.Error("part 1.1 of a plain message")
	}
}

func TestLimits(t *testing.T) {
	var deep bytes.Buffer
	for range 20 {
		deep.WriteString("Content-Type: message/rfc822\r\n\r\n")
	}
	many := "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\n\r\nx\r\n", 50) + "--b--\r\n"
	long := "To: a@x" + strings.Repeat(", a@x", 50) + "\r\nReferences: <1@x>" + strings.Repeat("\r\n <2@x>", 50) + "\r\nSubject: " + strings.Repeat("s", 5000) + "\r\n\r\n"
	lim := Limits{Depth: 5, Parts: 10, Addresses: 7, References: 9, FieldBytes: 1000, HeaderBytes: 10000}
	for _, msg := range []string{deep.String(), many, long} {
		p := NewParser(lim)
		p.Write([]byte(msg))
		s := p.Finish()
		checkStructure(t, []byte(msg), s)
		last := s.Parts[len(s.Parts)-1]
		if msg != long && last.Type != octetStreamType {
			t.Errorf("last part is %s, want bytes", last.Type)
		}
		if len(s.Parts) > lim.Parts || int(last.Depth) > lim.Depth+1 {
			t.Errorf("%d parts, depth %d", len(s.Parts), last.Depth)
		}
		if msg != long {
			continue
		}
		e, err := ParseEnvelope(s.Envelope)
		if err != nil || len(e.To) != 7 || len(s.References) != 9 || len(e.Subject) > 1000 {
			t.Errorf("%v: %d addresses, %d references, subject of %d", err, len(e.To), len(s.References), len(e.Subject))
		}
	}
}

// A flood of fields hides none that decide what the message is.
func TestManyFields(t *testing.T) {
	msg := crlf(strings.Repeat("To: a@x\n", 1000) + "Content-Type: text/html\n\n")
	s := Parse(msg)
	checkStructure(t, msg, s)
	if s.Parts[0].Type != "text/html" {
		t.Errorf("type %q", s.Parts[0].Type)
	}
}

func TestBasicBody(t *testing.T) {
	s := Parse(crlf(nested))
	got, err := BasicBody(s.BodyStructure)
	want := `((("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 5 0)("text" "html" ("charset" "utf-8") NIL NIL "7bit" 11 0) "alternative")` +
		`("message" "rfc822" NIL NIL NIL "7bit" 230 (NIL "inner" ((NIL NIL "c" "example.org")) ((NIL NIL "c" "example.org")) ((NIL NIL "c" "example.org")) NIL NIL NIL NIL NIL) ` +
		`(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 8 1)("application" "octet-stream" NIL NIL NIL "base64" 4) "mixed") 14) "mixed")`
	if err != nil || string(got) != want {
		t.Errorf("%v\n got %s\nwant %s", err, got, want)
	}
}

func TestIDsAndDate(t *testing.T) {
	s := Parse(crlf("Date: Thu, 22 Aug 2002 18:26:25 +0700\nMessage-ID: <\"a\"@x>\nReferences: <1@x> <2@x\n >junk\nIn-Reply-To: Your message <2@x>, <3@x>\n\n"))
	if s.MessageID != "a@x" || !reflect.DeepEqual(s.References, []string{"1@x", "2@x", "3@x"}) || s.ReplyIDs != 1 {
		t.Errorf("%q %q", s.MessageID, s.References)
	}
	if !s.HasSent || s.Sent != 1030015585 || s.SentZone != 420 {
		t.Errorf("%v %d %d", s.HasSent, s.Sent, s.SentZone)
	}
}
