package message

import "bytes"

// Parser reads a message pushed in pieces of any size and gives its structure
// at the end. It keeps header fields and offsets, never bodies.
type Parser struct {
	lim   Limits
	out   *Structure
	parts []Part
	frags []fragment // one a part
	arena []byte     // wire text that frags point into

	cur        int  // innermost open part
	headerOpen bool // cur's header has not ended
	bounds     []bound
	state      state
	openNext   bool // the delimiter being skipped opens a part

	pos  position // behind the last byte taken
	mark position // at the start of the current line
	mid  bool     // some of the current line has been taken
	line []byte   // the start of a line that came in several pieces

	head head
	mime mimeValue
	addr addressScanner
	text []byte // scratch

	tap tap // nil, or the Canonical that follows the scan
}

// tap follows a scan: it is told every byte once and what it belongs to.
type tap interface {
	headerBytes(b []byte)
	// headerEnd ends the block; the last cut bytes were a delimiter.
	headerEnd(part *Part, cut int)
	bodyBytes(b []byte)
	delimiterBytes(b []byte)
}

type state uint8

const (
	inHeader state = iota
	inBody
	inDelimiter // the rest of a delimiter line
)

// position is a place in the stream.
type position struct {
	off, lf    int64 // bytes and LFs before it
	prev, last byte  // the two bytes before it
}

func (p *position) advance(b []byte) {
	n := len(b)
	if n == 0 {
		return
	}
	p.off += int64(n)
	p.lf += int64(bytes.Count(b, newline))
	p.prev = p.last
	if n > 1 {
		p.prev = b[n-2]
	}
	p.last = b[n-1]
}

// lineEnd is the length of the line end right before the position.
func (p *position) lineEnd() int64 {
	switch {
	case p.last != '\n':
		return 0
	case p.prev == '\r':
		return 2
	}
	return 1
}

// bound is a multipart whose delimiters are looked for.
type bound struct {
	text string
	part int
}

// fragment holds where a part's wire text lies in the arena.
type fragment struct {
	envelope span // of message roots
	basic    span // "type" "subtype" params id description encoding, or "subtype" of a multipart
	ext      span // md5 disposition language location, or params disposition ... of a multipart
	bodyLF   int64
}

type span struct{ from, to int }

const (
	maxBoundary  = 998              // longer ones are compared by this much
	maxCandidate = maxBoundary + 26 // bytes of a line that decide whether it is a delimiter
)

var (
	newline = []byte("\n")
	dashes  = []byte("--")
	lfDash  = []byte("\n--")
)

// NewParser returns a parser for one message.
func NewParser(lim Limits) *Parser {
	p := &Parser{lim: lim.withDefaults(), out: &Structure{}}
	p.head.budget = 8 * p.lim.HeaderBytes
	p.parts = make([]Part, 0, 4)
	p.frags = make([]fragment, 0, 4)
	p.arena = make([]byte, 0, 1024)
	p.text = make([]byte, 0, 256)
	p.head.buf = make([]byte, 0, 1024)
	p.head.kept = make([]keptField, 0, 12)
	p.newPart(-1)
	return p
}

// Parse gives the structure of a whole message under the default limits.
func Parse(b []byte) *Structure {
	p := NewParser(Limits{})
	p.take(b)
	return p.Finish()
}

// Write takes the next piece. It never fails.
func (p *Parser) Write(b []byte) (int, error) {
	p.take(b)
	return len(b), nil
}

func (p *Parser) take(b []byte) {
	for len(b) > 0 {
		var n int
		switch p.state {
		case inHeader:
			n = p.takeHeader(b)
		case inBody:
			n = p.takeBody(b)
		case inDelimiter:
			n = p.takeDelimiter(b)
		}
		b = b[n:]
	}
}

// Finish ends the message and gives its structure. The parser is spent.
func (p *Parser) Finish() *Structure {
	if p.mid && len(p.line) > 0 {
		switch p.state {
		case inHeader:
			p.headerLine(p.line)
		case inBody:
			p.candidate(p.line)
		}
	}
	p.closeHeaders(p.pos, 0)
	p.endParts(-1, p.pos.off, p.pos.lf)
	s := p.out
	s.Size = p.pos.off
	s.HeaderSize = p.parts[0].BodyOff
	s.Parts = p.parts
	env := p.frags[0].envelope
	s.Envelope = p.arena[env.from:env.to:env.to]
	size := len(p.arena) - len(s.Envelope) + 64*len(p.parts)
	s.BodyStructure, _ = p.appendStructure(make([]byte, 0, size), 0)
	return s
}

// startLine remembers where the current line starts.
func (p *Parser) startLine() {
	if !p.mid {
		p.mark = p.pos
		p.mid = true
		p.line = p.line[:0]
	}
}

// keep adds b to the line kept so far, up to max bytes.
func (p *Parser) keep(b []byte, max int) {
	if room := max - len(p.line); len(b) > room {
		b = b[:room]
	}
	p.line = append(p.line, b...)
}

