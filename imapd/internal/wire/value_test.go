package wire

import (
	"bufio"
	"bytes"
	"strings"
	"testing"
)

func TestValue(t *testing.T) {
	for line, want := range map[string]string{
		`NIL`: "none", `"a b"`: "a b", "{2+}\r\nxy": "xy", "~{3+}\r\na\x00b": "a\x00b", `""`: "",
		"{3+}\r\na\x00b": "bad", `~"x"`: "bad", `atom`: "bad", "~{99999999+}\r\n": "bad",
	} {
		d := NewDecoder(bufio.NewReader(strings.NewReader(line+"\r\n")), UserLimits(1000), func() error { return nil })
		if err := d.Begin(); err != nil {
			t.Fatal(err)
		}
		got, ok := d.Value()
		switch {
		case d.Err() != nil:
			got = "bad"
		case !ok:
			got = "none"
		}
		if got != want {
			t.Errorf("%q was read as %q, want %q", line, got, want)
		}
	}
}

// FuzzValue: what the encoder writes is read as it was.
func FuzzValue(f *testing.F) {
	for _, s := range []string{"", "a", "a\x00b", "\"\\", "\r\n", "\xff", "NIL"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 60<<10 {
			return
		}
		var out bytes.Buffer
		e := NewEncoder(&out)
		e.Value(s).CRLF()
		if err := e.Flush(); err != nil {
			t.Fatal(err)
		}
		d := NewDecoder(bufio.NewReader(&out), UserLimits(1000), func() error { return nil })
		if err := d.Begin(); err != nil {
			t.Fatal(err)
		}
		if got, ok := d.Value(); !ok || got != s || d.EOL() != nil {
			t.Fatalf("%q came back as %q (%v)", s, got, d.Err())
		}
	})
}
