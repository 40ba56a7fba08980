package wire

import (
	"strings"
	"unicode/utf8"
)

// Character classes of RFC 3501 section 9.
const (
	classAtom    = 1 << iota // ATOM-CHAR
	classAstring             // ASTRING-CHAR: and "]"
	classTag                 // ASTRING-CHAR without "+"
	classList                // list-char: ASTRING-CHAR and wildcards
	classKeyword             // letters, digits, "." and "-": names of commands and items
)

// classOf is the table of character classes; it is never written again.
var classOf = makeClasses()

func makeClasses() (t [256]uint8) {
	for c := 0x21; c < 0x7f; c++ {
		if !strings.ContainsRune(`(){%*"\]`, rune(c)) {
			t[c] |= classAtom
		}
		if !strings.ContainsRune(`(){%*"\`, rune(c)) {
			t[c] |= classAstring
		}
		if !strings.ContainsRune(`(){%*"\+`, rune(c)) {
			t[c] |= classTag
		}
		if !strings.ContainsRune(`(){"\`, rune(c)) {
			t[c] |= classList
		}
		if isLetter(byte(c)) || isDigit(byte(c)) || c == '.' || c == '-' {
			t[c] |= classKeyword
		}
	}
	return t
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

func isLetter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }

// run takes the longest run of bytes of a class. The result lives until the
// next token.
func (d *Decoder) run(class uint8) []byte {
	s := d.scratch[:0]
	for {
		b, ok := d.peek()
		if !ok || classOf[b]&class == 0 {
			break
		}
		s = append(s, b)
		d.advance(b)
	}
	d.scratch = s
	if d.err != nil {
		return nil
	}
	return s
}

// word expects a run of at least one byte of a class.
func (d *Decoder) word(class uint8, what string) string {
	s := d.run(class)
	if len(s) == 0 {
		d.expected(what)
		return ""
	}
	return string(s)
}

// Tag expects the tag of a command.
func (d *Decoder) Tag() string { return d.word(classTag, "a tag") }

// Atom expects an atom.
func (d *Decoder) Atom() string { return d.word(classAtom, "an atom") }

// Keyword expects the name of a command, item, key or option: letters, digits,
// dots and hyphens. It comes back in upper case. A section's bracket ends it.
func (d *Decoder) Keyword() string {
	return strings.ToUpper(d.word(classKeyword, "a name"))
}

// String expects a quoted string or a literal.
func (d *Decoder) String() string {
	switch b, _ := d.peek(); b {
	case '"':
		return d.quoted()
	case '{':
		return d.literal()
	}
	d.expected("a string")
	return ""
}

// Astring expects an atom-like word or a string.
func (d *Decoder) Astring() string {
	if b, ok := d.peek(); ok && classOf[b]&classAstring != 0 {
		return string(d.run(classAstring))
	}
	return d.String()
}

// NString expects a string or NIL; ok is false for NIL.
func (d *Decoder) NString() (s string, ok bool) {
	if b, _ := d.peek(); b != '"' && b != '{' {
		if !strings.EqualFold(string(d.run(classAtom)), "NIL") {
			d.expected("a string or NIL")
		}
		return "", false
	}
	s = d.String()
	return s, d.err == nil
}

// quoted reads a quoted string (RFC 3501 section 4.3): no CR, LF or NUL, and
// 8-bit bytes only in UTF-8, which clients may send without enabling it (RFC
// 9755 section 3).
func (d *Decoder) quoted() string {
	d.Byte('"')
	s := d.scratch[:0]
	eight := false
	for {
		b, ok := d.peek()
		if !ok {
			return ""
		}
		switch {
		case b == '"':
			d.advance(b)
			d.scratch = s
			if eight && !utf8.Valid(s) {
				d.Fail("A quoted string is not UTF-8")
			}
			if d.err != nil {
				return ""
			}
			return string(s)
		case b == '\\':
			d.advance(b)
			b, ok = d.peek()
			if !ok || (b != '"' && b != '\\') {
				d.expected(`'"' or '\' after '\'`)
				return ""
			}
		case b == '\r' || b == '\n' || b == 0:
			d.expected("the end of a quoted string")
			return ""
		case b >= 0x80:
			eight = true
		}
		s = append(s, b)
		d.advance(b)
	}
}

// digits expects a decimal number below 2^63.
func (d *Decoder) digits(what string) (n int64, ok bool) {
	start := d.text
	for {
		b, more := d.peek()
		if !more || !isDigit(b) {
			break
		}
		v := int64(b - '0')
		if n > (1<<63-1-v)/10 {
			d.Fail("Number too large")
			return 0, false
		}
		n = n*10 + v
		d.advance(b)
	}
	if d.text == start {
		d.expected(what)
	}
	return n, d.err == nil
}