// takeHeader takes the rest of one header line.
func (p *Parser) takeHeader(b []byte) int {
	whole := !p.mid
	p.startLine()
	i := bytes.IndexByte(b, '\n')
	n := i + 1
	if i < 0 {
		n = len(b)
	}
	line := b[:n]
	p.pos.advance(line)
	if p.tap != nil {
		p.tap.headerBytes(line)
	}
	if !whole || i < 0 {
		p.keep(line, p.lim.FieldBytes+maxCandidate)
		line = p.line
	}
	if i >= 0 {
		p.mid = false
		p.headerLine(line)
	}
	return n
}

// headerLine reads one line of a header block, its line end included unless
// the message or the limit cut it off.
func (p *Parser) headerLine(line []byte) {
	text := trimEOL(line)
	switch {
	case len(text) == 0:
		p.endHeader(p.pos, 0)
	case text[0] == ' ' || text[0] == '\t':
		p.head.fold(line, p.lim)
	case p.delimiterInHeader(text):
	default:
		p.head.field(line, p.lim)
	}
}

// delimiterInHeader ends the header at a delimiter of an enclosing multipart:
// a block without its blank line.
func (p *Parser) delimiterInHeader(text []byte) bool {
	k, closing := p.match(text)
	if k < 0 {
		return false
	}
	cut := int(p.pos.off - p.mark.off)
	p.closeHeaders(p.mark, cut)
	p.delimiter(k, closing)
	if p.pos.last == '\n' {
		p.afterDelimiter()
	}
	return true
}

// closeHeaders ends every header block still open. A message part opens that
// of its embedded message, which is then empty.
func (p *Parser) closeHeaders(at position, cut int) {
	for p.headerOpen {
		p.endHeader(at, cut)
		cut = 0
	}
}

// takeBody takes some of a body: everything when no multipart is open, else
// up to the next line that starts with two dashes.
func (p *Parser) takeBody(b []byte) int {
	if len(p.bounds) == 0 {
		p.takeText(b)
		return len(b)
	}
	if p.mid && len(p.line) == 0 { // inside a line that is no delimiter
		return p.takeToDashes(b)
	}
	return p.takeCandidate(b)
}

func (p *Parser) takeText(b []byte) {
	p.pos.advance(b)
	if p.tap != nil {
		p.tap.bodyBytes(b)
	}
}

func (p *Parser) takeToDashes(b []byte) int {
	n := len(b)
	if i := bytes.Index(b, lfDash); i >= 0 {
		n, p.mid = i+1, false
	} else if b[n-1] == '\n' {
		p.mid = false
	} else if n > 1 && b[n-1] == '-' && b[n-2] == '\n' {
		n, p.mid = n-1, false
	}
	p.takeText(b[:n])
	return n
}

// takeCandidate takes a line, or the start of one, that may be a delimiter.
func (p *Parser) takeCandidate(b []byte) int {
	if !p.mid && len(b) >= 2 && !bytes.HasPrefix(b, dashes) {
		p.startLine()
		return p.takeToDashes(b)
	}
	whole := !p.mid
	p.startLine()
	n := maxCandidate - len(p.line)
	complete := n <= len(b)
	if !complete {
		n = len(b)
	}
	if i := bytes.IndexByte(b[:n], '\n'); i >= 0 {
		n, complete = i+1, true
	}
	line := b[:n]
	p.pos.advance(line)
	if !whole || !complete {
		p.keep(line, maxCandidate)
		line = p.line
	}
	if complete || (len(line) >= 2 && !bytes.HasPrefix(line, dashes)) || (len(line) == 1 && line[0] != '-') {
		p.candidate(line)
	}
	return n
}

// candidate decides about a line taken by takeCandidate.
func (p *Parser) candidate(line []byte) {
	ended := line[len(line)-1] == '\n'
	k, closing := p.match(trimEOL(line))
	if p.tap != nil {
		if k >= 0 {
			p.tap.delimiterBytes(line)
		} else {
			p.tap.bodyBytes(line)
		}
	}
	p.mid = !ended
	p.line = p.line[:0]
	if k < 0 {
		return
	}
	p.delimiter(k, closing)
	if ended {
		p.afterDelimiter()
	}
}

// takeDelimiter skips the rest of an overlong delimiter line.
func (p *Parser) takeDelimiter(b []byte) int {
	i := bytes.IndexByte(b, '\n')
	n := i + 1
	if i < 0 {
		n = len(b)
	}
	p.pos.advance(b[:n])
	if p.tap != nil {
		p.tap.delimiterBytes(b[:n])
	}
	if i >= 0 {
		p.afterDelimiter()
	}
	return n
}

