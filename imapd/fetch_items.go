package imapd

import (
	"tandem/imapd/internal/wire"
	"tandem/store"
	"tandem/store/message"
)

// rev1FetchItems are the items of RFC 3501 section 6.4.5.
func rev1FetchItems() []fetchItem {
	return []fetchItem{
		{name: "ALL", macro: []string{"FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"}},
		{name: "FAST", macro: []string{"FLAGS", "INTERNALDATE", "RFC822.SIZE"}},
		{name: "FULL", macro: []string{"FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"}},
		plainItem("UID", uidOp()),
		plainItem("FLAGS", fetchOp{write: func(f *fetcher, m *fetched) error {
			f.v.writeFlags(f.enc, m.Member)
			return nil
		}}),
		plainItem("INTERNALDATE", fetchOp{write: func(f *fetcher, m *fetched) error {
			f.enc.Raw("INTERNALDATE ").DateTime(m.InternalDate())
			return nil
		}}),
		plainItem("RFC822.SIZE", fetchOp{write: func(f *fetcher, m *fetched) error {
			f.enc.Raw("RFC822.SIZE ").Num(uint64(m.Size))
			return nil
		}}),
		plainItem("ENVELOPE", structureOp("ENVELOPE ", message.EnvelopeOf)),
		plainItem("BODYSTRUCTURE", structureOp("BODYSTRUCTURE ", message.BodyStructureOf)),
		{name: "BODY", parse: parseBody},
		{name: "BODY.PEEK", parse: func(d *wire.Decoder) fetchOp { return parseSection(d, true) }},
		{name: "RFC822", parse: wholeSection("RFC822", wire.SectionAll, false)},
		{name: "RFC822.TEXT", parse: wholeSection("RFC822.TEXT", wire.SectionText, false)},
		{name: "RFC822.HEADER", parse: wholeSection("RFC822.HEADER", wire.SectionHeader, true)},
	}
}

// plainItem is an item whose name is all of it.
func plainItem(name string, op fetchOp) fetchItem {
	return fetchItem{name: name, parse: func(*wire.Decoder) fetchOp { return op }}
}

func uidOp() fetchOp { return fetchOp{isUID: true, write: writeUID} }

func writeUID(f *fetcher, m *fetched) error {
	f.enc.Raw("UID ").Num(uint64(m.UID))
	return nil
}

// structureOp serves a part of the stored structure that is in wire form.
func structureOp(label string, part func(blob []byte) ([]byte, error)) fetchOp {
	return fetchOp{
		want: store.Want{Structure: true},
		prepare: func(_ *fetcher, m *fetched) error {
			_, err := part(m.msg.Structure)
			return damagedStructure(m, err)
		},
		write: func(f *fetcher, m *fetched) error {
			b, err := part(m.msg.Structure)
			if err != nil {
				return err
			}
			_, err = f.enc.Raw(label).Write(b)
			return err
		},
	}
}

func damagedStructure(m *fetched, err error) error {
	if err == nil {
		return nil
	}
	return store.Errorf(store.Corrupt, "structure of message %d: %w", m.Message, err)
}

// parseBody is BODY, the structure without its extension data, or a section.
func parseBody(d *wire.Decoder) fetchOp {
	if d.Next() == '[' {
		return parseSection(d, false)
	}
	return structureOp("BODY ", func(blob []byte) ([]byte, error) {
		b, err := message.BodyStructureOf(blob)
		if err != nil {
			return nil, err
		}
		return message.BasicBody(b)
	})
}
