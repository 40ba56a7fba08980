package wire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
)

// decode prepares a decoder in the middle of a command; the count of
// continuation requests is in *plus.
func decode(t testing.TB, in string, lim Limits) (d *Decoder, plus *int) {
	t.Helper()
	plus = new(int)
	d = NewDecoder(bufio.NewReaderSize(strings.NewReader(in), 64), lim, func() error {
		*plus++
		return nil
	})
	if err := d.Begin(); err != nil {
		t.Fatalf("Begin: %v", err)
	}
	return d, plus
}

func TestTokens(t *testing.T) {
	astring := func(d *Decoder) any { return d.Astring() }
	mailbox := func(d *Decoder) any { return d.Mailbox() }
	tests := []struct {
		name string
		in   string
		read func(*Decoder) any
		want any // nil: BAD
	}{
		{"atom", "abc+d", func(d *Decoder) any { return d.Atom() }, "abc+d"},
		{"atom stops at bracket", "a]", func(d *Decoder) any { return d.Atom() }, nil},
		{"astring takes bracket", "a]b", astring, "a]b"},
		{"quoted", `"a \"b\\ c"`, astring, `a "b\ c`},
		{"empty quoted", `""`, astring, ""},
		{"quoted with bad escape", `"\n"`, astring, nil},
		{"quoted without end", `"abc`, astring, nil},
		{"quoted UTF-8", "\"caf\xc3\xa9\"", astring, "café"},
		{"quoted Latin-1", "\"caf\xe9\"", astring, nil},
		{"quoted NUL", "\"a\x00\"", astring, nil},
		{"literal", "{3}\r\na\r\n", astring, "a\r\n"},
		{"literal 8-bit", "{2+}\r\n\xc3\xa9", astring, "é"},
		{"literal NUL", "{2+}\r\na\x00", astring, nil},
		{"literal of nothing", "{0}\r\n", astring, ""},
		{"literal, bare LF", "{1}\nx", astring, "x"},
		{"literal without size", "{}", astring, nil},
		{"nstring", "nil", func(d *Decoder) any { s, ok := d.NString(); return []any{s, ok} }, []any{"", false}},
		{"nstring text", `"nil"`, func(d *Decoder) any { s, ok := d.NString(); return []any{s, ok} }, []any{"nil", true}},
		{"keyword", "body.peek", func(d *Decoder) any { return d.Keyword() }, "BODY.PEEK"},
		{"number", "4294967295", func(d *Decoder) any { return d.Number() }, uint32(4294967295)},
		{"number too large", "4294967296", func(d *Decoder) any { return d.Number() }, nil},
		{"number of many digits", strings.Repeat("9", 99), func(d *Decoder) any { return d.Number() }, nil},
		{"number zero", "0", func(d *Decoder) any { return d.NzNumber() }, nil},
		{"modseq", "9223372036854775807", func(d *Decoder) any { return d.ModSeq() }, uint64(1<<63 - 1)},
		{"modseq too large", "9223372036854775808", func(d *Decoder) any { return d.ModSeq() }, nil},
		{"flags", `(\Seen $Junk NonJunk)`, func(d *Decoder) any { return d.Flags() }, []string{`\Seen`, "$Junk", "NonJunk"}},
		{"no flags", `()`, func(d *Decoder) any { return d.Flags() }, []string{}},
		{"flags, space at end", `(\Seen )`, func(d *Decoder) any { return d.Flags() }, nil},
		{"flag star", `(\*)`, func(d *Decoder) any { return d.Flags() }, nil},
		{"mailbox", `Entw&APw-rfe`, mailbox, "Entwürfe"},
		{"mailbox inbox", `iNbOx`, mailbox, "INBOX"},
		{"mailbox under inbox", `inbox/a`, mailbox, "INBOX/a"},
		{"mailbox not inbox", `inboxes`, mailbox, "inboxes"},
		{"mailbox not utf-7", `a&b`, mailbox, nil},
		{"mailbox UTF-8", "{6+}\r\n\xc3\xa9 & x", mailbox, "é & x"},
		{"mailbox UTF-8 with UTF-7's &", "\"\xc3\xa9&-\"", mailbox, "é&"},
		{"mailbox Latin-1", "{2+}\r\n\xe9x", mailbox, nil},
		{"pattern", `a*%]b`, func(d *Decoder) any { return d.ListMailbox() }, "a*%]b"},
		{"empty pattern", `""`, func(d *Decoder) any { return d.ListMailbox() }, ""},
		{"date", `1-feb-1994`, func(d *Decoder) any { return d.Date().Format("2006-01-02") }, "1994-02-01"},
		{"date quoted", `"29-Feb-2000"`, func(d *Decoder) any { return d.Date().Format("2006-01-02") }, "2000-02-29"},
		{"no such date", `30-Feb-2000`, func(d *Decoder) any { return d.Date() }, nil},
		{"date-time", `" 1-Jul-2024 23:59:58 -0730"`, func(d *Decoder) any { return d.DateTime().Format("2006-01-02T15:04:05Z0700") }, "2024-07-01T23:59:58-0730"},
		{"date-time hour", `"01-Jul-2024 24:00:00 +0000"`, func(d *Decoder) any { return d.DateTime() }, nil},
		{"set", `5,1:3,4,10:8`, func(d *Decoder) any { return d.Set().Nums.String() }, "1:5,8:10"},
		{"set star", `7:*,*`, func(d *Decoder) any { return d.Set() }, Set{From: 7}},
		{"set saved", `$`, func(d *Decoder) any { return d.Set() }, Set{Saved: true}},
		{"set zero", `0:5`, func(d *Decoder) any { return d.Set() }, nil},
		{"set without end", `1,`, func(d *Decoder) any { return d.Set() }, nil},
		{"section", `[]`, func(d *Decoder) any { return d.Section() }, Section{}},
		{"section part", `[1.22]`, func(d *Decoder) any { return d.Section() }, Section{Path: []uint32{1, 22}}},
		{"section mime", `[3.mime]`, func(d *Decoder) any { return d.Section() }, Section{Path: []uint32{3}, Kind: SectionMIME}},
		{"section fields", `[2.HEADER.FIELDS.NOT (To "From")]`, func(d *Decoder) any { return d.Section() },
			Section{Path: []uint32{2}, Kind: SectionFieldsNot, Fields: []string{"To", "From"}}},
		{"section mime of root", `[MIME]`, func(d *Decoder) any { return d.Section() }, nil},
		{"section without fields", `[HEADER.FIELDS ()]`, func(d *Decoder) any { return d.Section() }, nil},
		{"section dot", `[1.]`, func(d *Decoder) any { return d.Section() }, nil},
		{"section part zero", `[0]`, func(d *Decoder) any { return d.Section() }, nil},
		{"partial", `<1.9223372036854775807>`, func(d *Decoder) any { p, _ := d.TryPartial(); return p }, Partial{1, 1<<63 - 1}},
		{"partial of nothing", `<1.0>`, func(d *Decoder) any { p, _ := d.TryPartial(); return p }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, _ := decode(t, tt.in+"\r\nNEXT\r\n", UserLimits(1<<20))
			got := tt.read(d)
			err := d.EOL()
			if tt.want == nil {
				var bad *Error
				if !errors.As(err, &bad) || bad.Reason == "" {
					t.Fatalf("read %#v, error %v; want BAD with a reason", got, err)
				}
			} else if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Fatalf("read %#v, error %v; want %#v", got, err, tt.want)
			}
			if err := d.Skip(); err != nil {
				t.Fatalf("Skip: %v", err)
			}
			if err := d.Begin(); err != nil {
				t.Fatalf("next command: %v", err)
			}
			if next := d.Atom(); next != "NEXT" {
				t.Fatalf("next command starts with %q: %v", next, d.Err())
			}
		})
	}
}

