package message

import "strings"

// BaseSubject gives the base subject of a decoded subject (RFC 5256 section
// 2.1), which is how SORT and THREAD compare subjects, and whether something
// that marks a reply or a forwarded message was taken off.
func BaseSubject(decoded string) (base string, replyOrForward bool) {
	s := strings.Join(strings.FieldsFunc(decoded, func(r rune) bool {
		return r == ' ' || r == '\t' || r == '\r' || r == '\n'
	}), " ")
	for {
		var a, b bool
		s, a = cutTrailers(s)
		s, b = cutLeaders(s)
		replyOrForward = replyOrForward || a || b
		if len(s) < 6 || !strings.EqualFold(s[:5], "[fwd:") || s[len(s)-1] != ']' {
			return s, replyOrForward
		}
		s = strings.TrimSpace(s[5 : len(s)-1])
		replyOrForward = true
	}
}

// cutTrailers takes off subj-trailer: "(fwd)" and white space.
func cutTrailers(s string) (string, bool) {
	found := false
	for {
		s = strings.TrimRight(s, " ")
		if len(s) < 5 || !strings.EqualFold(s[len(s)-5:], "(fwd)") {
			return s, found
		}
		s, found = s[:len(s)-5], true
	}
}

// cutLeaders takes off subj-leader and subj-blob at the start, over and over,
// but no blob that would leave nothing.
func cutLeaders(s string) (string, bool) {
	found := false
	for {
		s = strings.TrimLeft(s, " ")
		blobs, last := 0, 0 // behind all blobs, and behind all but the last
		for {
			n := blobLength(s[blobs:])
			if n == 0 {
				break
			}
			last, blobs = blobs, blobs+n
		}
		if n := refwdLength(s[blobs:]); n > 0 {
			s, found = s[blobs+n:], true
			continue
		}
		if blobs == len(s) {
			blobs = last
		}
		return s[blobs:], found
	}
}

// blobLength is that of subj-blob: "[...]" and the white space behind it.
func blobLength(s string) int {
	if s == "" || s[0] != '[' {
		return 0
	}
	n := strings.IndexAny(s[1:], "[]")
	if n < 0 || s[1+n] == '[' {
		return 0
	}
	return spacesFrom(s, n+2)
}

// refwdLength is that of subj-refwd: "re", "fw" or "fwd", perhaps a blob, and
// a colon.
func refwdLength(s string) int {
	n := 0
	switch {
	case len(s) >= 3 && strings.EqualFold(s[:3], "fwd"):
		n = 3
	case len(s) >= 2 && (strings.EqualFold(s[:2], "re") || strings.EqualFold(s[:2], "fw")):
		n = 2
	default:
		return 0
	}
	n = spacesFrom(s, n)
	n += blobLength(s[n:])
	if n < len(s) && s[n] == ':' {
		return n + 1
	}
	return 0
}

func spacesFrom(s string, n int) int {
	for n < len(s) && s[n] == ' ' {
		n++
	}
	return n
}
