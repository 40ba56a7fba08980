package imapd

import (
	"context"
	"slices"

	"tandem/imapd/internal/wire"
)

// extContextSearch is RFC 5267 section 4: results that are kept up to date
// (search_live.go). The hint CONTEXT is taken and not needed; PARTIAL is in
// ext_partial.go.
func extContextSearch() extension {
	nothing := func(*searchResult) (from, to int) { return 0, 0 }
	silent := func(*wire.Encoder, *searchResult, listing) {}
	return extension{
		name:         "CONTEXT=SEARCH",
		rfc:          "RFC 5267",
		capabilities: everywhere("CONTEXT=SEARCH"),
		commands:     []command{row("CANCELUPDATE", selected, 0, parseTags, (*session).cancelUpdate)},
		searchReturns: []searchReturn{
			{name: "CONTEXT", aside: true, pick: nothing, tell: silent},
			{name: "UPDATE", aside: true, parse: parseUpdate, pick: nothing, tell: silent, end: keepUpdated},
		},
	}
}

// extContextSort is the same for SORT.
func extContextSort() extension {
	return extension{name: "CONTEXT=SORT", rfc: "RFC 5267", capabilities: everywhere("CONTEXT=SORT")}
}

// parseTags reads one or more tags as strings (RFC 5267 section 5).
func parseTags(_ *session, d *wire.Decoder) (tags []string) {
	d.SP()
	tags = append(tags, d.String())
	for d.TrySP() {
		tags = append(tags, d.String())
	}
	return tags
}

// parseUpdate reads what is to be fetched of new messages that come into the
// result (RFC 5465 section 7).
func parseUpdate(s *session, d *wire.Decoder, r *searchReturn) {
	if d.Ahead(" (") {
		d.SP()
		r.fetch = parseNewItems(s, d)
	}
}

// cancelUpdate is RFC 5267 section 4.3.5. A tag that nothing is kept for, or
// no longer, is as good as cancelled.
func (s *session) cancelUpdate(_ context.Context, tags []string) error {
	v := s.view
	v.live = slices.DeleteFunc(v.live, func(l *liveSearch) bool { return slices.Contains(tags, l.tag) })
	return nil
}
