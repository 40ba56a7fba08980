package pop3check

import (
	"strconv"
	"strings"
)

// capabilities are the lines of CAPA: parameters by name in capitals.
type capabilities map[string][]string

func parseCaps(lines []string) capabilities {
	list := capabilities{}
	for _, line := range lines {
		if words := strings.Fields(line); len(words) > 0 {
			list[strings.ToUpper(words[0])] = words[1:]
		}
	}
	return list
}

func capaChecks() []check {
	return []check{
		{"capa-before-login", "2449 section 5", capaBefore},
		{"capa-after-login", "2449 section 5", capaAfter},
		{"capa-in-both-states", "2449 section 5", capaBoth},
		{"capa-argument", "2449 section 5", capaArgument},
		{"capa-syntax", "2449 section 3", capaSyntax},
		{"capa-user", "2449 section 6.2", capaUser},
		{"capa-top", "2449 section 6.1", capaCommand("TOP", "TOP %d 0")},
		{"capa-uidl", "2449 section 6.8", capaCommand("UIDL", "UIDL %d")},
		{"capa-sasl", "5034 section 3", capaSASL},
		{"capa-login-delay", "2449 section 6.5", capaDelay},
		{"capa-expire", "2449 section 6.7", capaExpire},
		{"capa-expire-user", "2449 section 6.7", capaExpireUser},
		{"capa-implementation", "2449 section 6.9", capaImplementation},
		{"capa-stls-after-login", "2595 section 4", capaSTLS},
	}
}

func capaBefore(t *test) {
	s := t.dial()
	t.that(len(s.lines("CAPA")) > 0, "CAPA lists nothing")
}

func capaAfter(t *test) {
	s := t.login()
	t.that(len(s.lines("CAPA")) > 0, "CAPA lists nothing")
	s.alive()
}

// capaBoth: what is listed before login is listed after it, but for STLS, which is
// not permitted then.
func capaBoth(t *test) {
	s := t.dial()
	before := parseCaps(s.lines("CAPA"))
	s = t.login()
	after := parseCaps(s.lines("CAPA"))
	for name := range before {
		if _, ok := after[name]; !ok && name != "STLS" {
			t.fail("%s is listed before login only", name)
		}
	}
}

func capaArgument(t *test) {
	s := t.dial()
	p := s.do("CAPA ALL")
	if p.ok {
		s.rest()
	}
	t.that(!p.ok, "CAPA with an argument is accepted")
}

// capaSyntax: a name, and parameters after one space each; 512 octets at most.
func capaSyntax(t *test) {
	s := t.dial()
	for _, line := range s.lines("CAPA") {
		name, _, _ := strings.Cut(line, " ")
		switch {
		case name == "" || strings.Contains(name, "."):
			t.fail("%.60q does not begin with a capability", line)
		case len(line)+2 > 512:
			t.fail("the line of %s has %d octets", name, len(line)+2)
		case strings.Contains(line, "  ") || strings.HasSuffix(line, " "):
			t.fail("spaces too many in %.60q", line)
		case strings.ContainsFunc(line, func(c rune) bool { return c < ' ' || c > '~' }):
			t.fail("%.60q is not printable ASCII", line)
		}
	}
}

// capaUser: USER is listed just when USER and PASS work.
func capaUser(t *test) {
	_, listed := t.caps()["USER"]
	s := t.dial()
	s.ok("USER %s", t.r.cfg.User)
	p := s.do("PASS %s", t.r.cfg.Password)
	s.inside = p.ok
	t.that(p.ok == listed, "USER is listed: %t; works: %t", listed, p.ok)
}

// capaCommand: a command that is listed is known, one that is not is unknown.
func capaCommand(name, command string) func(*test) {
	return func(t *test) {
		_, listed := t.caps()[name]
		s, n, _ := t.sample("plain")
		p := s.do(command, n)
		t.that(p.ok == listed, "%s is listed: %t; works: %t", name, listed, p.ok)
		if p.ok && name == "TOP" {
			s.rest()
		}
	}
}

func capaSASL(t *test) {
	list := t.needs("SASL")
	t.that(len(list) > 0, "SASL has no mechanisms")
	for _, m := range list {
		// RFC 4422 section 3.1.
		odd := strings.ContainsFunc(m, func(c rune) bool {
			return (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_'
		})
		t.that(!odd && len(m) <= 20, "%q is no mechanism name", m)
	}
}

// isNumber reports whether s is a number as capabilities have it.
func isNumber(s string) bool {
	_, err := strconv.ParseUint(s, 10, 31)
	return err == nil
}

func capaDelay(t *test) {
	p := t.needs("LOGIN-DELAY")
	good := len(p) == 1 && isNumber(p[0]) || len(p) == 2 && isNumber(p[0]) && strings.EqualFold(p[1], "USER")
	t.that(good, "LOGIN-DELAY %s", strings.Join(p, " "))
}

func capaExpire(t *test) {
	p := t.needs("EXPIRE")
	good := len(p) > 0 && (isNumber(p[0]) || strings.EqualFold(p[0], "NEVER")) && (len(p) == 1 || len(p) == 2 && strings.EqualFold(p[1], "USER"))
	t.that(good, "EXPIRE %s", strings.Join(p, " "))
}

// capaExpireUser: after login the user's own value is told.
func capaExpireUser(t *test) {
	s := t.login()
	list := parseCaps(s.lines("CAPA"))
	for _, name := range []string{"EXPIRE", "LOGIN-DELAY"} {
		if p := list[name]; len(p) > 1 {
			t.fail("after login there is still %s %s", name, strings.Join(p, " "))
		}
	}
	if t.err == nil && list["EXPIRE"] == nil && list["LOGIN-DELAY"] == nil {
		t.skip("the server lists neither EXPIRE nor LOGIN-DELAY")
	}
}

func capaImplementation(t *test) {
	p := t.needs("IMPLEMENTATION")
	t.that(len(p) > 0, "IMPLEMENTATION names none")
}

func capaSTLS(t *test) {
	s := t.login()
	list := parseCaps(s.lines("CAPA"))
	_, listed := list["STLS"]
	t.that(!listed, "STLS is listed although it is not permitted after login")
}
