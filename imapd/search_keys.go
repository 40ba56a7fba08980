package imapd

import (
	"strings"
	"time"

	"tandem/store"
)

// rev1SearchKeys are the keys of RFC 3501 section 6.4.4.
func rev1SearchKeys() []searchKey {
	keys := []searchKey{
		{"ALL", func(*searchParser) *criterion {
			return leaf(byEntry, func(*candidate) (bool, error) { return true, nil })
		}},
		{"NOT", func(p *searchParser) *criterion {
			p.d.SP()
			return combine(opNot, p.one())
		}},
		{"OR", func(p *searchParser) *criterion {
			p.d.SP()
			a := p.one()
			p.d.SP()
			return combine(opOr, a, p.one())
		}},
		{"UID", func(p *searchParser) *criterion {
			p.d.SP()
			set := p.d.Set()
			p.bySelected = p.bySelected || set.Saved
			p.unsteady = p.unsteady || set.Saved || set.From != 0
			return setKey(numbers{set, true})
		}},
		{"KEYWORD", func(p *searchParser) *criterion { return parseKeyword(p) }},
		{"UNKEYWORD", func(p *searchParser) *criterion { return combine(opNot, parseKeyword(p)) }},
		{"RECENT", func(*searchParser) *criterion { return recentKey() }},
		{"OLD", func(*searchParser) *criterion { return combine(opNot, recentKey()) }},
		{"NEW", func(*searchParser) *criterion {
			return combine(opAnd, recentKey(), combine(opNot, flagKey(store.FlagSeen)))
		}},
		{"LARGER", sizeKey(func(size, n int64) bool { return size > n })},
		{"SMALLER", sizeKey(func(size, n int64) bool { return size < n })},
		{"BEFORE", dateKey(byEntry, internalDay, before)},
		{"ON", dateKey(byEntry, internalDay, on)},
		{"SINCE", dateKey(byEntry, internalDay, since)},
		{"SENTBEFORE", dateKey(byStructure, sentDay, before)},
		{"SENTON", dateKey(byStructure, sentDay, on)},
		{"SENTSINCE", dateKey(byStructure, sentDay, since)},
		{"SUBJECT", envelopeKey(envSubject)},
		{"FROM", addressKey("From", envFrom)},
		{"TO", addressKey("To", envTo)},
		{"CC", addressKey("Cc", envCc)},
		{"BCC", addressKey("Bcc", envBcc)},
		{"HEADER", parseHeaderKey},
		{"BODY", textKey(false)},
		{"TEXT", textKey(true)},
	}
	for name, bit := range map[string]store.Flags{"ANSWERED": store.FlagAnswered, "DELETED": store.FlagDeleted,
		"DRAFT": store.FlagDraft, "FLAGGED": store.FlagFlagged, "SEEN": store.FlagSeen} {
		keys = append(keys,
			searchKey{name, func(*searchParser) *criterion { return flagKey(bit) }},
			searchKey{"UN" + name, func(*searchParser) *criterion { return combine(opNot, flagKey(bit)) }})
	}
	return keys
}

func flagKey(bit store.Flags) *criterion {
	return leaf(byEntry, func(c *candidate) (bool, error) { return c.Flags&bit != 0, nil })
}

// setKey matches by number. Numbers that no message has match nothing; a
// search is no place for BAD about them.
func setKey(n numbers) *criterion {
	var uids store.UIDSet
	c := leaf(byEntry, func(c *candidate) (bool, error) { return holds(uids, c.UID), nil })
	c.bind = func(v *view) error {
		switch {
		case n.set.Saved:
			uids = v.saved
			return nil
		case n.uid:
			uids = v.resolveUIDs(n.set)
			return nil
		}
		uids = nil // a program may be used again
		for _, r := range n.set.Resolve(v.Len()) {
			if span, ok := v.Span(r.Start, r.Stop); ok {
				uids = append(uids, span)
			}
		}
		return nil
	}
	c.within = func() store.UIDSet { return uids }
	return c
}

