package mbox

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

type got struct {
	sender, body string
	date         time.Time
	offset       int64
}

func readAll(t *testing.T, r io.Reader) []got {
	t.Helper()
	var out []got
	in := NewReader(r)
	for {
		m, err := in.Next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(m.Body)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, got{m.Sender, string(b), m.Date, m.Offset})
	}
}

func TestRead(t *testing.T) {
	const from = "From a@b Thu Jan  1 00:00:00 2004\n"
	tests := map[string]struct {
		in   string
		want []string
	}{
		"empty":                      {"", nil},
		"blank":                      {"\n\r\n", nil},
		"one":                        {from + "A: b\n\ntext\n\n", []string{"A: b\n\ntext\n"}},
		"no blank line at the end":   {from + "A: b\n\ntext\n", []string{"A: b\n\ntext\n"}},
		"no line end at the end":     {from + "A: b\n\ntext", []string{"A: b\n\ntext"}},
		"two":                        {from + "A: b\n\nx\n\n" + from + "C: d\n\ny\n\n", []string{"A: b\n\nx\n", "C: d\n\ny\n"}},
		"blank lines at the end":     {from + "A: b\n\nx\n\n\n\n" + from + "\n", []string{"A: b\n\nx\n\n\n", ""}},
		"empty messages":             {from + "\n" + from + "\n", []string{"", ""}},
		"quoting":                    {from + "A: b\n\n>From x\n>>From y\n> From z\n>Fro\n>\n>>>\n\n", []string{"A: b\n\nFrom x\n>From y\n> From z\n>Fro\n>\n>>>\n"}},
		"CRLF":                       {strings.ReplaceAll(from+"A: b\n\n>From x\n\n"+from+"C: d\n\n", "\n", "\r\n"), []string{"A: b\r\n\r\nFrom x\r\n", "C: d\r\n"}},
		"From line, no blank before": {from + "A: b\n\nx\n" + from + "C: d\n\n", []string{"A: b\n\nx\n", "C: d\n"}},
		"unquoted text":              {from + "A: b\n\nFrom here on\nall is well\n\n", []string{"A: b\n\nFrom here on\nall is well\n"}},
		"no date, header follows":    {from + "A: b\n\nx\n\nFrom nobody\nC: d\n\n", []string{"A: b\n\nx\n", "C: d\n"}},
		"no date in the first":       {"From nobody\nC: d\n\n", []string{"C: d\n"}},
		"ends in quotes":             {from + ">>", []string{">>"}},
		"From line alone":            {strings.TrimSuffix(from, "\n"), []string{""}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for i, r := range []io.Reader{strings.NewReader(test.in), iotest.OneByteReader(strings.NewReader(test.in))} {
				var have []string
				for _, m := range readAll(t, r) {
					have = append(have, m.body)
				}
				if strings.Join(have, "|") != strings.Join(test.want, "|") || len(have) != len(test.want) {
					t.Errorf("reader %d: got %q, want %q", i, have, test.want)
				}
			}
		})
	}
}

func TestNotMbox(t *testing.T) {
	if _, err := NewReader(strings.NewReader("Subject: x\n\n")).Next(); err != ErrFormat {
		t.Errorf("got %v, want ErrFormat", err)
	}
}

func TestSkipUnreadAndOffsets(t *testing.T) {
	in := "From a Thu Jan  1 00:00:00 2004\nA: b\n\nlong\n\nFrom b Thu Jan  1 00:00:00 2004\n\n"
	r := NewReader(strings.NewReader(in))
	first, err := r.Next()
	if err != nil || first.Offset != 0 {
		t.Fatal(first, err)
	}
	second, err := r.Next()
	if err != nil || second.Sender != "b" || !strings.HasPrefix(in[second.Offset:], "From b") {
		t.Fatalf("%+v %v", second, err)
	}
}

func TestReadError(t *testing.T) {
	r := NewReader(io.MultiReader(strings.NewReader("From a\nb"), iotest.ErrReader(io.ErrUnexpectedEOF)))
	m, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(m.Body); err == nil {
		t.Error("the input's error is lost")
	}
}

