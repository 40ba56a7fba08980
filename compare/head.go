package compare

import (
	"bytes"
	"mime"
	"strings"
)

// maxHead is how much of a message is kept to find its header fields.
const maxHead = 64 << 10

// headOf finds the decoded subject and the Message-ID, without its brackets, in
// the first octets of a message.
func headOf(b []byte) (subject, id string) {
	field := func(name string) string {
		for rest := b; len(rest) > 0; {
			line, after, _ := bytes.Cut(rest, []byte("\n"))
			if len(bytes.TrimRight(line, "\r")) == 0 {
				return ""
			}
			for len(after) > 0 && (after[0] == ' ' || after[0] == '\t') {
				var more []byte
				more, after, _ = bytes.Cut(after, []byte("\n"))
				line = append(bytes.TrimRight(line[:len(line):len(line)], "\r"), more...)
			}
			key, value, _ := bytes.Cut(line, []byte(":"))
			if strings.EqualFold(strings.TrimSpace(string(key)), name) {
				return strings.TrimSpace(string(value))
			}
			rest = after
		}
		return ""
	}
	return decodeWords(field("Subject")), strings.Trim(field("Message-ID"), "<> ")
}

// decodeWords decodes a header field for people (RFC 2047).
func decodeWords(s string) string {
	if decoded, err := new(mime.WordDecoder).DecodeHeader(s); err == nil {
		s = decoded
	}
	return clean(s, nil)
}
