package pop3check

import (
	"fmt"
	"strings"
)

// inputChecks: wrong arguments are refused and the session goes on (RFC 1939
// section 3).
func inputChecks() []check {
	var list []check
	add := func(name, rfc string, run func(*test)) {
		list = append(list, check{name, rfc, run})
	}
	for _, c := range []struct{ command, rest string }{
		{"LIST", ""}, {"UIDL", ""}, {"RETR", ""}, {"TOP", " 0"}, {"DELE", ""},
	} {
		name := strings.ToLower(c.command)
		rfc := "1939 section 5"
		if c.command == "UIDL" || c.command == "TOP" {
			rfc = "1939 section 7"
		}
		line := func(number string) string { return c.command + " " + number + c.rest }
		add(name+"-zero", rfc, wrongArgument(func(int) string { return line("0") }))
		add(name+"-negative", rfc, wrongArgument(func(int) string { return line("-1") }))
		add(name+"-beyond", rfc, wrongArgument(func(last int) string { return line(fmt.Sprint(last + 1)) }))
		add(name+"-huge", rfc, hugeArgument(line))
		add(name+"-word", rfc, wrongArgument(func(int) string { return line("one") }))
		add(name+"-number-and-word", rfc, wrongArgument(func(int) string { return line("1x") }))
		add(name+"-extra-argument", "1939 section 3", wrongArgument(func(int) string { return line("1") + " 2" }))
		add(name+"-marked", rfc, markedArgument(c.command, c.rest))
	}
	for _, command := range []string{"RETR", "TOP", "DELE"} {
		add(strings.ToLower(command)+"-no-argument", "1939 section 3", wrongArgument(func(int) string { return command }))
	}
	add("top-no-lines", "1939 section 7", wrongArgument(func(last int) string { return fmt.Sprintf("TOP %d", last) }))
	add("top-negative-lines", "1939 section 7", wrongArgument(func(last int) string { return fmt.Sprintf("TOP %d -1", last) }))
	add("top-word-lines", "1939 section 7", wrongArgument(func(last int) string { return fmt.Sprintf("TOP %d all", last) }))
	for _, command := range []string{"STAT", "NOOP", "RSET", "QUIT"} {
		add(strings.ToLower(command)+"-argument", "1939 section 5", wrongArgument(func(int) string { return command + " 1" }))
	}
	return list
}

// wrongArgument sends the command that line makes, which must be refused. last is
// the number of the last message; there is one.
func wrongArgument(line func(last int) string) func(*test) {
	return func(t *test) {
		t.needMail()
		s := t.login()
		last := s.last()
		s.refused("%s", line(last))
		s.alive()
	}
}

// hugeArgument tries numbers that are 1 to those who count in 32 or 64 bits.
func hugeArgument(line func(string) string) func(*test) {
	return func(t *test) {
		t.needMail()
		s := t.login()
		for _, number := range []string{"2147483648", "4294967297", "18446744073709551617", strings.Repeat("9", 40)} {
			s.refused("%s", line(number))
		}
		s.alive()
	}
}

// markedArgument: a message marked as deleted cannot be named.
func markedArgument(command, rest string) func(*test) {
	return func(t *test) {
		s, n := t.scratch(1)
		s.ok("DELE %d", n[0])
		s.refused("%s %d%s", command, n[0], rest)
		s.alive()
	}
}