func TestUTF8Mode(t *testing.T) {
	d, _ := decode(t, "\"caf\xc3\xa9&\" \"\xff\"\r\n", UserLimits(0))
	d.UTF8 = true
	if got := d.Mailbox(); got != "café&" {
		t.Errorf("mailbox %q: %v", got, d.Err())
	}
	d.SP()
	if s := d.String(); d.Err() == nil {
		t.Errorf("a quoted string that is not UTF-8 was accepted: %q", s)
	}
}

func TestPartialNeverOverflows(t *testing.T) {
	off, n := Partial{Offset: 5, Count: 1<<63 - 1}.Clip(10)
	if off != 5 || n != 5 {
		t.Errorf("clip to %d+%d, want 5+5", off, n)
	}
	if off, n = (Partial{Offset: 1<<63 - 1, Count: 1<<63 - 1}).Clip(10); off != 10 || n != 0 {
		t.Errorf("clip beyond the end to %d+%d, want 10+0", off, n)
	}
}

// TestRefusedLiterals proves that bytes of a refused literal never run.
func TestRefusedLiterals(t *testing.T) {
	lim := UserLimits(100)
	lim.Literal = 10
	lim.Drain = 1000
	tests := []struct {
		name string
		in   string
		plus int
	}{
		{"sync", "X {20}\r\n", 0},
		{"non-sync", "X {20+}\r\nA LOGOUT\r\nB LOGOUT\r\n tail {3+}\r\nxyz end\r\n", 0},
		{"bad word before it", "* {4+}\r\nA B\n\r\n", 0},
		{"literal8", "X ~{4+}\r\nA B\n\r\n", 0},
		{"in an unterminated quote", "X \"{4+}\r\nA B\n\r\n", 0},
		{"two", "X {2}\r\nab {99+}\r\n" + strings.Repeat("\n", 99) + "\r\n", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, plus := decode(t, tt.in+"NEXT\r\n", lim)
			d.Atom()
			for d.TrySP() {
				d.Astring()
			}
			if d.EOL() == nil {
				t.Fatal("accepted")
			}
			if err := d.Skip(); err != nil {
				t.Fatalf("Skip: %v", err)
			}
			if *plus != tt.plus {
				t.Errorf("%d continuation requests, want %d", *plus, tt.plus)
			}
			if err := d.Begin(); err != nil {
				t.Fatal(err)
			}
			if got := d.Atom(); got != "NEXT" {
				t.Errorf("ran %q as a command", got)
			}
		})
	}
}