func holds(set store.UIDSet, uid store.UID) bool {
	lo, hi := 0, len(set)
	for lo < hi {
		mid := (lo + hi) / 2
		if set[mid].Stop < uid {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo < len(set) && set[lo].Start <= uid
}

// parseKeyword is KEYWORD: a keyword the account does not have matches
// nothing. Keywords differ in more than case only to a few clients.
func parseKeyword(p *searchParser) *criterion {
	p.d.SP()
	name := p.d.Atom()
	number := -1
	c := leaf(byEntry, func(c *candidate) (bool, error) {
		if number < 0 {
			return false, nil
		}
		set := c.FlagSet()
		return set.Has(number), nil
	})
	c.bind = func(v *view) error {
		for n, k := range v.Keywords() {
			if strings.EqualFold(k, name) {
				number = n
			}
		}
		return nil
	}
	return c
}

func recentKey() *criterion {
	var recent *view
	c := leaf(byEntry, func(c *candidate) (bool, error) { return recent.isRecent(c.UID), nil })
	c.bind = func(v *view) error {
		recent = v
		return nil
	}
	return c
}

func sizeKey(holds func(size, n int64) bool) func(*searchParser) *criterion {
	return func(p *searchParser) *criterion {
		p.d.SP()
		n := p.d.Number64()
		return leaf(byEntry, func(c *candidate) (bool, error) { return holds(int64(c.Size), n), nil })
	}
}

// day counts days since 1970; dates of a search have no time and no zone.
type day int64

func dayOf(t time.Time) day { return dayAt(t.Unix()) }

func dayAt(unix int64) day {
	d := unix / 86400
	if unix%86400 < 0 {
		d--
	}
	return day(d)
}

func before(d, ref day) bool { return d < ref }
func on(d, ref day) bool     { return d == ref }
func since(d, ref day) bool  { return d >= ref }

// dayReader gives a day of a message; ok is false when it has none.
type dayReader func(c *candidate) (d day, ok bool, err error)

// internalDay is the day of INTERNALDATE as FETCH shows it: in UTC.
func internalDay(c *candidate) (day, bool, error) { return dayAt(int64(c.Internal)), true, nil }

// sentDay is the day in the Date field as written there, whatever its zone
// (RFC 3501 section 6.4.4).
func sentDay(c *candidate) (day, bool, error) {
	parts, err := c.structure()
	if err != nil || !parts.HasSent {
		return 0, false, err
	}
	return dayAt(parts.Sent + int64(parts.SentZone)*60), true, nil
}

func dateKey(at level, read dayReader, holds func(d, ref day) bool) func(*searchParser) *criterion {
	return func(p *searchParser) *criterion {
		p.d.SP()
		ref := dayOf(p.d.Date())
		return leaf(at, func(c *candidate) (bool, error) {
			d, ok, err := read(c)
			return ok && holds(d, ref), err
		})
	}
}

// addressKey looks into the addresses of a field. The empty text is in every
// such field, also in one without an address, which ENVELOPE does not tell from
// one that is absent.
func addressKey(name string, f envelopeField) func(*searchParser) *criterion {
	return func(p *searchParser) *criterion {
		want := p.text()
		if want == "" {
			return leaf(byHeader, func(c *candidate) (bool, error) { return c.headerHas(name, want) })
		}
		return p.textLeaf(byStructure, want, inEnvelope(f))
	}
}

func envelopeKey(f envelopeField) func(*searchParser) *criterion {
	return func(p *searchParser) *criterion {
		want := p.text()
		return p.textLeaf(byStructure, want, inEnvelope(f))
	}
}

// parseHeaderKey is HEADER. Fields that the envelope holds are looked for
// there.
func parseHeaderKey(p *searchParser) *criterion {
	p.d.SP()
	name := p.d.Astring()
	want := p.text()
	switch strings.ToUpper(name) {
	case "MESSAGE-ID":
		return p.textLeaf(byStructure, want, inEnvelope(envMessageID))
	case "IN-REPLY-TO":
		return p.textLeaf(byStructure, want, inEnvelope(envInReplyTo))
	case "SUBJECT":
		return p.textLeaf(byStructure, want, inEnvelope(envSubject))
	}
	return p.textLeaf(byHeader, want, func(c *candidate, want needle) (bool, error) { return c.headerHas(name, want) })
}

// inEnvelope looks for a text in a field of the envelope.
func inEnvelope(f envelopeField) func(*candidate, needle) (bool, error) {
	return func(c *candidate, want needle) (bool, error) { return c.envelopeHas(f, want) }
}

func textKey(header bool) func(*searchParser) *criterion {
	return func(p *searchParser) *criterion {
		want := p.text()
		return p.textLeaf(byText, want, func(c *candidate, want needle) (bool, error) { return c.textHas(header, want) })
	}
}

// parseSearchModSeq is RFC 7162 section 3.1.5. A message has one modseq for
// all its metadata, so the entry that may be named changes nothing.
func parseSearchModSeq(p *searchParser) *criterion {
	p.modseq = true
	p.d.SP()
	if p.d.Next() == '"' {
		_ = p.d.String()
		p.d.SP()
		switch kind := p.d.Keyword(); kind {
		case "PRIV", "SHARED", "ALL":
		default:
			p.d.Fail("Unknown entry type %s", kind)
		}
		p.d.SP()
	}
	n := store.ModSeq(p.d.ModSeq())
	return leaf(byEntry, func(c *candidate) (bool, error) { return c.ModSeq >= n, nil })
}
