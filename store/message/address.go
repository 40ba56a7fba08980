package message

import "bytes"

// addressScanner reads address lists (RFC 5322 section 3.4) as they are
// found, and writes them in the form of IMAP's ENVELOPE.
type addressScanner struct {
	b []byte // what is left to read

	// The current element. text holds its words, quoting removed, with one
	// space between them.
	text      []byte
	gap       bool // white space was read behind text
	wordStart int  // of the last word in text
	at        int  // last @ outside quotes, -1 if none
	atStart   int  // start of the word that holds it
	atEnd     int  // and its end, -1 if it is the last word
	words     int

	angle   bool // a <address> was read: text is the name
	route   []byte
	mailbox []byte
	host    []byte
	spec    []byte // backs the three
	comment []byte
	open    bool // an unending comment was met: ( is an ordinary character
	group   bool
}

// appendList appends the addresses of a raw field, at most left of them, and
// gives how many may still come.
func (s *addressScanner) appendList(dst, raw []byte, left int) ([]byte, int) {
	s.b, s.open, s.group = raw, false, false
	s.reset()
	for left > 0 && len(s.b) > 0 {
		c := s.b[0]
		s.b = s.b[1:]
		switch {
		case c == ',':
			dst, left = s.flush(dst, left)
		case c == ';':
			dst, left = s.flush(dst, left)
			dst, left = s.endGroup(dst, left)
		case c == ':' && !s.group && !s.angle && s.at < 0 && len(s.text) > 0:
			dst = appendGroup(dst, s.text)
			left--
			s.group = true
			s.reset()
		case c == '<' && !s.angle:
			s.readAngle()
		default:
			s.readChar(c)
		}
	}
	if left > 0 {
		dst, left = s.flush(dst, left)
	}
	return s.endGroup(dst, left)
}

func (s *addressScanner) reset() {
	s.text, s.comment, s.spec = s.text[:0], s.comment[:0], s.spec[:0]
	s.gap, s.angle = false, false
	s.wordStart, s.words, s.at, s.atStart, s.atEnd = 0, 0, -1, 0, -1
	s.route, s.mailbox, s.host = nil, nil, nil
}

func (s *addressScanner) endGroup(dst []byte, left int) ([]byte, int) {
	if s.group {
		dst = append(dst, "(NIL NIL NIL NIL)"...)
		s.group = false
		left--
	}
	return dst, left
}

// readChar reads one character of the words, or the quoted string, comment
// or domain literal that it opens.
func (s *addressScanner) readChar(c byte) {
	switch c {
	case ' ', '\t', '\r', '\n':
		s.gap = true
	case 0:
	case '"':
		if end := quotedEnd(s.b); end >= 0 {
			s.add('"') // a mark, replaced right below
			s.text = appendUnquoted(s.text[:len(s.text)-1], s.b[:end])
			s.b = s.b[end+1:]
		}
	case '(':
		if inner, rest, ok := s.readComment(); ok {
			s.comment = appendUnquoted(s.comment[:0], inner)
			s.b = rest
			s.gap = true
			return
		}
		s.add(c)
	case '[':
		s.add(c)
		if n := len(s.text); n > 1 && s.text[n-2] == '@' {
			end := bytes.IndexByte(s.b, ']')
			if end >= 0 && end < 256 {
				s.text = append(s.text, s.b[:end+1]...)
				s.b = s.b[end+1:]
			}
		}
	default:
		s.add(c)
	}
}

// add adds a character to text, after a space if there was white space. A
// space beside an @ does not start a new word.
func (s *addressScanner) add(c byte) {
	if s.gap && len(s.text) > 0 {
		if c != '@' && s.text[len(s.text)-1] != '@' {
			if s.at >= 0 && s.atEnd < 0 {
				s.atEnd = len(s.text)
			}
			s.wordStart = len(s.text) + 1
			s.words++
		}
		s.text = append(s.text, ' ')
	}
	s.gap = false
	if s.words == 0 {
		s.words = 1
	}
	if c == '@' {
		s.at, s.atStart, s.atEnd = len(s.text), s.wordStart, -1
	}
	s.text = append(s.text, c)
}

// readComment splits s.b, which starts inside a comment, at its end.
func (s *addressScanner) readComment() (inner, rest []byte, ok bool) {
	if s.open {
		return nil, nil, false
	}
	depth := 1
	for i := 0; i < len(s.b); i++ {
		switch s.b[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return s.b[:i], s.b[i+1:], true
			}
		}
	}
	s.open = true
	return nil, nil, false
}

