package message

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// SearchText gives what SEARCH BODY looks in: the text parts of the message
// and the headers of the messages it holds, decoded and folded (see Fold); a
// needle goes through Fold too and is looked for as a substring. With header
// it is what SEARCH TEXT looks in: the headers of the message and of all its
// parts as well. src holds the parsed message, without any prefix. At most
// max bytes are given. The only errors are those of src.
func (s *Structure) SearchText(src io.ReaderAt, header bool, max int64) (string, error) {
	var t Searcher
	text, err := t.Text(s, src, header, max)
	return string(text), err
}

// Searcher gives the search texts of one message after another in memory that
// it uses again. Its zero value is ready; two goroutines need two.
type Searcher struct {
	src    io.ReaderAt
	folded folder
	max    int
	err    error

	raw   []byte // bytes as stored
	line  []byte // a header field
	guess []byte // text made valid UTF-8
	carry []byte // text that waits to be folded with what follows it
	part  partDecoder
	page  htmlScanner
}

// keptText is how much memory a Searcher keeps for the next message.
const keptText = 1 << 20

// Text is Structure.SearchText; the text is valid until the next call.
func (t *Searcher) Text(s *Structure, src io.ReaderAt, header bool, max int64) ([]byte, error) {
	if cap(t.folded.out) > keptText || cap(t.page.text) > keptText {
		*t = Searcher{}
	}
	t.src, t.err, t.max = src, nil, int(min(max, 1<<30))
	t.folded.out, t.folded.space = slices.Grow(t.folded.out[:0], int(min(s.Size, max, searchPiece))), false
	for i := range s.Parts {
		p := &s.Parts[i]
		if header || p.Parent >= 0 && s.Parts[p.Parent].Kind == KindMessage {
			t.header(p)
		}
		if p.Kind == KindLeaf && searchable(p.Type) {
			t.body(p)
		}
		if t.err != nil || t.full() {
			break
		}
	}
	t.src = nil
	text := t.folded.out
	if len(text) > t.max {
		text = text[:wholeRunes(text[:t.max])]
	}
	return text, t.err
}

// searchable says whether a leaf holds text.
func searchable(mediaType string) bool {
	switch mediaType {
	case "application/xhtml+xml", "application/xml", "application/json", "application/ics", "application/x-sh", "application/javascript":
		return true
	}
	return strings.HasPrefix(mediaType, "text/") || strings.HasPrefix(mediaType, "message/") ||
		strings.HasSuffix(mediaType, "+json") || strings.HasSuffix(mediaType, "+xml") && !strings.HasPrefix(mediaType, "image/")
}

func (t *Searcher) full() bool { return len(t.folded.out) >= t.max }

const (
	maxHeaderText = 1 << 20  // how much of one header block is searched
	searchPiece   = 64 << 10 // how much of a body is read at a time
)

// read adds n bytes from off on to what raw keeps; false after an error of
// the store.
func (t *Searcher) read(off, n int64) bool {
	kept := len(t.raw)
	t.raw = slices.Grow(t.raw, int(n))[:kept+int(n)]
	if got, err := t.src.ReadAt(t.raw[kept:], off); int64(got) < n {
		t.err = err
		return false
	}
	return true
}

func (t *Searcher) header(p *Part) {
	n := min(p.BodyOff-p.HeaderOff, maxHeaderText)
	if t.raw = t.raw[:0]; n == 0 || !t.read(p.HeaderOff, n) {
		return
	}
	for name, value := range Fields(t.raw) {
		if t.full() {
			break
		}
		t.line = append(append(append(t.line[:0], name...), ": "...), value...)
		if bytes.Contains(value, []byte("=?")) {
			t.line = append(t.line[:0], DecodeText(t.line)...)
		}
		t.add(t.line)
		t.folded.add(newline)
	}
}

// body adds a leaf, a piece at a time; an HTML page must be whole before it
// is read.
func (t *Searcher) body(p *Part) {
	d := &t.part
	d.start(p)
	isHTML := p.Type == "text/html" || p.Type == "application/xhtml+xml"
	var page []byte
	t.raw, t.carry = t.raw[:0], t.carry[:0]
	for off := p.BodyOff; off < p.End && !t.full() && len(page) <= t.max; {
		n := min(p.End-off, searchPiece)
		if !t.read(off, n) {
			return
		}
		off += n
		text, rest := d.decode(t.raw, off == p.End)
		switch {
		case !isHTML:
			t.fold(text, off == p.End)
		case n == p.End-p.BodyOff:
			page = text
		default:
			page = append(page, text...)
		}
		t.raw = append(t.raw[:0], rest...)
	}
	if isHTML {
		t.html(page)
	}
	t.folded.add(newline)
}

func (t *Searcher) html(page []byte) {
	h := &t.page
	h.page, h.text, h.links = page, slices.Grow(h.text[:0], min(len(page), searchPiece)+1), h.links[:0]
	for len(h.page) > 0 && !t.full() {
		if h.next(); len(h.text) > searchPiece {
			t.fold(h.text, false)
			h.text = h.text[:0]
		}
	}
	h.text = append(append(h.text, ' '), h.links...)
	t.fold(h.text, true)
	h.page = nil
}

// fold adds text that comes in pieces. They are folded up to white space if
// there is some: a character must not be cut, nor a letter from its accents.
func (t *Searcher) fold(text []byte, last bool) {
	if len(t.carry) > 0 {
		t.carry = append(t.carry, text...)
		text = t.carry
	}
	for len(text) > 0 && !t.full() {
		n := len(text)
		if !last || n > 2*searchPiece {
			n = foldable(text[:min(n, searchPiece)])
		}
		if n == 0 {
			break
		}
		t.add(text[:n])
		text = text[n:]
		if !last && len(text) < searchPiece {
			break
		}
	}
	t.carry = append(t.carry[:0], text...)
}

// add folds text that may not be valid UTF-8; most is ASCII.
func (t *Searcher) add(text []byte) {
	text = text[t.folded.ascii(text):]
	if !utf8.Valid(text) {
		t.guess = appendGuess(t.guess[:0], text)
		text = t.guess
	}
	t.folded.add(text)
}

// foldable says how much of b to fold when more follows.
func foldable(b []byte) int {
	const back = 256 // how far white space is looked for
	tail := b[max(0, len(b)-back):]
	if i := bytes.LastIndexAny(tail, " \n"); i >= 0 {
		return len(b) - len(tail) + i + 1
	}
	return wholeRunes(b)
}

// wholeRunes gives the length of b without a character cut off at its end.
func wholeRunes(b []byte) int {
	for i := 1; i <= utf8.UTFMax && i <= len(b); i++ {
		if c := b[len(b)-i]; utf8.RuneStart(c) {
			if !utf8.FullRune(b[len(b)-i:]) {
				return len(b) - i
			}
			break
		}
	}
	return len(b)
}
