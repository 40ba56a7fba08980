package inflate

import (
	"bytes"
	"compress/flate"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
)

// wire is a connection: it has what was sent and must not be read beyond it.
type wire struct {
	t    *testing.T
	sent bytes.Buffer
	one  bool // gives a byte at a time
}

func (w *wire) Read(p []byte) (int, error) {
	w.t.Helper()
	if w.sent.Len() == 0 {
		w.t.Fatal("waits for more although all was sent")
	}
	if w.one {
		p = p[:1]
	}
	return w.sent.Read(p)
}

// TestFlushes: what zlib has flushed, in every way that it can, is handed out
// without waiting for more.
func TestFlushes(t *testing.T) {
	file, err := os.ReadFile("testdata/zlib.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range []bool{false, true} {
		var w *wire
		var z *Reader
		sections := 0
		for line := range strings.Lines(string(file)) {
			if strings.HasPrefix(line, "#") {
				w = &wire{t: t, one: one}
				z = NewReader(nil, w)
				sections++
				continue
			}
			code, quoted, _ := strings.Cut(strings.TrimSpace(line), " ")
			b, err := hex.DecodeString(code)
			if err != nil {
				t.Fatal(err)
			}
			want, err := strconv.Unquote(quoted)
			if err != nil {
				t.Fatal(err)
			}
			w.sent.Write(b)
			got := make([]byte, len(want))
			if _, err := io.ReadFull(z, got); err != nil || string(got) != want {
				t.Fatalf("%s: got %q, %v", line, got, err)
			}
		}
		if sections < 20 {
			t.Errorf("only %d sections", sections)
		}
	}
}

// sample is text and noise, longer than the window.
func sample(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	var b []byte
	for len(b) < n {
		switch r.IntN(3) {
		case 0:
			b = append(b, "Received: from mail.example.org (mail.example.org [192.0.2.1])\r\n"...)
		case 1:
			for range r.IntN(200) {
				b = append(b, byte(r.Uint32()))
			}
		default:
			if from := r.IntN(len(b) + 1); from < len(b) {
				b = append(b, b[from:min(len(b), from+r.IntN(5000))]...)
			}
		}
	}
	return b
}

// TestLevels reads streams of the standard library's compressor, flushed at
// odd places.
func TestLevels(t *testing.T) {
	text := sample(300_000)
	for level := flate.HuffmanOnly; level <= flate.BestCompression; level++ {
		var b bytes.Buffer
		w, _ := flate.NewWriter(&b, level)
		for i, n := 0, 1; i < len(text); n = n*3%7001 + 1 {
			to := min(len(text), i+n)
			_, _ = w.Write(text[i:to])
			_ = w.Flush()
			i = to
		}
		_ = w.Close()
		code := b.Bytes()
		for name, r := range map[string]io.Reader{
			"whole":  NewReader(nil, bytes.NewReader(code)),
			"bytes":  NewReader(nil, iotest.OneByteReader(bytes.NewReader(code))),
			"head":   NewReader(code[:1000], bytes.NewReader(code[1000:])),
			"little": iotest.OneByteReader(NewReader(nil, bytes.NewReader(code))),
		} {
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, text) {
				t.Errorf("level %d, %s: %d bytes of %d, %v", level, name, len(got), len(text), err)
			}
		}
	}
}

// TestAhead: a stream that swells a thousandfold is decoded as it is read.
func TestAhead(t *testing.T) {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 9)
	_, _ = w.Write(make([]byte, 100<<20))
	_ = w.Close()
	z := NewReader(b.Bytes(), strings.NewReader(""))
	if _, err := io.ReadFull(z, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	if z.pending > windowSize || len(z.window) > windowSize {
		t.Errorf("%d bytes decoded ahead, window of %d", z.pending, len(z.window))
	}
	if left := len(z.in); left < b.Len()*9/10 {
		t.Errorf("%d of %d bytes left", left, b.Len())
	}
}

