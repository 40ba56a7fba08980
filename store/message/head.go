package message

import "bytes"

// field names what the parser keeps of a header block.
type field uint8

const (
	fieldNone field = iota
	fieldDate
	fieldSubject
	fieldFrom
	fieldSender
	fieldReplyTo
	fieldTo
	fieldCc
	fieldBcc
	fieldInReplyTo
	fieldMessageID
	fieldReferences
	fieldContentType // from here on: of every part
	fieldEncoding
	fieldContentID
	fieldDescription
	fieldDisposition
	fieldLanguage
	fieldLocation
	fieldMD5
)

// maxRepeats bounds how often address fields are kept; only they may come more
// than once.
const maxRepeats = 256

// head gathers the wanted fields of the header block being read.
type head struct {
	buf     []byte
	kept    []keptField
	seen    uint32
	bytes   int  // of the block, read so far
	budget  int  // bytes that may still be kept, of all blocks
	message bool // the block heads a message, not only a part
	open    bool // the last of kept is being read
}

type keptField struct {
	field field
	span
}

func (h *head) reset(message bool) {
	*h = head{buf: h.buf[:0], kept: h.kept[:0], budget: h.budget, message: message}
}

// field starts a field.
func (h *head) field(line []byte, lim Limits) {
	h.open = false
	h.bytes += len(line)
	if h.bytes > lim.HeaderBytes || len(line) > h.budget {
		return
	}
	colon := bytes.IndexByte(line, ':')
	if colon < 0 {
		return
	}
	f := fieldOf(bytes.TrimRight(line[:colon], " \t"))
	if f == fieldNone || f < fieldContentType && !h.message {
		return
	}
	addresses := f >= fieldFrom && f <= fieldBcc
	if h.seen&(1<<f) != 0 && (!addresses || len(h.kept) >= maxRepeats) {
		return
	}
	h.seen |= 1 << f
	value := line[colon+1:]
	if len(value) > lim.FieldBytes {
		value = value[:lim.FieldBytes]
	}
	from := len(h.buf)
	h.buf = append(h.buf, value...)
	h.kept = append(h.kept, keptField{f, span{from, len(h.buf)}})
	h.open = true
	h.budget -= len(value)
}

// fold adds a continuation line to the field being read.
func (h *head) fold(line []byte, lim Limits) {
	h.bytes += len(line)
	if !h.open || h.bytes > lim.HeaderBytes || len(line) > h.budget {
		h.open = false
		return
	}
	last := &h.kept[len(h.kept)-1]
	if room := lim.FieldBytes - (last.to - last.from); len(line) > room {
		line = line[:room]
	}
	h.buf = append(h.buf, line...)
	h.budget -= len(line)
	last.to = len(h.buf)
}

// get gives the raw value of the first field f.
func (h *head) get(f field) (raw []byte, ok bool) {
	if h.seen&(1<<f) == 0 {
		return nil, false
	}
	for _, k := range h.kept {
		if k.field == f {
			return h.buf[k.from:k.to], true
		}
	}
	return nil, false
}

// fieldOf finds a field by its name, any case.
func fieldOf(name []byte) field {
	switch len(name) {
	case 2:
		return oneOf(name, "to", fieldTo, "cc", fieldCc)
	case 3:
		return oneOf(name, "bcc", fieldBcc, "", 0)
	case 4:
		return oneOf(name, "from", fieldFrom, "date", fieldDate)
	case 6:
		return oneOf(name, "sender", fieldSender, "", 0)
	case 7:
		return oneOf(name, "subject", fieldSubject, "", 0)
	case 8:
		return oneOf(name, "reply-to", fieldReplyTo, "", 0)
	case 10:
		switch name[0] | 0x20 {
		case 'm':
			return oneOf(name, "message-id", fieldMessageID, "", 0)
		case 'r':
			return oneOf(name, "references", fieldReferences, "", 0)
		}
		return oneOf(name, "content-id", fieldContentID, "", 0)
	case 11:
		return oneOf(name, "in-reply-to", fieldInReplyTo, "content-md5", fieldMD5)
	case 12:
		return oneOf(name, "content-type", fieldContentType, "", 0)
	case 16:
		return oneOf(name, "content-language", fieldLanguage, "content-location", fieldLocation)
	case 19:
		return oneOf(name, "content-disposition", fieldDisposition, "content-description", fieldDescription)
	case 25:
		return oneOf(name, "content-transfer-encoding", fieldEncoding, "", 0)
	}
	return fieldNone
}

func oneOf(name []byte, a string, fa field, b string, fb field) field {
	switch {
	case equalFold(name, a):
		return fa
	case b != "" && equalFold(name, b):
		return fb
	}
	return fieldNone
}

// equalFold compares ASCII letters without case; lower is in lower case.
func equalFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// unfold appends a raw field value on one line (RFC 5322 section 2.2.3),
// trimmed. CR without LF becomes a space and NUL goes, as neither can be sent
// in an IMAP string of one line.
func unfold(dst, raw []byte) []byte {
	start := len(dst)
	raw = bytes.Trim(raw, " \t\r\n")
	for i, c := range raw {
		switch {
		case c == '\n' || c == 0:
		case c == '\r':
			if i+1 < len(raw) && raw[i+1] != '\n' {
				dst = append(dst, ' ')
			}
		default:
			dst = append(dst, c)
		}
	}
	return dst[:start+len(bytes.TrimRight(dst[start:], " \t"))]
}

// unfoldText is unfold for text that people read.
// Deviation: the white space around a fold becomes one space, as many senders
// fold with a tab, or with more than the space that stood there.
func unfoldText(dst, raw []byte) []byte {
	raw = bytes.TrimRight(raw, " \t\r\n")
	for {
		i := bytes.IndexByte(raw, '\n')
		if i < 0 {
			return unfold(dst, raw)
		}
		n := len(dst)
		if dst = unfold(dst, raw[:i]); len(dst) > n {
			dst = append(dst, ' ')
		}
		raw = raw[i+1:]
	}
}
