package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"tandem/imapd"
)

// TestReferenceIsCurrent: the committed pages are what make docs writes.
func TestReferenceIsCurrent(t *testing.T) {
	root := newRoot(&app{out: io.Discard, err: io.Discard, getenv: os.Getenv})
	for name, want := range referencePages(root) {
		got, err := os.ReadFile(filepath.Join("..", "..", "docs", "reference", name))
		if err != nil || string(got) != want {
			t.Errorf("docs/reference/%s is not what the program says (make docs writes it): %v", name, err)
		}
	}
}

// TestEveryCapabilityIsInTheReference: the page has all that is advertised,
// once.
func TestEveryCapabilityIsInTheReference(t *testing.T) {
	lines := map[string]int{}
	for _, w := range imapWords() {
		lines[w.name]++
		if len(w.peers) != 4 || w.rfc == "" {
			t.Errorf("the line of %s is not whole", w.name)
		}
	}
	for _, c := range imapd.Capabilities() {
		if lines[c.Name] != 1 {
			t.Errorf("%s has %d lines in docs_imap_words.go", c.Name, lines[c.Name])
		}
	}
}
