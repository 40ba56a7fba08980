package imapd

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/ianaindex"

	"tandem/imapd/internal/wire"
	"tandem/store/message"
)

// Limits on a search program (limits.md).
const (
	maxSearchKeys    = 1000
	maxSearchNesting = 64
)

// searchKey is a row of the table of search keys.
type searchKey struct {
	name string
	// parse reads what follows the name.
	parse func(p *searchParser) *criterion
}

// searchParser reads one search program.
type searchParser struct {
	s       *session
	d       *wire.Decoder
	charset encoding.Encoding // of strings; nil: UTF-8
	keys    int
	depth   int
	modseq  bool
	refused error

	bySelected bool // a key says something of the selected mailbox alone
	unsteady   bool // see searchArgs
	fuzzy      bool // the key in hand is within FUZZY
	anyFuzzy   bool
}

// word reads a keyword if one is next; else a set or a list starts here.
func (p *searchParser) word() string {
	if c := p.d.Next(); c >= '0' && c <= '9' || c == '*' || c == '(' || c == '$' {
		return ""
	}
	return p.d.Keyword()
}

// program reads keys to the end of the line; the word of the first was read.
func (p *searchParser) program(word string) *criterion {
	list := []*criterion{p.key(word)}
	for p.d.TrySP() {
		list = append(list, p.key(p.word()))
	}
	return all(list)
}

// one reads a key.
func (p *searchParser) one() *criterion { return p.key(p.word()) }

// key reads a key whose word was read already.
func (p *searchParser) key(word string) *criterion {
	p.keys++
	p.depth++
	defer func() { p.depth-- }()
	switch {
	case p.keys > maxSearchKeys:
		p.d.Fail("More than %d search keys", maxSearchKeys)
	case p.depth > maxSearchNesting:
		p.d.Fail("Search keys nested deeper than %d", maxSearchNesting)
	}
	if p.d.Err() != nil {
		return never()
	}
	if word != "" {
		k, ok := p.s.srv.reg.searchKeys[word]
		if !ok {
			p.d.Fail("Unknown search key %s", word)
			return never()
		}
		return k.parse(p)
	}
	if p.d.Next() != '(' {
		set := p.d.Set()
		p.bySelected, p.unsteady = true, true
		if !set.Saved {
			p.s.numbered = true
			if p.s.enabled[uidonly] {
				p.refused = uidRequired()
			}
		}
		return setKey(numbers{set: set})
	}
	var list []*criterion
	p.d.List(func() { list = append(list, p.one()) })
	if len(list) == 0 {
		p.d.Fail("An empty list of search keys")
	}
	return all(list)
}

// text reads a string and folds it for comparing.
func (p *searchParser) text() needle {
	p.d.SP()
	s := p.d.Astring()
	if p.charset != nil {
		if decoded, err := p.charset.NewDecoder().String(s); err == nil {
			s = decoded
		}
	}
	if !utf8.ValidString(s) {
		p.refuse()
	}
	return newNeedle(s)
}

// refuse answers with the charsets that are sure to be understood (RFC 3501
// section 6.4.4).
func (p *searchParser) refuse() {
	if p.refused == nil {
		p.refused = no("BADCHARSET (US-ASCII UTF-8)", "Cannot search for text of this charset")
	}
}

// setCharset takes the CHARSET argument.
func (p *searchParser) setCharset(name string) {
	if slices.Contains([]string{"US-ASCII", "ASCII", "UTF-8", "UTF8"}, strings.ToUpper(name)) {
		return
	}
	enc, err := ianaindex.IANA.Encoding(name)
	if err != nil || enc == nil {
		p.refuse()
		return
	}
	p.charset = enc
}

// needle is a text to look for, folded.
type needle string

func newNeedle(s string) needle { return needle(message.Fold(s)) }
