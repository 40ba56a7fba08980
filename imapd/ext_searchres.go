package imapd

import (
	"slices"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// extSearchRes is RFC 5182: what a search found is kept in the view as UIDs,
// and "$" stands for it wherever a set of numbers may stand. Leaving the
// mailbox forgets it.
func extSearchRes() extension {
	return extension{
		name:         "SEARCHRES",
		rfc:          "RFC 5182",
		capabilities: everywhere("SEARCHRES"),
		searchReturns: []searchReturn{{
			name: "SAVE",
			pick: func(*searchResult) (from, to int) { return 0, 0 },
			end:  saveResult,
		}},
	}
}

// maxSaved is how many runs of UIDs a session may keep.
const maxSaved = 1 << 16

// saveResult keeps what the other options are about: the least, the greatest,
// a page, else everything (RFC 5182 section 2.1, RFC 9394 section 3.2). A
// search that failed leaves nothing.
func saveResult(s *session, a *searchArgs, found *searchResult) error {
	s.view.saved = nil
	if found == nil {
		return nil
	}
	keep := found.uids
	if slices.ContainsFunc(a.returns, func(r searchReturn) bool { return !r.aside && r.name != "SAVE" }) {
		keep = nil
		for _, p := range a.returns.places(found) {
			keep = append(keep, found.uids.part(p[0], p[1])...)
		}
	}
	set := wire.Merge(keep)
	if len(set) > maxSaved {
		return no("NOTSAVED", "The result is too scattered to be kept") // section 2.3
	}
	s.view.saved = make(store.UIDSet, len(set))
	for i, r := range set {
		s.view.saved[i] = store.UIDRange{Start: store.UID(r.Start), Stop: store.UID(r.Stop)}
	}
	return nil
}