// TestSmall: a session that has said little holds little.
func TestSmall(t *testing.T) {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 6)
	_, _ = w.Write(sample(900)[:900])
	_ = w.Flush()
	z := NewReader(b.Bytes(), iotest.ErrReader(io.EOF))
	if _, err := io.ReadFull(z, make([]byte, 900)); err != nil {
		t.Fatal(err)
	}
	if len(z.window) > firstWindow {
		t.Errorf("the window is %d bytes", len(z.window))
	}
}

// TestEnd: a flush's mark is read to its end, however it comes, and what is
// behind it is not.
func TestEnd(t *testing.T) {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 6)
	_, _ = w.Write([]byte("1 NOOP\r\n"))
	_ = w.Flush()
	code := b.Bytes()
	for cut := range code {
		src := io.MultiReader(bytes.NewReader(code[:cut]), bytes.NewReader(code[cut:]), strings.NewReader("plain"))
		if cut == 0 {
			src = strings.NewReader(string(code) + "plain")
		}
		z := NewReader(nil, src)
		got := make([]byte, 100)
		n := 0
		for n < 8 {
			m, err := z.Read(got[n:])
			if err != nil {
				t.Fatal(err)
			}
			n += m
		}
		if string(got[:n]) != "1 NOOP\r\n" {
			t.Fatalf("%q", got[:n])
		}
		rest, err := z.End()
		if err != nil {
			t.Fatal(err)
		}
		left, _ := io.ReadAll(src)
		if all := string(rest) + string(left); all != "plain" {
			t.Errorf("cut at %d of %d: %q is left", cut, len(code), all)
		}
	}
}

func TestDamaged(t *testing.T) {
	for name, code := range map[string]string{
		"block type":   "07",
		"stored size":  "0001000100",
		"too far back": "0302" + "0000", // a match at the start
		"long code":    "fdffffffffffffff",
	} {
		b, _ := hex.DecodeString(code)
		_, err := io.ReadAll(NewReader(nil, bytes.NewReader(b)))
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	z := NewReader(nil, bytes.NewReader([]byte{7}))
	for range 2 {
		if _, err := z.Read(make([]byte, 1)); !errors.Is(err, ErrDamaged) {
			t.Errorf("the error does not stay: %v", err)
		}
	}
}

// FuzzReader: what we decode, the standard library decodes alike, and it makes
// no difference in which pieces the input comes.
func FuzzReader(f *testing.F) {
	for _, level := range []int{flate.HuffmanOnly, 0, 1, 6} {
		var b bytes.Buffer
		w, _ := flate.NewWriter(&b, level)
		_, _ = w.Write(sample(2000))
		_ = w.Flush()
		_, _ = w.Write([]byte("1 NOOP\r\n"))
		_ = w.Close()
		f.Add(b.Bytes())
	}
	f.Add([]byte{3, 0})
	const most = 1 << 20
	f.Fuzz(func(t *testing.T, code []byte) {
		got, err := io.ReadAll(io.LimitReader(NewReader(nil, bytes.NewReader(code)), most))
		slow, slowErr := io.ReadAll(io.LimitReader(NewReader(nil, iotest.OneByteReader(bytes.NewReader(code))), most))
		if !bytes.Equal(got, slow) || !errors.Is(slowErr, err) {
			t.Fatalf("at once %d bytes, %v; in pieces %d bytes, %v", len(got), err, len(slow), slowErr)
		}
		want, _ := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(code)), most))
		if n := min(len(got), len(want)); !bytes.Equal(got[:n], want[:n]) {
			t.Fatalf("decoded otherwise than by compress/flate")
		}
		if err == nil && len(want) > len(got) {
			t.Fatalf("%d bytes, compress/flate has %d", len(got), len(want))
		}
	})
}

func BenchmarkReader(b *testing.B) {
	text := sample(1 << 20)
	var code bytes.Buffer
	w, _ := flate.NewWriter(&code, 6)
	_, _ = w.Write(text)
	_ = w.Close()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if n, err := io.Copy(io.Discard, NewReader(nil, bytes.NewReader(code.Bytes()))); n != int64(len(text)) || err != nil {
			b.Fatal(n, err)
		}
	}
}
