package message

import (
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
		s = s[n:]
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

// ascii folds the ASCII that starts s and gives its length.
func (f *folder) ascii(s []byte) int {
	out, space := f.out, f.space
	i := 0
	for ; i < len(s) && s[i] < utf8.RuneSelf; i++ {
		c := s[i]
		switch {
		case c > ' ':
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			out = append(out, c)
			space = false
		case c == ' ' || c >= '\t' && c <= '\r':
			if !space {
				out = append(out, ' ')
			}
			space = true
		case c != 0:
			out = append(out, c)
			space = false
		}
	}
	f.out, f.space = out, space
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
