package pop3check

import "strings"

// wire gathers examples of what replies of the run had that they should not have;
// "" where none had it.
type wire struct {
	noCRLF, long, small, code, unstuffed, terminator string
}

// maxReply is the length of a status line with its end (RFC 1939 section 3).
const maxReply = 512

// note looks at a status line.
func (w *wire) note(p reply) {
	status, _, _ := strings.Cut(strings.TrimRight(p.raw, "\r\n"), " ")
	if !strings.HasSuffix(p.raw, "\r\n") {
		w.noCRLF = p.raw
	}
	if len(p.raw) > maxReply {
		w.long = p.raw[:60]
	}
	if status != strings.ToUpper(status) {
		w.small = p.raw
	}
	if strings.HasPrefix(p.text, "[") && !goodCode(p.text) {
		w.code = p.raw
	}
}

// goodCode reports whether a text begins with a response code (RFC 2449 section
// 3): levels with slashes between, in brackets.
func goodCode(text string) bool {
	code, _, closed := strings.Cut(text[1:], "]")
	if !closed {
		return false
	}
	for level := range strings.SplitSeq(code, "/") {
		if level == "" || strings.ContainsFunc(level, func(c rune) bool { return c < '!' || c > '~' || c == ']' }) {
			return false
		}
	}
	return true
}

// line looks at a line of a multi-line reply that is not its end.
func (w *wire) line(line string) {
	if !strings.HasSuffix(line, "\r\n") {
		w.noCRLF = line[:min(60, len(line))]
	}
	if strings.HasPrefix(line, ".") && !strings.HasPrefix(line, "..") {
		w.unstuffed = line[:min(60, len(line))]
	}
}

// end looks at the end of a multi-line reply.
func (w *wire) end(line string) {
	if line != ".\r\n" {
		w.terminator = line
	}
}

// wireChecks judge all replies of the run; they are last in the table.
func wireChecks() []check {
	seen := func(what string, example func(*wire) string) func(*test) {
		return func(t *test) {
			found := example(&t.r.wire)
			t.that(found == "", "%s: %.80q", what, found)
		}
	}
	return []check{
		{"replies-crlf", "1939 section 3", seen("a line does not end in CRLF", func(w *wire) string { return w.noCRLF })},
		{"replies-512-octets", "1939 section 3", seen("a status line is longer", func(w *wire) string { return w.long })},
		{"replies-capitals", "1939 section 3", seen("a status indicator is not in capitals", func(w *wire) string { return w.small })},
		{"replies-stuffed", "1939 section 3", seen("a line begins with one dot", func(w *wire) string { return w.unstuffed })},
		{"replies-terminator", "1939 section 3", seen("the end is not .CRLF", func(w *wire) string { return w.terminator })},
		{"replies-codes", "2449 section 8", func(t *test) {
			t.needs("RESP-CODES")
			t.that(t.r.wire.code == "", "what begins with a bracket is no response code: %.80q", t.r.wire.code)
		}},
	}
}
