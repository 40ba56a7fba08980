package message

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// crlf makes a message out of lines as a test writes them.
func crlf(s string) []byte {
	return []byte(strings.ReplaceAll(s, "\n", "\r\n"))
}

// checkStructure holds the properties that every structure has, whatever
// bytes it was read from.
func checkStructure(t testing.TB, msg []byte, s *Structure) {
	t.Helper()
	if s.Size != int64(len(msg)) {
		t.Fatalf("Size %d of a message of %d bytes", s.Size, len(msg))
	}
	checkParts(t, msg, s)
	if err := checkEnvelope(s.Envelope); err != nil {
		t.Fatalf("ENVELOPE %q: %v", s.Envelope, err)
	}
	if err := checkBody(s.BodyStructure, true); err != nil {
		t.Fatalf("BODYSTRUCTURE %q: %v", s.BodyStructure, err)
	}
	basic, err := BasicBody(s.BodyStructure)
	if err != nil {
		t.Fatalf("BasicBody(%q): %v", s.BodyStructure, err)
	}
	if err := checkBody(basic, false); err != nil {
		t.Fatalf("BODY %q: %v", basic, err)
	}
	if _, err := ParseEnvelope(s.Envelope); err != nil {
		t.Fatalf("ParseEnvelope(%q): %v", s.Envelope, err)
	}
	checkBinary(t, s)
	checkSections(t, msg, s)
}

func checkParts(t testing.TB, msg []byte, s *Structure) {
	t.Helper()
	lastEnd := map[int32]int64{} // of the last child of a part
	for i, p := range s.Parts {
		if p.HeaderOff > p.BodyOff || p.BodyOff > p.End || p.End > s.Size {
			t.Fatalf("part %d: offsets %+v", i, p)
		}
		if n := int64(bytes.Count(msg[p.BodyOff:p.End], newline)); n != p.Lines {
			t.Fatalf("part %d: %d lines, says %d", i, n, p.Lines)
		}
		if i == 0 {
			if p.Parent != -1 || p.HeaderOff != 0 || p.End != s.Size || p.BodyOff != s.HeaderSize {
				t.Fatalf("root %+v", p)
			}
			continue
		}
		around := s.Parts[p.Parent]
		if p.Parent >= int32(i) || p.HeaderOff < around.BodyOff || p.End > around.End || p.Depth != around.Depth+1 {
			t.Fatalf("part %d %+v outside its parent %+v", i, p, around)
		}
		if p.HeaderOff < lastEnd[p.Parent] {
			t.Fatalf("part %d %+v overlaps the one before it", i, p)
		}
		lastEnd[p.Parent] = p.End
		if around.Kind == KindLeaf || around.Kind == KindMessage && p.Parent != int32(i-1) {
			t.Fatalf("part %d has the parent %+v", i, around)
		}
	}
	for i, p := range s.Parts {
		if _, ok := lastEnd[int32(i)]; ok != (p.Kind != KindLeaf) {
			t.Fatalf("part %d of kind %d: has children: %v", i, p.Kind, ok)
		}
	}
}

func checkBinary(t testing.TB, s *Structure) {
	t.Helper()
	blob := s.AppendBinary([]byte("x"))[1:]
	back, err := Decode(blob)
	if err != nil {
		t.Fatalf("Decode: %v", err)
	}
	if !reflect.DeepEqual(s, back) {
		t.Fatalf("Decode gives\n%+v\nwant\n%+v", back, s)
	}
	env, err := EnvelopeOf(blob)
	if err != nil || !bytes.Equal(env, s.Envelope) {
		t.Fatalf("EnvelopeOf: %v", err)
	}
	bs, err := BodyStructureOf(blob)
	if err != nil || !bytes.Equal(bs, s.BodyStructure) {
		t.Fatalf("BodyStructureOf: %v", err)
	}
}

// checkSections asks for every part by its number.
func checkSections(t testing.TB, msg []byte, s *Structure) {
	t.Helper()
	const prefix = 7
	for i := range s.Parts {
		path, ok := partNumber(s, i)
		if !ok {
			continue
		}
		got, ok := s.Find(path)
		if !ok || got != i {
			t.Fatalf("Find(%v) = %d, %v; want %d", path, got, ok, i)
		}
		for kind := SectionAll; kind <= SectionMIME; kind++ {
			off, n, ok := s.Range(path, kind, prefix)
			if ok && (off < 0 || n < 0 || off+n > prefix+int64(len(msg))) {
				t.Fatalf("Range(%v, %d) = %d, %d", path, kind, off, n)
			}
		}
	}
}

// partNumber gives the IMAP part number of a part; roots of messages that are
// multiparts have none.
func partNumber(s *Structure, i int) ([]uint32, bool) {
	var path []uint32
	for i >= 0 {
		p := s.Parts[i]
		if p.Parent < 0 || s.Parts[p.Parent].Kind == KindMessage {
			if p.Kind != KindMultipart {
				path = append([]uint32{1}, path...)
			} else if len(path) == 0 {
				return nil, false
			}
			i = int(p.Parent)
			if i >= 0 && s.Parts[i].Parent < 0 || i >= 0 && s.Parts[s.Parts[i].Parent].Kind == KindMessage {
				continue
			}
			if i < 0 {
				return path, true
			}
			p = s.Parts[i]
		}
		if s.Parts[p.Parent].Kind == KindMultipart {
			n := uint32(0)
			for j := int(p.Parent) + 1; j <= i; j++ {
				if s.Parts[j].Parent == p.Parent {
					n++
				}
			}
			path = append([]uint32{n}, path...)
			i = int(p.Parent)
			if s.Parts[i].Parent < 0 {
				return path, true
			}
			if s.Parts[s.Parts[i].Parent].Kind == KindMessage {
				i = int(s.Parts[i].Parent)
			}
		}
	}
	return path, true
}

