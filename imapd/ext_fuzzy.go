package imapd

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"tandem/imapd/internal/wire"
)

// extFuzzy is RFC 6203. Fuzzy text is looked for word by word, in any order:
// half of the words must be there, or their beginnings.
func extFuzzy() extension {
	return extension{
		name:          "SEARCH=FUZZY",
		rfc:           "RFC 6203",
		capabilities:  everywhere("SEARCH=FUZZY"),
		searchKeys:    []searchKey{{"FUZZY", parseFuzzy}},
		searchReturns: []searchReturn{{name: relevancy, tell: tellScores(nil)}},
		sortKeys: []sortKey{{relevancy, byEntry, func(o *ordering, dst []byte) []byte { // the best first: section 5
			return append(dst, exactly-o.score)
		}}},
	}
}

// relevancy is the return option and the sort key.
const relevancy = "RELEVANCY"

// exactly is the score of a message that no fuzzy key found wanting (RFC 6203
// section 4: from 1 to 100).
const exactly = 100

// maxFuzzyWords bounds the work; further words are not looked for.
const maxFuzzyWords = 20

// parseFuzzy reads the key that is meant loosely. All that is not text is
// matched as ever.
func parseFuzzy(p *searchParser) *criterion {
	p.d.SP()
	p.anyFuzzy = true
	outside := p.fuzzy
	p.fuzzy = true
	c := p.one()
	p.fuzzy = outside
	return c
}

// textLeaf is a key that looks for a text by has.
func (p *searchParser) textLeaf(at level, want needle, has func(c *candidate, want needle) (bool, error)) *criterion {
	words := fuzzyWords(want)
	if !p.fuzzy || len(words) == 0 {
		return leaf(at, func(c *candidate) (bool, error) { return has(c, want) })
	}
	return leaf(at, func(c *candidate) (bool, error) {
		score, err := fuzzyScore(want, words, func(w needle) (bool, error) { return has(c, w) })
		if err != nil || score == 0 {
			return false, err
		}
		c.score = min(c.score, score)
		return true, nil
	})
}

// fuzzyWords gives the words of a folded text.
func fuzzyWords(want needle) (words []needle) {
	for w := range strings.FieldsFuncSeq(string(want), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if !slices.Contains(words, needle(w)) {
			words = append(words, needle(w))
		}
		if len(words) == maxFuzzyWords {
			break
		}
	}
	return words
}

// fuzzyScore says how well a message holds the words, 0 for not at all. A word
// of which only the beginning is there counts half.
func fuzzyScore(want needle, words []needle, has func(needle) (bool, error)) (uint8, error) {
	if ok, err := has(want); ok || err != nil {
		return exactly, err
	}
	halves := 0
	for _, w := range words {
		ok, err := has(w)
		switch {
		case err != nil:
			return 0, err
		case ok:
			halves += 2
			continue
		}
		if stem := beginning(w); stem != "" {
			if ok, err = has(stem); err != nil {
				return 0, err
			}
			if ok {
				halves++
			}
		}
	}
	if halves < len(words) {
		return 0, nil
	}
	return uint8(1 + 89*halves/(2*len(words))), nil
}

// beginning gives the first three quarters of a word, or "" when that is less
// than four letters.
func beginning(w needle) needle {
	letters := utf8.RuneCountInString(string(w))
	keep := letters - max(1, letters/4)
	if keep < 4 {
		return ""
	}
	return needle([]rune(string(w))[:keep])
}

// checkRelevancy refuses to tell or sort by scores that nothing gives (RFC
// 6203 sections 4 and 5). Of a page of the answer only its scores are told.
func (a *searchArgs) checkRelevancy(p *searchParser, terms []sortTerm) {
	sorted := slices.ContainsFunc(terms, func(t sortTerm) bool { return t.name == relevancy })
	if (sorted || a.returns.has(relevancy)) && !p.anyFuzzy {
		p.d.Fail("RELEVANCY is for searches with FUZZY")
	}
	for i := range a.returns {
		if a.returns[i].name != relevancy {
			continue
		}
		for _, r := range a.returns {
			if r.name == "PARTIAL" {
				a.returns[i].tell = tellScores(r.pick)
			}
		}
	}
}

// tellScores sends the scores in the order of the answer (RFC 6203 section 4).
// pick gives the places that are told; nil: all.
func tellScores(pick func(*searchResult) (from, to int)) func(*wire.Encoder, *searchResult, listing) {
	return func(enc *wire.Encoder, found *searchResult, _ listing) {
		from, to := 0, len(found.scores)
		if pick != nil {
			from, to = pick(found)
		}
		if from >= to {
			return
		}
		enc.Raw(" RELEVANCY ")
		for i, score := range found.scores[from:to] {
			if i == 0 {
				enc.Byte('(')
			} else {
				enc.SP()
			}
			enc.Num(uint64(score))
		}
		enc.Byte(')')
	}
}
