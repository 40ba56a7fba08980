package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestFrames(t *testing.T) {
	bodies := []string{"", "short", strings.Repeat("x", maxBlock), strings.Repeat("y", 3*maxBlock+1)}
	var stream bytes.Buffer
	w := newFrameWriter(&stream)
	for i, body := range bodies {
		err := w.record(importItem{Mailbox: "m", Position: string(rune('a' + i))}, func(out io.Writer) error {
			_, err := io.WriteString(out, body)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.close(); err != nil {
		t.Fatal(err)
	}
	whole := stream.Bytes()
	r := newFrameReader(bytes.NewReader(whole))
	for i, body := range bodies {
		var item importItem
		if err := r.next(&item); err != nil || item.Position != string(rune('a'+i)) {
			t.Fatalf("record %d: %+v %v", i, item, err)
		}
		if i == 2 {
			continue // left unread: the next record is found all the same
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != body {
			t.Fatalf("record %d: %d bytes, want %d, %v", i, len(got), len(body), err)
		}
	}
	if err := r.next(&importItem{}); err != io.EOF {
		t.Errorf("after the last: %v", err)
	}

	// A stream cut short anywhere is never taken for a whole one.
	for _, n := range []int{0, 3, 4, 10, len(whole) / 2, len(whole) - 1, len(whole) - 4} {
		if err := drain(whole[:n]); err == io.EOF {
			t.Errorf("cut at %d of %d: taken for whole", n, len(whole))
		}
	}
}

// TestFrameGivenUp: a record whose bytes end in an error is no message to the
// reader, and the next one is read.
func TestFrameGivenUp(t *testing.T) {
	var stream bytes.Buffer
	w := newFrameWriter(&stream)
	broken := errors.New("broken")
	err := w.record(importItem{Position: "a"}, func(out io.Writer) error {
		io.WriteString(out, "half")
		return broken
	})
	if !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if err := errors.Join(w.record(importItem{Position: "b"}, nil), w.close()); err != nil {
		t.Fatal(err)
	}
	r := newFrameReader(&stream)
	var item importItem
	if err := r.next(&item); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(r); string(b) != "half" || !errors.Is(err, errGivenUp) {
		t.Errorf("%q %v", b, err)
	}
	if err := r.next(&item); err != nil || item.Position != "b" {
		t.Errorf("%+v %v", item, err)
	}
}

// drain reads a stream to its end or first error.
func drain(b []byte) error {
	r := newFrameReader(bytes.NewReader(b))
	for {
		if err := r.next(&importItem{}); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			return err
		}
	}
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x02{}\x00\x00\x00\x01x\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := drain(b); err == nil {
			t.Error("no end")
		}
	})
}

func FuzzPasswd(f *testing.F) {
	f.Add("a:{PLAIN}x:1:2::/home:\n# c\n\nb@d:{CRYPT}$6$x$y\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := parsePasswd(strings.NewReader(text), "file")
		if err != nil {
			return
		}
		for _, line := range list {
			if line.account.Name == "" || line.account.Hash == "" {
				t.Errorf("%q: %+v", text, line)
			}
		}
	})
}
