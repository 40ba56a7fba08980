package lmtpd

import (
	"strings"
	"testing"
)

func TestParsePath(t *testing.T) {
	tests := []struct {
		text          string
		ok            bool
		local, domain string
		params        string
	}{
		{"FROM:<>", true, "", "", ""},
		{"from:<a@b.c>", true, "a", "b.c", ""},
		{"FROM: <a@b.c>  SIZE=1 BODY=8BITMIME", true, "a", "b.c", "SIZE=1 BODY=8BITMIME"},
		{"FROM:<@x,@y:a@b.c>", true, "a", "b.c", ""},
		{"FROM:<Postmaster>", true, "Postmaster", "", ""},
		{"FROM:<a+lists@b.c>", true, "a+lists", "b.c", ""},
		{`FROM:<"a b"@c>`, true, "a b", "c", ""},
		{`FROM:<"a\"@>b"@c> SIZE=2`, true, `a"@>b`, "c", "SIZE=2"},
		{"FROM:<jürgen@bücher.example>", true, "jürgen", "bücher.example", ""},
		{"FROM:<a@[127.0.0.1]>", true, "a", "[127.0.0.1]", ""},
		{"TO:<a@b>", false, "", "", ""},
		{"FROM:a@b", false, "", "", ""},
		{"FROM:<a@b", false, "", "", ""},
		{"FROM:<a@b>x", false, "", "", ""},
		{"FROM:<a b@c>", false, "", "", ""},
		{"FROM:<a@b c>", false, "", "", ""},
		{"FROM:<a@b@c>", false, "", "", ""},
		{"FROM:<a@>", false, "", "", ""},
		{"FROM:<@b>", false, "", "", ""},
		{"FROM:<@b:>", false, "", "", ""},
		{`FROM:<"a@b>`, false, "", "", ""},
		{`FROM:<"a"b@c>`, false, "", "", ""},
		{`FROM:<""@c>`, false, "", "", ""},
		{"FROM:<a\xff@c>", false, "", "", ""},
		{"FROM:<" + strings.Repeat("a", 256) + "@c>", false, "", "", ""},
		{"FROM:", false, "", "", ""},
		{"", false, "", "", ""},
	}
	for _, tt := range tests {
		p, params, ok := parsePath(tt.text, "FROM:")
		if ok != tt.ok || ok && (p.local != tt.local || p.domain != tt.domain || strings.Join(params, " ") != tt.params) {
			t.Errorf("%q: %+v %q %v", tt.text, p, params, ok)
		}
	}
}

// FuzzPath: no argument makes the parser panic, and what it takes can stand in
// a header line.
func FuzzPath(f *testing.F) {
	for _, s := range []string{"TO:<a@b>", `TO:<"a\>"@b> X=1`, "TO:<@a:b@c>", "TO:<>", "TO:<\"\\", "TO:<ü@ü>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if hasControl(text) {
			return
		}
		p, _, ok := parsePath(text, "TO:")
		if !ok {
			return
		}
		if strings.ContainsAny(p.text, "\r\n\x00") || len(p.local) > maxLocal || len(p.domain) > maxDomain ||
			!strings.Contains(text, p.text) || (p.text == "") != (p.local == "") {
			t.Fatalf("%q gave %+v", text, p)
		}
	})
}
