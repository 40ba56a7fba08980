package message

import (
	"bytes"
	"iter"
)

// FilterFields appends the fields of a raw header block whose names are among
// names, any case, or with not those whose names are not; folded as they are
// and in order. The blank line that ends a header is there too (RFC 3501
// section 6.4.5). Lines without a name count as fields with another name.
// Deviation: fields asked for by name end in a blank line even when the
// header has none, so that every reader of them finds their end.
func FilterFields(dst, header []byte, names []string, not bool) []byte {
	take, blank := not, !not
	for len(header) > 0 {
		line := nextLine(header)
		header = header[len(line):]
		text := trimEOL(line)
		if len(text) == 0 {
			blank = true
			break
		}
		if text[0] != ' ' && text[0] != '\t' {
			take = named(fieldName(text), names) != not
		}
		if take {
			dst = append(dst, line...)
			if len(header) == 0 && len(text) == len(line) { // cut off inside a line
				dst = append(bytes.TrimRight(dst, "\r"), "\r\n"...)
			}
		}
	}
	if blank {
		dst = append(dst, "\r\n"...)
	}
	return dst
}

func nextLine(b []byte) []byte {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return b[:i+1]
	}
	return b
}

// fieldName gives the name that starts a line, nil if it has no colon.
func fieldName(text []byte) []byte {
	colon := bytes.IndexByte(text, ':')
	if colon < 0 {
		return nil
	}
	return bytes.TrimRight(text[:colon], " \t")
}

func named(name []byte, names []string) bool {
	for _, n := range names {
		if len(n) == len(name) && len(n) > 0 && bytes.EqualFold(name, []byte(n)) {
			return true
		}
	}
	return false
}

// Fields gives the fields of a raw header block up to its blank line: names
// without the colon, values raw with their folding but without the last line
// end. Lines without a colon, and what is folded onto them, are passed over.
func Fields(header []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		for len(header) > 0 {
			n := 0
			for n < len(header) {
				line := nextLine(header[n:])
				if n > 0 && line[0] != ' ' && line[0] != '\t' {
					break
				}
				n += len(line)
			}
			field := trimEOL(header[:n])
			header = header[n:]
			if len(field) == 0 {
				return
			}
			name := fieldName(nextLine(field))
			if len(name) == 0 || field[0] == ' ' || field[0] == '\t' {
				continue
			}
			if !yield(name, field[bytes.IndexByte(field, ':')+1:]) {
				return
			}
		}
	}
}
