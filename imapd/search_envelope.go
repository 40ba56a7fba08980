package imapd

import (
	"bytes"
)

// envelopeField is the place of a field in an ENVELOPE (RFC 3501 section
// 7.4.2).
type envelopeField int

const (
	envDate envelopeField = iota
	envSubject
	envFrom
	envSender
	envReplyTo
	envTo
	envCc
	envBcc
	envInReplyTo
	envMessageID
)

func (f envelopeField) isAddresses() bool { return f >= envFrom && f <= envBcc }

// envelopeValue gives a field of an ENVELOPE in wire form, nil for NIL or when
// the form is broken. It allocates nothing: searches call it for every message.
func envelopeValue(env []byte, f envelopeField) []byte {
	if len(env) == 0 || env[0] != '(' {
		return nil
	}
	at := 1
	for i := envDate; ; i++ {
		end := skipValue(env, at)
		if end < 0 {
			return nil
		}
		if i == f {
			if bytes.Equal(env[at:end], []byte("NIL")) {
				return nil
			}
			return env[at:end]
		}
		at = end + 1 // the space
	}
}

// skipValue gives the end of the value that starts at i, -1 if there is none.
func skipValue(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '(':
			depth++
			i++
		case ')':
			depth--
			i++
		case '"', '{':
			_, end := stringAt(b, i)
			if end < 0 {
				return -1
			}
			i = end
		case ' ':
			i++
		default:
			for i < len(b) && b[i] != ' ' && b[i] != ')' && b[i] != '(' {
				i++
			}
		}
		if depth <= 0 {
			return i
		}
	}
	return -1
}

// stringAt gives the inside of the quoted string or literal at i, escapes and
// all, and where it ends; end is -1 when there is no whole one.
func stringAt(b []byte, i int) (inside []byte, end int) {
	if b[i] == '"' {
		for j := i + 1; j < len(b); j++ {
			switch b[j] {
			case '\\':
				j++
			case '"':
				return b[i+1 : j], j + 1
			}
		}
		return nil, -1
	}
	n, j := 0, i+1
	for ; j < len(b) && b[j] >= '0' && b[j] <= '9' && n < len(b); j++ {
		n = n*10 + int(b[j]-'0')
	}
	if !bytes.HasPrefix(b[min(j, len(b)):], []byte("}\r\n")) || n > len(b)-j-3 {
		return nil, -1
	}
	return b[j+3 : j+3+n], j + 3 + n
}

// appendValueText gives the text of a value: of a string, or of addresses as
// they would stand in a header, "name <mailbox@host>, ...".
func appendValueText(dst, value []byte, addresses bool) []byte {
	if !addresses {
		dst, _ = appendStringText(dst, value, 0)
		return dst
	}
	for i := 1; i < len(value) && value[i] == '('; {
		dst, i = appendAddress(dst, value, i+1)
		if i < 0 {
			break
		}
	}
	return dst
}

// appendAddress gives the text of the address whose name starts at i, and
// where the next one starts, -1 if there is none.
func appendAddress(dst, b []byte, i int) ([]byte, int) {
	if len(dst) > 0 {
		dst = append(dst, ", "...)
	}
	from := len(dst)
	for field := range 4 { // name, route, mailbox, host
		if field > 0 {
			if i >= len(b) || b[i] != ' ' {
				return dst, -1
			}
			i++
		}
		if i >= len(b) {
			return dst, -1
		}
		switch {
		case field == 2 && len(dst) > from:
			dst = append(dst, " <"...)
		case field == 2:
			dst = append(dst, '<')
		case field == 3:
			dst = append(dst, '@')
		}
		if field == 1 {
			i = skipValue(b, i)
		} else {
			dst, i = appendStringText(dst, b, i)
		}
		if i < 0 {
			return dst, -1
		}
	}
	dst = append(dst, '>')
	if i >= len(b) || b[i] != ')' {
		return dst, -1
	}
	return dst, i + 1
}

// appendStringText gives the text of the string at i, nothing for NIL, and
// where it ends.
func appendStringText(dst, b []byte, i int) ([]byte, int) {
	if i >= len(b) || b[i] != '"' && b[i] != '{' {
		return dst, skipValue(b, i)
	}
	inside, end := stringAt(b, i)
	if b[i] == '{' || bytes.IndexByte(inside, '\\') < 0 {
		return append(dst, inside...), end
	}
	for j := 0; j < len(inside); j++ {
		if inside[j] == '\\' && j+1 < len(inside) {
			j++
		}
		dst = append(dst, inside[j])
	}
	return dst, end
}

// needsDecoding says whether a raw header value is more than plain ASCII.
func needsDecoding(raw []byte) bool {
	for i, c := range raw {
		if c >= 0x80 || c == '=' && i+1 < len(raw) && raw[i+1] == '?' {
			return true
		}
	}
	return false
}

// foldPlain is message.Fold for plain ASCII, into memory that is there.
func foldPlain(dst, raw []byte) []byte {
	space := false
	for _, c := range raw {
		switch {
		case c == ' ' || c >= '\t' && c <= '\r':
			if !space {
				dst = append(dst, ' ')
			}
			space = true
			continue
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case c == 0:
			continue
		}
		dst = append(dst, c)
		space = false
	}
	return dst
}
