package pop3check

import (
	"regexp"
	"slices"
	"strings"
)

func utf8Checks() []check {
	return []check{
		{"utf8-capability", "6856 section 2", utf8Capability},
		{"utf8-command", "6856 section 2.1", utf8Command},
		{"utf8-argument", "6856 section 2.1", utf8Argument},
		{"utf8-bad-octets", "6856 section 2.2", utf8BadOctets},
		{"utf8-name-before-command", "6856 section 2.2", utf8NameFirst},
		{"utf8-same-mail", "6856 section 2.1", utf8SameMail},
		{"lang-list", "6856 section 3.2", langList},
		{"lang-choose", "6856 section 3.2", langChoose},
		{"lang-default", "6856 section 3.2", langDefault},
		{"lang-unknown", "6856 section 3.2", langUnknown},
	}
}

// utf8Capability: it has no argument but USER.
func utf8Capability(t *test) {
	p := t.needs("UTF8")
	t.that(len(p) == 0 || slices.Equal(p, []string{"USER"}), "UTF8 %s", strings.Join(p, " "))
}

// beyond gives a connection in UTF-8 mode, which a server may refuse.
func (t *test) beyond() *session {
	t.needs("UTF8")
	s := t.dial()
	if p := s.do("UTF8"); t.err == nil && !p.ok {
		t.skip("the server refuses UTF8, as it may: %q", p.raw)
	}
	return s
}

func utf8Command(t *test) {
	s := t.beyond()
	s.still()
}

func utf8Argument(t *test) {
	t.needs("UTF8")
	s := t.dial()
	s.refused("UTF8 now")
}

// utf8BadOctets: a name that is no UTF-8 is refused, with USER or with PASS.
func utf8BadOctets(t *test) {
	if p := t.needs("UTF8"); t.err == nil && !slices.Contains(p, "USER") {
		t.skip("the server does not list UTF8 USER")
	}
	s := t.beyond()
	if p := s.do("USER bad\xff\xfename"); p.ok {
		s.refused("PASS secret")
	}
}

// utf8NameFirst: with UTF8 USER names may be in UTF-8 before the UTF8 command: one
// that nobody has is treated like one in ASCII.
func utf8NameFirst(t *test) {
	if p := t.needs("UTF8"); t.err == nil && !slices.Contains(p, "USER") {
		t.skip("the server does not list UTF8 USER")
	}
	name := "no-such-user-" + strings.ToLower(t.r.token)
	ascii := t.dial().do("USER %s", name)
	other := t.dial().do("USER %s-ü", name)
	t.that(ascii.ok == other.ok, "a name in UTF-8 is refused, one in ASCII is not: %q, %q", other.raw, ascii.raw)
}

// utf8SameMail: mail that needs no conversion is the same in both modes.
func utf8SameMail(t *test) {
	t.needs("UTF8")
	_, _, want := t.sample("8-bit")
	i := slices.IndexFunc(t.r.ours, func(m mail) bool { return m.kind == "8-bit" })
	if t.err != nil {
		return
	}
	t.open[len(t.open)-1].quit()
	s := t.beyond()
	s.still()
	n := s.number(t.r.ours[i].uidl)
	size := s.sizes()[n]
	got := s.text("RETR %d", n)
	t.that(size == len(got), "LIST says %d octets, RETR sends %d", size, len(got))
	t.same(own(got), want)
}

// languageLine is a tag, and the language's name where there is one.
var languageLine = regexp.MustCompile(`^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*( \S.*)?$`)

// languages lists what LANG alone does, unless the server cannot.
func (t *test) languages(s *session) []string {
	p := s.do("LANG")
	if t.err == nil && !p.ok {
		t.skip("the server does not list its languages, as it may: %q", p.raw)
	}
	var lines []string
	for line := range strings.Lines(string(s.rest())) {
		lines = append(lines, strings.TrimRight(line, "\r\n"))
	}
	t.that(len(lines) > 0, "LANG lists nothing")
	for _, line := range lines {
		t.that(languageLine.MatchString(line), "LANG has the line %.60q, which is no tag, or tag and name", line)
	}
	if t.err != nil {
		return nil
	}
	return lines
}

func langList(t *test) {
	t.needs("LANG")
	s := t.dial()
	t.languages(s)
	s = t.login()
	t.languages(s)
	s.alive()
}

// langChoose: each language in the list can be had; the reply names it.
func langChoose(t *test) {
	t.needs("LANG")
	s := t.dial()
	for _, line := range t.languages(s) {
		tag, _, _ := strings.Cut(line, " ")
		p := s.ok("LANG %s", tag)
		got, _, _ := strings.Cut(p.text, " ")
		t.that(strings.EqualFold(got, tag), "LANG %s: %q", tag, p.raw)
	}
	s.still()
}

func langDefault(t *test) {
	t.needs("LANG")
	s := t.dial()
	p := s.do("LANG *")
	if t.err == nil && !p.ok {
		t.skip("the server prefers no language: %q", p.raw)
	}
	t.that(languageLine.MatchString(p.text), "LANG *: %q does not name a language", p.raw)
	s.still()
}

func langUnknown(t *test) {
	t.needs("LANG")
	s := t.login()
	s.refused("LANG x-none")
	s.alive()
}
