package imapd

import (
	"tandem/imapd/internal/wire"
	"tandem/store"
)

// extPreview is RFC 8970. Previews are made as they are asked for, which takes
// little more than reading the text, so LAZY gets them too.
func extPreview() extension {
	return extension{
		name:         "PREVIEW",
		rfc:          "RFC 8970",
		capabilities: everywhere("PREVIEW"),
		fetchItems:   []fetchItem{{name: "PREVIEW", parse: parsePreview}},
	}
}

// maxPreview is how many characters a preview has (RFC 8970 section 3.2).
const maxPreview = 200

// parsePreview reads the modifiers of PREVIEW. Asked for alone, it may also be
// followed by those of FETCH.
func parsePreview(d *wire.Decoder) fetchOp {
	if d.Ahead(" (LAZY") {
		d.SP()
		d.List(func() {
			if word := d.Keyword(); word != "LAZY" {
				d.Fail("Unknown modifier %s of PREVIEW", word)
			}
		})
	}
	p := &preview{}
	return fetchOp{want: store.Want{Structure: true, Header: true, Text: true}, prepare: p.prepare, write: p.write}
}

// preview is the preview of the message in hand.
type preview struct{ text string }

func (p *preview) prepare(f *fetcher, m *fetched) error {
	parts, err := f.structure(m)
	if err != nil {
		return err
	}
	p.text, err = parts.Preview(f.bytes(m).Parsed(), maxPreview)
	return err
}

func (p *preview) write(f *fetcher, _ *fetched) error {
	f.enc.Raw("PREVIEW ").String(p.text)
	return nil
}
