package imapd

import (
	"bytes"
	"context"
	"strings"

	"tandem/store"
	"tandem/store/message"
)

// candidate is a message that a search looks at, with what was read of it.
type candidate struct {
	*store.Member
	ctx  context.Context
	st   *store.Store
	view *view
	msg  *store.Message // read up to the level in hand

	parts  *message.Structure
	texts  [2][]byte // searched text without and with headers, in scratch
	isRead [2]bool

	scratch *scratch
	score   uint8 // how well it matches (RFC 6203)
}

// scratch is memory that a worker uses again for each candidate.
type scratch struct {
	value, folded []byte
	searchers     [2]message.Searcher
}

// structure gives the part tree, decoded once.
func (c *candidate) structure() (*message.Structure, error) {
	if c.parts == nil {
		parts, err := message.Decode(c.msg.Structure)
		if err != nil {
			return nil, c.damaged(err)
		}
		c.parts = parts
	}
	return c.parts, nil
}

func (c *candidate) damaged(err error) error {
	return store.Errorf(store.Corrupt, "structure of message %d: %w", c.Message, err)
}

// envelopeHas looks for a text in a field of the ENVELOPE. An absent field has
// not even the empty text.
func (c *candidate) envelopeHas(f envelopeField, want needle) (bool, error) {
	env, err := message.EnvelopeOf(c.msg.Structure)
	if err != nil {
		return false, c.damaged(err)
	}
	value := envelopeValue(env, f)
	if value == nil {
		return false, nil
	}
	c.scratch.value = appendValueText(c.scratch.value[:0], value, f.isAddresses())
	return c.has(c.scratch.value, want), nil
}

// headerHas looks for a text in the fields of a name; the empty text is in
// every field (RFC 3501 section 6.4.4).
func (c *candidate) headerHas(name string, want needle) (bool, error) {
	for _, block := range [][]byte{c.msg.Prefix, c.msg.Header} {
		for field, value := range message.Fields(block) {
			if strings.EqualFold(string(field), name) && c.has(value, want) {
				return true, nil
			}
		}
	}
	return false, nil
}

// has looks for want in a raw header value. What needs no decoding, nearly
// everything, is folded in place.
func (c *candidate) has(raw []byte, want needle) bool {
	if want == "" {
		return true
	}
	if needsDecoding(raw) {
		return strings.Contains(message.Fold(message.DecodeText(raw)), string(want))
	}
	c.scratch.folded = foldPlain(c.scratch.folded[:0], raw)
	return bytes.Contains(c.scratch.folded, []byte(want))
}

// textHas looks for a text in the decoded body, with header also in the
// header.
func (c *candidate) textHas(header bool, want needle) (bool, error) {
	i := 0
	if header {
		i = 1
	}
	if !c.isRead[i] {
		parts, err := c.structure()
		if err != nil {
			return false, err
		}
		text, err := c.scratch.searchers[i].Text(parts, c.view.Reader(c.ctx, c.msg).Parsed(), header, c.st.SearchTextMax())
		if err != nil {
			return false, err
		}
		c.texts[i], c.isRead[i] = text, true
	}
	return bytes.Contains(c.texts[i], []byte(want)), nil
}
