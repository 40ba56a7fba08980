package message

import (
	"errors"
	"strconv"
)

// ErrWire says that bytes are not the wire form this package writes.
var ErrWire = errors.New("message: not an ENVELOPE or BODYSTRUCTURE")

// maxNesting bounds recursion over wire forms; Limits.Depth may be raised to
// nearly as much.
const maxNesting = 1000

// wireReader walks a wire form and keeps its first error.
type wireReader struct {
	b   []byte
	i   int
	err error
}

func (r *wireReader) fail() {
	r.err = ErrWire
	r.i = len(r.b)
}

// peek gives the next byte, 0 at the end.
func (r *wireReader) peek() byte {
	if r.i < len(r.b) {
		return r.b[r.i]
	}
	return 0
}

func (r *wireReader) accept(c byte) bool {
	if r.peek() != c || r.i >= len(r.b) {
		return false
	}
	r.i++
	return true
}

func (r *wireReader) expect(c byte) {
	if !r.accept(c) {
		r.fail()
	}
}

// atom reads NIL or a number.
func (r *wireReader) atom() []byte {
	from := r.i
	for r.i < len(r.b) && (isDigit(r.b[r.i]) || r.b[r.i] >= 'A' && r.b[r.i] <= 'Z') {
		r.i++
	}
	if r.i == from {
		r.fail()
	}
	return r.b[from:r.i]
}

// str reads a string or NIL; ok is false for NIL.
func (r *wireReader) str() (s string, ok bool) {
	switch r.peek() {
	case '"':
		return string(r.quoted()), true
	case '{':
		return string(r.literal()), true
	}
	if string(r.atom()) != "NIL" {
		r.fail()
	}
	return "", false
}

func (r *wireReader) quoted() []byte {
	var out []byte
	for r.i++; r.i < len(r.b); r.i++ {
		c := r.b[r.i]
		if c == '"' {
			r.i++
			return out
		}
		if c == '\\' {
			if r.i++; r.i == len(r.b) {
				break
			}
			c = r.b[r.i]
		}
		out = append(out, c)
	}
	r.fail()
	return nil
}

func (r *wireReader) literal() []byte {
	r.i++
	n, err := strconv.Atoi(string(r.atom()))
	r.expect('}')
	r.expect('\r')
	r.expect('\n')
	if err != nil || n > len(r.b)-r.i {
		r.fail()
		return nil
	}
	out := r.b[r.i : r.i+n]
	r.i += n
	return out
}

// skip passes over one value, lists at any depth, without copying.
func (r *wireReader) skip() {
	for depth := 0; ; {
		switch r.peek() {
		case '(':
			r.i++
			depth++
		case ')':
			if depth == 0 {
				r.fail()
				return
			}
			r.i++
			depth--
		case ' ':
			if depth == 0 {
				r.fail()
				return
			}
			r.i++
		case '"':
			r.skipQuoted()
		case '{':
			r.literal()
		default:
			r.atom()
		}
		if r.err != nil || depth == 0 {
			return
		}
	}
}

func (r *wireReader) skipQuoted() {
	for r.i++; r.i < len(r.b); r.i++ {
		switch r.b[r.i] {
		case '\\':
			r.i++
		case '"':
			r.i++
			return
		}
	}
	r.fail()
}

// BasicBody turns a BODYSTRUCTURE into the BODY form, without extension data
// at any level (RFC 3501 section 7.4.2).
func BasicBody(bodystructure []byte) ([]byte, error) {
	r := wireReader{b: bodystructure}
	out := r.basic(make([]byte, 0, len(bodystructure)), 0)
	if r.err == nil && r.i != len(r.b) {
		r.fail()
	}
	if r.err != nil {
		return nil, r.err
	}
	return out, nil
}

func (r *wireReader) basic(dst []byte, depth int) []byte {
	if depth > maxNesting {
		r.fail()
		return dst
	}
	r.expect('(')
	dst = append(dst, '(')
	if r.peek() == '(' {
		for r.peek() == '(' {
			dst = r.basic(dst, depth+1)
		}
		dst = r.copyValues(dst, 1)
	} else {
		dst = r.basicLeaf(dst, depth)
	}
	for r.err == nil && r.accept(' ') {
		r.skip()
	}
	r.expect(')')
	return append(dst, ')')
}

// basicLeaf copies a part's fields up to where its extension data starts.
func (r *wireReader) basicLeaf(dst []byte, depth int) []byte {
	from := r.i
	main, _ := r.str()
	r.expect(' ')
	sub, _ := r.str()
	dst = append(dst, r.b[from:r.i]...)
	dst = r.copyValues(dst, 5) // params id description encoding size
	switch t := joinType([]byte(main), []byte(sub)); {
	case t == "message/rfc822" || t == "message/global":
		dst = r.copyValues(dst, 1)
		r.expect(' ')
		dst = r.basic(append(dst, ' '), depth+1)
		dst = r.copyValues(dst, 1)
	case len(main) == 4 && t[:5] == "text/":
		dst = r.copyValues(dst, 1)
	}
	return dst
}

// copyValues copies n values, each behind a space.
func (r *wireReader) copyValues(dst []byte, n int) []byte {
	from := r.i
	for range n {
		r.expect(' ')
		r.skip()
	}
	if r.err != nil {
		return dst
	}
	return append(dst, r.b[from:r.i]...)
}

// EnvelopeData is an ENVELOPE taken apart. Texts are as in the message:
// unfolded, encoded words not decoded (see DecodeText).
type EnvelopeData struct {
	Date, Subject                      string
	From, Sender, ReplyTo, To, Cc, Bcc []Address
	InReplyTo, MessageID               string
}

// Address is one address of an ENVELOPE. A group starts with an Address whose
// Mailbox is its name and whose Group is set, and ends with an empty one whose
// Group is set.
type Address struct {
	Name, Mailbox, Host string
	Group               bool
}

// ParseEnvelope reads the wire form that Structure.Envelope holds.
func ParseEnvelope(wire []byte) (*EnvelopeData, error) {
	r := wireReader{b: wire}
	e := &EnvelopeData{}
	r.expect('(')
	e.Date, _ = r.str()
	r.expect(' ')
	e.Subject, _ = r.str()
	for _, list := range []*[]Address{&e.From, &e.Sender, &e.ReplyTo, &e.To, &e.Cc, &e.Bcc} {
		r.expect(' ')
		*list = r.addresses()
	}
	r.expect(' ')
	e.InReplyTo, _ = r.str()
	r.expect(' ')
	e.MessageID, _ = r.str()
	r.expect(')')
	if r.err == nil && r.i != len(r.b) {
		r.fail()
	}
	if r.err != nil {
		return nil, r.err
	}
	return e, nil
}

func (r *wireReader) addresses() (list []Address) {
	if r.peek() != '(' {
		if _, ok := r.str(); ok {
			r.fail()
		}
		return nil
	}
	r.i++
	for r.err == nil && r.peek() == '(' {
		r.i++
		var a Address
		var hasHost bool
		a.Name, _ = r.str()
		r.expect(' ')
		r.str() // route
		r.expect(' ')
		a.Mailbox, _ = r.str()
		r.expect(' ')
		a.Host, hasHost = r.str()
		a.Group = !hasHost
		r.expect(')')
		list = append(list, a)
	}
	r.expect(')')
	return list
}
