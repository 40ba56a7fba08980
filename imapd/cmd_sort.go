package imapd

import (
	"context"
	"slices"
	"strings"

	"tandem/imapd/internal/wire"
)

// sortCommand is SORT and UID SORT of RFC 5256 section 3, with the return
// options of RFC 5267 section 3.
func sortCommand(uid bool) command {
	parse := func(s *session, d *wire.Decoder) sortArgs { return parseSort(s, d, uid) }
	if uid {
		return row("UID SORT", selected, 0, parse, (*session).sort)
	}
	return row("SORT", selected, usesNumbers, parse, (*session).sort)
}

type sortArgs struct {
	searchArgs
	terms []sortTerm
}

// sortTerm is a key and its direction.
type sortTerm struct {
	sortKey
	reverse bool
}

func parseSort(s *session, d *wire.Decoder, uid bool) (a sortArgs) {
	a.uid = uid
	d.SP()
	if d.Next() != '(' {
		if word := d.Keyword(); word != "RETURN" {
			d.Fail("SORT wants a list of sort keys, not %s", word)
		}
		d.SP()
		a.esearch = true
		a.returns = parseReturns(s, d)
		d.SP()
	}
	a.terms = parseSortTerms(s, d)
	a.checkRelevancy(a.parseProgram(s, d), a.terms)
	return a
}

// parseSortTerms reads the list of keys. One that comes again can decide
// nothing and is left out.
func parseSortTerms(s *session, d *wire.Decoder) (terms []sortTerm) {
	d.List(func() {
		var t sortTerm
		name := d.Keyword()
		if name == "REVERSE" {
			t.reverse = true
			d.SP()
			name = d.Keyword()
		}
		key, ok := s.srv.reg.sortKeys[name]
		if !ok {
			d.Fail("Unknown sort key %s", name)
			return
		}
		t.sortKey = key
		if !slices.ContainsFunc(terms, func(o sortTerm) bool { return o.name == name }) {
			terms = append(terms, t)
		}
	})
	if len(terms) == 0 {
		d.Fail("An empty list of sort keys")
	}
	return terms
}

// parseProgram reads the charset, which SORT and THREAD cannot be without, and
// the search program.
func (a *searchArgs) parseProgram(s *session, d *wire.Decoder) *searchParser {
	p := &searchParser{s: s, d: d}
	d.SP()
	charset := d.Astring()
	if s.enabled[utf8Accept] && !strings.EqualFold(charset, "UTF-8") { // RFC 9755 section 3
		d.Fail("With UTF8=ACCEPT the charset is UTF-8")
	}
	p.setCharset(charset)
	d.SP()
	a.what = p.program(p.word())
	a.modseq, a.refused, a.unsteady = p.modseq, p.refused, p.unsteady
	return p
}

func (s *session) sort(ctx context.Context, a sortArgs) error {
	o := newSorter(a.terms, s.view.Len())
	err := s.lookThrough(ctx, &a.searchArgs, harvest{whole: true, level: o.level, read: o.read, take: o.take})
	if err != nil {
		return s.tellFound("SORT", &a.searchArgs, nil, err)
	}
	slices.SortFunc(o.list, compareSorted)
	a.order = o
	found := newSearchResult(&a.searchArgs)
	for i := range o.list {
		found.add(o.list[i].seq, o.list[i].uid, o.list[i].modseq)
		found.rate(o.list[i].score)
	}
	return s.tellFound("SORT", &a.searchArgs, found, nil)
}

// compareSorted puts equals in the order of the mailbox, also when all keys
// are reversed (RFC 5256 section 3).
func compareSorted(a, b sorted) int {
	if a.head != b.head {
		if a.head < b.head {
			return -1
		}
		return 1
	}
	if c := strings.Compare(a.key, b.key); c != 0 {
		return c
	}
	return int(int64(a.uid) - int64(b.uid))
}
