package message

import (
	"slices"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold makes texts comparable: what a search looks for and what it looks in go
// through it, and a match is then a substring. Case and compatibility forms
// are levelled about as i;unicode-casemap does (RFC 5051: "é" becomes "e" and
// an accent), a run of white space is one space, so that phrases match across
// line breaks, and characters that are not seen are left out.
func Fold(s string) string {
	f := folder{out: make([]byte, 0, len(s))}
	f.add([]byte(s))
	return string(f.out)
}

// folder gathers folded text.
type folder struct {
	out   []byte
	space bool // out ends in a space
	wide  []byte
}

// add appends text that is valid UTF-8.
func (f *folder) add(s []byte) {
	for len(s) > 0 {
		n := f.ascii(s)
		if s = s[n:]; len(s) > 0 && s[0] == 0 {
			s = s[1:]
			continue
		}
		if n = wideRun(s); n == 0 {
			continue
		}
		f.wide = norm.NFKD.Append(f.wide[:0], s[:n]...)
		s = s[n:]
		for rest := f.wide; len(rest) > 0; {
			r, n := utf8.DecodeRune(rest)
			f.rune(r)
			rest = rest[n:]
		}
	}
}

// The table of ascii: what a byte folds to, and marks.
const (
	foldSpace = 1 << 8 // white space
	foldStop  = 1 << 9 // not ASCII, or NUL
)

// foldTable is never written to.
var foldTable = makeFoldTable()

func makeFoldTable() (t [256]uint16) {
	for i := range t {
		switch c := uint16(i); {
		case c >= utf8.RuneSelf || c == 0:
			t[i] = foldStop
		case c == ' ' || c >= '\t' && c <= '\r':
			t[i] = ' ' | foldSpace
		case c >= 'A' && c <= 'Z':
			t[i] = c + 'a' - 'A'
		default:
			t[i] = c
		}
	}
	return t
}

// ascii folds the ASCII that starts s, as far as there is no NUL, and gives
// its length. It runs over every byte of searched mail: no branches but one.
func (f *folder) ascii(s []byte) int {
	n := len(f.out)
	out := slices.Grow(f.out, len(s))[:n+len(s)]
	was := uint16(0) // foldSpace if out ends in a space
	if f.space {
		was = foldSpace
	}
	i := 0
	for ; i < len(s); i++ {
		c := foldTable[s[i]]
		if c&foldStop != 0 {
			break
		}
		out[n] = byte(c)
		is := c & foldSpace
		n += 1 - int(is&was>>8)
		was = is
	}
	f.out, f.space = out[:n], was != 0
	return i
}

// wideRun gives the length of the text to be normalised at once: up to an
// ASCII character, or a bound that keeps memory small.
func wideRun(s []byte) int {
	const bound = 4096
	for i := 0; i < len(s); i++ {
		if s[i] < utf8.RuneSelf || i >= bound && utf8.RuneStart(s[i]) {
			return i
		}
	}
	return len(s)
}

func (f *folder) rune(r rune) {
	switch {
	case unicode.IsSpace(r):
		if !f.space {
			f.out = append(f.out, ' ')
		}
		f.space = true
		return
	case r == 0, r == '\u00AD', r == '\u200B', r == '\u2060', r == '\uFEFF':
		return
	}
	f.out = utf8.AppendRune(f.out, unicode.ToLower(unicode.ToUpper(r)))
	f.space = false
}
