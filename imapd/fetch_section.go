package imapd

import (
	"io"
	"strconv"
	"strings"

	"tandem/imapd/internal/wire"
	"tandem/store"
	"tandem/store/message"
)

// maxFilter is how much of a header is read for HEADER.FIELDS (limits.md: the
// header block); the store keeps no more of a message's own header together.
const maxFilter = 1 << 20

// section is one BODY[...] item at work, used for one message after another.
type section struct {
	label   string // BODY[1.TEXT]<0>
	spec    wire.Section
	partial *wire.Partial

	// of the message in hand
	exists bool
	off, n int64 // within the served bytes; of the whole header for fields
}

// isFields says that fields of a header are asked for, not a range of bytes.
func (sec *section) isFields() bool {
	return sec.spec.Kind == wire.SectionFields || sec.spec.Kind == wire.SectionFieldsNot
}

// parseSection reads the brackets of BODY[...]<...>.
func parseSection(d *wire.Decoder, peek bool) fetchOp {
	sec := &section{spec: d.Section()}
	if p, ok := d.TryPartial(); ok {
		sec.partial = &p
	}
	for _, name := range sec.spec.Fields {
		if !isFieldName(name) {
			d.Fail("Not a header field name: %q", name)
		}
	}
	sec.label = sectionLabel(&sec.spec, sec.partial)
	return sec.op(peek)
}

// wholeSection is one of the old names for a section.
func wholeSection(label string, kind wire.SectionKind, peek bool) func(*wire.Decoder) fetchOp {
	return func(*wire.Decoder) fetchOp {
		sec := &section{label: label, spec: wire.Section{Kind: kind}}
		return sec.op(peek)
	}
}

// isFieldName is RFC 5322 section 3.6.8.
func isFieldName(name string) bool {
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x7f || c == ':' {
			return false
		}
	}
	return name != ""
}

// sectionLabel gives the item's name in the answer: as asked, but only the
// origin of a partial (RFC 3501 section 7.4.2).
func sectionLabel(spec *wire.Section, p *wire.Partial) string {
	var b strings.Builder
	b.WriteString("BODY[")
	for i, n := range spec.Path {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(strconv.FormatUint(uint64(n), 10))
	}
	word := map[wire.SectionKind]string{wire.SectionHeader: "HEADER", wire.SectionFields: "HEADER.FIELDS",
		wire.SectionFieldsNot: "HEADER.FIELDS.NOT", wire.SectionText: "TEXT", wire.SectionMIME: "MIME"}[spec.Kind]
	if word != "" && len(spec.Path) > 0 {
		b.WriteByte('.')
	}
	b.WriteString(word)
	for i, name := range spec.Fields {
		if i == 0 {
			b.WriteString(" (")
		} else {
			b.WriteByte(' ')
		}
		writeFieldName(&b, name)
	}
	if len(spec.Fields) > 0 {
		b.WriteByte(')')
	}
	b.WriteByte(']')
	if p != nil {
		b.WriteByte('<')
		b.WriteString(strconv.FormatInt(p.Offset, 10))
		b.WriteByte('>')
	}
	return b.String()
}

// writeFieldName writes a name as an astring.
func writeFieldName(b *strings.Builder, name string) {
	if !strings.ContainsAny(name, `(){%*"\`) {
		b.WriteString(name)
		return
	}
	b.WriteByte('"')
	b.WriteString(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name))
	b.WriteByte('"')
}

// op gives the item's work, with the least that it needs to be read: a message's own
// header is kept apart from its text, and parts need the structure.
func (sec *section) op(peek bool) fetchOp {
	root := len(sec.spec.Path) == 0
	text := sec.spec.Kind == wire.SectionAll || sec.spec.Kind == wire.SectionText
	return fetchOp{
		want:    store.Want{Header: true, Structure: !root, Text: !root || text},
		seen:    !peek,
		text:    text,
		prepare: sec.prepare,
		write:   sec.write,
	}
}

// prepare finds where the section lies and that it can be read.
func (sec *section) prepare(f *fetcher, m *fetched) error {
	if err := sec.find(f, m); err != nil || !sec.exists {
		return err
	}
	switch {
	case sec.isFields():
		sec.n = min(sec.n, maxFilter)
	case sec.partial != nil:
		skip, n := sec.partial.Clip(sec.n)
		sec.off, sec.n = sec.off+skip, n
	}
	// Every chunk has a digest: reading ahead finds damage before the length
	// of a literal is promised. What is one chunk stays in the reader.
	return f.bytes(m).WriteRange(io.Discard, sec.off, sec.n)
}

// find sets the range of the section before filtering and clipping.
func (sec *section) find(f *fetcher, m *fetched) error {
	prefix := int64(m.msg.PrefixSize)
	kind := sectionKind(sec.spec.Kind)
	if len(sec.spec.Path) == 0 && m.msg.HeaderSize < maxFilter {
		head := prefix + int64(m.msg.HeaderSize)
		sec.exists = true
		switch kind {
		case message.SectionHeader:
			sec.off, sec.n = 0, head
		case message.SectionText:
			sec.off, sec.n = head, m.msg.Size-head
		default:
			sec.off, sec.n = 0, m.msg.Size
		}
		return nil
	}
	parts, err := f.structure(m)
	if err != nil {
		return err
	}
	sec.off, sec.n, sec.exists = parts.Range(sec.spec.Path, kind, prefix)
	return nil
}

// write sends what prepare found.
func (sec *section) write(f *fetcher, m *fetched) error {
	f.enc.Raw(sec.label).SP()
	switch {
	case !sec.exists:
		f.enc.Raw("NIL")
		return nil
	case sec.isFields():
		return sec.writeFields(f, m)
	}
	// A literal even when it is empty: Python's imaplib, and scripts written for
	// it, find a section only as a literal (seen with 3.11, November 2026).
	f.enc.Literal(sec.n)
	return f.bytes(m).WriteRange(f.enc, sec.off, sec.n)
}

// writeFields sends the header fields asked for.
func (sec *section) writeFields(f *fetcher, m *fetched) error {
	kept, err := sec.filtered(f, m)
	if err != nil {
		return err
	}
	_, err = f.enc.Literal(int64(len(kept))).Write(kept)
	return err
}

// filtered gives the header fields asked for. It filters in memory that all
// items share, however many there are.
func (sec *section) filtered(f *fetcher, m *fetched) ([]byte, error) {
	f.header = append(f.header[:0], make([]byte, sec.n)...)
	if _, err := f.bytes(m).ReadAt(f.header, sec.off); err != nil {
		return nil, err
	}
	f.fields = message.FilterFields(f.fields[:0], f.header, sec.spec.Fields, sec.spec.Kind == wire.SectionFieldsNot)
	kept := f.fields
	if sec.partial != nil {
		skip, n := sec.partial.Clip(int64(len(kept)))
		kept = kept[skip : skip+n]
	}
	return kept, nil
}

// sectionKind gives a section's kind as package message has it; the filtered
// ones are made from the header.
func sectionKind(k wire.SectionKind) message.SectionKind {
	switch k {
	case wire.SectionHeader, wire.SectionFields, wire.SectionFieldsNot:
		return message.SectionHeader
	case wire.SectionText:
		return message.SectionText
	case wire.SectionMIME:
		return message.SectionMIME
	}
	return message.SectionAll
}
