package message

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

// downgraded gives the form for readers without UTF-8.
func downgraded(t testing.TB, msg []byte) string {
	t.Helper()
	s := Parse(msg)
	edits, err := Downgrade(s, bytes.NewReader(msg))
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseEdits(AppendEdits(nil, edits), int64(len(msg)))
	if err != nil {
		t.Fatalf("edits %v: %v", edits, err)
	}
	var out bytes.Buffer
	err = WriteEdited(&out, int64(len(msg)), again, func(w io.Writer, off, n int64) error {
		_, err := w.Write(msg[off : off+n])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := EditedSize(int64(len(msg)), edits); int64(out.Len()) != want {
		t.Fatalf("%d bytes, the edits say %d", out.Len(), want)
	}
	return out.String()
}

func TestDowngrade(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"Subject: plain\r\n", "Subject: plain\r\n"},
		{"Subject: \u00fcber\r\n alles\r\n", "Subject: =?utf-8?b?w7xiZXIgYWxsZXM=?=\r\n"},
		{"From: J\u00f8ran <j@example.org>\r\n", "From: =?utf-8?b?SsO4cmFu?= <j@example.org>\r\n"},
		{"From: j\u00f8@example.org\r\n", "From: =?utf-8?b?asO4QGV4YW1wbGUub3Jn?=\r\n <invalid@internationalized-address.invalid>\r\n"},
		{"From: Joe <j\u00f8@example.org>\r\n", "From: Joe <invalid@internationalized-address.invalid>\r\n"},
		{"To: \"B, A\" <a@b>, \u00e4: x@y, c@d;, e@f\r\n", "To: \"B, A\" <a@b>, =?utf-8?b?w6Q=?=: x@y, c@d;, e@f\r\n"},
		{"To: \u00e4:;\r\n", "To: =?utf-8?b?w6Q=?=:;\r\n"},
		{"Return-Path: <j\u00f8@example.org>\r\n", "Return-Path: <invalid@internationalized-address.invalid>\r\n"},
		{"Received: by \u00e4\r\n\tfor b\r\nX-A: b\r\n", "X-A: b\r\n"},
		{"\u00c4: b\r\n", ""},
		{"Content-Type: text/plain; charset=utf-8;\r\n name=\"\u00e4;.txt\"; format=flowed\r\n", "Content-Type: text/plain; charset=utf-8; format=flowed\r\n"},
		{"Content-Disposition: attachment; filename=\u00e4\r\n", "Content-Disposition: attachment\r\n"},
		{"Content-Disposition: attachment; filename*0=\u00e4; filename*1=b; size=3\r\n", "Content-Disposition: attachment; size=3\r\n"},
	} {
		if got := downgraded(t, []byte(test.in+"\r\nbody \u00e4\r\n")); got != test.want+"\r\nbody \u00e4\r\n" {
			t.Errorf("%q\nbecame %q\nwant   %q", test.in, got, test.want)
		}
	}
}

// Long texts are folded into lines of 76 octets at most, and mean the same.
func TestDowngradeFolds(t *testing.T) {
	text := strings.Repeat("sch\u00f6n \U0001F4A9 ", 30) + "."
	got := downgraded(t, []byte("Subject: "+text+"\r\n\r\n"))
	for _, line := range strings.Split(got, "\r\n") {
		if len(line) > foldAt {
			t.Errorf("line of %d octets: %q", len(line), line)
		}
	}
	for _, value := range Fields([]byte(got)) {
		if DecodeText(value) != text {
			t.Errorf("%q means %q", got, DecodeText(value))
		}
	}
}

// Headers of parts and of messages inside are downgraded, their bodies not.
func TestDowngradeParts(t *testing.T) {
	in := "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Disposition: attachment; filename=\"\u00e4\"\r\n\r\n\u00e4: text\r\n" +
		"--b\r\nContent-Type: message/global\r\n\r\nSubject: \u00e4\r\n\r\n\u00e4\r\n--b--\r\n"
	want := "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Disposition: attachment\r\n\r\n\u00e4: text\r\n" +
		"--b\r\nContent-Type: message/global\r\n\r\nSubject: =?utf-8?b?w6Q=?=\r\n\r\n\u00e4\r\n--b--\r\n"
	if got := downgraded(t, []byte(in)); got != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

func FuzzDowngrade(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s)
	}
	f.Add([]byte("From: \xe4 <\xe4@\xff>, \"\\\xe4:;\r\nSubject: =?utf-8?q?a?= \xe4\r\nContent-Type: a/b; \xe4=c; (;\xe4\r\n\r\n"))
	f.Fuzz(func(t *testing.T, msg []byte) {
		got := []byte(downgraded(t, msg))
		s := Parse(msg)
		header := got[:EditedSize(s.HeaderSize, DowngradeHeader(msg[:s.HeaderSize]))]
		if s.HeaderSize <= downgradeBlock && !ascii(header) {
			t.Fatalf("%q still has %q", msg, header)
		}
		if _, err := ParseEdits(msg, 1000); err != nil && err != ErrEdits {
			t.Fatal(err)
		}
	})
}
