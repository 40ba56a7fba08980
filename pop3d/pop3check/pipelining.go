package pop3check

import (
	"fmt"
	"strings"
)

func pipeliningChecks() []check {
	return []check{
		{"pipelining-order", "2449 section 6.6", pipeliningOrder},
		{"pipelining-errors", "2449 section 6.6", pipeliningErrors},
		{"pipelining-login", "2449 section 6.6", pipeliningLogin},
		{"pipelining-retr", "2449 section 6.6", pipeliningRetr},
		{"pipelining-split", "2449 section 6.6", pipeliningSplit},
		{"pipelining-many", "2449 section 6.6", pipeliningMany},
		{"pipelining-quit", "2449 section 6.6", pipeliningQuit},
		{"pipelining-nothing-after-quit", "1939 section 6", pipeliningAfterQuit},
	}
}

// pipelined logs in where the server lists PIPELINING.
func (t *test) pipelined() *session {
	t.needs("PIPELINING")
	return t.login()
}

func (s *session) expect(what string, ok bool) reply {
	p := s.reply()
	s.t.that(p.ok == ok, "pipelined %s: %q", what, p.raw)
	return p
}

func pipeliningOrder(t *test) {
	s := t.pipelined()
	s.write("STAT\r\nLIST\r\nNOOP\r\nUIDL\r\nSTAT\r\n")
	first := s.expect("STAT", true)
	s.expect("LIST", true)
	s.rest()
	s.expect("NOOP", true)
	s.expect("UIDL", true)
	s.rest()
	last := s.expect("STAT", true)
	t.that(first.raw == last.raw, "STAT says %q and then %q", first.raw, last.raw)
}

func pipeliningErrors(t *test) {
	s := t.pipelined()
	s.write("RETR 0\r\nNOOP\r\nXYZZ\r\nSTAT\r\nDELE x\r\nNOOP\r\n")
	for i, c := range []string{"RETR 0", "NOOP", "XYZZ", "STAT", "DELE x", "NOOP"} {
		s.expect(c, i%2 == 1)
	}
}

func pipeliningLogin(t *test) {
	t.needs("PIPELINING")
	s := t.dial()
	s.write("USER " + t.r.cfg.User + "\r\nPASS " + t.r.cfg.Password + "\r\nSTAT\r\n")
	s.expect("USER", true)
	p := s.expect("PASS", true)
	s.inside = p.ok
	s.expect("STAT", true)
}

// pipeliningRetr: all messages of the run at once.
func pipeliningRetr(t *test) {
	t.needMail()
	s := t.pipelined()
	ids := s.uidls()
	var commands strings.Builder
	var expected []mail
	for _, m := range t.r.ours {
		if n, there := ids[m.uidl]; there && len(expected) < 30 {
			fmt.Fprintf(&commands, "RETR %d\r\n", n)
			expected = append(expected, m)
		}
	}
	s.write(commands.String())
	for _, m := range expected {
		s.expect("RETR", true)
		got := nameOf(s.rest())
		t.that(got == m.name, "the replies to RETR are not in the order of the commands")
	}
	s.alive()
}

// pipeliningSplit: packets may end anywhere.
func pipeliningSplit(t *test) {
	s := t.pipelined()
	s.write("NOOP\r\nST")
	s.expect("NOOP", true)
	s.write("AT\r\nNOOP\r")
	s.expect("STAT", true)
	s.write("\nLIST\r\n")
	s.expect("NOOP", true)
	s.expect("LIST", true)
	s.rest()
}

// pipeliningMany sends more than small buffers take, while nobody reads replies.
func pipeliningMany(t *test) {
	const times = 2000
	s := t.pipelined()
	s.write(strings.Repeat("STAT\r\n", times))
	first := s.expect("STAT", true)
	for range times - 1 {
		if p := s.expect("STAT", true); t.err == nil && p.raw != first.raw {
			t.fail("STAT says %q and then %q", first.raw, p.raw)
		}
	}
	s.alive()
}

func pipeliningQuit(t *test) {
	ids := t.put(2)
	s := t.pipelined()
	s.write(fmt.Sprintf("DELE %d\r\nDELE %d\r\nQUIT\r\n", s.number(ids[1]), s.number(ids[0])))
	s.expect("DELE", true)
	s.expect("DELE", true)
	s.expect("QUIT", true)
	s.closed()
	t.there(false, ids...)
}

// pipeliningAfterQuit: QUIT is the end, whatever follows.
func pipeliningAfterQuit(t *test) {
	s := t.pipelined()
	s.write("QUIT\r\nNOOP\r\n")
	s.expect("QUIT", true)
	s.closed()
}
