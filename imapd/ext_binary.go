package imapd

import (
	"bytes"
	"io"

	"tandem/imapd/internal/wire"
	"tandem/store"
	"tandem/store/message"
)

// extBinary is RFC 3516. Messages may come as literal8 (wire.Message); their
// binary parts are stored in base64, so that BODY[] and POP3 never meet a NUL,
// and BINARY gives back exactly what came (docs/decisions).
func extBinary() extension {
	return extension{
		name:         "BINARY",
		rfc:          "RFC 3516",
		capabilities: everywhere("BINARY"),
		fetchItems: []fetchItem{
			{name: "BINARY", parse: func(d *wire.Decoder) fetchOp { return parseBinary(d, false) }},
			{name: "BINARY.PEEK", parse: func(d *wire.Decoder) fetchOp { return parseBinary(d, true) }},
			{name: "BINARY.SIZE", parse: parseBinarySize},
		},
	}
}

// binarySection is a BINARY item at work, used for one message after another.
type binarySection struct {
	section
	sizeOnly bool

	// of the message in hand
	encoding message.Encoding
	decoded  int64 // octets of the whole section, decoded
	from, to int64 // of those, what is asked for
	nul      bool  // there is a NUL in it
}

// parseBinary reads the brackets of BINARY[...]<...> (RFC 3516 section 7).
func parseBinary(d *wire.Decoder, peek bool) fetchOp {
	b := &binarySection{section: section{spec: binarySpec(d)}}
	if p, ok := d.TryPartial(); ok {
		b.partial = &p
	}
	b.label = binaryLabel("BINARY", &b.section)
	return b.op(!peek)
}

func parseBinarySize(d *wire.Decoder) fetchOp {
	b := &binarySection{section: section{spec: binarySpec(d)}, sizeOnly: true}
	b.label = binaryLabel("BINARY.SIZE", &b.section)
	return b.op(false)
}

// binarySpec expects a section of part numbers alone.
func binarySpec(d *wire.Decoder) wire.Section {
	spec := d.Section()
	if spec.Kind != wire.SectionAll {
		d.Fail("BINARY takes part numbers only")
	}
	return spec
}

// binaryLabel is sectionLabel under another name.
func binaryLabel(name string, sec *section) string {
	return name + sectionLabel(&sec.spec, sec.partial)[len("BODY"):]
}

func (b *binarySection) op(seen bool) fetchOp {
	root := len(b.spec.Path) == 0
	return fetchOp{
		want: store.Want{Header: true, Structure: !root, Text: !b.sizeOnly || !root},
		seen: seen, text: !b.sizeOnly, prepare: b.prepare, write: b.write,
	}
}

// prepare decodes the section once, to know its size and whether there is a
// NUL in it; that also finds damage before a length is promised.
func (b *binarySection) prepare(f *fetcher, m *fetched) error {
	if err := b.locate(f, m); err != nil || !b.exists {
		return err
	}
	if b.sizeOnly && b.encoding.Identity() {
		b.decoded = b.n
		return nil
	}
	b.from, b.to, b.nul = 0, 1<<62, false
	if b.partial != nil {
		b.from, b.to = b.partial.Offset, 1<<62
		if b.partial.Count < b.to-b.from {
			b.to = b.from + b.partial.Count
		}
	}
	look := &clipWriter{from: b.from, to: b.to}
	look.w = writerFunc(func(p []byte) (int, error) {
		b.nul = b.nul || bytes.IndexByte(p, 0) >= 0
		return len(p), nil
	})
	if err := b.decode(f, m, look); err != nil {
		return err
	}
	b.decoded = look.at
	b.to = min(b.to, b.decoded)
	b.from = min(b.from, b.to)
	return nil
}

// locate finds the section and its encoding. Multiparts, messages and [] are
// what they are: no encoding may be upon them (RFC 2045 section 6.4).
func (b *binarySection) locate(f *fetcher, m *fetched) error {
	b.encoding = message.Encoding7Bit
	if err := b.find(f, m); err != nil || !b.exists || len(b.spec.Path) == 0 {
		return err
	}
	parts, err := f.structure(m)
	if err != nil {
		return err
	}
	i, ok := parts.Find(b.spec.Path)
	if !ok || parts.Parts[i].Kind != message.KindLeaf {
		return nil
	}
	b.encoding = parts.Parts[i].Encoding
	if !b.encoding.Decodable() { // RFC 3516 section 4.3
		return no("UNKNOWN-CTE", "A part has a transfer encoding that cannot be undone")
	}
	return nil
}

// decode writes the section, decoded, to w.
func (b *binarySection) decode(f *fetcher, m *fetched, w io.Writer) error {
	d := message.NewDecoder(w, b.encoding)
	if err := f.bytes(m).WriteRange(d, b.off, b.n); err != nil {
		return err
	}
	return d.Close()
}

// write sends what prepare found: as a literal unless there is a NUL in it
// (RFC 3516 section 4.3).
func (b *binarySection) write(f *fetcher, m *fetched) error {
	f.enc.Raw(b.label).SP()
	switch {
	case b.sizeOnly && b.exists:
		f.enc.Num(uint64(b.decoded))
		return nil
	case b.sizeOnly: // its grammar knows no NIL
		f.enc.Byte('0')
		return nil
	case !b.exists:
		f.enc.Raw("NIL")
		return nil
	}
	if b.nul {
		f.enc.Byte('~')
	}
	f.enc.Literal(b.to - b.from)
	return b.decode(f, m, &clipWriter{w: f.enc, from: b.from, to: b.to})
}

// clipWriter passes on the bytes at from up to, not including, to, and counts
// all.
type clipWriter struct {
	w        io.Writer
	from, to int64
	at       int64
}

func (c *clipWriter) Write(p []byte) (int, error) {
	n := int64(len(p))
	lo, hi := min(max(c.from-c.at, 0), n), min(max(c.to-c.at, 0), n)
	c.at += n
	if lo < hi {
		if _, err := c.w.Write(p[lo:hi]); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
