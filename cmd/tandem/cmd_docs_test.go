package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"
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
