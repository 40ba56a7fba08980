package wire

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestUTF7(t *testing.T) {
	for _, tt := range []struct{ plain, coded string }{
		{"INBOX", "INBOX"},
		{"a&b", "a&-b"},
		{"Entwürfe", "Entw&APw-rfe"},
		{"~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"}, // RFC 3501 section 5.1.3
		{"😀", "&2D3eAA-"},
		{"a\tb", "a&AAk-b"},
	} {
		if got := EncodeUTF7(tt.plain); got != tt.coded {
			t.Errorf("%q coded is %q, want %q", tt.plain, got, tt.coded)
		}
		if got, err := DecodeUTF7(tt.coded); got != tt.plain || err != nil {
			t.Errorf("%q is %q, %v; want %q", tt.coded, got, err, tt.plain)
		}
	}
	for name, bad := range map[string]string{
		"no end":           "&AOQ",
		"ASCII coded":      "&AGEAYg-",
		"two in a row":     "&U,A-&U,A-",
		"half a character": "&AO-",
		"lone surrogate":   "&2D0-",
		"8-bit":            "\xc3\xa9",
		"slash":            "&U/BTFw-",
		"padding":          "&AOQ=-",
		"stray bits":       "&AOR-",
	} {
		if got, err := DecodeUTF7(bad); err == nil {
			t.Errorf("%s: %q was read as %q", name, bad, got)
		}
	}
}

func FuzzUTF7(f *testing.F) {
	f.Add("a&-b&U,BTFw-")
	f.Add("日本語😀&")
	f.Fuzz(func(t *testing.T, s string) {
		if name, err := DecodeUTF7(s); err == nil {
			if !utf8.ValidString(name) || EncodeUTF7(name) != s {
				t.Fatalf("%q decodes to %q, which codes to %q", s, name, EncodeUTF7(name))
			}
		}
		if !utf8.ValidString(s) {
			return
		}
		if name, err := DecodeUTF7(EncodeUTF7(s)); err != nil || name != s {
			t.Fatalf("%q came back as %q: %v", s, name, err)
		}
	})
}

func TestPattern(t *testing.T) {
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{"*", "a/b", true}, {"%", "a", true}, {"%", "a/b", false}, {"", "", true}, {"", "a", false},
		{"a/%", "a/b", true}, {"a/%", "a/b/c", false}, {"a/%", "a", false}, {"a%", "a", true},
		{"a*c", "a/b/c", true}, {"a*c", "abd", false}, {"*%", "a/b", true}, {"%*", "a/b", true},
		{"%/%", "a/b", true}, {"%/%", "a", false}, {"*b%d", "abcbc/d", false}, {"*b%d", "ab/bcd", true},
		{"inbox", "INBOX", true}, {"InBoX*", "INBOX/x", true}, {"inbox%", "INBOX", true}, {"inboxes", "INBOXes", false},
		{"%ü", "grü", true}, {"a**b", "axb", true}, {"INBOX", "inbo", false},
	} {
		if got := NewPattern(tt.pattern).Match(tt.name); got != tt.want {
			t.Errorf("%q matches %q: %v, want %v", tt.pattern, tt.name, got, tt.want)
		}
	}
}

// TestPatternTime: a pattern made to back-track takes no time to speak of.
func TestPatternTime(t *testing.T) {
	start := time.Now()
	p := NewPattern(strings.Repeat("*a", 200) + "b")
	if p.Match(strings.Repeat("a", 1000)) {
		t.Error("matched")
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("took %v", took)
	}
}

// matchSlow is the definition, by recursion.
func matchSlow(p, s string) bool {
	switch {
	case p == "":
		return s == ""
	case isWild(p[0]):
		return matchSlow(p[1:], s) || (s != "" && (p[0] == '*' || s[0] != Separator) && matchSlow(p, s[1:]))
	}
	return s != "" && p[0] == s[0] && matchSlow(p[1:], s[1:])
}

func FuzzPattern(f *testing.F) {
	f.Add("a%/*b", "ac/d/b")
	f.Add("%*%", "///")
	f.Fuzz(func(t *testing.T, p, s string) {
		got := NewPattern(p).Match(s)
		if len(p) > 8 || len(s) > 12 || strings.EqualFold(p[:min(len(p), 5)], "INBOX") {
			return
		}
		if want := matchSlow(p, s); got != want {
			t.Fatalf("%q matches %q: %v, want %v", p, s, got, want)
		}
	})
}
