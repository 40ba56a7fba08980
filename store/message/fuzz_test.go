package message

import (
	"bytes"
	"encoding/base64"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// seeds are messages of the kinds that real mail breaks in.
func seeds() [][]byte {
	texts := []string{
		nested, searched, "", "\n", "no header", "From x Mon Jan 1 12:00\nSubject: y\n\nz", "A: b\r\rc\x00\n\n",
		"Content-Type: multipart/digest; boundary=b\n\n--b\n--b\n\nSubject: x\n--b--\n--b\n",
		"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=b2\n\n--b\n\n--b2\n--b--",
		"Content-Type: message/rfc822\n\nContent-Type: message/rfc822\n\nTo: g: a@x, \"q\" <@r:b@y> (c);\n",
		"To: \"open <a@x>, (open b@y\nContent-Disposition: ; =; filename*0*=a'b'%zz; (c) filename*1\nContent-Language: (a) de, en\n\n",
		"Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: binary\n\n--b\nContent-Transfer-Encoding: binary\n\n\x00\r\n--b--\n",
	}
	var out [][]byte
	for _, s := range texts {
		out = append(out, crlf(s), []byte(s))
	}
	return out
}

func FuzzParse(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s, uint16(3))
	}
	f.Fuzz(checkReading)
}

// checkReading holds what is true of any message, cut in any way.
func checkReading(t *testing.T, msg []byte, cut uint16) {
	s := Parse(msg)
	checkStructure(t, msg, s)
	p := NewParser(Limits{})
	for rest := msg; len(rest) > 0; {
		n := min(len(rest), 1+int(cut))
		p.Write(rest[:n])
		rest = rest[n:]
	}
	if got := p.Finish(); !reflect.DeepEqual(got, s) {
		t.Fatalf("%q in pieces of %d:\n%+v\nwant\n%+v", msg, 1+int(cut), got, s)
	}
	small := NewParser(Limits{Depth: 2, Parts: 4, HeaderBytes: 200, FieldBytes: 50, Addresses: 2, References: 1, Params: 2})
	small.Write(msg)
	checkStructure(t, msg, small.Finish())
	if text, err := s.SearchText(bytes.NewReader(msg), true, 1000); err != nil || !utf8.ValidString(text) || len(text) > 1000 {
		t.Fatalf("SearchText of %q: %d bytes, %v", msg, len(text), err)
	}
	all := FilterFields(nil, msg[:s.HeaderSize], nil, true)
	if again := FilterFields(nil, all, nil, true); !bytes.Equal(all, again) {
		t.Fatalf("FilterFields of %q: %q, then %q", msg, all, again)
	}
}

// TestRandomMessages puts messages together from what matters to a reader, in
// orders that mail does not come in.
func TestRandomMessages(t *testing.T) {
	pieces := []string{"\r\n", "\r\n", "\n", "\r", "\x00", " ", "--", "--b", "--b", "--bb", "--b--", "--bb--", "b", "text", "\"", "<", ">", "(", ")", ",", ":", ";", "@", "=", "\\", "\xe9",
		"Content-Type: multipart/mixed; boundary=b\r\n", "Content-Type: multipart/digest; boundary=bb\r\n\r\n--bb\r\n", "Content-Type: message/rfc822\r\n\r\n",
		"Content-Transfer-Encoding: binary\r\n", "Content-Transfer-Encoding: base64\r\n\r\n", "Content-Disposition: a; b=c\r\n", "To: a@x\r\n", "From: ", "Subject: =?utf-8?q?x?=\r\n", "References: <a@x>\r\n",
		"Content-Type: text/html; charset=iso-2022-jp\r\n", "Content-Transfer-Encoding: quoted-printable\r\n"}
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		var msg []byte
		for range 1 + r.IntN(40) {
			msg = append(msg, pieces[r.IntN(len(pieces))]...)
		}
		checkReading(t, msg, uint16(r.IntN(20)))
		checkCanonical(t, msg, uint16(r.IntN(20)))
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range seeds() {
		f.Add(Parse(s).AppendBinary(nil))
	}
	f.Fuzz(func(t *testing.T, blob []byte) {
		EnvelopeOf(blob)
		BodyStructureOf(blob)
		s, err := Decode(blob)
		if err != nil {
			return
		}
		if again, err := Decode(s.AppendBinary(nil)); err != nil || !reflect.DeepEqual(again, s) {
			t.Fatalf("decoded twice: %v\n%+v\n%+v", err, again, s)
		}
		for _, path := range [][]uint32{nil, {1}, {1, 1}, {2, 1, 1}, {math.MaxUint32}} {
			for kind := SectionAll; kind <= SectionMIME; kind++ {
				if off, n, ok := s.Range(path, kind, 5); ok && (off < 0 || n < 0 || off+n > 5+s.Size) {
					t.Fatalf("Range(%v, %d) = %d+%d of %d", path, kind, off, n, s.Size)
				}
			}
		}
		ParseEnvelope(s.Envelope)
		BasicBody(s.BodyStructure)
		s.SearchText(bytes.NewReader(nil), true, 100)
	})
}

