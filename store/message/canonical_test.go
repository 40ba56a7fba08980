package message

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"
	"testing"
)

// canonical gives the stored form of b written in pieces of n bytes.
func canonical(t testing.TB, b []byte, n int, options ...CanonicalOption) string {
	t.Helper()
	var out bytes.Buffer
	c := NewCanonical(&out, options...)
	for len(b) > 0 {
		k := min(n, len(b))
		if m, err := c.Write(b[:k]); err != nil || m != k {
			t.Fatalf("Write: %d, %v", m, err)
		}
		b = b[k:]
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestCanonical(t *testing.T) {
	data := "\x00\xff\n\r\n--c\r\rbinary\n"
	encoded := base64.StdEncoding.EncodeToString([]byte(data)) + "\r\n"
	tests := []struct{ name, in, want string }{
		{"empty", "", ""},
		{"line ends", "A: b\n\nx\ny\r\nz\rw\r\r\n\n", "A: b\r\n\r\nx\r\ny\r\nz\rw\r\r\n\r\n"},
		{"no end", "A: b\n\nx", "A: b\r\n\r\nx"},
		{"header only", "A: b\nC: d", "A: b\r\nC: d"},
		{"binary part", "Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: binary\r\n\r\n--b\r\nContent-Type: image/png\r\nContent-transfer-encoding:\r\n BINARY\r\nX: y\r\n\r\n" + data + "\r\n--b\r\n\r\ntext\r\n--b--\r\n",
			"Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\nX: y\r\n\r\n" + encoded + "--b\r\n\r\ntext\r\n--b--\r\n"},
		{"binary text", "Content-Transfer-Encoding: binary\n\na\nb\r\n",
			"Content-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte("a\r\nb\r\n")) + "\r\n"},
		{"empty binary part", "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Transfer-Encoding: binary\n\n--b--\n",
			"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\n--b--\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for n := 1; n < len(tt.in)+2; n++ {
				if got := canonical(t, []byte(tt.in), n); got != tt.want {
					t.Fatalf("in pieces of %d: got\n%q\nwant\n%q", n, got, tt.want)
				}
			}
		})
	}
}

func TestCanonicalKeepsBinary(t *testing.T) {
	in := "Content-Transfer-Encoding: binary\r\n\r\na\x00b\nc"
	if got := canonical(t, []byte(in), 3, KeepBinary()); got != "Content-Transfer-Encoding: binary\r\n\r\na\x00b\r\nc" {
		t.Errorf("%q", got)
	}
}

func TestCanonicalLongHeader(t *testing.T) {
	in := "Content-Transfer-Encoding: binary\r\n" + strings.Repeat("X: "+strings.Repeat("y", 990)+"\r\n", 1200) + "\r\nbody\r\n"
	if got := canonical(t, []byte(in), 4096); got != in {
		t.Error("a message with a header beyond the limit was changed")
	}
}

// Real mail comes out as it was, but for binary parts, and twice is once.
func TestCanonicalCorpus(t *testing.T) {
	for i, msg := range corpus(t) {
		lf := bytes.ReplaceAll(msg, crLF, newline)
		got := canonical(t, lf, 1000)
		hasBinary := bytes.Contains(bytes.ToLower(msg), []byte("encoding: binary"))
		if !hasBinary && got != string(msg) {
			t.Errorf("message %d is changed", i)
		}
		if again := canonical(t, []byte(got), 777); again != got {
			t.Errorf("message %d changes the second time", i)
		}
	}
}

func BenchmarkCanonical(b *testing.B) {
	msg := benchMessage()
	b.SetBytes(int64(len(msg)))
	b.ReportAllocs()
	for b.Loop() {
		c := NewCanonical(io.Discard)
		c.Write(msg)
		c.Close()
	}
}
