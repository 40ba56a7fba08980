package wire

import (
	"math/rand/v2"
	"slices"
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

// TestPatternTime: a pattern made to back-track takes no time to speak of, for
// as many names as an account may have.
func TestPatternTime(t *testing.T) {
	start := time.Now()
	p := NewPattern(strings.Repeat("*a", 300) + "b")
	name := strings.Repeat("a", 1000)
	for range 10_000 {
		if p.Match(name) {
			t.Fatal("matched")
		}
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

// TestLongPatterns compares patterns of more than a machine word with the
// definition, as a table over both texts.
func TestLongPatterns(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	text := func(letters string, n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = letters[r.IntN(len(letters))]
		}
		return string(b)
	}
	matched := 0
	for range 3000 {
		name := text("ab/", r.IntN(300))
		pattern := []byte(name) // so that many match
		for range r.IntN(20) {
			if i := r.IntN(len(pattern) + 1); i < len(pattern) {
				pattern = slices.Replace(pattern, i, min(len(pattern), i+r.IntN(5)), []byte(text("ab/*%*%", r.IntN(3)))...)
			}
		}
		p := string(pattern)
		want := matchTable(p, name)
		if want {
			matched++
		}
		if got := NewPattern(p).Match(name); got != want {
			t.Fatalf("%q matches %q: %v, want %v", p, name, got, want)
		}
	}
	if matched < 100 {
		t.Errorf("only %d matched", matched)
	}
}

// matchTable fills in, for each prefix of p, which prefixes of s it matches.
func matchTable(p, s string) bool {
	row := make([]bool, len(s)+1)
	row[0] = true
	for i := range len(p) {
		next := make([]bool, len(s)+1)
		next[0] = row[0] && isWild(p[i])
		for j := 1; j <= len(s); j++ {
			switch {
			case !isWild(p[i]):
				next[j] = row[j-1] && p[i] == s[j-1]
			default:
				next[j] = row[j] || next[j-1] && (p[i] == '*' || s[j-1] != Separator)
			}
		}
		row = next
	}
	return row[len(s)]
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
