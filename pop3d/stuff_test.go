package pop3d

import (
	"bufio"
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
)

// unstuff is what a client does with a multi-line response: it gives the text
// and how many octets it took.
func unstuff(t *testing.T, b []byte) []byte {
	t.Helper()
	var text []byte
	for {
		line, rest, ok := bytes.Cut(b, []byte("\n"))
		if !ok {
			t.Fatalf("no end in %q", b)
		}
		if string(line) == ".\r" {
			if len(rest) > 0 {
				t.Fatalf("ended before %q", rest)
			}
			return text
		}
		text = append(append(text, bytes.TrimPrefix(line, []byte("."))...), '\n')
		b = rest
	}
}

// pieces writes b to w in random pieces, until w has enough.
func pieces(t *testing.T, rnd *rand.Rand, w interface{ Write([]byte) (int, error) }, b []byte) {
	t.Helper()
	for len(b) > 0 {
		n := 1 + rnd.IntN(len(b))
		if _, err := w.Write(b[:n]); errors.Is(err, errTopEnd) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		b = b[n:]
	}
}

// randomText gives a text as the store has them: lines of odd characters that
// end in CRLF, the last one maybe not.
func randomText(rnd *rand.Rand) []byte {
	var b []byte
	for range rnd.IntN(12) {
		for range rnd.IntN(4) {
			b = append(b, "..\rx\x00"[rnd.IntN(5)])
		}
		b = append(b, "\r\n"...)
	}
	if rnd.IntN(2) == 0 {
		b = append(b, "..\r."[:rnd.IntN(5)]...)
	}
	return b
}

func TestStuffing(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for range 5000 {
		text := randomText(rnd)
		var out bytes.Buffer
		w := bufio.NewWriter(&out)
		d := stuffer{w: w}
		pieces(t, rnd, &d, text)
		d.end()
		w.Flush()
		want := text
		if len(text) > 0 && !bytes.HasSuffix(text, []byte("\n")) {
			want = append(bytes.Clone(text), "\r\n"...)
		}
		if got := unstuff(t, out.Bytes()); !bytes.Equal(got, want) {
			t.Fatalf("%q came as %q, that is %q", text, out.Bytes(), got)
		}
	}
}

// top is TOP said plainly.
func top(text []byte, n int) []byte {
	lines := bytes.SplitAfter(text, []byte("\n"))
	for i, l := range lines {
		if s := string(l); s == "\r\n" || s == "\n" {
			return bytes.Join(lines[:min(len(lines), i+1+n)], nil)
		}
	}
	return text
}

func TestTop(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 2))
	for range 5000 {
		text := randomText(rnd)
		n := rnd.IntN(5)
		var out bytes.Buffer
		w := bufio.NewWriter(&out)
		d := stuffer{w: w}
		pieces(t, rnd, &topper{w: &d, lines: n}, text)
		d.end()
		w.Flush()
		want := top(text, n)
		if len(want) > 0 && !bytes.HasSuffix(want, []byte("\n")) {
			want = append(bytes.Clone(want), "\r\n"...)
		}
		if got := unstuff(t, out.Bytes()); !bytes.Equal(got, want) {
			t.Fatalf("TOP %d of %q came as %q, want %q", n, text, got, want)
		}
	}
}

func TestTopExamples(t *testing.T) {
	const mail = "Subject: x\r\nTo: y\r\n\r\none\r\n.two\r\nthree"
	for n, want := range []string{
		"Subject: x\r\nTo: y\r\n\r\n.\r\n",
		"Subject: x\r\nTo: y\r\n\r\none\r\n.\r\n",
		"Subject: x\r\nTo: y\r\n\r\none\r\n..two\r\n.\r\n",
		"Subject: x\r\nTo: y\r\n\r\none\r\n..two\r\nthree\r\n.\r\n",
		"Subject: x\r\nTo: y\r\n\r\none\r\n..two\r\nthree\r\n.\r\n",
	} {
		var out strings.Builder
		w := bufio.NewWriter(&out)
		d := stuffer{w: w}
		if _, err := (&topper{w: &d, lines: n}).Write([]byte(mail)); err != nil && !errors.Is(err, errTopEnd) {
			t.Fatal(err)
		}
		d.end()
		w.Flush()
		if out.String() != want {
			t.Errorf("TOP %d: %q, want %q", n, out.String(), want)
		}
	}
}
