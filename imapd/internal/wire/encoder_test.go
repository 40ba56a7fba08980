package wire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func TestEncoder(t *testing.T) {
	zone := time.FixedZone("", -(7*3600 + 1800))
	tests := []struct {
		name  string
		write func(*Encoder)
		want  string
	}{
		{"quoted", func(e *Encoder) { e.String(`a "b" \c`) }, `"a \"b\" \\c"`},
		{"line ends", func(e *Encoder) { e.String("a\r\nb") }, "{4}\r\na\r\nb"},
		{"8-bit", func(e *Encoder) { e.String("é") }, "{2}\r\né"},
		{"8-bit allowed", func(e *Encoder) { e.UTF8 = true; e.String("é") }, `"é"`},
		{"NUL", func(e *Encoder) { e.String("a\x00b") }, `"ab"`},
		{"NIL", func(e *Encoder) { e.NString("", false).SP().NString("", true) }, `NIL ""`},
		{"mailbox", func(e *Encoder) { e.Mailbox("INBOX") }, "INBOX"},
		{"mailbox with space", func(e *Encoder) { e.Mailbox("a b/ü") }, `"a b/&APw-"`},
		{"mailbox nil", func(e *Encoder) { e.Mailbox("nil") }, `"nil"`},
		{"no mailbox", func(e *Encoder) { e.Mailbox("") }, `""`},
		{"mailbox in UTF-8", func(e *Encoder) { e.UTF8 = true; e.Mailbox("ü&") }, `"ü&"`},
		{"flags", func(e *Encoder) { e.Flags([]string{`\Seen`, "$Junk"}) }, `(\Seen $Junk)`},
		{"date", func(e *Encoder) { e.DateTime(time.Date(2024, 7, 1, 2, 3, 4, 0, zone)) }, `" 1-Jul-2024 02:03:04 -0730"`},
		{"text", func(e *Encoder) { e.Text("a\r\nb\x00") }, "a??b?"},
		{"set", func(e *Encoder) { e.Set(Of(1, 3)).SP().Num(1 << 63) }, "1:3 9223372036854775808"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			e := NewEncoder(&out)
			tt.write(e)
			if err := e.Flush(); err != nil || out.String() != tt.want {
				t.Errorf("wrote %q, %v; want %q", out.String(), err, tt.want)
			}
		})
	}
}

// counter counts what is written, and how often.
type counter struct{ bytes, writes int }

func (c *counter) Write(p []byte) (int, error) {
	c.bytes += len(p)
	c.writes++
	return len(p), nil
}

// TestEncoderUTF8: with UTF-8 on, what is no UTF-8 still goes as a literal.
func TestEncoderUTF8(t *testing.T) {
	var b strings.Builder
	e := NewEncoder(&b)
	e.UTF8 = true
	e.String("gr\u00fc\u00dfe").SP().String("gr\xfc\xdfe").SP().Mailbox("\u65e5&x").SP().Text("caf\u00e9 \xff").CRLF()
	_ = e.Flush()
	if got, want := b.String(), "\"gr\u00fc\u00dfe\" {5}\r\ngr\xfc\xdfe \"\u65e5&x\" caf\u00e9 ?\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEncoderBuffersAndStreams(t *testing.T) {
	var c counter
	e := NewEncoder(&c)
	for range 10_000 {
		e.Raw("* 1 FETCH (UID 1)").CRLF()
	}
	if c.writes > 25 || e.Buffered() > encoderSize {
		t.Errorf("%d writes, %d bytes buffered", c.writes, e.Buffered())
	}
	_, _ = e.Write(make([]byte, 1<<20))
	if e.Buffered() != 0 || c.bytes != 10_000*19+1<<20 {
		t.Errorf("%d bytes out, %d buffered", c.bytes, e.Buffered())
	}
}

func TestEncoderRestsSmall(t *testing.T) {
	e := NewEncoder(io.Discard)
	e.Raw(strings.Repeat("x", 30_000))
	if err := e.Rest(); err != nil || cap(e.buf) > restSize || e.Buffered() != 0 {
		t.Errorf("a waiting session keeps %d bytes, error %v", cap(e.buf), err)
	}
}

var errBroken = errors.New("broken")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestEncoderKeepsTheError(t *testing.T) {
	e := NewEncoder(broken{})
	for range 100_000 {
		e.Raw("* OK").CRLF()
	}
	if e.Err() != errBroken || e.Buffered() > encoderSize {
		t.Errorf("error %v, %d bytes kept", e.Err(), e.Buffered())
	}
}

// FuzzEncoderString: every string without NUL comes back as it was.
func FuzzEncoderString(f *testing.F) {
	f.Add("a \"b\\\r\n\xff")
	f.Fuzz(func(t *testing.T, s string) {
		var out bytes.Buffer
		e := NewEncoder(&out)
		e.String(s).CRLF()
		_ = e.Flush()
		d := NewDecoder(bufio.NewReader(&out), Limits{}, func() error { return nil })
		_ = d.Begin()
		want := strings.ReplaceAll(s, "\x00", "")
		if got := d.String(); got != want || d.EOL() != nil {
			t.Fatalf("%q came back as %q: %v", want, got, d.Err())
		}
	})
}

// BenchmarkFetchFlags is one "* n FETCH (UID n FLAGS (...))" a turn.
func BenchmarkFetchFlags(b *testing.B) {
	e := NewEncoder(io.Discard)
	flags := []string{`\Seen`, `\Answered`}
	var n uint64
	for b.Loop() {
		n++
		e.Raw("* ").Num(n).Raw(" FETCH (UID ").Num(n + 1000).Raw(" FLAGS ").Flags(flags).Byte(')').CRLF()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "responses/s")
}

func BenchmarkSet(b *testing.B) {
	var s NumSet
	for n := uint32(1); len(s) < 9000; n += 2 {
		s.Add(n)
	}
	in := s.String() + "\r\n"
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		d := NewDecoder(bufio.NewReader(strings.NewReader(in)), UserLimits(0), nil)
		_ = d.Begin()
		if len(d.Set().Nums) != len(s) {
			b.Fatal(d.Err())
		}
	}
}