// match finds the multipart that a line delimits, -1 if none. The boundary
// need only begin the line (RFC 2046 section 5.1.1), so the longest one that
// fits is meant; of equal ones the innermost.
func (p *Parser) match(text []byte) (k int, closing bool) {
	if len(p.bounds) == 0 || !bytes.HasPrefix(text, dashes) {
		return -1, false
	}
	rest := text[2:]
	exact := len(bytes.TrimRight(rest, " \t"))
	k = -1
	for i := len(p.bounds) - 1; i >= 0; i-- {
		t := p.bounds[i].text
		if len(t) > len(rest) || string(rest[:len(t)]) != t {
			continue
		}
		if k < 0 || len(t) > len(p.bounds[k].text) {
			k = i
		}
		if exact == len(t) || exact == len(t)+2 && bytes.HasPrefix(rest[len(t):], dashes) {
			k = i
			break
		}
	}
	if k < 0 {
		return -1, false
	}
	return k, bytes.HasPrefix(rest[len(p.bounds[k].text):], dashes)
}

// delimiter ends all that is open inside the k-th multipart. The line end
// before the line belongs to the delimiter, not to the part (RFC 2046 section
// 5.1.1).
func (p *Parser) delimiter(k int, closing bool) {
	at := p.mark
	mp := p.bounds[k].part
	if n := at.lineEnd(); n > 0 && p.cur != mp {
		p.endParts(mp, at.off-n, at.lf-1)
	} else {
		p.endParts(mp, at.off, at.lf)
	}
	p.bounds = p.bounds[:k+1]
	if closing {
		p.bounds = p.bounds[:k]
	}
	p.openNext = !closing
	p.state = inDelimiter
	p.mid = true
}

// afterDelimiter goes on behind a delimiter line: with a part, or with the
// epilogue of the multipart.
func (p *Parser) afterDelimiter() {
	p.mid = false
	p.state = inBody
	if p.openNext {
		p.newPart(p.cur)
	}
}

// endParts ends the open parts up to, not including, index stop, at offset
// end with lf LFs before it. A part whose header reaches further ends there,
// and so do those around it.
func (p *Parser) endParts(stop int, end, lf int64) {
	for p.cur != stop {
		i := p.cur
		part := &p.parts[i]
		if part.BodyOff > end {
			end, lf = part.BodyOff, p.frags[i].bodyLF
		}
		part.End = end
		part.Lines = lf - p.frags[i].bodyLF
		p.cur = int(part.Parent)
		if part.Kind == KindMultipart && i == len(p.parts)-1 {
			p.onlyChild(i)
		}
	}
}

// onlyChild gives a multipart without any delimiter one text part that is its
// whole body: the wire form needs a part, and so the text can be read.
func (p *Parser) onlyChild(parent int) {
	around := p.parts[parent]
	p.parts = append(p.parts, Part{
		Parent: int32(parent), Depth: around.Depth + 1, Type: "text/plain",
		HeaderOff: around.BodyOff, BodyOff: around.BodyOff, End: around.End, Lines: around.Lines,
	})
	p.frags = append(p.frags, fragment{})
	p.defaultLeaf(len(p.parts)-1, textPlain)
}

// newPart opens a part at the current position. The last one that the limit
// allows takes the rest of the message as plain bytes.
func (p *Parser) newPart(parent int) {
	i := len(p.parts)
	part := Part{Parent: int32(parent), HeaderOff: p.pos.off}
	if parent >= 0 {
		part.Depth = p.parts[parent].Depth + 1
	}
	p.parts = append(p.parts, part)
	p.frags = append(p.frags, fragment{})
	p.cur = i
	if i > 0 && i >= p.lim.Parts-1 {
		p.bounds = p.bounds[:0]
		p.parts[i].BodyOff = p.pos.off
		p.parts[i].Type = octetStreamType
		p.frags[i].bodyLF = p.pos.lf
		p.defaultLeaf(i, octetStream)
		p.state = inBody
		p.mid = false
		return
	}
	p.headerOpen = true
	p.state = inHeader
	p.head.reset(p.isMessageRoot(i))
}

// isMessageRoot says whether the part's header is that of a message.
func (p *Parser) isMessageRoot(i int) bool {
	parent := p.parts[i].Parent
	return parent < 0 || p.parts[parent].Kind == KindMessage
}

// endHeader ends cur's header block: writes its wire text and decides what
// its body is. cut is for the tap.
func (p *Parser) endHeader(at position, cut int) {
	i := p.cur
	p.headerOpen = false
	p.parts[i].BodyOff = at.off
	p.frags[i].bodyLF = at.lf
	if p.isMessageRoot(i) {
		p.writeEnvelope(i)
	}
	boundary := p.readContent(i)
	if p.tap != nil {
		p.tap.headerEnd(&p.parts[i], cut)
	}
	p.state = inBody
	p.mid = false
	switch p.parts[i].Kind {
	case KindMultipart:
		p.bounds = append(p.bounds, bound{boundary, i})
	case KindMessage:
		pos := p.pos
		p.pos = at
		p.newPart(i)
		p.pos = pos
	}
}

// trimEOL cuts the line end: LF and the CRs before it, of which relays that
// made CR CR LF of CR LF left two.
func trimEOL(line []byte) []byte {
	n := len(line)
	if n == 0 || line[n-1] != '\n' {
		return line
	}
	for n--; n > 0 && line[n-1] == '\r'; n-- {
	}
	return line[:n]
}
