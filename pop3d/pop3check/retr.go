package pop3check

import "bytes"

func retrChecks() []check {
	var list []check
	for _, s := range samples() {
		list = append(list, check{"retr-" + s.kind, "1939 sections 3 and 5", retrSample(s.kind)})
	}
	for _, kind := range []string{"dots", "dot-edges", "no-body", "8-bit", "large", "no-line-end"} {
		list = append(list, check{"size-" + kind, "1939 section 11", sizeSample(kind)})
	}
	return append(list,
		check{"size-as-imap", "1939 section 11", sizeAsIMAP},
		check{"retr-twice", "1939 section 5", retrTwice},
		check{"retr-keeps", "1939 section 5", retrKeeps},
	)
}

// retrSample: a message comes as it was put in, whatever is in it.
func retrSample(kind string) func(*test) {
	return func(t *test) {
		s, n, want := t.sample(kind)
		got := own(s.text("RETR %d", n))
		if kind == "no-line-end" {
			want = append(bytes.Clone(want), "\r\n"...) // the terminator stands on a line of its own
		}
		t.same(got, want)
		s.alive()
	}
}

// same compares message texts and tells where they part.
func (t *test) same(got, want []byte) {
	if t.err != nil || bytes.Equal(got, want) {
		return
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	t.fail("the text differs at octet %d of %d: got %.30q, put in %.30q", at, len(want), got[at:], want[at:])
}

// sizeSample: the size in LIST is the number of octets that RETR sends, without
// the stuffing. A message that ends without CRLF may be counted either way.
func sizeSample(kind string) func(*test) {
	return func(t *test) {
		s, n, _ := t.sample(kind)
		size := s.sizes()[n]
		got := len(s.text("RETR %d", n))
		t.that(size == got || kind == "no-line-end" && size == got-2, "LIST says %d octets, RETR sends %d", size, got)
	}
}

func sizeAsIMAP(t *test) {
	v := t.viewer()
	s, n, text := t.sample("dots")
	size := s.sizes()[n]
	if t.err != nil {
		return
	}
	there, err := v.size(nameOf(text))
	if err != nil {
		t.fail("%w", err)
	}
	t.that(there == size, "LIST says %d octets, IMAP %d", size, there)
}

func retrTwice(t *test) {
	s, n, _ := t.sample("dots")
	first := s.text("RETR %d", n)
	t.same(s.text("RETR %d", n), first)
}

// retrKeeps: only DELE deletes, unless the server says EXPIRE 0.
func retrKeeps(t *test) {
	if p := t.caps()["EXPIRE"]; len(p) > 0 && p[0] == "0" {
		t.skip("the server lists EXPIRE 0")
	}
	ids := t.put(1)
	s := t.login()
	s.text("RETR %d", s.number(ids[0]))
	s.quit()
	t.there(true, ids...)
}
