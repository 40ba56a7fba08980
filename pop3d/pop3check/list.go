package pop3check

import (
	"regexp"
	"strconv"
	"strings"
)

func listChecks() []check {
	return []check{
		{emptyFirst, "1939 section 5", listEmpty},
		{"stat-form", "1939 section 5", statForm},
		{"stat-agrees-with-list", "1939 section 5", statAgrees},
		{"stat-leaves-out-marked", "1939 section 5", statMarked},
		{"list-form", "1939 section 5", listForm},
		{"list-numbers-from-1", "1939 section 4", listNumbers},
		{"list-one", "1939 section 5", listOne},
		{"list-leaves-out-marked", "1939 section 5", listMarked},
		{"uidl-form", "1939 section 7", uidlForm},
		{"uidl-one", "1939 section 7", uidlOne},
		{"uidl-unique", "1939 section 7", uidlUnique},
		{"uidl-leaves-out-marked", "1939 section 7", uidlMarked},
		{"uidl-same-next-session", "1939 section 7", uidlSame},
		{"uidl-same-after-deletions", "1939 section 7", uidlAfterDeletions},
		{"uidl-not-used-again", "1939 section 7", uidlNotAgain},
		{"numbers-keep-after-dele", "1939 section 5", numbersKeep},
		{"new-mail-waits", "1939 section 4", newMailWaits},
	}
}

// listEmpty runs before there is test mail.
func listEmpty(t *test) {
	if t.r.side != nil && len(t.r.ours) > 0 || len(t.r.known) > 0 {
		t.skip("the maildrop was not empty")
	}
	s := t.login()
	count, octets := s.stat()
	t.that(count == 0 && octets == 0, "STAT of an empty maildrop: %d %d", count, octets)
	t.that(len(s.text("LIST")) == 0, "LIST of an empty maildrop is not empty")
	s.refused("LIST 1")
	s.refused("RETR 1")
	s.alive()
}

var statLine = regexp.MustCompile(`^\+OK \d+ \d+( .*)?\r\n$`)

func statForm(t *test) {
	s := t.login()
	p := s.ok("STAT")
	t.that(statLine.MatchString(p.raw), "STAT: %q", p.raw)
}

func statAgrees(t *test) {
	t.needMail()
	s := t.login()
	count, octets := s.stat()
	sizes := s.sizes()
	sum := 0
	for _, size := range sizes {
		sum += size
	}
	t.that(count == len(sizes) && octets == sum, "STAT says %d %d, LIST has %d %d", count, octets, len(sizes), sum)
}

func statMarked(t *test) {
	s, n := t.scratch(2)
	sizes := s.sizes()
	count, octets := s.stat()
	s.ok("DELE %d", n[0])
	count2, octets2 := s.stat()
	t.that(count2 == count-1 && octets2 == octets-sizes[n[0]],
		"STAT before DELE %d %d, after it %d %d, size %d", count, octets, count2, octets2, sizes[n[0]])
}

var scanLine = regexp.MustCompile(`^[1-9]\d* \d+( .*)?$`)

func listForm(t *test) {
	t.needMail()
	s := t.login()
	for _, line := range s.lines("LIST") {
		t.that(scanLine.MatchString(line), "LIST has the line %.60q", line)
	}
}

func listNumbers(t *test) {
	t.needMail()
	s := t.login()
	lines := s.lines("LIST")
	seen := map[string]bool{}
	for _, line := range lines {
		number, _, _ := strings.Cut(line, " ")
		seen[number] = true
	}
	for i := range lines {
		t.that(seen[strconv.Itoa(i+1)], "of %d lines of LIST none has number %d", len(lines), i+1)
	}
}

func listOne(t *test) {
	s, n, _ := t.sample("dots")
	size := s.sizes()[n]
	p := s.ok("LIST %d", n)
	want := strconv.Itoa(n) + " " + strconv.Itoa(size)
	t.that(p.text == want || strings.HasPrefix(p.text, want+" "), "LIST %d says %q, the listing %q", n, p.text, want)
}

func listMarked(t *test) {
	s, n := t.scratch(2)
	before := s.sizes()
	s.ok("DELE %d", n[0])
	after := s.sizes()
	_, there := after[n[0]]
	t.that(!there, "LIST shows message %d, which is marked as deleted", n[0])
	t.that(len(after) == len(before)-1, "LIST has %d messages, before DELE %d", len(after), len(before))
}

