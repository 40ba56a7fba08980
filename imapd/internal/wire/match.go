package wire

import "strings"

// Separator is the hierarchy separator of mailbox names.
const Separator = '/'

// maxName is the longest name a pattern can be asked about: what a mailbox
// name may have, and something over. Longer patterns match nothing.
const maxName = 4096

// Pattern is a LIST pattern: "*" stands for anything, "%" for anything within
// one level (RFC 3501 section 6.3.8).
type Pattern struct {
	tokens  string // runs of wildcards collapsed to one
	literal int    // bytes that are not wildcards

	// Sets of places in tokens, a bit for each.
	stars, percents bitset
	bytes           map[byte]bitset // where a byte stands
	nowhere         bitset
}

// bitset is a set of small numbers.
type bitset []uint64

func (s bitset) add(i int) { s[i/64] |= 1 << (i % 64) }

// NewPattern takes a pattern in UTF-8. The word INBOX in any case of letters,
// when no wildcard stands before its end, means INBOX.
func NewPattern(pattern string) Pattern {
	pattern = FoldInbox(pattern)
	if len(pattern) > 5 && strings.EqualFold(pattern[:5], "INBOX") && isWild(pattern[5]) {
		pattern = "INBOX" + pattern[5:]
	}
	p := Pattern{}
	tokens := make([]byte, 0, len(pattern))
	for i := range len(pattern) {
		c := pattern[i]
		if n := len(tokens); isWild(c) && n > 0 && isWild(tokens[n-1]) {
			if c == '*' { // "%*" and "*%" match what "*" does
				tokens[n-1] = '*'
			}
			continue
		}
		tokens = append(tokens, c)
		if !isWild(c) {
			p.literal++
		}
	}
	p.tokens = string(tokens)
	if p.Wild() && p.literal <= maxName {
		p.makeSets()
	}
	return p
}

// Wild says whether there is a wildcard in the pattern.
func (p Pattern) Wild() bool { return p.literal < len(p.tokens) }

func (p *Pattern) makeSets() {
	words := len(p.tokens)/64 + 1 // one place more than there are tokens
	p.stars, p.percents, p.nowhere = make(bitset, words), make(bitset, words), make(bitset, words)
	p.bytes = map[byte]bitset{}
	for i := range len(p.tokens) {
		switch c := p.tokens[i]; c {
		case '*':
			p.stars.add(i)
		case '%':
			p.percents.add(i)
		default:
			if p.bytes[c] == nil {
				p.bytes[c] = make(bitset, words)
			}
			p.bytes[c].add(i)
		}
	}
}

func isWild(c byte) bool { return c == '*' || c == '%' }

// Match says whether the pattern matches the whole name. It keeps the set of
// places in the pattern that the name read so far can have reached, 64 of them
// in a word, so its time is at most name times pattern / 64, whatever they
// hold.
func (p Pattern) Match(name string) bool {
	switch {
	case p.tokens == "*":
		return true
	case p.tokens == "%":
		return strings.IndexByte(name, Separator) < 0
	case p.literal > len(name) || len(name) > maxName:
		return false
	case p.literal == len(p.tokens):
		return p.tokens == name
	}
	var space [4]uint64
	at := bitset(space[:])
	if n := len(p.stars); n <= len(space) {
		at = at[:n]
	} else {
		at = make(bitset, n)
	}
	at.add(0)
	if isWild(p.tokens[0]) {
		at.add(1)
	}
	for i := range len(name) {
		if !p.step(at, name[i]) {
			return false
		}
	}
	return at[len(p.tokens)/64]&(1<<(len(p.tokens)%64)) != 0
}

// step moves every reached place over one byte of the name, then past the
// wildcard it may have come to, and says whether any is left. No two wildcards
// are neighbours, so one is all it can pass.
func (p Pattern) step(at bitset, c byte) bool {
	here := p.bytes[c]
	if here == nil {
		here = p.nowhere
	}
	var alive, moved, passed uint64
	for i := range at {
		stars, percents := p.stars[i], p.percents[i]
		loops := stars
		if c != Separator {
			loops |= percents
		}
		over := at[i] & here[i]
		next := at[i]&loops | over<<1 | moved
		moved = over >> 63
		wild := next & (stars | percents)
		at[i] = next | wild<<1 | passed
		passed = wild >> 63
		alive |= next
	}
	return alive != 0
}
