package imapd

import (
	"context"
	"maps"
	"slices"
	"strings"

	"tandem/imapd/internal/wire"
)

// extEnable is RFC 5161. Deviation: it is taken in the selected state too, as
// other servers do, because clients send it there.
func extEnable() extension {
	return extension{
		name:         "ENABLE",
		rfc:          "RFC 5161",
		capabilities: everywhere("ENABLE"),
		commands:     []command{row("ENABLE", loggedIn, 0, parseEnable, (*session).enableAll)},
	}
}

func parseEnable(_ *session, d *wire.Decoder) (names []string) {
	d.SP()
	names = append(names, strings.ToUpper(d.Atom()))
	for d.TrySP() {
		names = append(names, strings.ToUpper(d.Atom()))
	}
	return names
}

// enableAll tells which words are now on that were not; unknown ones are
// overlooked (RFC 5161 section 3.1).
func (s *session) enableAll(_ context.Context, names []string) error {
	var news []string
	before := maps.Clone(s.enabled) // one word may imply another that is named too
	for _, name := range names {
		s.enable(name) // which may send lines of its own
		if s.enabled[name] && !before[name] && !slices.Contains(news, name) {
			news = append(news, name)
		}
	}
	s.enc.Raw("* ENABLED")
	for _, name := range news {
		s.enc.SP().Raw(s.srv.reg.enables[name].name)
	}
	s.enc.CRLF()
	return nil
}