// uidlForm: 1 to 70 characters from 0x21 to 0x7E.
func uidlForm(t *test) {
	t.needMail()
	s := t.login()
	for _, line := range s.lines("UIDL") {
		_, id, ok := strings.Cut(line, " ")
		odd := strings.ContainsFunc(id, func(c rune) bool { return c < 0x21 || c > 0x7e })
		t.that(ok && id != "" && len(id) <= 70 && !odd, "UIDL has the line %.90q", line)
	}
}

func uidlOne(t *test) {
	t.needMail()
	s := t.login()
	for id, n := range s.uidls() {
		p := s.ok("UIDL %d", n)
		want := strconv.Itoa(n) + " " + id
		t.that(p.text == want, "UIDL %d says %.90q, the listing %.90q", n, p.text, want)
	}
}

func uidlUnique(t *test) {
	t.needMail()
	s := t.login()
	lines := s.lines("UIDL")
	seen := map[string]string{}
	for _, line := range lines {
		number, id, _ := strings.Cut(line, " ")
		if other, twice := seen[id]; twice {
			t.fail("messages %s and %s have the same UIDL %s", other, number, id)
		}
		seen[id] = number
	}
}

func uidlMarked(t *test) {
	ids := t.put(2)
	s := t.login()
	n := s.number(ids[0])
	s.ok("DELE %d", n)
	_, there := s.uidls()[ids[0]]
	t.that(!there, "UIDL shows message %d, which is marked as deleted", n)
}

func uidlSame(t *test) {
	t.needMail()
	s := t.login()
	first := s.uidls()
	s.quit()
	s = t.login()
	second := s.uidls()
	if t.err != nil {
		return
	}
	for id := range first {
		if _, there := second[id]; !there {
			t.fail("the UIDL %s is gone in the next session", id)
		}
	}
}

// uidlAfterDeletions: other numbers, the same unique ids.
func uidlAfterDeletions(t *test) {
	ids := t.put(3)
	s := t.login()
	sizes := s.sizes()
	size := sizes[s.number(ids[2])]
	s.ok("DELE %d", s.number(ids[1]))
	s.ok("DELE %d", s.number(ids[0]))
	s.quit()
	s = t.login()
	n := s.number(ids[2])
	t.that(s.sizes()[n] == size, "the UIDL %s is another message's now", ids[2])
}

func uidlNotAgain(t *test) {
	ids := t.put(1)
	s := t.login()
	s.ok("DELE %d", s.number(ids[0]))
	s.quit()
	if t.err != nil {
		return
	}
	delete(t.r.known, ids[0]) // so that it would be found as a new one's
	again := t.put(1)
	t.that(again[0] != ids[0], "a new message has the UIDL of one that was deleted: %s", ids[0])
}

func numbersKeep(t *test) {
	s, n := t.scratch(3)
	before := s.sizes()
	ids := s.uidls()
	s.ok("DELE %d", n[0])
	for number, size := range s.sizes() {
		t.that(before[number] == size, "message %d has another size after DELE %d: renumbered", number, n[0])
	}
	for id, number := range s.uidls() {
		t.that(ids[id] == number, "the message with UIDL %s has another number after DELE %d", id, n[0])
	}
	want := nameAt(t, n[2])
	got := nameOf(s.text("RETR %d", n[2]))
	t.that(got == want, "after DELE %d, RETR %d sends another message", n[0], n[2])
}

// nameAt gives the name of the last message put in: scratch puts them in order,
// but servers may number them otherwise.
func nameAt(t *test, number int) string {
	if len(t.r.ours) == 0 {
		return ""
	}
	s := t.open[len(t.open)-1]
	for _, m := range t.r.ours {
		if s.known[m.uidl] == number {
			return m.name
		}
	}
	return ""
}

// newMailWaits: the maildrop of a session is what it was at login.
func newMailWaits(t *test) {
	t.needMail()
	s := t.login()
	count, octets := s.stat()
	if t.err != nil {
		return
	}
	m := t.r.build(sample{kind: "small", text: smallText})
	if err := t.r.side.put(m.text); err != nil {
		t.fail("putting test mail in: %w", err)
	}
	count2, octets2 := s.stat()
	t.that(count == count2 && octets == octets2, "new mail changed STAT from %d %d to %d %d", count, octets, count2, octets2)
	s.quit()
	if t.err != nil {
		return
	}
	if err := t.r.find(&m); err != nil {
		t.fail("the next session: %w", err)
		return
	}
	t.r.ours = append(t.r.ours, m)
}
