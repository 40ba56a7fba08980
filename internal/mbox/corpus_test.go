package mbox

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestCorpus reads and writes a file of real mail: every message must
// come out as it was.
// The file is TANDEM_CORPUS or the one beside the checkout.
func TestCorpus(t *testing.T) {
	path := os.Getenv("TANDEM_CORPUS")
	if path == "" {
		path = filepath.Join("..", "..", "..", "shared", "corpus", "ham.mbox.gz")
	}
	f, err := os.Open(path)
	if err != nil {
		t.Skip("no corpus of real mail: ", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	messages := readAll(t, z)
	var out bytes.Buffer
	w := NewWriter(&out)
	for _, m := range messages {
		if m.date.IsZero() {
			t.Errorf("message at %d: no date read from its From line", m.offset)
		}
		to, err := w.Create(m.sender, m.date)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(to, m.body)
		if err := to.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	back := readAll(t, &out)
	if len(back) != len(messages) {
		t.Fatalf("%d messages came out as %d", len(messages), len(back))
	}
	for i, m := range messages {
		if back[i].body != m.body || back[i].sender != m.sender || !back[i].date.Equal(m.date) {
			t.Errorf("message %d at %d came out different", i, m.offset)
		}
	}
}