func TestFromLine(t *testing.T) {
	utc := time.Date(2002, 8, 22, 12, 36, 23, 0, time.UTC)
	tests := []struct {
		line, sender string
		date         time.Time
	}{
		{"From a@b.c  Thu Aug 22 12:36:23 2002", "a@b.c", utc},
		{"From a@b.c Thu Aug 22 12:36:23 +0000 2002", "a@b.c", utc},
		{"From a@b.c Thu Aug 22 14:36:23 2002 +0200", "a@b.c", utc},
		{"From a@b.c Thu Aug 22 08:36:23 EDT 2002", "a@b.c", utc},
		{"From a@b.c Thu Aug 22 12:36:23 2002 remote from x", "a@b.c", utc},
		{"From a@b.c Thu, 22 Aug 2002 12:36:23 +0000", "a@b.c", utc},
		{"From - Thu Aug 22 12:36 2002", "-", utc.Truncate(time.Minute)},
		{"From  Thu Aug 22 12:36:23 2002", "", utc},
		{`From "a b"@c Thu Aug 22 12:36:23 2002`, `"a b"@c`, utc},
		{"From a@b.c", "a@b.c", time.Time{}},
		{"From a@b.c Thu Feb 31 12:36:23 2002", "a@b.c Thu Feb 31 12:36:23 2002", time.Time{}},
		{"From a@b.c Thu Aug 22 25:36:23 2002", "a@b.c Thu Aug 22 25:36:23 2002", time.Time{}},
		{"From ", "", time.Time{}},
	}
	for _, test := range tests {
		got := parseFrom([]byte(test.line))
		if got.Sender != test.sender || !got.Date.Equal(test.date) {
			t.Errorf("%s: got %q %v", test.line, got.Sender, got.Date)
		}
	}
}

func TestWrite(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out)
	date := time.Date(2004, 1, 1, 1, 0, 0, 0, time.FixedZone("", 3600))
	for _, text := range []string{"A: b\r\n\r\nFrom x\r\n>From y\r\nFro\rm\r\n", "A: b\r\n\r\nno end", "From", ""} {
		m, err := w.Create("a\n@ b", date)
		if err != nil {
			t.Fatal(err)
		}
		for i := range len(text) { // split everywhere
			m.Write([]byte(text[i : i+1]))
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	from := "From a@b Thu Jan  1 00:00:00 2004\n"
	want := from + "A: b\n\n>From x\n>>From y\nFro\rm\n\n" + from + "A: b\n\nno end\n\n" + from + "From\n\n" + from + "\n"
	if out.String() != want {
		t.Errorf("got %q\nwant %q", out.String(), want)
	}
}

// TestLongLines reads back a line and a run of ">" longer than the buffer.
func TestLongLines(t *testing.T) {
	text := strings.Repeat(">", 3*bufferSize) + "From x" + strings.Repeat("y", 3*bufferSize) + "\n"
	if got := roundTrip(t, []string{text}); got[0] != text {
		t.Error("a long line came back different")
	}
}

func roundTrip(t *testing.T, messages []string) []string {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out)
	for _, text := range messages {
		m, err := w.Create("a@b", time.Unix(1e9, 0))
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(m, text)
		m.Close()
	}
	w.Flush()
	var back []string
	for _, m := range readAll(t, &out) {
		back = append(back, m.body)
	}
	return back
}

// FuzzRoundTrip: what is written is read back, whatever it is.
func FuzzRoundTrip(f *testing.F) {
	f.Add("A: b\n\nFrom x\n", "\n\n\nFrom a@b Thu Jan  1 00:00:00 2004\n")
	f.Add(">From x\n>>>\n>", "From ")
	f.Fuzz(func(t *testing.T, a, b string) {
		messages := []string{lines(a), lines(b)}
		back := roundTrip(t, messages)
		if len(back) != 2 || back[0] != messages[0] || back[1] != messages[1] {
			t.Errorf("wrote %q, read %q", messages, back)
		}
	})
}

// lines makes s what the form can hold: LF line ends, one at the end.
func lines(s string) string {
	s = strings.ReplaceAll(s, "\r", "")
	if s != "" && !strings.HasSuffix(s, "\n") {
		s += "\n"
	}
	return s
}

// FuzzReader: any input gives messages that are no longer than it, and the same
// ones however it arrives.
func FuzzReader(f *testing.F) {
	f.Add([]byte("From a@b Thu Jan  1 00:00:00 2004\nA: b\n\n>From x\n\nFrom y\nC: d\n\n"))
	f.Add([]byte("From \r\n\r\n>>From \r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		read := func(r io.Reader) (bodies []string) {
			in := NewReader(r)
			for {
				m, err := in.Next()
				if err != nil {
					return bodies
				}
				b, _ := io.ReadAll(m.Body)
				bodies = append(bodies, string(b))
			}
		}
		whole, single := read(bytes.NewReader(in)), read(iotest.OneByteReader(bytes.NewReader(in)))
		if strings.Join(whole, "\x00|") != strings.Join(single, "\x00|") {
			t.Errorf("%q read as %q at once, %q in single bytes", in, whole, single)
		}
		if n := len(strings.Join(whole, "")); n > len(in) {
			t.Errorf("%d bytes of messages from %d", n, len(in))
		}
	})
}
