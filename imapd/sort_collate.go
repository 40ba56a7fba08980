package imapd

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// appendCollated appends a text in the form whose bytes order texts as
// i;unicode-casemap does (RFC 5051 section 2.3): titlecase, then compatibility
// decomposition. Of the result about keep bytes are appended. NUL is left out.
func appendCollated[T string | []byte](dst []byte, text T, keep int) []byte {
	limit := len(dst) + keep
	for i := 0; i < len(text) && len(dst) < limit; {
		c := text[i]
		if c < utf8.RuneSelf {
			i++
			switch {
			case c >= 'a' && c <= 'z':
				c -= 'a' - 'A'
			case c == 0:
				continue
			}
			dst = append(dst, c)
			continue
		}
		r, n := utf8.DecodeRuneInString(string(text[i:min(len(text), i+utf8.UTFMax)]))
		i += n
		var title [utf8.UTFMax]byte
		b := title[:utf8.EncodeRune(title[:], unicode.ToTitle(r))]
		if parts := norm.NFKD.Properties(b).Decomposition(); parts != nil {
			b = parts
		}
		dst = append(dst, b...)
	}
	return dst
}
