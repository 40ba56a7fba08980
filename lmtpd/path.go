package lmtpd

import (
	"strings"
	"unicode/utf8"
)

// path is an address of MAIL or RCPT (RFC 5321 section 4.1.2).
type path struct {
	text   string // as given, without <> and source route; "" is the null path
	local  string // unquoted
	domain string // without "@"; "" when there is none
}

const (
	maxLocal  = 255 // octets; RFC 5321 section 4.5.3.1.1 asks for 64
	maxDomain = 255 // octets
)

func (p path) ascii() bool {
	for i := range len(p.text) {
		if p.text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// parsePath reads keyword (FROM: or TO:, in any case), a path in angle brackets
// and the parameters after it. Blanks after the colon are let pass.
func parsePath(text, keyword string) (p path, params []string, ok bool) {
	if len(text) < len(keyword) || !strings.EqualFold(text[:len(keyword)], keyword) {
		return p, nil, false
	}
	text = strings.TrimLeft(text[len(keyword):], " \t")
	if !strings.HasPrefix(text, "<") || !utf8.ValidString(text) {
		return p, nil, false
	}
	end := closing(text)
	if end < 0 {
		return p, nil, false
	}
	rest := text[end+1:]
	if rest != "" && rest[0] != ' ' && rest[0] != '\t' {
		return p, nil, false
	}
	p, ok = parseAddress(text[1:end])
	return p, strings.Fields(rest), ok
}

// closing finds the > that ends a path, which may have one in quotes; -1 if
// there is none.
func closing(text string) int {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == '>' && !quoted:
			return i
		}
	}
	return -1
}

// parseAddress reads what is between the angle brackets.
func parseAddress(text string) (p path, ok bool) {
	if strings.HasPrefix(text, "@") {
		// RFC 5321 appendix C: a source route is taken and ignored.
		_, after, found := strings.Cut(text, ":")
		if !found || after == "" {
			return p, false
		}
		text = after
	}
	if text == "" {
		return path{}, true
	}
	local, rest, ok := localPart(text)
	if !ok || local == "" || len(local) > maxLocal {
		return p, false
	}
	p = path{text: text, local: local}
	if rest == "" {
		return p, true
	}
	p.domain = rest[1:]
	if rest[0] != '@' || p.domain == "" || len(p.domain) > maxDomain || strings.ContainsAny(p.domain, " \t@<>()\"\\,;") {
		return p, false
	}
	return p, true
}

// localPart takes the local part off text, a dotted or a quoted string, and
// gives it unquoted.
func localPart(text string) (local, rest string, ok bool) {
	if text[0] != '"' {
		i := strings.IndexByte(text, '@')
		if i < 0 {
			i = len(text)
		}
		return text[:i], text[i:], !strings.ContainsAny(text[:i], " \t<>()\"\\,;:[]")
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '"':
			return b.String(), text[i+1:], true
		case '\\':
			if i++; i == len(text) {
				return "", "", false
			}
		}
		b.WriteByte(text[i])
	}
	return "", "", false
}
