package pop3check

import (
	"fmt"
	"math/big"
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
		add(name+"-zero", rfc, wrongArgument(func(_, _ int) string { return line("0") }))
		add(name+"-negative", rfc, wrongArgument(func(own, _ int) string { return line(fmt.Sprint(-own)) }))
		add(name+"-beyond", rfc, wrongArgument(func(_, last int) string { return line(fmt.Sprint(last + 1)) }))
		add(name+"-huge", rfc, hugeArgument(line))
		add(name+"-word", rfc, wrongArgument(func(_, _ int) string { return line("one") }))
		add(name+"-number-and-word", rfc, wrongArgument(func(own, _ int) string { return line(fmt.Sprintf("%dx", own)) }))
		add(name+"-extra-argument", "1939 section 3", wrongArgument(func(own, last int) string { return line(fmt.Sprint(own)) + " " + fmt.Sprint(last) }))
		add(name+"-marked", rfc, markedArgument(c.command, c.rest))
	}
	for _, command := range []string{"RETR", "TOP", "DELE"} {
		add(strings.ToLower(command)+"-no-argument", "1939 section 3", wrongArgument(func(_, _ int) string { return command }))
	}
	add("top-no-lines", "1939 section 7", wrongArgument(func(own, _ int) string { return fmt.Sprintf("TOP %d", own) }))
	add("top-negative-lines", "1939 section 7", wrongArgument(func(own, _ int) string { return fmt.Sprintf("TOP %d -1", own) }))
	add("top-word-lines", "1939 section 7", wrongArgument(func(own, _ int) string { return fmt.Sprintf("TOP %d all", own) }))
	for _, command := range []string{"STAT", "NOOP", "RSET", "QUIT"} {
		add(strings.ToLower(command)+"-argument", "1939 section 5", wrongArgument(func(_, _ int) string { return command + " 1" }))
	}
	return list
}

// wrongArgument sends the command that line makes, which must be refused. own is
// the number of a test message: a server that reads numbers wrongly shall go for
// that one. last is the number of the last message.
func wrongArgument(line func(own, last int) string) func(*test) {
	return func(t *test) {
		s, own, _ := t.sample("plain")
		last := s.last()
		s.refused("%s", line(own, last))
		s.alive()
	}
}

// hugeArgument tries numbers that are a test message's to those who count in 32 or
// 64 bits.
func hugeArgument(line func(string) string) func(*test) {
	return func(t *test) {
		s, own, _ := t.sample("plain")
		beyond64 := new(big.Int).Lsh(big.NewInt(1), 64)
		beyond64.Add(beyond64, big.NewInt(int64(own)))
		for _, number := range []string{"2147483648", fmt.Sprint(int64(own) + 1<<32), beyond64.String(), strings.Repeat("9", 40)} {
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