// Number expects a number of 32 bits.
func (d *Decoder) Number() uint32 {
	n, ok := d.digits("a number")
	if ok && n > 1<<32-1 {
		d.Fail("Number too large")
		return 0
	}
	return uint32(n)
}

// NzNumber expects a number of 32 bits that is not zero.
func (d *Decoder) NzNumber() uint32 {
	n := d.Number()
	if n == 0 {
		d.Fail("A number must not be zero here")
	}
	return n
}

// Number64 expects a number of 63 bits (RFC 9051 section 9).
func (d *Decoder) Number64() int64 {
	n, _ := d.digits("a number")
	return n
}

// ModSeq expects a mod-sequence of 63 bits, zero included: iOS sends
// CHANGEDSINCE 0, and UNCHANGEDSINCE 0 has a meaning (RFC 7162 section 7).
func (d *Decoder) ModSeq() uint64 {
	n, _ := d.digits("a mod-sequence")
	return uint64(n)
}

// List expects a parenthesised list, possibly empty, and calls item for each
// of its members. A member may itself call List, down to Limits.Nesting.
func (d *Decoder) List(item func()) {
	if !d.Byte('(') {
		return
	}
	d.depth++
	defer func() { d.depth-- }()
	if over(int64(d.depth), int64(d.lim.Nesting)) {
		d.failLimit("Parentheses nested too deep", int64(d.lim.Nesting))
		return
	}
	if d.TryByte(')') {
		return
	}
	for {
		item()
		if d.err != nil || d.TryByte(')') {
			return
		}
		if !d.SP() {
			return
		}
	}
}

// Flag expects a flag or keyword (RFC 3501 section 9, flag). System flags come
// back as they were written, backslash included.
func (d *Decoder) Flag() string {
	slash := d.TryByte('\\')
	name := d.word(classAtom, "a flag")
	if slash && name != "" {
		return `\` + name
	}
	return name
}

// Flags expects a parenthesised list of flags.
func (d *Decoder) Flags() []string {
	flags := []string{}
	d.List(func() { flags = append(flags, d.Flag()) })
	return flags
}

// Mailbox expects a mailbox name and gives it as UTF-8, INBOX in capitals.
func (d *Decoder) Mailbox() string {
	s := d.Astring()
	if d.err != nil {
		return ""
	}
	return d.name(s)
}

func (d *Decoder) name(s string) string {
	// A name with 8-bit bytes cannot be modified UTF-7, so it means UTF-8 in any
	// case (RFC 9755 section 3).
	if d.UTF8 || strings.IndexFunc(s, beyondASCII) >= 0 {
		if !utf8.ValidString(s) {
			d.Fail("A mailbox name is not UTF-8")
			return ""
		}
		if !d.UTF8 { // go-imap 2.0.0-beta.8 goes on writing "&-" for "&"
			s = strings.ReplaceAll(s, "&-", "&")
		}
		return FoldInbox(s)
	}
	name, err := DecodeUTF7(s)
	if err != nil {
		d.Fail("A mailbox name is not modified UTF-7")
		return ""
	}
	return FoldInbox(name)
}

func beyondASCII(r rune) bool { return r >= 0x80 }

// ListMailbox expects a mailbox name with wildcards, as in LIST and LSUB
// (RFC 3501 section 9, list-mailbox), and gives it as UTF-8.
func (d *Decoder) ListMailbox() string {
	var s string
	if b, ok := d.peek(); ok && classOf[b]&classList != 0 {
		s = string(d.run(classList))
	} else {
		s = d.String()
	}
	if d.err != nil {
		return ""
	}
	return d.name(s)
}

// FoldInbox writes INBOX, alone or as the first level of a name, in capitals
// (RFC 3501 section 5.1: the name is special in any case of letters).
func FoldInbox(name string) string {
	const inbox = "INBOX"
	if len(name) < len(inbox) || !strings.EqualFold(name[:len(inbox)], inbox) {
		return name
	}
	if len(name) == len(inbox) || name[len(inbox)] == '/' {
		return inbox + name[len(inbox):]
	}
	return name
}

// TrySASL takes a SASL initial response: base64, or "=" for an empty one
// (RFC 4959 section 3). It counts under Limits.SASL instead of Limits.Line;
// its decoding is the caller's.
func (d *Decoder) TrySASL() (response string, ok bool) {
	d.line = d.text + d.lim.SASL
	if d.lim.SASL == 0 {
		d.line = 0
	}
	if !d.TrySP() {
		return "", false
	}
	s := d.scratch[:0]
	for {
		b, more := d.peek()
		if !more || b <= ' ' || b >= 0x7f {
			break
		}
		s = append(s, b)
		d.advance(b)
	}
	d.scratch = s
	if len(s) == 0 {
		d.expected("base64 data")
	}
	return string(s), d.err == nil
}
