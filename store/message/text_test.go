package message

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestDecodeText(t *testing.T) {
	tests := []struct{ in, want string }{
		{"plain", "plain"},
		{" folded\r\n text\r\n", "folded text"},
		{"=?utf-8?q?J=C3=B6rg?= M", "Jörg M"},
		{"=?UTF-8?B?SsO2cmc=?=", "Jörg"},
		{"=?iso-8859-1?Q?a_b?= =?iso-8859-1?Q?c=E9?=", "a bcé"},
		{"=?utf-8?B?w?= =?utf-8?B?w6k=?=", "é"},
		{"=?utf-8?q?=C3?=\r\n =?utf-8?q?=A9?=", "é"},
		{"a =?utf-8?q?b?= c =?utf-8?q?d?=", "a b c d"},
		{"=?utf-8?q?open", "=?utf-8?q?open"},
		{"=?utf-8?x?what?= ok =?utf-8?q?d?=", "=?utf-8?x?what?= ok d"},
		{"=?utf-8*en?q?d?=", "d"},
		{"\"=?utf-8?q?quoted?=\" <a@x>", "\"quoted\" <a@x>"},
		{"=?nonesuch?q?caf=E9?=", "café"},
		{"caf\xe9 \x93x\x94", "café “x”"},
		{"caf\xc3\xa9", "café"},
		{"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"},
		{"=?hz-gb-2312?Q?~{VPND~}?=", "中文"},
		{"=?gb2312?B?1tDOxA==?=", "中文"},
		{"=?koi8-r?B?8NLJ18XU?=", "Привет"},
	}
	for _, tt := range tests {
		if got := DecodeText([]byte(tt.in)); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestFold(t *testing.T) {
	same := [][]string{
		{"HELLO  World\r\n again", "hello world again"},
		{"CAFÉ", "café", "cafe\u0301"},
		{"ÄÖÜ ſ", "äöü s"},
		{"ΣΊΣΥΦΟΣ", "σίσυφος"},
		{"ﬁne", "FINE"},
		{"ＡＢＣ", "abc"},
		{"soft\u00ADhyphen\u200B", "softhyphen"},
		{"a\u00a0b", "a b"},
	}
	for _, group := range same {
		for _, s := range group[1:] {
			if Fold(s) != Fold(group[0]) {
				t.Errorf("%q and %q differ: %q, %q", s, group[0], Fold(s), Fold(group[0]))
			}
		}
	}
	if !strings.Contains(Fold("the café"), Fold("CAFE")) {
		t.Error("cafe is not found in café")
	}
}

func TestBaseSubject(t *testing.T) {
	tests := []struct {
		in, want string
		re       bool
	}{
		{"hello", "hello", false},
		{"Re: hello", "hello", true},
		{"RE :  Fwd: [list] Re[2]: hello (fwd) ", "hello", true},
		{"[list] hello", "hello", false},
		{"[list]", "[list]", false},
		{"[a] [b]", "[b]", false},
		{"[Fwd: Re: hello]", "hello", true},
		{"Re: [list] [bug 1] x\t  y", "x y", true},
		{"Fw:", "", true},
		{"", "", false},
		{"Reply: no", "Reply: no", false},
	}
	for _, tt := range tests {
		if got, re := BaseSubject(tt.in); got != tt.want || re != tt.re {
			t.Errorf("%q: got %q, %v; want %q, %v", tt.in, got, re, tt.want, tt.re)
		}
	}
	start := time.Now()
	BaseSubject(strings.Repeat("[]", 100_000))
	BaseSubject(strings.Repeat("[fwd:", 20_000) + strings.Repeat("]", 20_000))
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("long subjects take %v", d)
	}
}

func TestParseDate(t *testing.T) {
	tests := []struct{ in, want string }{
		{"Thu, 22 Aug 2002 18:26:25 +0700", "2002-08-22T18:26:25+07:00"},
		{"Thu, 22 Aug 2002 18:26:25 +0700 (ICT)", "2002-08-22T18:26:25+07:00"},
		{" 22 Aug 2002\r\n 18:26 -0330", "2002-08-22T18:26:00-03:30"},
		{"Thu, 22 Aug 02 18:26:25 GMT", "2002-08-22T18:26:25Z"},
		{"Thu, 22 Aug 97 18:26:25 EDT", "1997-08-22T18:26:25-04:00"},
		{"22 Aug 103 1:2:3 Z", "2003-08-22T01:02:03Z"},
		{"Thu Aug 22 18:26:25 2002", "2002-08-22T18:26:25Z"},
		{"Thu Aug  2 18:26:25 PDT 2002", "2002-08-02T18:26:25-07:00"},
		{"Thursday, August 22, 2002 6:26 PM", "2002-08-22T18:26:00Z"},
		{"22-Aug-2002 18:26:25 +0000", "2002-08-22T18:26:25Z"},
		{"2002-08-22 18:26:25 +0200", "2002-08-22T18:26:25+02:00"},
		{"2002-08-22T18:26:25.123+02:00", "2002-08-22T18:26:25+02:00"},
		{"2002-08-22T18:26:25Z", "2002-08-22T18:26:25Z"},
		{"Thu, 22 Aug 2002 18.26.25 +0200", "2002-08-22T18:26:25+02:00"},
		{"Thu, 22 Aug 2002 18:26:25 GMT+0200", "2002-08-22T18:26:25+02:00"},
		{"Thu, 22 Aug 2002 18:26:25 +0800GMT", "2002-08-22T18:26:25+08:00"},
		{"Thu, 22 Aug 2002", "2002-08-22T00:00:00Z"},
		{"Mon, 30 Feb 2002 10:00:00 +0000", ""},
		{"garbage", ""},
		{"22 Aug 2002 25:00:00", ""},
		{"", ""},
	}
	for _, tt := range tests {
		got, ok := ParseDate(tt.in)
		if s := got.Format(time.RFC3339); ok != (tt.want != "") || ok && s != tt.want {
			t.Errorf("%q: got %s, %v; want %q", tt.in, s, ok, tt.want)
		}
	}
}

func TestFilterFields(t *testing.T) {
	header := crlf("From x Mon\nSubject: one\n two\nTo : b@x\nX-Bad\nSUBJECT: three\n\n")
	tests := []struct {
		names []string
		not   bool
		want  string
	}{
		{[]string{"subject"}, false, "Subject: one\n two\nSUBJECT: three\n\n"},
		{[]string{"Subject", "TO"}, true, "From x Mon\nX-Bad\n\n"},
		{[]string{"none"}, false, "\n"},
		{nil, true, "From x Mon\nSubject: one\n two\nTo : b@x\nX-Bad\nSUBJECT: three\n\n"},
	}
	for _, tt := range tests {
		if got := FilterFields(nil, header, tt.names, tt.not); !bytes.Equal(got, crlf(tt.want)) {
			t.Errorf("%q not %v: got %q, want %q", tt.names, tt.not, got, tt.want)
		}
	}
	if got := FilterFields(nil, []byte("Subject: cut"), []string{"subject"}, false); string(got) != "Subject: cut\r\n\r\n" {
		t.Errorf("header cut off: %q", got)
	}
	if got := FilterFields(nil, []byte(" lost\r\nSubject: x\r\nTo: y"), []string{"to"}, true); string(got) != " lost\r\nSubject: x\r\n" {
		t.Errorf("header without blank line: %q", got)
	}
	var names []string
	for name, value := range Fields(header) {
		names = append(names, string(name)+"="+string(value))
	}
	if got := strings.Join(names, "|"); got != "Subject= one\r\n two|To= b@x|SUBJECT= three" {
		t.Errorf("Fields: %q", got)
	}
}

func TestParseEnvelope(t *testing.T) {
	s := Parse(crlf("Subject: x\nFrom: \"J \\\"D\\\"\" <a@x>\nTo: g: b@y;\nCc: caf\xe9 <c@z>\n\n"))
	e, err := ParseEnvelope(s.Envelope)
	if err != nil {
		t.Fatal(err)
	}
	if e.Subject != "x" || len(e.From) != 1 || e.From[0] != (Address{Name: `J "D"`, Mailbox: "a", Host: "x"}) {
		t.Errorf("%+v", e)
	}
	if len(e.To) != 3 || !e.To[0].Group || e.To[0].Mailbox != "g" || e.To[1].Mailbox != "b" || e.To[2] != (Address{Group: true}) {
		t.Errorf("To %+v", e.To)
	}
	if e.Cc[0].Name != "caf\xe9" {
		t.Errorf("Cc %+v", e.Cc)
	}
}

const searched = `Subject: =?utf-8?q?J=C3=B6rg?=
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=iso-8859-1; format=flowed
Content-Transfer-Encoding: quoted-printable

A soft=
 line break and a caf=E9 with
wrapped text. =ZZ
--b
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: base64

PGh0bWw+PHN0eWxlPmhpZGRlbiB7fTwvc3R5bGU+PHA+VG9tPGI+b3JyPC9iPm93ICZhbXA7IG1v
cmU8L3A+PGJyPm5leHQ=
--b
Content-Type: image/png; name=picture.png
Content-Transfer-Encoding: base64

c2VjcmV0
--b
Content-Type: message/rfc822

Subject: Embedded Thing
From: a@x

inner body
--b--
`

func TestSearchText(t *testing.T) {
	msg := crlf(searched)
	s := Parse(msg)
	body, err := s.SearchText(bytes.NewReader(msg), false, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	all, err := s.SearchText(bytes.NewReader(msg), true, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"soft line break", "CAFÉ with wrapped", "=ZZ", "Tomorrow & more next", "embedded thing", "Inner Body"} {
		if !strings.Contains(body, Fold(want)) {
			t.Errorf("BODY %q is not in %q", want, body)
		}
	}
	for _, not := range []string{"hidden", "secret", "Jörg", "picture"} {
		if strings.Contains(body, Fold(not)) {
			t.Errorf("BODY %q is in %q", not, body)
		}
	}
	for _, want := range []string{"subject: JÖRG", "picture.png", "inner body"} {
		if !strings.Contains(all, Fold(want)) {
			t.Errorf("TEXT %q is not in %q", want, all)
		}
	}
	if short, err := s.SearchText(bytes.NewReader(msg), true, 20); err != nil || short != all[:20] {
		t.Errorf("bounded: %q, %v", short, err)
	}
}

func TestSearchTextLong(t *testing.T) {
	msg := []byte("Content-Type: text/plain; charset=utf-8\r\n\r\n" + strings.Repeat("é", 20_000) + strings.Repeat(" word", 20_000))
	got, err := Parse(msg).SearchText(bytes.NewReader(msg), false, 1<<20)
	if want := Fold(strings.Repeat("é", 20_000)+strings.Repeat(" word", 20_000)) + " "; err != nil || got != want {
		t.Errorf("%d bytes, want %d, %v", len(got), len(want), err)
	}
}

type failingReader struct{ err error }

func (f failingReader) ReadAt([]byte, int64) (int, error) { return 0, f.err }

func TestSearchTextFails(t *testing.T) {
	msg := crlf(searched)
	broken := errors.New("disk")
	for _, header := range []bool{false, true} {
		if _, err := Parse(msg).SearchText(failingReader{broken}, header, 100); !errors.Is(err, broken) {
			t.Errorf("header %v: %v", header, err)
		}
	}
}

func TestBase64Tolerance(t *testing.T) {
	for in, want := range map[string]string{
		"aGVsbG8=": "hello", "aGVsbG8": "hello", "aGV\r\nsbG8=": "hello", "aGVs!bG8=aGk=": "hellohi", "": "", "a": "",
	} {
		if got := decodeBase64([]byte(in)); string(got) != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func BenchmarkSearchText(b *testing.B) {
	msg := benchMessage()
	s := Parse(msg)
	b.SetBytes(int64(len(msg)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.SearchText(bytes.NewReader(msg), true, 1<<20); err != nil {
			b.Fatal(err)
		}
	}
}
