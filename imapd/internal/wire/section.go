package wire

// SectionKind says which half of a part a section means.
type SectionKind uint8

// The kinds of section (RFC 3501 section 6.4.5).
const (
	SectionAll       SectionKind = iota // BODY[], BODY[1.2]
	SectionHeader                       // HEADER
	SectionFields                       // HEADER.FIELDS (...)
	SectionFieldsNot                    // HEADER.FIELDS.NOT (...)
	SectionText                         // TEXT
	SectionMIME                         // MIME, only with a path
)

// maxPath bounds the part numbers of a section: deeper than any part tree.
const maxPath = 128

// Section is what stands between the brackets of BODY[...].
type Section struct {
	Path   []uint32 // part numbers, none for the whole message
	Kind   SectionKind
	Fields []string // header field names, as sent
}

// Partial is a range of bytes <Offset.Count>.
type Partial struct{ Offset, Count int64 }

// Clip gives the range within size bytes; it never reaches beyond them.
func (p Partial) Clip(size int64) (offset, count int64) {
	offset = min(p.Offset, size)
	return offset, min(p.Count, size-offset)
}

// Section expects a section in brackets.
func (d *Decoder) Section() Section {
	var s Section
	d.Byte('[')
	for b := d.Next(); isDigit(b); b = d.Next() {
		s.Path = append(s.Path, d.NzNumber())
		if over(int64(len(s.Path)), maxPath) {
			d.failLimit("Part number too deep", maxPath)
		}
		if !d.TryByte('.') {
			d.Byte(']')
			return s
		}
		if next := d.Next(); !isDigit(next) && !isLetter(next) {
			d.expected("a part")
		}
	}
	if len(s.Path) == 0 && d.TryByte(']') {
		return s
	}
	d.sectionText(&s)
	d.Byte(']')
	return s
}

// sectionText reads the word of a section and its field list.
func (d *Decoder) sectionText(s *Section) {
	switch name := d.Keyword(); name {
	case "HEADER":
		s.Kind = SectionHeader
	case "TEXT":
		s.Kind = SectionText
	case "MIME":
		s.Kind = SectionMIME
		if len(s.Path) == 0 {
			d.Fail("MIME needs a part number")
		}
	case "HEADER.FIELDS", "HEADER.FIELDS.NOT":
		s.Kind = SectionFields
		if name == "HEADER.FIELDS.NOT" {
			s.Kind = SectionFieldsNot
		}
		d.SP()
		d.List(func() { s.Fields = append(s.Fields, d.Astring()) })
		if len(s.Fields) == 0 {
			d.Fail("An empty list of header fields")
		}
	default:
		d.Fail("Unknown section %s", name)
	}
}

// TryPartial takes <offset.count> if it is there. Numbers are of 63 bits
// (RFC 9051 section 9) and count is not zero.
func (d *Decoder) TryPartial() (p Partial, ok bool) {
	if !d.TryByte('<') {
		return p, false
	}
	p.Offset = d.Number64()
	d.Byte('.')
	p.Count = d.Number64()
	if d.err == nil && p.Count == 0 {
		d.Fail("A partial of no bytes")
	}
	d.Byte('>')
	return p, d.err == nil
}
