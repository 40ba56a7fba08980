package message

// SectionKind is the last word of an IMAP section specifier.
type SectionKind uint8

// BODY[1], BODY[1.HEADER], BODY[1.TEXT], BODY[1.MIME].
const (
	SectionAll SectionKind = iota
	SectionHeader
	SectionText
	SectionMIME
)

// Range gives where a section (RFC 3501 section 6.4.5) lies in the served
// message: prefix bytes of header lines, then the parsed bytes. The prefix
// belongs to the root's header. ok is false when there is no such section.
func (s *Structure) Range(path []uint32, kind SectionKind, prefix int64) (off, n int64, ok bool) {
	if len(path) == 0 {
		switch kind {
		case SectionAll:
			return 0, prefix + s.Size, true
		case SectionHeader:
			return 0, prefix + s.HeaderSize, true
		case SectionText:
			return prefix + s.HeaderSize, s.Size - s.HeaderSize, true
		}
		return 0, 0, false // MIME needs a part
	}
	i, ok := s.Find(path)
	if !ok {
		return 0, 0, false
	}
	p := &s.Parts[i]
	from, to := p.BodyOff, p.End
	switch kind {
	case SectionMIME:
		from, to = p.HeaderOff, p.BodyOff
	case SectionHeader, SectionText: // of the embedded message
		if p.Kind != KindMessage || i+1 >= len(s.Parts) {
			return 0, 0, false
		}
		inner := &s.Parts[i+1]
		from, to = inner.BodyOff, inner.End
		if kind == SectionHeader {
			from, to = inner.HeaderOff, inner.BodyOff
		}
	}
	if from == 0 && i == 0 {
		return 0, prefix + to, true
	}
	return prefix + from, to - from, true
}

// Find gives the index in Parts of the part with an IMAP part number. Part 1
// of a message that is no multipart is its only body, and numbers go on
// inside message/rfc822 parts as in the message they hold.
func (s *Structure) Find(path []uint32) (int, bool) {
	if len(s.Parts) == 0 || len(path) == 0 {
		return 0, false
	}
	i := 0       // the part reached
	root := true // it is the root of a message and has not been numbered
	for _, n := range path {
		switch {
		case !root && s.Parts[i].Kind == KindMessage:
			i++ // its root is the next part
			fallthrough
		case root:
			if i >= len(s.Parts) {
				return 0, false
			}
			root = false
			if s.Parts[i].Kind != KindMultipart {
				if n != 1 {
					return 0, false
				}
				continue
			}
		case s.Parts[i].Kind == KindLeaf:
			return 0, false
		}
		var ok bool
		if i, ok = s.child(i, n); !ok {
			return 0, false
		}
	}
	return i, true
}

// child finds the n-th child (from 1) of a multipart.
func (s *Structure) child(parent int, n uint32) (int, bool) {
	for i := parent + 1; i < len(s.Parts); i++ {
		switch p := s.Parts[i].Parent; {
		case p < int32(parent):
			return 0, false
		case p == int32(parent):
			if n--; n == 0 {
				return i, true
			}
		}
	}
	return 0, false
}