// TestLimits hits each limit by one and passes each at its figure.
func TestLimits(t *testing.T) {
	lim := Limits{Line: 40, Literal: 20, Command: 60, Literals: 2, Nesting: 3, Ranges: 3, SASL: 30, Message: 50, Drain: 500}
	words := func(d *Decoder) {
		for d.Astring(); d.TrySP(); {
			d.Astring()
		}
	}
	var nest func(d *Decoder)
	nest = func(d *Decoder) { d.List(func() { nest(d) }) }
	set := func(d *Decoder) { d.Set() }
	tests := []struct {
		name  string
		in    string
		read  func(*Decoder)
		limit bool
	}{
		{"line at limit", strings.Repeat("x", 39), words, false},
		{"line over", strings.Repeat("x", 40), words, true},
		{"line far over", strings.Repeat("x", 60), words, true},
		{"literal at limit", "{20}\r\n" + strings.Repeat("x", 20), words, false},
		{"literal over", "{21}", words, true},
		{"literal huge", "{9999999999999999999999999999}", words, true},
		{"command over", "{20}\r\n" + strings.Repeat("x", 20) + " {20}\r\n" + strings.Repeat("x", 20) + " yyyyyyyyyyy", words, true},
		{"command over by a literal", "aaaaaaaaaaaaaaaa {20}\r\n" + strings.Repeat("x", 20) + " {20}", words, true},
		{"literals at limit", "{1}\r\nx {1}\r\nx", words, false},
		{"literals over", "{1}\r\nx {1}\r\nx {1}", words, true},
		{"nesting at limit", "((()))", nest, false},
		{"nesting over", "(((())))", nest, true},
		{"ranges at limit", "1,3,5", set, false},
		{"ranges merged", "1,2,3,4,6,5,9", set, false},
		{"ranges over", "1,3,5,7", set, true},
		{"ranges far over", "1,3,5,7,9,11,13,15", set, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, _ := decode(t, tt.in+"\r\nNEXT\r\n", lim)
			tt.read(d)
			err := d.EOL()
			var bad *Error
			hit := errors.As(err, &bad) && bad.Limit
			if hit != tt.limit || (err != nil) != tt.limit {
				t.Fatalf("limit hit %v (%v), want %v", hit, err, tt.limit)
			}
			if err := d.Skip(); err != nil {
				t.Fatalf("Skip: %v", err)
			}
			if err := d.Begin(); err != nil || d.Atom() != "NEXT" {
				t.Fatalf("the next command was not found: %v %v", err, d.Err())
			}
		})
	}
}

