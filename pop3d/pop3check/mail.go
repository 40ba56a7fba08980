package pop3check

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// mailSide is the other door of the account.
type mailSide interface {
	// put stores a message in the inbox; it must be there when put returns.
	put(text []byte) error
	// exact reports whether messages stay as they were put, without lines before
	// them and with whatever end they have.
	exact() bool
	// clean removes every message of a run from wherever it is now.
	clean(token string) error
	close() error
}

// viewer is a mailSide that shows mail too. Messages are named by the value of
// their test header.
type viewer interface {
	// seen reports whether a message is marked as read.
	seen(name string) (bool, error)
	// size gives its size in octets.
	size(name string) (int, error)
	// expunge removes it.
	expunge(name string) error
	// forbid takes the right to delete away from the account until undo is called;
	// nil where that cannot be done.
	forbid() (undo func() error, err error)
}

// sample is a message to test with. Its text has CRLF as line ends and begins
// after the headers that build adds.
type sample struct {
	kind  string
	text  string
	exact bool // only for sides that keep messages as they are
}

// mail is a sample in the maildrop.
type mail struct {
	kind string
	name string // value of the test header
	uidl string
	text []byte // as put in
}

// testHeader marks the messages of a run. It is the first line of each.
const testHeader = "X-Pop3-Check"

const smallText = "\r\nA small message.\r\n"

// samples are messages that servers get wrong.
func samples() []sample {
	var numbered, edges strings.Builder
	for i := range 200 {
		fmt.Fprintf(&numbered, "line %d\r\n", i+1)
	}
	// A line of one dot after lines of every length: one of them lies across the
	// end of any buffer.
	for i := range 400 {
		edges.WriteString(strings.Repeat("x", i) + "\r\n.\r\n")
	}
	mime := "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
	return []sample{
		{"plain", "\r\nDear reader,\r\n\r\nthis is plain.\r\n", false},
		{"dots", "\r\n.\r\n..\r\n.hidden\r\n\r\n...\r\na.b\r\nend.\r\n", false},
		{"last-dot", "\r\nthe last line is a dot\r\n.\r\n", false},
		{"dot-edges", "\r\n" + edges.String(), false},
		{"no-body", "\r\n", false},
		{"blank-lines", "\r\ntext\r\n\r\n\r\n\r\n", false},
		{"from-lines", "\r\nFrom here on\r\n>From there\r\n", false},
		{"long-line", "\r\n" + strings.Repeat("long ", 180) + "\r\nshort\r\n", false},
		{"long-header", "References: " + strings.Repeat("\r\n <0123456789abcdef@example.org>", 800) + "\r\n\r\nbody\r\n", false},
		{"8-bit", mime + "\r\nGrüße aus Zürich – schön!\r\n", false},
		{"lines", "\r\n" + numbered.String(), false},
		{"large", "\r\n" + strings.Repeat("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAx\r\n", 20000), false},
		{"no-line-end", "\r\nthe last line has no end", true},
	}
}

// build makes a message of a sample.
func (r *runner) build(s sample) mail {
	r.serial++
	name := fmt.Sprintf("%s-%dx", r.token, r.serial) // no name is the beginning of another
	head := testHeader + ": " + name + "\r\n" +
		"From: POP3 check <check@example.org>\r\nTo: check@example.org\r\n" +
		"Date: " + time.Now().Format(time.RFC1123Z) + "\r\n" +
		"Message-ID: <" + name + "@check.example.org>\r\nSubject: test message " + s.kind + "\r\n"
	return mail{kind: s.kind, name: name, text: []byte(head + s.text)}
}

// look learns which messages are in the maildrop.
func (r *runner) look() error {
	t := &test{r: r}
	s := t.login()
	ids := s.uidls()
	s.leave()
	t.end()
	r.known = map[string]bool{}
	for id := range ids {
		r.known[id] = true
	}
	return t.err
}

// seed puts the samples in.
func (r *runner) seed() error {
	if r.side == nil {
		return nil
	}
	var list []sample
	for _, s := range samples() {
		if r.side.exact() || !s.exact {
			list = append(list, s)
		}
	}
	_, err := r.put(list)
	return err
}

// put puts messages into the maildrop, one after the other, and gives their UIDLs.
func (r *runner) put(list []sample) ([]string, error) {
	ids := make([]string, len(list))
	for i, s := range list {
		m := r.build(s)
		if err := r.side.put(m.text); err != nil {
			return nil, fmt.Errorf("putting test mail in: %w", err)
		}
		if err := r.find(&m); err != nil {
			return nil, err
		}
		r.ours = append(r.ours, m)
		ids[i] = m.uidl
	}
	return ids, nil
}

// find gives a message that was put in its UIDL: the one that is new. No message
// is asked for its name: a server that sends messages wrongly is to be tested too.
func (r *runner) find(m *mail) error {
	t := &test{r: r}
	defer t.end()
	s := t.login()
	last := 0
	for id, n := range s.uidls() {
		if !r.known[id] && n > last {
			m.uidl, last = id, n
		}
		r.known[id] = true
	}
	s.leave()
	if t.err == nil && m.uidl == "" {
		t.fail("test mail %s was put in, but is not there by a UIDL of its own", m.name)
	}
	return t.err
}

// nameOf reads the test header.
func nameOf(text []byte) string {
	header, _ := split(text)
	for line := range bytes.SplitSeq(header, []byte("\r\n")) {
		if name, ok := bytes.CutPrefix(line, []byte(testHeader+": ")); ok {
			return string(name)
		}
	}
	return ""
}

// own cuts off what the delivery put before a message.
func own(text []byte) []byte {
	if at := bytes.Index(text, []byte(testHeader+": ")); at >= 0 {
		return text[at:]
	}
	return text
}

// clean removes what is left of the test mail.
func (r *runner) clean() error {
	if r.side == nil {
		return nil
	}
	t := &test{r: r}
	s := t.login()
	var numbers []int
	listing := s.uidls()
	for _, m := range r.ours {
		if n, there := listing[m.uidl]; there {
			numbers = append(numbers, n)
		}
	}
	// The highest first: a server that renumbers does not go for others then.
	slices.Sort(numbers)
	for _, n := range slices.Backward(numbers) {
		s.ok("DELE %d", n)
	}
	s.leave()
	t.end()
	err := t.err
	if err != nil {
		err = fmt.Errorf("removing the test mail over POP3: %w", err)
	}
	return errors.Join(err, r.side.clean(r.token))
}
