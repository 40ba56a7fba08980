package pop3check

import "strings"

func connectionChecks() []check {
	return []check{
		{"greeting", "1939 section 4", greeting},
		{"greeting-timestamp", "1939 section 7", greetingTimestamp},
		{"keyword-case", "1939 section 3", keywordCase},
		{"command-in-pieces", "1939 section 3", commandInPieces},
		{"command-unknown", "1939 section 3", unknownCommand},
		{"command-empty", "1939 section 3", emptyCommand},
		{"command-255-octets", "2449 section 4", longCommand},
		{"command-too-long", "1939 section 3", tooLongCommand},
		{"command-nul", "2449 section 3", oddOctet("NOOP\x00")},
		{"command-8-bit", "2449 section 3", oddOctet("NO\xc3\xb6P")},
		{"quit-before-login", "1939 section 4", quitBeforeLogin},
	}
}

func greeting(t *test) {
	s := t.dialPlain()
	t.that(t.err != nil || s.in.Buffered() == 0, "more than one line came unasked")
}

// greetingTimestamp: a timestamp in the greeting has the form of a msg-id, and
// differs each time.
func greetingTimestamp(t *test) {
	var stamps [2]string
	for i := range stamps {
		text := t.dialPlain().greeting.text
		from, to := strings.Index(text, "<"), strings.LastIndex(text, ">")
		if t.err == nil && (from < 0 || to < from) {
			t.skip("no timestamp: the server does not offer APOP")
			return
		}
		if t.err == nil {
			stamps[i] = text[from : to+1]
		}
	}
	t.that(strings.Contains(stamps[0], "@") && !strings.ContainsAny(stamps[0], " \t"), "%s is no msg-id", stamps[0])
	t.that(stamps[0] != stamps[1], "two greetings have the same timestamp %s", stamps[0])
}

func keywordCase(t *test) {
	s := t.login()
	s.ok("stat")
	s.ok("nOoP")
	s.lines("List")
}

// commandInPieces sends each octet in a packet of its own.
func commandInPieces(t *test) {
	s := t.login()
	for _, c := range "STAT\r\n" {
		s.write(string(c))
	}
	t.that(s.reply().ok, "STAT sent octet by octet is refused")
	s.alive()
}

func unknownCommand(t *test) {
	s := t.login()
	s.refused("XYZZ")
	s.refused("STATX")
	s.alive()
}

func emptyCommand(t *test) {
	s := t.login()
	s.refused("")
	s.alive()
}

// longCommand: a server that has CAPA takes lines of 255 octets.
func longCommand(t *test) {
	s := t.dial()
	s.ok("CAPA")
	s.rest()
	s.do("USER %s", strings.Repeat("u", 255-len("USER \r\n")))
	s.ok("CAPA")
	s.rest()
}

// tooLongCommand: a line beyond all limits gets one negative reply, or the end of
// the connection; none of it is obeyed.
func tooLongCommand(t *test) {
	s := t.login()
	s.send("NOOP %s", strings.Repeat("NOOP ", 40000))
	p := s.reply()
	if s.hungUp() {
		return
	}
	t.that(!p.ok, "a command line of 200,000 octets is obeyed: %q", p.raw)
	s.send("STAT")
	p = s.reply()
	if s.hungUp() {
		return
	}
	t.that(len(strings.Fields(p.text)) >= 2 && p.ok, "the line had more than one reply; STAT then has %q", p.raw)
}

// oddOctet: keywords and their arguments are printable ASCII.
func oddOctet(line string) func(*test) {
	return func(t *test) {
		s := t.login()
		s.refused("%s", line)
		s.alive()
	}
}

func quitBeforeLogin(t *test) {
	s := t.dial()
	s.ok("QUIT")
	s.closed()
}

// stateChecks: a command in a state where it is not valid is refused (RFC 1939
// section 3).
func stateChecks() []check {
	var list []check
	for _, command := range []string{"STAT", "LIST", "UIDL", "RETR 1", "TOP 1 0", "DELE 1", "NOOP", "RSET"} {
		name := strings.ToLower(strings.Fields(command)[0])
		list = append(list, check{"state-" + name + "-before-login", "1939 section 3", func(t *test) {
			s := t.dial()
			s.refused("%s", command)
		}})
	}
	for _, c := range []struct{ command, rfc string }{
		{"USER nobody", "1939 section 7"}, {"PASS secret", "1939 section 7"},
		{"AUTH PLAIN", "5034 section 4"}, {"STLS", "2595 section 4"}, {"UTF8", "6856 section 2"},
	} {
		name := strings.ToLower(strings.Fields(c.command)[0])
		list = append(list, check{"state-" + name + "-after-login", c.rfc, func(t *test) {
			s := t.login()
			s.refused("%s", c.command)
			s.alive()
		}})
	}
	return list
}
