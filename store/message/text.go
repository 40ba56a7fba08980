package message

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
)

// DecodeText gives a raw field value as text: unfolded, encoded words (RFC
// 2047) decoded wherever they stand, adjacent ones joined, broken ones left as
// they are. Bytes above 127 outside of them are UTF-8 where they can be, else
// windows-1252. The result is valid UTF-8.
func DecodeText(raw []byte) string {
	text := unfold(make([]byte, 0, len(raw)), raw)
	if !bytes.Contains(text, []byte("=?")) {
		return guessUTF8(text)
	}
	var d wordDecoder
	d.decode(text)
	return d.out.String()
}

// wordDecoder joins adjacent encoded words of one charset before it converts
// them, as a character may be cut between two.
type wordDecoder struct {
	out     strings.Builder
	charset string // of pending
	pending []byte // decoded bytes of the words just read
	isWord  bool   // pending comes from a word
}

func (d *wordDecoder) decode(text []byte) {
	for len(text) > 0 {
		i := bytes.Index(text, []byte("=?"))
		if i < 0 {
			break
		}
		word, rest, ok := readWord(text[i:])
		if !ok {
			if rest == nil { // no word ends behind here
				break
			}
			d.plain(text[:i+2])
			text = text[i+2:]
			continue
		}
		// White space between two words is not part of the text (section 6.2).
		if between := text[:i]; !d.isWord || len(bytes.TrimSpace(between)) > 0 {
			d.plain(between)
		}
		if d.isWord && d.charset != word.charset {
			d.flush()
		}
		d.charset, d.isWord = word.charset, true
		d.pending = append(d.pending, word.text...)
		text = rest
	}
	d.plain(text)
	d.flush()
}

func (d *wordDecoder) plain(b []byte) {
	if len(b) == 0 {
		return
	}
	d.flush()
	d.out.WriteString(guessUTF8(b))
}

func (d *wordDecoder) flush() {
	if d.isWord {
		d.out.WriteString(decodeCharset(d.charset, d.pending))
	}
	d.pending, d.isWord = d.pending[:0], false
}

type encodedWord struct {
	charset string
	text    []byte
}

// readWord reads the encoded word that b, starting with "=?", may be. If it
// is none, rest is nil when no later one can be either.
func readWord(b []byte) (w encodedWord, rest []byte, ok bool) {
	body := b[2:]
	n := bytes.IndexByte(body, '?')
	if n < 0 {
		return w, nil, false
	}
	if n == 0 || n > maxCharset || n+2 >= len(body) || body[n+2] != '?' || bytes.ContainsAny(body[:n], " \t=") {
		return w, body, false
	}
	w.charset = strings.ToLower(string(body[:n]))
	w.charset, _, _ = strings.Cut(w.charset, "*") // RFC 2231 section 5: a language may follow
	decode := decodeQ
	switch body[n+1] | 0x20 {
	case 'b':
		decode = decodeBase64
	case 'q':
	default:
		return w, body, false
	}
	body = body[n+3:]
	end := bytes.Index(body, []byte("?="))
	if end < 0 {
		return w, nil, false
	}
	w.text = decode(body[:end])
	return w, body[end+2:], true
}

// decodeQ undoes the Q encoding (RFC 2047 section 4.2).
func decodeQ(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '_':
			out = append(out, ' ')
		case b[i] == '=' && i+2 < len(b) && unhex(b[i+1]) >= 0 && unhex(b[i+2]) >= 0:
			out = append(out, byte(unhex(b[i+1])<<4|unhex(b[i+2])))
			i += 2
		default:
			out = append(out, b[i])
		}
	}
	return out
}

// decodeBase64 passes over what is not of the alphabet.
func decodeBase64(b []byte) []byte {
	var d base64Decoder
	return d.end(d.decode(make([]byte, 0, len(b)), b))
}

// decodeCharset converts text of a named charset.
func decodeCharset(name string, b []byte) string {
	enc := encodingNamed(name)
	if enc == nil {
		return guessUTF8(b)
	}
	out, err := enc.NewDecoder().Bytes(b)
	if err != nil {
		return guessUTF8(b)
	}
	return strings.ToValidUTF8(string(out), "\uFFFD")
}

// encodingNamed finds a charset; nil means to guess, for UTF-8, ASCII (which
// is often not what it says) and what is not known. The names are those of
// web browsers first, who know what mailers mean by them.
func encodingNamed(name string) encoding.Encoding {
	switch name {
	case "", "utf-8", "utf8", "us-ascii", "ascii", "unknown-8bit", "x-unknown":
		return nil
	}
	if enc, err := htmlindex.Get(name); err == nil && enc != encoding.Replacement {
		return enc
	}
	enc, err := ianaindex.MIME.Encoding(name)
	if err != nil {
		return nil
	}
	return enc
}

// guessUTF8 takes b for UTF-8, and what is not for windows-1252.
func guessUTF8(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return string(appendGuess(make([]byte, 0, len(b)+16), b))
}

func appendGuess(dst, b []byte) []byte {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			dst = utf8.AppendRune(dst, charmap.Windows1252.DecodeByte(b[0]))
		} else {
			dst = append(dst, b[:n]...)
		}
		b = b[n:]
	}
	return dst
}
