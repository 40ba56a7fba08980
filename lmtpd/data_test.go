package lmtpd

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// plainData is readData said a byte at a time over a whole input: the data and
// what follows them. ok is false when they do not end.
func plainData(in []byte) (data, rest []byte, ok bool) {
	in = append([]byte("\r\n"), in...)
	end := bytes.Index(in, []byte("\r\n.\r\n"))
	if end < 0 {
		return nil, nil, false
	}
	rest = in[end+5:]
	in = in[:end+2]
	for i := 2; i < len(in); i++ {
		if in[i] == '.' && in[i-1] == '\n' && in[i-2] == '\r' {
			continue
		}
		data = append(data, in[i])
	}
	return data, rest, true
}

// checkData compares readData with plainData, the input coming in pieces as
// given.
func checkData(t *testing.T, in []byte, r io.Reader) {
	t.Helper()
	br := bufio.NewReaderSize(r, 16)
	var got bytes.Buffer
	err := readData(br, &got)
	data, rest, ok := plainData(in)
	if !ok {
		if !errors.Is(err, io.EOF) {
			t.Fatalf("%q: %v, want EOF", in, err)
		}
		return
	}
	left, _ := io.ReadAll(br)
	if err != nil || !bytes.Equal(got.Bytes(), data) || !bytes.Equal(left, rest) {
		t.Fatalf("%q: data %q, left %q, %v; want %q, %q", in, got.Bytes(), left, err, data, rest)
	}
}

// TestReadDataAll tries every input of up to seven of the octets that matter.
func TestReadDataAll(t *testing.T) {
	const octets = "\r\n.x"
	in := make([]byte, 0, 16)
	var try func(n int)
	try = func(n int) {
		whole := append(bytes.Clone(in), "\r\n.\r\n"...)
		checkData(t, whole, bytes.NewReader(whole))
		if n == 0 {
			return
		}
		for _, c := range []byte(octets) {
			in = append(in, c)
			try(n - 1)
			in = in[:len(in)-1]
		}
	}
	try(7)
}

// smallReads gives what it has in random pieces.
type smallReads struct {
	rnd *rand.Rand
	b   []byte
}

func (r *smallReads) Read(p []byte) (int, error) {
	if len(r.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.b[:1+r.rnd.IntN(len(r.b))])
	r.b = r.b[n:]
	return n, nil
}

func FuzzData(f *testing.F) {
	for _, s := range []string{".\r\n", "a\r\n.\r\nQUIT\r\n", "a\r\r\n.\r\n", "\r\n.\rx\r\n.\r\n", "a\n.\nb\r\n.\n\r\n.\r\n", "\r\n..\r\n.\r\n", "\n.\r\n\r\n.\r\n"} {
		f.Add([]byte(s), uint64(1))
	}
	f.Fuzz(func(t *testing.T, in []byte, seed uint64) {
		checkData(t, in, &smallReads{rand.New(rand.NewPCG(seed, 0)), in})
	})
}

// Ways to end the data that other programs have fallen for: none of them ends
// these.
func TestReadDataSmuggling(t *testing.T) {
	for _, s := range []string{"\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n", "\r.\r\n", "\r\n.\r", "\r\n\x00.\r\n", "\r\n.\r\r\n"} {
		r := bufio.NewReader(strings.NewReader("text" + s + "QUIT\r\n.\r\nleft"))
		var data bytes.Buffer
		if err := readData(r, &data); err != nil {
			t.Fatal(err)
		}
		if left, _ := io.ReadAll(r); string(left) != "left" || !strings.Contains(data.String(), "QUIT") {
			t.Errorf("%q ended the data: %q, left %q", s, data.String(), left)
		}
	}
}

func TestHeaderLine(t *testing.T) {
	tests := []struct {
		line, header string
		want         bool
	}{
		{"X-Spam: yes", "Subject: a\r\nX-Spam: yes\r\n\r\n", true},
		{"X-Spam: yes", "x-spam:YES\r\n", true},
		{"X-Spam: yes", "X-Spam:\r\n yes\r\n\r\n", true},
		{"X-Spam: yes", "X-Spam: no\r\nX-Spam: yes\r\n\r\n", true},
		{"X-Spam: yes", "X-Spam: yes, really\r\n\r\n", false},
		{"X-Spam: yes", "X-Spammer: yes\r\n\r\n", false},
		{"X-Spam: yes", "Subject: a\r\n X-Spam: yes\r\n\r\n", false},
		{"X-Spam: yes", "", false},
		{"", "X-Spam: yes\r\n\r\n", false},
	}
	for _, tt := range tests {
		if got := parseHeaderLine(tt.line).in([]byte(tt.header)); got != tt.want {
			t.Errorf("%q in %q: %v", tt.line, tt.header, got)
		}
	}
}
