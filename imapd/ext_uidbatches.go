package imapd

import (
	"context"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// minBatch is the least size of a batch: smaller ones make longer answers
// than what they are to keep short.
const minBatch = 500

// extUIDBatches is RFC 10022.
func extUIDBatches() extension {
	return extension{
		name:         "UIDBATCHES",
		rfc:          "RFC 10022",
		capabilities: everywhere("UIDBATCHES"),
		commands:     []command{row("UIDBATCHES", selected, 0, parseBatches, (*session).batches)},
	}
}

// batchesArgs asks for the batches numbered first to last, of size messages
// each, counted from the newest message.
type batchesArgs struct{ size, first, last uint32 }

func parseBatches(_ *session, d *wire.Decoder) batchesArgs {
	d.SP()
	a := batchesArgs{size: d.NzNumber(), first: 1, last: 1<<32 - 1}
	if d.TrySP() {
		a.first = d.NzNumber()
		d.Byte(':')
		a.last = d.NzNumber()
	}
	return a
}

// batches tells ranges of UIDs without gaps, from the highest UID down to 1,
// that have size messages each, but the last.
func (s *session) batches(ctx context.Context, a batchesArgs) error {
	least := uint32(minBatch)
	if limit := s.srv.cfg.Limits.Messages; limit > 0 { // the batches are what commands are to be made of
		least = min(least, uint32(limit))
	}
	switch {
	case a.size < least:
		return no("TOOFEW", "A batch has at least %d messages", least)
	case a.first > a.last:
		return &misuse{"CLIENTBUG", "The first batch comes before the last"}
	}
	if err := s.loaded(ctx); err != nil {
		return err
	}
	if err := s.tellChanges(ctx, true); err != nil {
		return err
	}
	s.enc.Raw("* UIDBATCHES (TAG ").String(s.tag).Byte(')')
	size, left := uint64(a.size), uint64(s.view.Len())
	count := min((left+size-1)/size, uint64(a.last))
	high := s.view.uidAt(left)
	for n := uint64(1); n <= count; n++ {
		low := store.UID(1)
		if n*size < left {
			low = s.view.uidAt(left - n*size + 1)
		}
		if n >= uint64(a.first) {
			if n == uint64(a.first) {
				s.enc.SP()
			} else {
				s.enc.Byte(',')
			}
			s.enc.Num(uint64(high)).Byte(':').Num(uint64(low))
		}
		high = low - 1
	}
	s.enc.CRLF()
	return nil
}

// uidAt gives the UID of a sequence number, 0 when there is none.
func (v *view) uidAt(seq uint64) store.UID {
	span, _ := v.Span(uint32(seq), uint32(seq))
	return span.Start
}
