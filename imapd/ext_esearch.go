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
			{name: "MIN", pick: pickFirst, tell: tellOne(" MIN ")},
			{name: "MAX", pick: pickLast, tell: tellOne(" MAX ")},
			{name: "ALL", tell: tellAll},
			{name: "COUNT", tell: tellCount},
		},
	}
}

// searchReturn is an option after RETURN. The least of a sort is what it puts
// first (RFC 5267 section 3.1), so an option goes by places in the answer.
type searchReturn struct {
	name string

	// parse reads what follows the name. nil: nothing does.
	parse func(s *session, d *wire.Decoder, r *searchReturn)
	fetch []fetchOp // what UPDATE has there
	// excludes names an option that cannot be given beside this one.
	excludes string

	// pick gives the places in the answer that the option is about, up to,
	// not including, to. nil: it is about all.
	pick func(found *searchResult) (from, to int)
	// tell sends the option's data, with a space before it; part is what was
	// picked. nil: there is none.
	tell func(enc *wire.Encoder, found *searchResult, part listing)
	// end is called when the command is over, without a result when it failed.
	end func(s *session, a *searchArgs, found *searchResult) error
	// aside says that the option is not about what is told or saved.
	aside bool
}

// searchReturns are the options of one search, in the order given.
type searchReturns []searchReturn

// onlyMin says that the search is over once it has found something.
func (r searchReturns) onlyMin() bool { return len(r) == 1 && r[0].name == "MIN" }

// has says whether an option was given.
func (r searchReturns) has(name string) bool {
	for i := range r {
		if r[i].name == name {
			return true
		}
	}
	return false
}

// parseReturns reads the list after RETURN; an empty one is ALL (RFC 4731
// section 3.1).
func parseReturns(s *session, d *wire.Decoder) (list searchReturns) {
	d.List(func() {
		r, ok := find(d, s.srv.reg.searchReturns, "return option")
		switch {
		case !ok:
		case !list.has(r.name):
			if r.parse != nil {
				r.parse(s, d, &r)
			}
			list = append(list, r)
		case r.parse != nil:
			d.Fail("%s can be given once", r.name)
		}
	})
	for _, r := range list {
		if list.has(r.excludes) {
			d.Fail("%s cannot stand beside %s", r.excludes, r.name)
		}
	}
	if list.has("UPDATE") && s.view.isLive(s.tag) { // RFC 5267 section 4.3
		d.Fail("A result is kept up to date under this tag")
	}
	if len(list) == 0 {
		list = append(list, s.srv.reg.searchReturns["ALL"])
	}
	return list
}

// end lets the options do what they do beside telling.
func (a *searchArgs) end(s *session, found *searchResult) error {
	for _, r := range a.returns {
		if r.end == nil {
			continue
		}
		if err := r.end(s, a, found); err != nil {
			return err
		}
	}
	return nil
}

// places gives, for each option, the places in the answer that it is about.
func (r searchReturns) places(found *searchResult) [][2]int {
	list := make([][2]int, 0, len(r))
	for _, opt := range r {
		from, to := 0, found.count
		if opt.pick != nil {
			from, to = opt.pick(found)
		}
		list = append(list, [2]int{from, to})
	}
	return list
}

// tellESearch sends ESEARCH, also when nothing was found (RFC 4466 section
// 2.6.2), unless nothing was asked to be told (RFC 5182 section 2.1).
func (s *session) tellESearch(a *searchArgs, found *searchResult) {
	places := a.returns.places(found)
	begun := false
	for i, r := range a.returns {
		if r.tell == nil {
			continue
		}
		if !begun {
			begun = true
			s.enc.Raw("* ESEARCH (TAG ").String(s.tag)
			if a.of != nil { // RFC 7377 section 2.1
				s.enc.Raw(" MAILBOX ").Mailbox(a.of.Name).Raw(" UIDVALIDITY ").Num(uint64(a.of.UIDValidity))
			}
			s.enc.Byte(')')
			if a.uid {
				s.enc.Raw(" UID")
			}
		}
		var part listing
		if r.pick != nil {
			part = found.nums.part(places[i][0], places[i][1])
		}
		r.tell(s.enc, found, part)
	}
	if !begun {
		return
	}
	if a.modseq && found.count > 0 {
		if highest := highestAt(found, places); highest > 0 {
			s.enc.Raw(" MODSEQ ").Num(uint64(highest))
		}
	}
	s.enc.CRLF()
}

// highestAt is the MODSEQ of what is told: of the least and the greatest alone
// when no more is asked for (RFC 4731 section 3.2).
func highestAt(found *searchResult, places [][2]int) (highest store.ModSeq) {
	for _, p := range places {
		for _, m := range found.modseqs[p[0]:p[1]] {
			highest = max(highest, m)
		}
	}
	return highest
}

func pickFirst(found *searchResult) (from, to int) { return 0, min(1, found.count) }
func pickLast(found *searchResult) (from, to int)  { return max(0, found.count-1), found.count }

func tellOne(label string) func(*wire.Encoder, *searchResult, listing) {
	return func(enc *wire.Encoder, _ *searchResult, part listing) {
		if len(part) > 0 {
			enc.Raw(label).Num(uint64(part[0].Start))
		}
	}
}

func tellAll(enc *wire.Encoder, found *searchResult, _ listing) {
	if found.count > 0 {
		enc.Raw(" ALL ").Set(wire.NumSet(found.nums))
	}
}

func tellCount(enc *wire.Encoder, found *searchResult, _ listing) {
	enc.Raw(" COUNT ").Num(uint64(found.count))
}
