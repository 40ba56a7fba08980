package imapd

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"tandem/store"
	"tandem/store/message"
)

func collated(s string) string { return string(appendCollated(nil, s, 1<<20)) }

// TestCollation: texts are ordered as i;unicode-casemap orders them.
func TestCollation(t *testing.T) {
	ordered := []string{"", "!", "10", "9", "a", "A B", "ab", "äb", "b", "Z", "z", "[x]", "_x", "ß", "Σ", "Я", "日本"}
	for i, s := range ordered {
		if i > 0 && collated(ordered[i-1]) > collated(s) {
			t.Errorf("%q does not come before %q", ordered[i-1], s)
		}
	}
	for _, same := range [][2]string{{"a", "A"}, {"É", "e\u0301"}, {"σ", "ς"}, {"ﬁ", "fi"}, {"Ａ", "a"}, {"µ", "Μ"}, {"x\x00y", "xy"}} {
		// "ﬁ" is made of small letters, which titlecase has passed by then.
		if a, b := collated(same[0]), collated(same[1]); !strings.EqualFold(a, b) {
			t.Errorf("%q and %q differ: %q, %q", same[0], same[1], a, b)
		}
	}
	if got := appendCollated([]byte("x"), strings.Repeat("ä", 100), 10); len(got) > 1+10+utf8.UTFMax {
		t.Errorf("kept %d bytes", len(got))
	}
	if got := appendCollated(nil, []byte("a\xff\xc3"), 100); string(got) != "A\ufffd\ufffd" {
		t.Errorf("broken UTF-8 becomes %q", got)
	}
}

// TestSearchCaseMap: what i;unicode-casemap takes for one, SEARCH finds (RFC
// 5255 section 4.3), for every character there is.
func TestSearchCaseMap(t *testing.T) {
	for r := rune(1); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) || !unicode.IsGraphic(r) {
			continue
		}
		s := string(r)
		if a, b := message.Fold(s), message.Fold(collated(s)); a != b {
			t.Errorf("%U: %q folds to %q, %q to %q", r, s, a, collated(s), b)
		}
	}
}

// TestSortManyKeys: reversed and plain keys of all kinds together, on texts
// that are each other's beginnings.
func TestSortManyKeys(t *testing.T) {
	text := func(s string) sortTerm {
		return sortTerm{sortKey: sortKey{append: func(o *ordering, dst []byte) []byte { return o.end(appendCollated(dst, s, o.keep)) }}}
	}
	key := func(reverse bool, s string, size uint32) string {
		a, b := text(s), sortTerm{sortKey: extSort().sortKeys[1]}
		a.reverse = reverse
		o := &sorter{terms: []sortTerm{a, b}}
		return string(o.key(nil, &ordering{Member: &store.Member{Entry: store.Entry{Size: size}}, keep: 100}))
	}
	plain := []string{key(false, "", 9), key(false, "a", 1), key(false, "A", 2), key(false, "a", 1<<31), key(false, "a b", 0), key(false, "ab", 0), key(false, "b", 0)}
	if !slices.IsSorted(plain) {
		t.Errorf("not ascending: %q", plain)
	}
	reversed := []string{key(true, "b", 0), key(true, "ab", 0), key(true, "a b", 0), key(true, "a", 1), key(true, "A", 2), key(true, "a", 1<<31), key(true, "", 9)}
	if !slices.IsSorted(reversed) {
		t.Errorf("not descending: %q", reversed)
	}
}

func FuzzFirstAddress(f *testing.F) {
	f.Add([]byte(`(("A \"b\"" NIL "m" "h")(NIL NIL "x" "y"))`))
	f.Add([]byte("((NIL NIL {3}\r\nabc NIL))"))
	f.Add([]byte("(("))
	f.Fuzz(func(t *testing.T, list []byte) {
		name, mailbox, host := firstAddress(list)
		o := &ordering{Member: &store.Member{}, keep: 64, mem: &scratch{}}
		for _, value := range [][]byte{name, mailbox, host} {
			if !bytes.Contains(list, value) {
				t.Fatalf("%q is not in %q", value, list)
			}
			if got := appendCollated(nil, o.text(value), 64); len(got) > 64+4*utf8.UTFMax*18 || bytes.IndexByte(got, 0) >= 0 {
				t.Fatalf("%q is collated to %q", value, got)
			}
		}
	})
}
