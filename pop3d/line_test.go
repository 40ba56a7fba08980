package pop3d

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestScanLine(t *testing.T) {
	long := strings.Repeat("x", 5000)
	r := bufio.NewReaderSize(strings.NewReader("NOOP\r\n\nLIST 1\n"+long+"\r\nSTAT\r\nrest"), 16)
	want := []struct {
		line string
		err  error
	}{{"NOOP", nil}, {"", nil}, {"LIST 1", nil}, {"", errLong}, {"STAT", nil}, {"", io.EOF}}
	for _, w := range want {
		line, err := scanLine(r, 512)
		if string(line) != w.line || !errors.Is(err, w.err) {
			t.Errorf("got %q, %v; want %q, %v", line, err, w.line, w.err)
		}
	}
}

func TestScanLineLimit(t *testing.T) {
	for _, buffer := range []int{16, 512, 4096} {
		for n := 500; n < 520; n++ {
			r := bufio.NewReaderSize(strings.NewReader(strings.Repeat("x", n-2)+"\r\n"), buffer)
			line, err := scanLine(r, 512)
			if ok := err == nil && len(line) == n-2; ok != (n <= 512) {
				t.Errorf("%d octets through a buffer of %d: line of %d, %v", n, buffer, len(line), err)
			}
		}
	}
}

func TestScanLineEndless(t *testing.T) {
	r := bufio.NewReaderSize(neverEnding{}, readBuffer)
	if _, err := scanLine(r, 512); !errors.Is(err, errEndless) {
		t.Errorf("got %v, want errEndless", err)
	}
}

type neverEnding struct{}

func (neverEnding) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestParseArgs(t *testing.T) {
	tests := []struct {
		kind          argsKind
		text          string
		number, lines int
		problem       string
	}{
		{noArgs, "", 0, 0, ""},
		{noArgs, "1", 0, 0, "too many"},
		{anyText, "", 0, 0, "missing"},
		{anyText, " two  words ", 0, 0, ""},
		{oneNumber, "", 0, 0, "missing"},
		{oneNumber, "1", 1, 0, ""},
		{oneNumber, "007", 7, 0, ""},
		{oneNumber, "0", 0, 0, "from 1 on"},
		{oneNumber, "-1", 0, 0, "from 1 on"},
		{oneNumber, "+1", 0, 0, "from 1 on"},
		{oneNumber, "1.5", 0, 0, "from 1 on"},
		{oneNumber, "0x1", 0, 0, "from 1 on"},
		{oneNumber, "one", 0, 0, "from 1 on"},
		{oneNumber, "1 2", 0, 0, "too many"},
		{oneNumber, "4294967297", maxNumber, 0, ""},
		{oneNumber, "99999999999999999999999999", maxNumber, 0, ""},
		{maybeNumber, "", 0, 0, ""},
		{maybeNumber, "3", 3, 0, ""},
		{numberAndTop, "1", 0, 0, "missing"},
		{numberAndTop, "1 0", 1, 0, ""},
		{numberAndTop, "2 99999999999999999999", 2, maxNumber, ""},
		{numberAndTop, "1 -1", 0, 0, "from 0 on"},
		{numberAndTop, "1 1 1", 0, 0, "too many"},
	}
	for _, tt := range tests {
		a, problem := parseArgs(tt.kind, tt.text)
		if tt.problem == "" && (problem != "" || a.number != tt.number || a.lines != tt.lines) ||
			tt.problem != "" && !strings.Contains(problem, tt.problem) {
			t.Errorf("%d %q: %+v, %q", tt.kind, tt.text, a, problem)
		}
	}
}

// FuzzLine: no line makes the parsers panic, no command has other octets than
// printable ASCII, and numbers are what they look like.
func FuzzLine(f *testing.F) {
	for _, seed := range []string{"RETR 1\r\n", "TOP 1 0\r\n", "PASS  a b \r\n", "\x00\r\n", "LIST 99999999999999999999\n", "AUTH PLAIN =\r\n", " \r\n"} {
		f.Add([]byte(seed), false)
	}
	f.Add([]byte("USER j\u00fcrgen+\u00e4&AOQ-\r\nLANG de-AT\r\nPASS \xff\r\n"), true)
	f.Fuzz(func(t *testing.T, input []byte, beyond bool) {
		r := bufio.NewReaderSize(bytes.NewReader(input), 16)
		for {
			line, err := scanLine(r, lineMax)
			if errors.Is(err, errLong) {
				continue
			}
			if err != nil {
				return
			}
			if len(line) >= lineMax || bytes.IndexByte(line, '\n') >= 0 {
				t.Fatalf("line %q", line)
			}
			name, text, problem := parseLine(line, beyond)
			if problem == "" && (len(name)+len(text) > len(line)+utf8.UTFMax*len(line) || !utf8.ValidString(text)) {
				t.Fatalf("%q became %q and %q", line, name, text)
			}
			if problem == "" && !beyond && strings.ContainsFunc(string(line), func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Fatalf("%q was taken", line)
			}
			if decoded := decodeName(text); !utf8.ValidString(decoded) && utf8.ValidString(text) {
				t.Fatalf("%q is decoded as %q", text, decoded)
			}
			for kind := noArgs; kind <= numberAndTop; kind++ {
				a, problem := parseArgs(kind, text)
				if a.number < 0 || a.lines < 0 || problem == "" && (kind == oneNumber || kind == numberAndTop) && a.number < 1 {
					t.Fatalf("%q gave %+v", text, a)
				}
			}
		}
	})
}