// grammar is a strict reader of what RFC 3501 section 9 calls envelope and
// body, apart from the code under test.
type grammar struct {
	b   []byte
	err error
}

func (g *grammar) fail(what string) {
	if g.err == nil {
		g.err = fmt.Errorf("%s expected at %.40q", what, g.b)
	}
	g.b = nil
}

func (g *grammar) lit(s string) {
	if !bytes.HasPrefix(g.b, []byte(s)) {
		g.fail(s)
		return
	}
	g.b = g.b[len(s):]
}

func (g *grammar) has(s string) bool { return bytes.HasPrefix(g.b, []byte(s)) }

func (g *grammar) number() {
	n := 0
	for n < len(g.b) && g.b[n] >= '0' && g.b[n] <= '9' {
		n++
	}
	if n == 0 {
		g.fail("number")
		return
	}
	g.b = g.b[n:]
}

func (g *grammar) nstring() string {
	if g.has("NIL") {
		g.lit("NIL")
		return ""
	}
	return g.str()
}

func (g *grammar) str() string {
	if g.has("{") {
		n := 0
		if _, err := fmt.Sscanf(string(g.b[:min(len(g.b), 20)]), "{%d}\r\n", &n); err != nil {
			g.fail("literal")
			return ""
		}
		g.b = g.b[bytes.IndexByte(g.b, '\n')+1:]
		if n > len(g.b) || bytes.ContainsAny(g.b[:n], "\r\n\x00") {
			g.fail("literal of one line")
			return ""
		}
		out := string(g.b[:n])
		g.b = g.b[n:]
		return out
	}
	g.lit(`"`)
	var out []byte
	for len(g.b) > 0 {
		c := g.b[0]
		g.b = g.b[1:]
		switch {
		case c == '"':
			return string(out)
		case c == '\\':
			if !g.has(`"`) && !g.has(`\`) {
				g.fail("quoted special")
				return ""
			}
			c = g.b[0]
			g.b = g.b[1:]
		case c >= 0x80 || c == '\r' || c == '\n' || c == 0:
			g.fail("TEXT-CHAR")
			return ""
		}
		out = append(out, c)
	}
	g.fail("closing quote")
	return ""
}

func checkEnvelope(b []byte) error {
	g := grammar{b: b}
	g.envelope()
	if g.err == nil && len(g.b) > 0 {
		g.fail("end")
	}
	return g.err
}

func (g *grammar) envelope() {
	g.lit("(")
	g.nstring()
	g.lit(" ")
	g.nstring()
	for range 6 {
		g.lit(" ")
		g.addresses()
	}
	g.lit(" ")
	g.nstring()
	g.lit(" ")
	g.nstring()
	g.lit(")")
}

func (g *grammar) addresses() {
	if g.has("NIL") {
		g.lit("NIL")
		return
	}
	g.lit("(")
	for first := true; first || g.has("("); first = false {
		g.lit("(")
		for i := range 4 {
			if i > 0 {
				g.lit(" ")
			}
			g.nstring()
		}
		g.lit(")")
		if g.err != nil {
			return
		}
	}
	g.lit(")")
}

func checkBody(b []byte, extended bool) error {
	g := grammar{b: b}
	g.body(extended)
	if g.err == nil && len(g.b) > 0 {
		g.fail("end")
	}
	return g.err
}

func (g *grammar) body(extended bool) {
	g.lit("(")
	if g.has("(") {
		for g.has("(") {
			g.body(extended)
		}
		g.lit(" ")
		g.str()
		if extended {
			g.lit(" ")
			g.params()
			g.extension()
		}
		g.lit(")")
		return
	}
	main := strings.ToLower(g.str())
	g.lit(" ")
	sub := strings.ToLower(g.str())
	g.lit(" ")
	g.params()
	for range 2 {
		g.lit(" ")
		g.nstring()
	}
	g.lit(" ")
	g.str()
	g.lit(" ")
	g.number()
	switch {
	case main == "message" && (sub == "rfc822" || sub == "global"):
		g.lit(" ")
		g.envelope()
		g.lit(" ")
		g.body(extended)
		g.lit(" ")
		g.number()
	case main == "text":
		g.lit(" ")
		g.number()
	}
	if extended {
		g.lit(" ")
		g.nstring()
		g.extension()
	}
	g.lit(")")
}

func (g *grammar) params() {
	if g.has("NIL") {
		g.lit("NIL")
		return
	}
	g.lit("(")
	g.str()
	g.lit(" ")
	g.str()
	for g.has(" ") {
		g.lit(" ")
		g.str()
		g.lit(" ")
		g.str()
	}
	g.lit(")")
}

// extension is disposition, language and location.
func (g *grammar) extension() {
	g.lit(" ")
	if g.has("(") {
		g.lit("(")
		g.str()
		g.lit(" ")
		g.params()
		g.lit(")")
	} else {
		g.lit("NIL")
	}
	g.lit(" ")
	if g.has("(") {
		g.lit("(")
		g.str()
		for g.has(" ") {
			g.lit(" ")
			g.str()
		}
		g.lit(")")
	} else {
		g.lit("NIL")
	}
	g.lit(" ")
	g.nstring()
}