func FuzzDecodeText(f *testing.F) {
	for _, s := range []string{"=?utf-8?q?J=C3=B6rg?= =?iso-8859-1?b?6Q=?= x", "=?a?b?=", "caf\xe9\r\n x", "Re: [a] [Fwd: b] (fwd)", "=?iso-2022-jp?B?GyRC?="} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		text := DecodeText(raw)
		if !utf8.ValidString(text) {
			t.Fatalf("%q: not UTF-8", text)
		}
		folded := Fold(text)
		if !utf8.ValidString(folded) || Fold(strings.ToUpper(folded)) == "" && strings.TrimSpace(folded) != "" {
			t.Fatalf("%q folds to %q", text, folded)
		}
		base, _ := BaseSubject(text)
		if len(base) > len(text) {
			t.Fatalf("%q has the base %q", text, base)
		}
	})
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"Thu, 22 Aug 2002 18:26:25 +0700 (ICT)", "2002-08-22T18:26:25.1Z", "Thu Aug 22 18.26.25 PDT 2002", "1-jan-70 12:00PM +1:2", "2--2@"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		d, ok := ParseDate(raw)
		if _, zone := d.Zone(); ok && (d.Year() < 1 || d.Year() > 9999+1 || zone > 25*3600 || zone < -25*3600) {
			t.Fatalf("%q is %v", raw, d)
		}
	})
}

func FuzzCanonical(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s, uint16(1))
	}
	f.Fuzz(checkCanonical)
}

func checkCanonical(t *testing.T, msg []byte, cut uint16) {
	got := canonical(t, msg, 1+int(cut))
	if whole := canonical(t, msg, len(msg)+1); got != whole {
		t.Fatalf("in pieces of %d: %q\nwhole: %q", 1+int(cut), got, whole)
	}
	for i := range got {
		if got[i] == '\n' && (i == 0 || got[i-1] != '\r') {
			t.Fatalf("LF without CR at %d of %q", i, got)
		}
	}
	kept := canonical(t, msg, 1+int(cut), KeepBinary())
	if strings.ReplaceAll(kept, "\r\n", "\n") != strings.ReplaceAll(string(msg), "\r\n", "\n") {
		t.Fatalf("more than line ends changed: %q", kept)
	}
	s := Parse([]byte(got))
	checkStructure(t, []byte(got), s)
	checkNoBinary(t, kept, got, s)
}

// checkNoBinary holds that nothing binary is left, and that a message without
// it was not changed but in its line ends.
func checkNoBinary(t *testing.T, kept, got string, s *Structure) {
	before := Parse([]byte(kept))
	hadBinary := false
	for _, p := range before.Parts {
		hadBinary = hadBinary || p.Encoding == EncodingBinary
	}
	if !hadBinary && got != kept {
		t.Fatalf("changed without need:\n%q\n%q", kept, got)
	}
	for i, p := range s.Parts {
		if p.Encoding == EncodingBinary {
			t.Fatalf("part %d of %q is binary", i, got)
		}
	}
	if before.Parts[0].Kind == KindLeaf && before.Parts[0].Encoding == EncodingBinary && s.Parts[0].Encoding == EncodingBase64 {
		if _, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(got[s.HeaderSize:], "\r\n", "")); err != nil {
			t.Fatalf("%q: %v", got, err)
		}
	}
}
