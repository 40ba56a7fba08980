package imapd

// shortLiteral is what a literal may have that is sent without asking, under
// LITERAL-.
const shortLiteral = 4096

// extLiteralPlus is RFC 7888; the decoder does it. Of the two capabilities one
// is told, never both (section 6).
func extLiteralPlus() extension {
	return extension{
		name: "LITERAL+",
		rfc:  "RFC 7888",
		capabilities: []capability{
			{name: "LITERAL+", states: anyState, word: literals("LITERAL+", false)},
			{name: "LITERAL-", states: anyState, word: literals("LITERAL-", true)},
		},
	}
}

func literals(name string, short bool) func(*session) string {
	return func(s *session) string {
		if s.srv.cfg.ShortLiterals != short {
			return ""
		}
		return name
	}
}