// quotedEnd finds the closing quote, -1 if there is none.
func quotedEnd(b []byte) int {
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// appendUnquoted undoes quoted pairs and folding.
func appendUnquoted(dst, b []byte) []byte {
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch c {
		case '\r', '\n', 0:
			continue
		case '\\':
			if i+1 == len(b) {
				continue
			}
			i++
			c = b[i]
		}
		dst = append(dst, c)
	}
	return dst
}

// readAngle reads what follows a "<" up to ">" or, without one, to the next
// comma: [route ":"] mailbox ["@" host].
func (s *addressScanner) readAngle() {
	s.angle = true
	at, route := -1, -1
	for len(s.b) > 0 {
		c := s.b[0]
		if c == ',' && (len(s.spec) == 0 || s.spec[0] != '@' || route >= 0) {
			break
		}
		s.b = s.b[1:]
		if c == '>' {
			break
		}
		switch c {
		case ' ', '\t', '\r', '\n', 0:
			continue
		case '"':
			if end := quotedEnd(s.b); end >= 0 {
				s.spec = appendUnquoted(s.spec, s.b[:end])
				s.b = s.b[end+1:]
			}
			continue
		case '(':
			if inner, rest, ok := s.readComment(); ok {
				s.comment = appendUnquoted(s.comment[:0], inner)
				s.b = rest
				continue
			}
		case ':':
			if route < 0 && len(s.spec) > 0 && s.spec[0] == '@' {
				route, at = len(s.spec), -1
				s.spec = append(s.spec, c)
				continue
			}
		case '@':
			at = len(s.spec)
		}
		s.spec = append(s.spec, c)
	}
	s.splitSpec(route, at)
}

func (s *addressScanner) splitSpec(route, at int) {
	spec := s.spec
	if route >= 0 {
		s.route = spec[:route]
		spec, at = spec[route+1:], at-route-1
	}
	if at < 0 {
		s.mailbox = spec
		return
	}
	s.mailbox, s.host = spec[:at], spec[at+1:]
}

// flush writes the element read, if there is one.
func (s *addressScanner) flush(dst []byte, left int) ([]byte, int) {
	name := s.text
	if !s.angle {
		if len(s.text) == 0 {
			s.reset()
			return dst, left
		}
		name = s.bareAddress()
	}
	if len(name) == 0 {
		name = s.comment
	}
	if !s.group && len(s.mailbox) > 2 && bytes.HasSuffix(s.mailbox, []byte(":;")) {
		// <undisclosed-recipients:;@host>: a relay took a group for an address.
		dst = appendGroup(dst, s.mailbox[:len(s.mailbox)-2])
		s.group = true
		s.reset()
		return s.endGroup(dst, left-1)
	}
	dst = append(dst, '(')
	dst = appendOrNIL(dst, name)
	dst = append(dst, ' ')
	dst = appendOrNIL(dst, s.route)
	dst = append(dst, ' ')
	// NIL would mean a group; what is missing is empty.
	dst = appendString(dst, s.mailbox)
	dst = append(dst, ' ')
	dst = appendString(dst, s.host)
	dst = append(dst, ')')
	s.reset()
	return dst, left - 1
}

// bareAddress splits an element without <>: the word with the @ is the
// address, those before it a name. Several words without @ are a name only.
func (s *addressScanner) bareAddress() (name []byte) {
	if s.at < 0 {
		if s.words > 1 {
			return s.text
		}
		s.mailbox = s.text
		return nil
	}
	end := s.atEnd
	if end < 0 {
		end = len(s.text)
	}
	s.mailbox = bytes.TrimRight(s.text[s.atStart:s.at], " ")
	s.host = bytes.TrimLeft(s.text[s.at+1:end], " ")
	name = bytes.TrimRight(s.text[:s.atStart], " ")
	if len(name) == 0 {
		name = bytes.TrimLeft(s.text[end:], " ")
	}
	return name
}

// appendGroup writes what starts a group (RFC 3501 section 7.4.2).
func appendGroup(dst, name []byte) []byte {
	dst = append(dst, "(NIL NIL "...)
	dst = appendString(dst, name)
	return append(dst, " NIL)"...)
}

func appendOrNIL(dst, s []byte) []byte {
	if len(s) == 0 {
		return append(dst, "NIL"...)
	}
	return appendString(dst, s)
}
