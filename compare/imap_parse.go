package compare

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// The bounds of one response of an IMAP server.
const (
	maxImapKept    = 4 << 20 // octets kept of it
	maxImapNodes   = 100_000 // words and lists in it
	maxImapDepth   = 40
	maxImapLiteral = 1 << 30
)

// node is a word or a list in a response.
type node struct {
	text   string // of a word; of a literal its first maxHead octets
	size   int64  // octets of a literal or word as the server has it
	quoted bool   // a string, not an atom
	list   []node
	isList bool
}

// isNIL tells the atom from the string.
func (n *node) isNIL() bool { return !n.quoted && !n.isList && strings.EqualFold(n.text, "NIL") }

// at gives the i-th node of a list, the zero node if there is none.
func (n *node) at(i int) *node {
	if i >= len(n.list) {
		return &node{}
	}
	return &n.list[i]
}

// response is one answer of the server.
type response struct {
	tag  string // "*" and "+" as they are
	word string // in capitals: OK, FETCH, EXISTS ...
	num  uint32 // before the word: * 5 EXISTS
	code string // what stands in [brackets] after OK, NO, BAD, BYE
	text string // of those, and of "+"
	data []node // of the others
}

// imapParser reads responses.
type imapParser struct {
	in    *bufio.Reader
	kept  int
	nodes int
}

var errImapSyntax = errors.New("the server sent what is no IMAP")

// next reads one response.
func (p *imapParser) next() (*response, error) {
	p.kept, p.nodes = 0, 0
	tag, err := p.atom()
	if err != nil {
		return nil, err
	}
	r := &response{tag: tag}
	if r.tag == "+" {
		r.text, err = p.rest()
		return r, err
	}
	if tag == "" || !p.space() {
		return nil, errImapSyntax
	}
	if r.word, err = p.atom(); err != nil {
		return nil, err
	}
	if n, err := strconv.ParseUint(r.word, 10, 32); err == nil && r.tag == "*" {
		r.num = uint32(n)
		if !p.space() {
			return nil, errImapSyntax
		}
		if r.word, err = p.atom(); err != nil {
			return nil, err
		}
	}
	r.word = strings.ToUpper(r.word)
	switch r.word {
	case "OK", "NO", "BAD", "BYE", "PREAUTH":
		return r, p.status(r)
	}
	r.data, err = p.line()
	return r, err
}

// status reads the code and the text of a status response.
func (p *imapParser) status(r *response) error {
	text, err := p.rest()
	if err != nil {
		return err
	}
	r.text = text
	if strings.HasPrefix(text, "[") {
		if code, after, ok := strings.Cut(text[1:], "]"); ok {
			r.code, r.text = code, strings.TrimPrefix(after, " ")
		}
	}
	return nil
}

func (p *imapParser) peek() (byte, error) {
	b, err := p.in.Peek(1)
	if err != nil {
		return 0, whyEnded(err)
	}
	return b[0], nil
}

// space takes one space, and tells whether there was one.
func (p *imapParser) space() bool {
	b, err := p.peek()
	if err != nil || b != ' ' {
		return false
	}
	p.in.Discard(1)
	return true
}

// keep counts octets that stay in memory.
func (p *imapParser) keep(n int) error {
	if p.kept += n; p.kept > maxImapKept {
		return fmt.Errorf("the server sent a response of more than %d octets", maxImapKept)
	}
	return nil
}

// rest reads to the end of the line.
func (p *imapParser) rest() (string, error) {
	p.space()
	var b []byte
	for {
		part, err := p.in.ReadSlice('\n')
		b = append(b, part...)
		if kept := p.keep(len(part)); kept != nil {
			return "", kept
		}
		if err == nil {
			return strings.TrimRight(string(b), "\r\n"), nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return "", whyEnded(err)
		}
	}
}

// atom reads up to what ends an atom; [...] within it may hold anything but a
// line end: BODY[HEADER.FIELDS (SUBJECT)].
func (p *imapParser) atom() (string, error) {
	var b []byte
	for open := 0; ; {
		c, err := p.peek()
		if err != nil {
			return "", err
		}
		if c == '[' {
			open++
		}
		if c == '\r' || c == '\n' || open == 0 && strings.IndexByte(" ()\"{", c) >= 0 {
			return string(b), nil
		}
		if c == ']' && open > 0 {
			open--
		}
		if err := p.keep(1); err != nil {
			return "", err
		}
		b = append(b, c)
		p.in.Discard(1)
	}
}

// line reads nodes to the end of the line.
func (p *imapParser) line() ([]node, error) {
	var list []node
	for {
		for p.space() {
		}
		c, err := p.peek()
		if err != nil {
			return nil, err
		}
		if c == '\r' || c == '\n' {
			_, err := p.rest()
			return list, err
		}
		n, err := p.node(0)
		if err != nil {
			return nil, err
		}
		list = append(list, n)
	}
}

func (p *imapParser) node(depth int) (node, error) {
	if p.nodes++; p.nodes > maxImapNodes || depth > maxImapDepth {
		return node{}, errors.New("the server sent a response with too much in it")
	}
	c, err := p.peek()
	if err != nil {
		return node{}, err
	}
	switch c {
	case '(':
		return p.list(depth)
	case '"':
		return p.quoted()
	case '{':
		return p.literal()
	case ')':
		return node{}, errImapSyntax
	}
	text, err := p.atom()
	if err == nil && text == "" {
		err = errImapSyntax
	}
	if text == "~" { // RFC 3516 section 4.2: a literal of any octets
		return p.literal()
	}
	return node{text: text, size: int64(len(text))}, err
}

func (p *imapParser) list(depth int) (node, error) {
	p.in.Discard(1)
	n := node{isList: true}
	for {
		for p.space() {
		}
		c, err := p.peek()
		if err != nil {
			return n, err
		}
		if c == ')' {
			p.in.Discard(1)
			return n, nil
		}
		child, err := p.node(depth + 1)
		if err != nil {
			return n, err
		}
		n.list = append(n.list, child)
	}
}

func (p *imapParser) quoted() (node, error) {
	p.in.Discard(1)
	var b []byte
	for {
		c, err := p.in.ReadByte()
		if err == nil && c == '\\' {
			c, err = p.in.ReadByte()
		} else if err == nil && c == '"' {
			return node{text: string(b), size: int64(len(b)), quoted: true}, nil
		}
		if err != nil {
			return node{}, whyEnded(err)
		}
		if c == '\r' || c == '\n' {
			return node{}, errImapSyntax
		}
		if err := p.keep(1); err != nil {
			return node{}, err
		}
		b = append(b, c)
	}
}

// literal reads {n}, keeps its first octets and passes over the rest.
func (p *imapParser) literal() (node, error) {
	head, err := p.rest()
	if err != nil {
		return node{}, err
	}
	digits, ok := strings.CutSuffix(strings.TrimPrefix(head, "{"), "}")
	size, parseErr := strconv.ParseInt(strings.TrimSuffix(digits, "+"), 10, 64)
	if !ok || parseErr != nil || size < 0 || size > maxImapLiteral {
		return node{}, errImapSyntax
	}
	kept := min(size, maxHead)
	if err := p.keep(int(kept)); err != nil {
		return node{}, err
	}
	b := make([]byte, kept)
	if _, err := io.ReadFull(p.in, b); err != nil {
		return node{}, whyEnded(err)
	}
	if _, err := io.CopyN(io.Discard, p.in, size-kept); err != nil {
		return node{}, whyEnded(err)
	}
	return node{text: string(b), size: size, quoted: true}, nil
}
