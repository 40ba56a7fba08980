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
}

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
	return p
}

func isWild(c byte) bool { return c == '*' || c == '%' }

// Match says whether the pattern matches the whole name. It keeps the set of
// places in the pattern that the name read so far can have reached, so its
// time is at most name times pattern, whatever they hold.
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
	n := len(p.tokens)
	var space [128]bool
	at := space[:]
	if n+1 > len(space) {
		at = make([]bool, n+1)
	}
	at[0] = true
	if isWild(p.tokens[0]) {
		at[1] = true
	}
	for i := range len(name) {
		if !p.step(at, name[i]) {
			return false
		}
	}
	return at[n]
}

// step moves every reached place over one byte of the name and says whether
// any is left. It goes from the back so that each place moves once.
func (p Pattern) step(at []bool, c byte) bool {
	alive := false
	for j := len(p.tokens); j >= 0; j-- {
		stay := j < len(p.tokens) && at[j] && p.loops(j, c)
		from := j > 0 && at[j-1] && !isWild(p.tokens[j-1]) && p.tokens[j-1] == c
		at[j] = stay || from
		alive = alive || at[j]
	}
	// A wildcard may also stand for nothing.
	for j := range len(p.tokens) {
		if at[j] && isWild(p.tokens[j]) {
			at[j+1] = true
		}
	}
	return alive
}

// loops says whether the wildcard at j takes c.
func (p Pattern) loops(j int, c byte) bool {
	return p.tokens[j] == '*' || (p.tokens[j] == '%' && c != Separator)
}
