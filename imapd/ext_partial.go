package imapd

import (
	"strconv"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// extPartial is RFC 9394: a page of what SEARCH or SORT found (of a sort as
// sorted, RFC 5267 section 4.4), and of what UID FETCH names.
func extPartial() extension {
	return extension{
		name:         "PARTIAL",
		rfc:          "RFC 9394",
		capabilities: everywhere("PARTIAL"),
		searchReturns: []searchReturn{{
			name:     "PARTIAL",
			excludes: "ALL", // RFC 9394 section 3.1
			parse: func(_ *session, d *wire.Decoder, r *searchReturn) {
				d.SP()
				p := parsePartialRange(d)
				r.pick = func(found *searchResult) (from, to int) { return p.cut(found.count) }
				r.tell = func(enc *wire.Encoder, _ *searchResult, part listing) { tellPartial(enc, p, part) }
			},
		}},
		fetchMods: []fetchMod{{"PARTIAL", parseFetchPartial}},
	}
}

// partialRange is places in a list, from 1; with last counted from its end.
type partialRange struct {
	a, b uint32 // as written: either may be the greater
	last bool
}

// parsePartialRange reads a:b or -a:-b (RFC 9394 section 4).
func parsePartialRange(d *wire.Decoder) (p partialRange) {
	p.last = d.TryByte('-')
	p.a = d.NzNumber()
	d.Byte(':')
	if p.last {
		d.Byte('-')
	}
	p.b = d.NzNumber()
	return p
}

// String writes the range as it was read.
func (p partialRange) String() string {
	sign := ""
	if p.last {
		sign = "-"
	}
	return sign + strconv.FormatUint(uint64(p.a), 10) + ":" + sign + strconv.FormatUint(uint64(p.b), 10)
}

// cut gives the places that are meant in a list of n, from 0, up to, not
// including, to.
func (p partialRange) cut(n int) (from, to int) {
	from, to = min(int(min(p.a, p.b))-1, n), min(int(max(p.a, p.b)), n)
	if p.last {
		from, to = n-to, n-from
	}
	return from, to
}

// tellPartial sends the range asked for and what is in it.
func tellPartial(enc *wire.Encoder, p partialRange, part listing) {
	enc.Raw(" PARTIAL (").Raw(p.String()).SP()
	if len(part) == 0 {
		enc.Raw("NIL")
	} else {
		enc.Set(wire.NumSet(part))
	}
	enc.Byte(')')
}

// parseFetchPartial is RFC 9394 section 3.3. Beside CHANGEDSINCE both must
// hold (section 3.4).
func parseFetchPartial(d *wire.Decoder, a *fetchArgs) {
	d.SP()
	p := parsePartialRange(d)
	if a.narrow != nil {
		d.Fail("PARTIAL can be given once")
	}
	a.narrow, a.most = p.narrow, max(p.a, p.b)-min(p.a, p.b)+1
}

// narrow gives the range's share of the members in uids.
func (p partialRange) narrow(v *view, uids store.UIDSet) (page store.UIDSet) {
	n := 0
	for _, r := range uids {
		n += int(v.Rank(r.Stop+1) - v.Rank(r.Start))
	}
	from, to := p.cut(n)
	for _, r := range uids {
		before := v.Rank(r.Start)
		n := int(v.Rank(r.Stop+1) - before)
		if from < n && to > max(from, 0) {
			if span, ok := v.Span(before+1+uint32(max(from, 0)), before+uint32(min(to, n))); ok {
				page = append(page, span)
			}
		}
		from, to = from-n, to-n
	}
	return page
}
