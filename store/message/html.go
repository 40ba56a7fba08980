package message

import (
	"bytes"

	"golang.org/x/net/html"
)

// htmlScanner takes the searched text out of an HTML page as a browser would
// read it: text without tags, entities decoded, a space where an element
// starts a new line. What its links and images lead to and are called follows
// at the end, so that it does not stand between the words of a sentence.
type htmlScanner struct {
	page  []byte // what is left
	text  []byte
	links []byte
}

// maxLinks bounds the text of all links of a page and maxLink that of one.
const (
	maxLinks = 256 << 10
	maxLink  = 4096
)

// next adds the text up to and with the next tag, comment or the like.
func (h *htmlScanner) next() {
	i := bytes.IndexByte(h.page, '<')
	if i < 0 {
		i = len(h.page)
	}
	h.text = appendUnescaped(h.text, h.page[:i])
	h.page = h.page[i:]
	if len(h.page) < 2 {
		h.text = append(h.text, h.page...)
		h.page = nil
		return
	}
	switch c := h.page[1]; {
	case bytes.HasPrefix(h.page, []byte("<!--")):
		h.skipPast(h.page[2:], "-->")
	case c == '!' || c == '?':
		h.skipPast(h.page, ">")
	case isLetter(c):
		h.tag(h.page[1:], false)
	case c == '/' && len(h.page) > 2 && isLetter(h.page[2]):
		h.tag(h.page[2:], true)
	case c == '/':
		h.skipPast(h.page, ">")
	default:
		h.text = append(h.text, '<')
		h.page = h.page[1:]
	}
}

// skipPast goes on behind the first end in b, which is a tail of the page.
func (h *htmlScanner) skipPast(b []byte, end string) {
	if i := bytes.Index(b, []byte(end)); i >= 0 {
		h.page = b[i+len(end):]
	} else {
		h.page = nil
	}
}

// tag reads a tag; b starts with its name.
func (h *htmlScanner) tag(b []byte, closing bool) {
	n := 0
	for n < len(b) && !isSpace(b[n]) && b[n] != '/' && b[n] != '>' {
		n++
	}
	var lower [12]byte
	name := lower[:copy(lower[:], b[:n])]
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			name[i] = c + 'a' - 'A'
		}
	}
	if n > len(lower) || !isInline(name) {
		h.text = append(h.text, ' ')
	}
	h.page = h.attributes(b[n:])
	if !closing && (string(name) == "script" || string(name) == "style") {
		h.skipHidden(name)
	}
}

// skipHidden goes on at the end tag of an element whose text is not shown.
func (h *htmlScanner) skipHidden(name []byte) {
	for {
		i := bytes.Index(h.page, []byte("</"))
		if i < 0 {
			h.page = nil
			return
		}
		if h.page = h.page[i:]; len(h.page) >= 2+len(name) && equalFold(h.page[2:2+len(name)], string(name)) {
			return
		}
		h.page = h.page[2:]
	}
}

// attributes reads the attributes of a tag and gives what follows its ">".
func (h *htmlScanner) attributes(b []byte) []byte {
	for {
		for len(b) > 0 && (isSpace(b[0]) || b[0] == '/') {
			b = b[1:]
		}
		if len(b) == 0 || b[0] == '>' {
			return b[min(1, len(b)):]
		}
		n := 1
		for n < len(b) && b[n] != '=' && b[n] != '>' && b[n] != '/' && !isSpace(b[n]) {
			n++
		}
		name := b[:n]
		b = trimSpace(b[n:])
		if len(b) == 0 || b[0] != '=' {
			continue
		}
		var value []byte
		value, b = attributeValue(trimSpace(b[1:]))
		if isLink(name) && len(value) <= maxLink && len(h.links)+len(value) < maxLinks && !bytes.HasPrefix(value, []byte("data:")) {
			h.links = append(appendUnescaped(h.links, value), ' ')
		}
	}
}

func attributeValue(b []byte) (value, rest []byte) {
	if len(b) > 0 && (b[0] == '"' || b[0] == '\'') {
		if i := bytes.IndexByte(b[1:], b[0]); i >= 0 {
			return b[1 : 1+i], b[i+2:]
		}
		return nil, nil
	}
	n := 0
	for n < len(b) && b[n] != '>' && !isSpace(b[n]) {
		n++
	}
	return b[:n], b[n:]
}

// isLink says whether an attribute's value is searched.
func isLink(name []byte) bool {
	return equalFold(name, "href") || equalFold(name, "src") || equalFold(name, "alt") || equalFold(name, "title")
}

// isInline says whether an element stands within a line.
func isInline(name []byte) bool {
	switch string(name) {
	case "a", "abbr", "b", "big", "code", "del", "em", "font", "i", "ins", "mark", "s", "small", "span", "strike",
		"strong", "sub", "sup", "tt", "u", "wbr":
		return true
	}
	return false
}

// maxEntity is longer than the name of any entity.
const maxEntity = 34

// appendUnescaped appends text with its entities decoded.
func appendUnescaped(dst, b []byte) []byte {
	for {
		i := bytes.IndexByte(b, '&')
		if i < 0 {
			return append(dst, b...)
		}
		dst = append(dst, b[:i]...)
		b = b[i:]
		n := 1
		for n < len(b) && n < maxEntity && (isLetter(b[n]) || isDigit(b[n]) || b[n] == '#') {
			n++
		}
		if n < len(b) && b[n] == ';' {
			n++
		}
		switch string(b[:n]) {
		case "&nbsp;":
			dst = append(dst, ' ') // which Fold makes of it anyway
		case "&amp;":
			dst = append(dst, '&')
		default:
			dst = append(dst, html.UnescapeString(string(b[:n]))...)
		}
		b = b[n:]
	}
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func trimSpace(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	return b
}
