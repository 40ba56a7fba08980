package message

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// mimeValue is a structured MIME field: a first token and parameters.
// Its slices point into text or into the buffers it keeps.
type mimeValue struct {
	main   []byte // what stands before the parameters; of a type only "type"
	sub    []byte // subtype, of a Content-Type
	params []mimeParam
	text   []byte // the unfolded field
	values []byte // quoted values without their quoting
}

type mimeParam struct{ name, value []byte }

// parseType reads a Content-Type (RFC 2045 section 5.1), tolerantly.
func (m *mimeValue) parseType(raw []byte, maxParams int) {
	b := skipComments(m.start(raw))
	n := tokenEnd(b, "/;( \t")
	m.main = b[:n]
	b = skipComments(b[n:])
	if len(b) > 0 && b[0] == '/' {
		b = skipComments(b[1:])
		n = tokenEnd(b, ";( \t")
		m.sub = b[:n]
		b = b[n:]
	}
	m.parseParams(b, maxParams)
}

// parseToken reads a Content-Disposition (RFC 2183) or -Transfer-Encoding.
func (m *mimeValue) parseToken(raw []byte, maxParams int) {
	b := skipComments(m.start(raw))
	n := tokenEnd(b, ";( \t=")
	if n < len(b) && b[n] == '=' { // the token was forgotten
		n = 0
	}
	m.main = bytes.Trim(b[:n], `"`)
	m.parseParams(b[n:], maxParams)
}

func (m *mimeValue) start(raw []byte) []byte {
	m.text = unfold(m.text[:0], raw)
	*m = mimeValue{text: m.text, values: m.values[:0], params: m.params[:0]}
	return m.text
}

// skipComments gives what follows white space and comments.
func skipComments(b []byte) []byte {
	for {
		b = bytes.TrimLeft(b, " \t")
		if len(b) == 0 || b[0] != '(' {
			return b
		}
		b = skipComment(b)
	}
}

func tokenEnd(b []byte, stops string) int {
	if i := bytes.IndexAny(b, stops); i >= 0 {
		return i
	}
	return len(b)
}

// parseParams reads what follows the token. Comments, empty parameters and
// such without a value are passed over.
func (m *mimeValue) parseParams(b []byte, max int) {
	defer m.joinPieces()
	for tries := 0; tries < 4*max && len(m.params) < max; tries++ {
		b = bytes.TrimLeft(b, " \t;")
		if len(b) == 0 {
			return
		}
		if b[0] == '(' {
			b = skipComment(b)
			continue
		}
		n := tokenEnd(b, "=;")
		if n == len(b) {
			return
		}
		name := bytes.TrimRight(b[:n], " \t")
		eq := b[n] == '='
		b = b[n+1:]
		if !eq {
			continue
		}
		var value []byte
		value, b = m.paramValue(bytes.TrimLeft(b, " \t"))
		if len(name) > 0 {
			m.params = append(m.params, mimeParam{name, value})
		}
	}
}

// paramValue reads a quoted or bare value and gives what follows it.
func (m *mimeValue) paramValue(b []byte) (value, rest []byte) {
	if len(b) > 0 && b[0] == '"' {
		return m.quotedValue(b[1:])
	}
	n := tokenEnd(b, ";")
	value, rest = b[:n], b[n:]
	for i := bytes.IndexAny(value, " \t"); i >= 0 && i < n; {
		// "a b.pdf" without quotes is one value; "utf-8 format=flowed"
		// lacks a semicolon; "x (comment)" ends before the comment.
		next := bytes.TrimLeft(value[i:], " \t")
		if len(next) > 0 && next[0] == '(' || startsParam(next) {
			return bytes.TrimRight(value[:i], ","), b[i:]
		}
		i = n - len(next) + tokenEnd(next, " \t")
	}
	return bytes.TrimRight(value, " \t"), rest
}

