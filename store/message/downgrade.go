package message

import (
	"bytes"
	"io"
	"mime"
	"slices"
	"strings"
)

// Bounds of a downgrade: longer header blocks stay as they are, and so does
// what comes when so much was read of header blocks, or that many bytes are to
// be put in.
const (
	downgradeBlock = 1 << 20
	downgradeAll   = 8 << 20
	downgradeNew   = 4 << 20
)

// Downgrade gives the edits that make the header fields of an internationalized
// message, those of its parts too, fit for readers that know nothing of UTF-8
// in them (RFC 6858). r reads the parsed message. Bodies stay.
func Downgrade(s *Structure, r io.ReaderAt) ([]Edit, error) {
	var edits []Edit
	read, added := int64(0), 0
	for i := range s.Parts {
		p := &s.Parts[i]
		n := p.BodyOff - p.HeaderOff
		if read += n; n > downgradeBlock || read > downgradeAll || added > downgradeNew {
			read -= n
			continue
		}
		header := make([]byte, n)
		if k, err := r.ReadAt(header, p.HeaderOff); k < len(header) {
			return nil, err
		}
		for _, e := range DowngradeHeader(header) {
			e.Off += p.HeaderOff
			added += len(e.New)
			edits = append(edits, e)
		}
	}
	return edits, nil
}

// DowngradeHeader gives the edits for one header block.
func DowngradeHeader(header []byte) (edits []Edit) {
	if ascii(header) {
		return nil
	}
	for off := 0; off < len(header); {
		n := len(nextLine(header[off:]))
		for off+n < len(header) && (header[off+n] == ' ' || header[off+n] == '\t') {
			n += len(nextLine(header[off+n:]))
		}
		field := header[off : off+n]
		if len(trimEOL(field)) == 0 {
			break
		}
		if !ascii(field) {
			edits = append(edits, Edit{Off: int64(off), Len: int64(n), New: downgradeField(field)})
		}
		off += n
	}
	return edits
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// downgradeField gives what stands for a field, nothing for one that cannot be
// shown (RFC 6858 section 2.4).
func downgradeField(field []byte) []byte {
	name := fieldName(nextLine(trimEOL(field)))
	if len(name) == 0 || !ascii(name) {
		return nil
	}
	value := field[bytes.IndexByte(field, ':')+1:]
	switch strings.ToLower(string(name)) {
	case "from", "sender", "reply-to", "to", "cc", "bcc", "return-path",
		"resent-from", "resent-sender", "resent-reply-to", "resent-to", "resent-cc", "resent-bcc":
		return downgradeAddresses(name, value)
	case "subject", "comments", "content-description":
		// RFC 6858 section 2.3 is about Subject. Deviation: the other two would go
		// (section 2.4); RFC 2047 section 5 (1) allows the same for them.
		return downgradeText(name, value)
	case "content-type", "content-disposition":
		return downgradeParams(field)
	}
	return nil
}

// downgradeText encodes text as RFC 2047 has it.
func downgradeText(name, value []byte) []byte {
	f := newFieldWriter(name)
	for _, w := range encodedWords(DecodeText(value)) {
		f.word(w)
	}
	return f.end()
}

// encodedWords encodes text; base64, which may stand in a phrase too (RFC 2047
// section 5 (3)).
func encodedWords(text string) []string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
	return strings.Fields(mime.BEncoding.Encode("utf-8", text))
}

// fieldWriter writes a header field from words that have a space or a fold between
// them (RFC 5322 section 2.1.1).
type fieldWriter struct {
	b    []byte
	line int // octets of the current line
}

const foldAt = 76

func newFieldWriter(name []byte) *fieldWriter {
	f := &fieldWriter{b: append(bytes.Clone(name), ':')}
	f.line = len(f.b)
	return f
}

func (f *fieldWriter) word(w string) {
	if f.line+1+len(w) > foldAt && f.line > 1 {
		f.b = append(f.b, "\r\n"...)
		f.line = 0
	}
	f.b = append(append(f.b, ' '), w...)
	f.line += 1 + len(w)
}

func (f *fieldWriter) end() []byte { return append(f.b, "\r\n"...) }

// invalidAddress is what stands for an address that cannot be shown (RFC 6858
// section 2.1): nobody has it (RFC 2606 section 2).
const invalidAddress = "<invalid@internationalized-address.invalid>"

