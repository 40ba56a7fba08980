package imapd

import (
	"tandem/imapd/internal/wire"
	"tandem/store"
)

// extESearch is RFC 4731.
func extESearch() extension {
	return extension{
		name:         "ESEARCH",
		rfc:          "RFC 4731",
		capabilities: everywhere("ESEARCH"),
		searchReturns: []searchReturn{
			{"MIN", tellMin},
			{"MAX", tellMax},
			{"ALL", tellAll},
			{"COUNT", tellCount},
		},
	}
}

// searchReturn is an option after RETURN.
type searchReturn struct {
	name string
	// tell sends the option's data, with a space before it.
	tell func(enc *wire.Encoder, found *searchResult)
}

// searchReturns are the options of one search, in the order given.
type searchReturns []searchReturn

// onlyMin says that the search is over once it has found something.
func (r searchReturns) onlyMin() bool { return len(r) == 1 && r[0].name == "MIN" }

// parseReturns reads the list after RETURN; an empty one is ALL (RFC 4731
// section 3.1).
func parseReturns(s *session, d *wire.Decoder) (list searchReturns) {
	seen := map[string]bool{}
	d.List(func() {
		if r, ok := find(d, s.srv.reg.searchReturns, "return option"); ok && !seen[r.name] {
			seen[r.name] = true
			list = append(list, r)
		}
	})
	if len(list) == 0 {
		list = append(list, s.srv.reg.searchReturns["ALL"])
	}
	return list
}

// tellESearch sends ESEARCH, also when nothing was found (RFC 4466 section
// 2.6.2).
func (s *session) tellESearch(a *searchArgs, found *searchResult) {
	s.enc.Raw("* ESEARCH (TAG ").String(s.tag).Byte(')')
	if a.uid {
		s.enc.Raw(" UID")
	}
	for _, r := range a.returns {
		r.tell(s.enc, found)
	}
	if a.modseq && found.count > 0 {
		s.enc.Raw(" MODSEQ ").Num(uint64(a.returns.modseq(found)))
	}
	s.enc.CRLF()
}

// modseq is that of what is told: of the least and the greatest alone when no
// more is asked for (RFC 4731 section 3.2).
func (r searchReturns) modseq(found *searchResult) store.ModSeq {
	var highest store.ModSeq
	for _, opt := range r {
		switch opt.name {
		case "MIN":
			highest = max(highest, found.first)
		case "MAX":
			highest = max(highest, found.last)
		default:
			return found.highest
		}
	}
	return highest
}

func tellMin(enc *wire.Encoder, found *searchResult) {
	if found.count > 0 {
		enc.Raw(" MIN ").Num(uint64(found.nums[0].Start))
	}
}

func tellMax(enc *wire.Encoder, found *searchResult) {
	if found.count > 0 {
		enc.Raw(" MAX ").Num(uint64(found.nums.Max()))
	}
}

func tellAll(enc *wire.Encoder, found *searchResult) {
	if found.count > 0 {
		enc.Raw(" ALL ").Set(found.nums)
	}
}

func tellCount(enc *wire.Encoder, found *searchResult) {
	enc.Raw(" COUNT ").Num(found.count)
}