func startsParam(b []byte) bool {
	n := 0
	for n < len(b) && (b[n]|0x20 >= 'a' && b[n]|0x20 <= 'z' || b[n] == '*' || b[n] == '-' || b[n] >= '0' && b[n] <= '9') {
		n++
	}
	return n > 0 && n < len(b) && b[n] == '='
}

func (m *mimeValue) quotedValue(b []byte) (value, rest []byte) {
	from := len(m.values)
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			return m.values[from:], b[i+1:]
		case c == '\\' && i+1 < len(b):
			i++
			m.values = append(m.values, b[i])
		default:
			m.values = append(m.values, c)
		}
	}
	return m.values[from:], nil
}

// skipComment gives what follows the comment that b starts with (RFC 5322
// section 3.2.2), nothing if it does not end.
func skipComment(b []byte) []byte {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return b[i+1:]
			}
		}
	}
	return nil
}

// joinPieces makes one parameter of one that comes in pieces, name*0 and so
// on, as servers should (RFC 2231 section 6): "name*" if the first one is
// encoded (section 4.1), else "name".
func (m *mimeValue) joinPieces() {
	for i := 0; i < len(m.params); i++ {
		base, n, encoded := pieceOf(m.params[i].name)
		if n != 0 {
			continue
		}
		value := bytes.Clone(m.params[i].value)
		for n = 1; ; n++ {
			j, pieceEncoded := m.findPiece(base, n)
			if j < 0 {
				break
			}
			value = appendPiece(value, m.params[j].value, encoded, pieceEncoded)
			m.params = slices.Delete(m.params, j, j+1)
			if j < i {
				i--
			}
		}
		name := base
		if encoded {
			name = m.params[i].name[:len(base)+1] // with its star
		}
		m.params[i] = mimeParam{name, value}
	}
}

// pieceOf takes name*N and name*N* apart; n is -1 for other names.
func pieceOf(name []byte) (base []byte, n int, encoded bool) {
	star := bytes.IndexByte(name, '*')
	if star < 1 {
		return name, -1, false
	}
	number := name[star+1:]
	if len(number) > 1 && number[len(number)-1] == '*' {
		number, encoded = number[:len(number)-1], true
	}
	n, err := strconv.Atoi(string(number))
	if err != nil || !isDigit(number[0]) {
		return name, -1, false
	}
	return name[:star], n, encoded
}

func (m *mimeValue) findPiece(base []byte, n int) (i int, encoded bool) {
	for i, p := range m.params {
		if b, k, encoded := pieceOf(p.name); k == n && bytes.EqualFold(b, base) {
			return i, encoded
		}
	}
	return -1, false
}

// appendPiece adds a piece to a value, in the form that the value has.
func appendPiece(value, piece []byte, encoded, pieceEncoded bool) []byte {
	switch {
	case encoded == pieceEncoded:
		return append(value, piece...)
	case pieceEncoded:
		return append(value, percentDecode(string(piece), false)...)
	}
	for _, c := range piece {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("*'%()<>@,;:\\\"/[]?=", c) >= 0 {
			value = append(value, '%', "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15])
		} else {
			value = append(value, c)
		}
	}
	return value
}

// param gives a parameter's value, also when it comes in the encoding of RFC
// 2231 section 4 (without converting its charset).
func (m *mimeValue) param(name string) string {
	for _, p := range m.params {
		if equalFold(p.name, name) {
			return string(p.value)
		}
	}
	for _, p := range m.params {
		if len(p.name) == len(name)+1 && p.name[len(name)] == '*' && equalFold(p.name[:len(name)], name) {
			return percentDecode(string(p.value), true)
		}
	}
	return ""
}

// percentDecode undoes %XX; the first piece, or the whole, starts with charset'language'.
func percentDecode(s string, first bool) string {
	if first {
		if parts := strings.SplitN(s, "'", 3); len(parts) == 3 {
			s = parts[2]
		}
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if hi, lo := unhex(s[i+1]), unhex(s[i+2]); hi >= 0 && lo >= 0 {
				out = append(out, byte(hi<<4|lo))
				i += 2
				continue
			}
		}
		out = append(out, s[i])
	}
	return string(out)
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