// downgradeAddresses writes an address list again, with names encoded and
// addresses beyond ASCII replaced, shown as names where they have none.
func downgradeAddresses(name, value []byte) []byte {
	f := newFieldWriter(name)
	bare := equalFold(bytes.ToLower(name), "return-path") // takes no names (RFC 5321 section 4.4)
	group, first := false, true
	for _, a := range parseAddresses(value) {
		if a.Group && group {
			f.b = append(f.b, ';')
			group, first = false, false
			continue
		}
		if !first {
			f.b = append(f.b, ',')
			f.line++
		}
		first = false
		if a.Group {
			f.phrase(a.Mailbox)
			f.b = append(f.b, ':')
			f.line++
			group, first = true, true
			continue
		}
		f.address(a, bare)
	}
	if len(f.b) == len(name)+1 { // no address could be read
		return nil
	}
	return f.end()
}

// parseAddresses reads the addresses of a field.
func parseAddresses(value []byte) []Address {
	var s addressScanner
	wire, _ := s.appendList([]byte{'('}, value, Limits{}.withDefaults().Addresses)
	r := wireReader{b: append(wire, ')')}
	return r.addresses()
}

func (f *fieldWriter) address(a Address, bare bool) {
	spec := localPart(a.Mailbox)
	if a.Host != "" {
		spec += "@" + a.Host
	}
	if !ascii([]byte(spec)) {
		if a.Name == "" {
			a.Name = spec
		}
		spec = invalidAddress[1 : len(invalidAddress)-1]
	}
	if a.Name != "" && !bare {
		f.phrase(a.Name)
		f.word("<" + spec + ">")
		return
	}
	if bare {
		spec = "<" + spec + ">"
	}
	f.word(spec)
}

// phrase writes a display name.
func (f *fieldWriter) phrase(text string) {
	switch {
	case !ascii([]byte(text)):
		for _, w := range encodedWords(DecodeText([]byte(text))) {
			f.word(w)
		}
	case strings.Contains(text, "=?") || strings.Trim(text, atomText+" ") == "":
		for _, w := range strings.Fields(text) {
			f.word(w)
		}
	default:
		f.word(quoted(text))
	}
}

// atomText are the characters of an atom (RFC 5322 section 3.2.3).
const atomText = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~"

// localPart quotes what is no dot-atom.
func localPart(text string) string {
	for _, atom := range strings.Split(text, ".") {
		if atom == "" || ascii([]byte(atom)) && strings.Trim(atom, atomText) != "" {
			return quoted(text)
		}
	}
	return text
}

func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\r", " ", "\n", " ").Replace(text) + `"`
}

// downgradeParams takes out the parameters that are not in ASCII, with all
// their pieces (RFC 6858 section 2.2). Nothing is left when the value itself
// is not.
func downgradeParams(field []byte) []byte {
	parts := splitParams(trimEOL(field))
	if !ascii(parts[0]) {
		return nil
	}
	var gone [][]byte
	for _, p := range parts[1:] {
		if !ascii(p) {
			gone = append(gone, paramBase(p))
		}
	}
	out := bytes.Clone(parts[0])
	for _, p := range parts[1:] {
		base := paramBase(p)
		if ascii(p) && !slices.ContainsFunc(gone, func(g []byte) bool { return bytes.EqualFold(g, base) }) {
			out = append(out, p...)
		}
	}
	return append(bytes.TrimRight(out, "; \t\r\n"), "\r\n"...)
}

// paramBase gives the name of a parameter without the number of its piece (RFC
// 2231 section 3).
func paramBase(p []byte) []byte {
	name, _, _ := bytes.Cut(p[1:], []byte{'='})
	name, _, _ = bytes.Cut(name, []byte{'*'})
	return bytes.TrimSpace(name)
}

// splitParams cuts a field before each semicolon that is neither quoted nor in
// a comment.
func splitParams(field []byte) (parts [][]byte) {
	from, quote, depth := 0, false, 0
	for i := 0; i < len(field); i++ {
		switch c := field[i]; {
		case c == '\\':
			i++
		case c == '"' && depth == 0:
			quote = !quote
		case quote:
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case c == ';' && depth == 0:
			parts = append(parts, field[from:i])
			from = i
		}
	}
	return append(parts, field[from:])
}