func TestSASLHasItsOwnLimit(t *testing.T) {
	lim := Limits{Line: 20, SASL: 30, Command: 20, Drain: 500}
	for n, want := range map[int]bool{10: true, 27: true, 40: false} {
		d, _ := decode(t, "AUTH "+strings.Repeat("x", n)+"\r\n", lim)
		d.Atom()
		s, ok := d.TrySASL()
		if err := d.EOL(); (err == nil) != want || (want && (!ok || len(s) != n)) {
			t.Errorf("%d bytes of SASL: %v, want accepted %v", n, err, want)
		}
	}
}

func TestFloodEndsTheConnection(t *testing.T) {
	lim := Limits{Line: 10, Literal: 10, Drain: 100}
	for _, in := range []string{
		"X {101+}\r\n",
		"X {99999999999999999999+}\r\n",
		"X {9999999999999999999999999999999999999999+}\r\n",
		"X " + strings.Repeat("y", 200) + "\r\n",
		strings.Repeat("{50+}\r\n"+strings.Repeat("z", 50), 3) + "\r\n",
	} {
		d, _ := decode(t, in+strings.Repeat("a", 1000), lim)
		d.Atom()
		d.SP()
		d.Number()
		if err := d.Skip(); !errors.Is(err, ErrFlood) {
			t.Errorf("%.20q: Skip gave %v, want ErrFlood", in, err)
		}
	}
}

func TestMessage(t *testing.T) {
	body := strings.Repeat("mail\r\n", 20)
	in := "INBOX {120}\r\n" + body + " {121}\r\n" + "NEXT\r\n"
	d, plus := decode(t, in, UserLimits(120))
	d.Mailbox()
	d.SP()
	m := d.Message()
	if m.Size != 120 || m.TooBig || *plus != 0 {
		t.Fatalf("header %+v after %d continuations: %v", m, *plus, d.Err())
	}
	r, err := m.Accept()
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil || string(got) != body || *plus != 1 {
		t.Fatalf("read %q, %v, %d continuations", got, err, *plus)
	}
	d.SP()
	if m = d.Message(); !m.TooBig || d.Err() != nil {
		t.Fatalf("too big: %v, error %v", m.TooBig, d.Err())
	}
	if err := d.Skip(); err != nil {
		t.Fatal(err)
	}
	if d.Begin() != nil || d.Atom() != "NEXT" {
		t.Error("the next command was not found")
	}
}

// TestMessageLeftUnread: what a handler leaves of an accepted message never
// runs, and a refused {n+} message neither.
func TestMessageLeftUnread(t *testing.T) {
	for _, in := range []string{
		"INBOX {20}\r\n0123456789 LOGOUT\r\n \r\nNEXT\r\n",
		"INBOX ~{20+}\r\n0123456789 LOGOUT\r\n {3+}\r\nabc\r\nNEXT\r\n",
	} {
		d, _ := decode(t, in, UserLimits(100))
		d.Mailbox()
		d.SP()
		m := d.Message()
		r, err := m.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(r, make([]byte, 5)); err != nil {
			t.Fatal(err)
		}
		if err := d.Skip(); err != nil {
			t.Fatal(err)
		}
		if d.Begin() != nil || d.Atom() != "NEXT" {
			t.Errorf("%q: the next command was not found", in)
		}
	}
}

func TestConnectionEnds(t *testing.T) {
	d, _ := decode(t, "X {10}\r\nabc", UserLimits(0))
	d.Atom()
	d.SP()
	d.Astring()
	if err := d.EOL(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v, want io.ErrUnexpectedEOF", err)
	}
	d = NewDecoder(bufio.NewReader(strings.NewReader("")), UserLimits(0), nil)
	if err := d.Begin(); err != io.EOF {
		t.Errorf("between commands: %v, want io.EOF", err)
	}
}

func TestRawLine(t *testing.T) {
	d := NewDecoder(bufio.NewReader(strings.NewReader("DONE\r\n12345\n123456\r\nnext\r\n")), UserLimits(0), nil)
	for _, want := range []string{"DONE", "12345"} {
		if got, err := d.RawLine(5); got != want || err != nil {
			t.Errorf("line %q, %v; want %q", got, err, want)
		}
	}
	var bad *Error
	if _, err := d.RawLine(5); !errors.As(err, &bad) || !bad.Limit {
		t.Errorf("long line: %v", err)
	}
	if got, _ := d.RawLine(5); got != "next" {
		t.Errorf("after the long line came %q", got)
	}
}

