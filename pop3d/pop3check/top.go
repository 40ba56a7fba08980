package pop3check

import "bytes"

func topChecks() []check {
	return []check{
		{"top-0", "1939 section 7", topLines("lines", 0)},
		{"top-1", "1939 section 7", topLines("lines", 1)},
		{"top-7", "1939 section 7", topLines("lines", 7)},
		{"top-all-but-one", "1939 section 7", topLines("lines", 199)},
		{"top-just-all", "1939 section 7", topLines("lines", 200)},
		{"top-more-than-all", "1939 section 7", topLines("lines", 1000)},
		{"top-uncountable-lines", "1939 section 7", topHuge},
		{"top-dots", "1939 section 3", topLines("dots", 3)},
		{"top-blank-lines", "1939 section 7", topLines("blank-lines", 2)},
		{"top-no-body", "1939 section 7", topLines("no-body", 5)},
		{"top-long-header", "1939 section 7", topLines("long-header", 0)},
		{"top-large", "1939 section 7", topLines("large", 3)},
		{"top-no-line-end", "1939 section 7", topLines("no-line-end", 5)},
	}
}

// top gives header, blank line and n lines of a message's body.
func top(text []byte, n int) []byte {
	header, body := split(text)
	out := bytes.Clone(header)
	for line := range bytes.Lines(body) {
		if n--; n < 0 {
			break
		}
		out = append(out, line...)
	}
	if !bytes.HasSuffix(out, []byte("\r\n")) {
		out = append(out, "\r\n"...)
	}
	return out
}

func topLines(kind string, n int) func(*test) {
	return func(t *test) {
		s, number, text := t.sample(kind)
		got := s.text("TOP %d %d", number, n)
		if t.err != nil {
			return
		}
		t.same(own(got), top(text, n))
		s.alive()
	}
}

// topHuge: more lines than any message has is all of it. A server may refuse a
// number that it cannot count to, but not take it for a small one.
func topHuge(t *test) {
	s, n, text := t.sample("lines")
	for _, lines := range []string{"2147483647", "4294967296", "18446744073709551616"} {
		if p := s.do("TOP %d %s", n, lines); p.ok {
			got := s.rest()
			if t.err == nil {
				t.same(own(got), text)
			}
		}
	}
	s.alive()
}
