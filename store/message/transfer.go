package message

import (
	"bytes"
	"encoding/binary"
	"slices"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/transform"
)

// partDecoder undoes the transfer encoding and the charset of a part that
// comes in pieces.
type partDecoder struct {
	encoding Encoding
	base64   base64Decoder
	plain    []byte // scratch: transfer encoding undone

	table *charmap.Charmap  // of a charset that adds to ASCII, one byte a character
	other *transform.Writer // of any other, into text
	text  textBuffer        // scratch: charset undone
}

// textBuffer is a bytes.Buffer whose bytes can be had without reading them.
type textBuffer []byte

func (t *textBuffer) Write(b []byte) (int, error) {
	*t = append(*t, b...)
	return len(b), nil
}

// start makes it ready for a part.
func (d *partDecoder) start(p *Part) {
	*d = partDecoder{encoding: p.Encoding, plain: d.plain, text: d.text}
	enc := encodingNamed(p.Charset)
	if table, ok := enc.(*charmap.Charmap); ok && table.DecodeByte('A') == 'A' {
		d.table = table
	} else if enc != nil {
		d.other = transform.NewWriter(&d.text, enc.NewDecoder())
	}
}

// decode gives the text of the next piece, and which bytes at its end have to
// wait for the one after it. The text is valid until the next call, and may
// lie in raw.
func (d *partDecoder) decode(raw []byte, last bool) (text, rest []byte) {
	if d.encoding == EncodingBase64 || d.encoding == EncodingQuotedPrintable {
		d.plain = slices.Grow(d.plain[:0], len(raw))
	}
	switch d.encoding {
	case EncodingBase64:
		d.plain = d.base64.decode(d.plain, raw)
		if last {
			d.plain = d.base64.end(d.plain)
		}
		raw = d.plain
	case EncodingQuotedPrintable:
		d.plain, rest = decodeQuoted(d.plain, raw, last)
		raw = d.plain
	}
	d.text = d.text[:0]
	switch {
	case d.table != nil && !isASCII(raw):
		for _, c := range raw {
			d.text = utf8.AppendRune(d.text, d.table.DecodeByte(c))
		}
		return d.text, rest
	case d.other != nil:
		// What cannot be decoded is left out; the rest can still be searched.
		_, _ = d.other.Write(raw)
		if last {
			_ = d.other.Close()
		}
		return d.text, rest
	}
	return raw, rest
}

func isASCII(b []byte) bool {
	for ; len(b) >= 8; b = b[8:] {
		if binary.NativeEndian.Uint64(b)&0x8080808080808080 != 0 {
			return false
		}
	}
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// base64Decoder decodes base64 that comes in pieces and passes over whatever
// is not of its alphabet. Padding ends a group; more groups may follow.
type base64Decoder struct {
	bits uint32
	n    int // characters gathered in bits
}

// base64Values holds the value of each character of the alphabets of RFC 4648
// sections 4 and 5, notBase64 for all others; never written to.
var base64Values = base64Table()

const notBase64 = 0xff

func base64Table() (t [256]byte) {
	for i := range t {
		t[i] = notBase64
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = byte(i)
	}
	t['-'], t['_'] = 62, 63
	return t
}

// decode appends what src decodes to.
func (d *base64Decoder) decode(dst, src []byte) []byte {
	for i := 0; i < len(src); {
		if d.n == 0 && i+4 <= len(src) {
			a, b, c, e := base64Values[src[i]], base64Values[src[i+1]], base64Values[src[i+2]], base64Values[src[i+3]]
			if a|b|c|e < 64 {
				dst = append(dst, a<<2|b>>4, b<<4|c>>2, c<<6|e)
				i += 4
				continue
			}
		}
		v := base64Values[src[i]]
		switch {
		case v != notBase64:
			d.bits = d.bits<<6 | uint32(v)
			if d.n++; d.n == 4 {
				dst = d.end(dst)
			}
		case src[i] == '=':
			dst = d.end(dst)
		}
		i++
	}
	return dst
}

// end decodes the characters gathered.
func (d *base64Decoder) end(dst []byte) []byte {
	n, bits := d.n, d.bits<<(6*(4-d.n))
	d.n, d.bits = 0, 0
	if n >= 2 {
		b := [3]byte{byte(bits >> 16), byte(bits >> 8), byte(bits)}
		dst = append(dst, b[:n-1]...)
	}
	return dst
}

// maxEscape is how many bytes decide what an "=" means: white space may stand
// between it and the line end.
const maxEscape = 66

// decodeQuoted appends what quoted-printable (RFC 2045 section 6.7) decodes
// to; what is no valid escape is taken as it is. Unless src is the last piece,
// an escape cut off at its end is left over as rest.
func decodeQuoted(dst, src []byte, last bool) (out, rest []byte) {
	for {
		i := bytes.IndexByte(src, '=')
		if i < 0 {
			return append(dst, src...), nil
		}
		dst = append(dst, src[:i]...)
		src = src[i:]
		if len(src) < maxEscape && !last && len(bytes.TrimLeft(src[1:], " \t\r")) < 2 {
			return dst, src
		}
		c, n, soft := escape(src)
		if !soft {
			dst = append(dst, c)
		}
		src = src[n:]
	}
}

// escape reads what src, starting with "=", says in its first n bytes: the
// character c or, soft, a line break that is not part of the text.
func escape(src []byte) (c byte, n int, soft bool) {
	if len(src) >= 3 && unhex(src[1]) >= 0 && unhex(src[2]) >= 0 {
		return byte(unhex(src[1])<<4 | unhex(src[2])), 3, false
	}
	for i, c := range src[1:min(len(src), maxEscape)] {
		if c == '\n' {
			return 0, i + 2, true
		}
		if c != ' ' && c != '\t' && c != '\r' {
			break
		}
	}
	return '=', 1, len(src) == 1
}
