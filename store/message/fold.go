package message

import (
	"strings"
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
	var b strings.Builder
	b.Grow(len(s))
	foldTo(&b, s, len(s)*norm.MaxSegmentSize)
	return b.String()
}

// foldTo appends the folded form of s, up to max bytes in all.
func foldTo(b *strings.Builder, s string, max int) {
	space := strings.HasSuffix(b.String(), " ")
	for len(s) > 0 && b.Len() < max {
		n := asciiPrefix(s)
		space = foldASCII(b, s[:n], space)
		s = s[n:]
		n = wideRun(s)
		for _, r := range norm.NFKD.String(s[:n]) {
			space = foldRune(b, r, space)
		}
		s = s[n:]
	}
}

// foldASCII and foldRune are told whether a space was just written, and say
// so themselves.
func foldASCII(b *strings.Builder, s string, space bool) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == ' ' || c >= '\t' && c <= '\r':
			if !space {
				b.WriteByte(' ')
			}
			space = true
			continue
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case c == 0:
			continue
		}
		b.WriteByte(c)
		space = false
	}
	return space
}

// asciiPrefix gives how many bytes of ASCII start s.
func asciiPrefix(s string) int {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return i
		}
	}
	return len(s)
}

// wideRun gives the length of the text to be normalised at once: up to an
// ASCII character, or a bound that keeps memory small.
func wideRun(s string) int {
	const bound = 4096
	for i := 0; i < len(s); i++ {
		if s[i] < utf8.RuneSelf || i >= bound && utf8.RuneStart(s[i]) {
			return i
		}
	}
	return len(s)
}

func foldRune(b *strings.Builder, r rune, space bool) bool {
	switch {
	case unicode.IsSpace(r):
		if !space {
			b.WriteByte(' ')
		}
		return true
	case r == 0, r == '\u00AD', r == '\u200B', r == '\u2060', r == '\uFEFF':
		return space
	}
	b.WriteRune(unicode.ToLower(unicode.ToUpper(r)))
	return false
}
