package store

import (
	"fmt"
	"slices"
	"testing"
)

func TestMetadataNames(t *testing.T) {
	for name, want := range map[string]string{
		"/private/a": "/private/a", "/Shared/Vendor/X": "/shared/vendor/x", "/shared/a b": "/shared/a b",
		"": "", "/": "", "/shared": "", "/shared/": "", "shared/a": "", "/other/a": "", "/shared//a": "", "/shared/a/": "",
		"/shared/*": "", "/shared/a%": "", "/shared/\x7f": "", "/shared/é": "", "/sharedx/a": "",
	} {
		got, err := CanonicalMetadataName(name)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q became %q (%v), want %q", name, got, err, want)
		}
	}
}

// A session that does not look is told that something was lost, not more and
// more names.
func TestWatchedMetadataIsBounded(t *testing.T) {
	s := &Store{watches: map[AccountID]map[*Watch]bool{}}
	w, other := s.Watch(1), s.Watch(2)
	defer w.Close()
	defer other.Close()
	row := Mailbox{ID: MailboxID(AccountID(1).FirstMessage() + 1), UIDValidity: 1}
	s.tellWatches([]Change{{Mailbox: row, Reader: 1, Metadata: []string{"/shared/b", "/private/a"}}})
	s.tellWatches([]Change{{Mailbox: row, Reader: 2, Metadata: []string{"/private/of-another"}}})
	s.tellWatches([]Change{{Mailbox: row, Metadata: []string{"/shared/b"}}})
	s.tellWatches([]Change{{Metadata: []string{"/shared/motd"}}})
	seen := w.Take()
	if !slices.Equal(seen.Metadata[row.ID], []string{"/private/a", "/shared/b"}) || !slices.Equal(seen.Metadata[0], []string{"/shared/motd"}) || seen.Lost {
		t.Fatalf("seen %+v", seen)
	}
	if seen := other.Take(); len(seen.Metadata) != 1 || len(seen.Metadata[0]) != 1 {
		t.Fatalf("the other account saw %+v", seen)
	}
	for n := range maxWatchedEntries + 1 {
		s.tellWatches([]Change{{Mailbox: row, Metadata: []string{fmt.Sprintf("/shared/%d", n)}}})
	}
	if seen := w.Take(); len(seen.Metadata[row.ID]) != maxWatchedEntries || !seen.Lost {
		t.Fatalf("%d names are kept, lost: %v", len(seen.Metadata[row.ID]), seen.Lost)
	}
}