// FuzzDecoder runs pieces of the grammar over any bytes: whatever comes, the
// decoder ends each command, and its memory stays within its limits.
func FuzzDecoder(f *testing.F) {
	for _, s := range []string{
		"a1 LOGIN {5}\r\nalice {3+}\r\nabc\r\n",
		"a FETCH 1:*,5,10:7 (FLAGS BODY.PEEK[1.2.HEADER.FIELDS (A B)]<0.10>)\r\n",
		`a APPEND "x" (\Seen) " 1-Jul-2024 23:59:58 -0730" ~{4+}` + "\r\nabcd\r\n",
		"a SEARCH (OR (SINCE 1-Jan-2020) NOT (TEXT \"x\"))\r\n",
		"a {99999999999999999999+}\r\n", "\r\n", "a LIST \"\" (%* &AOQ-)\r\n",
		"a CREATE \"\u00e9 & b\"\r\n", "a RENAME \"\xe9\" &-\r\n", "a APPEND x {41+}\r\n",
	} {
		f.Add([]byte(s), byte(3))
	}
	lim := Limits{Line: 200, Literal: 50, Command: 300, Literals: 4, Nesting: 8, Ranges: 10, SASL: 60, Message: 80, Drain: 400}
	short := lim
	short.Unasked = 40
	f.Fuzz(func(t *testing.T, in []byte, pick byte) {
		r := bufio.NewReader(bytes.NewReader(in))
		d := NewDecoder(r, lim, func() error { return nil })
		if d.UTF8 = pick%2 == 1; d.UTF8 {
			d.SetLimits(short)
		}
		for range 1 + len(in) {
			if d.Begin() != nil {
				return
			}
			d.Tag()
			d.SP()
			d.Keyword()
			for d.TrySP() {
				fuzzToken(t, d, pick, lim)
				pick = pick*7 + 3
			}
			_ = d.EOL()
			if d.Skip() != nil {
				return
			}
		}
		t.Fatal("more commands than bytes")
	})
}

func fuzzToken(t *testing.T, d *Decoder, pick byte, lim Limits) {
	if d.Next() == '(' {
		d.List(func() { fuzzToken(t, d, pick, lim) })
		return
	}
	switch pick % 12 {
	case 0:
		if s := d.Astring(); int64(len(s)) > max(lim.Line, lim.Literal) {
			t.Fatalf("a string of %d bytes", len(s))
		}
	case 1:
		d.NString()
	case 2:
		if s := d.Set(); len(s.Nums) > lim.Ranges {
			t.Fatalf("%d ranges", len(s.Nums))
		}
	case 3:
		d.Section()
		if p, ok := d.TryPartial(); ok {
			if off, n := p.Clip(100); off < 0 || n < 0 || off+n > 100 {
				t.Fatalf("%+v clips to %d+%d", p, off, n)
			}
		}
	case 4:
		d.Date()
	case 5:
		d.DateTime()
	case 6:
		d.Mailbox()
	case 7:
		d.ListMailbox()
	case 8:
		d.Flag()
	case 9:
		m := d.Message()
		if d.Err() == nil && !m.TooBig {
			if r, err := m.Accept(); err == nil && pick&64 == 0 {
				n, _ := io.Copy(io.Discard, r)
				if d.Err() == nil && n != m.Size {
					t.Fatalf("message of %d bytes gave %d", m.Size, n)
				}
			}
		}
	case 10:
		d.ModSeq()
	case 11:
		d.TrySASL()
	}
}

// TestAhead: looking ahead takes nothing and stops at the end of the line.
func TestAhead(t *testing.T) {
	d, _ := decode(t, "PREVIEW (Lazy) x\r\n", UserLimits(0))
	_ = d.Keyword()
	for text, want := range map[string]bool{" (LAZY": true, " (lazy)": true, " (LAZX": false, "(": false, " (LAZY) x\r\n": true} {
		if got := d.Ahead(text); got != want {
			t.Errorf("%q is ahead: %v", text, got)
		}
	}
	client, server := net.Pipe()
	defer client.Close()
	go func() { _, _ = client.Write([]byte("NOOP\r\n")) }()
	d = NewDecoder(bufio.NewReader(server), UserLimits(0), nil)
	if err := d.Begin(); err != nil || d.Keyword() != "NOOP" || d.Ahead(" (LAZY") || d.EOL() != nil {
		t.Error("waited for more, or took something")
	}
}
