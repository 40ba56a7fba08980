package message

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/transform"
)

// SearchText gives what SEARCH BODY looks in: the text parts of the message
// and the headers of the messages it holds, decoded and folded (see Fold); a
// needle goes through Fold too and is looked for as a substring. With header
// it is what SEARCH TEXT looks in: the headers of the message and of all its
// parts as well. src holds the parsed message, without any prefix. At most
// max bytes are given. The only errors are those of src.
func (s *Structure) SearchText(src io.ReaderAt, header bool, max int64) (string, error) {
	t := searchText{src: src, max: int(min(max, 1<<30))}
	t.folded.out = make([]byte, 0, min(s.Size, max, 64<<10))
	t.w.t = &t
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
	text := t.folded.out
	if len(text) > t.max {
		text = text[:wholeRunes(text[:t.max])]
	}
	return string(text), t.err
}

// searchable says whether a leaf holds text.
func searchable(mediaType string) bool {
	switch mediaType {
	case "application/xhtml+xml", "application/xml", "application/json", "application/ics", "message/delivery-status",
		"message/disposition-notification", "message/global-delivery-status", "application/x-sh", "application/javascript":
		return true
	}
	return strings.HasPrefix(mediaType, "text/") || strings.HasSuffix(mediaType, "+json") || strings.HasSuffix(mediaType, "+xml") && !strings.HasPrefix(mediaType, "image/")
}

type searchText struct {
	src    io.ReaderAt
	folded folder
	max    int
	err    error
	line   []byte // scratch, as piece
	piece  []byte
	w      foldWriter
}

func (t *searchText) full() bool { return len(t.folded.out) >= t.max }

// maxHeaderText is how much of one header block is searched.
const maxHeaderText = 1 << 20

func (t *searchText) header(p *Part) {
	n := min(p.BodyOff-p.HeaderOff, maxHeaderText)
	if n == 0 {
		return
	}
	raw := make([]byte, n)
	if got, err := t.src.ReadAt(raw, p.HeaderOff); int64(got) < n {
		t.err = err
		return
	}
	for name, value := range Fields(raw) {
		if t.full() {
			break
		}
		t.line = append(append(append(t.line[:0], name...), ": "...), value...)
		if !utf8.Valid(t.line) || bytes.Contains(t.line, []byte("=?")) {
			t.line = append(t.line[:0], DecodeText(t.line)...)
		}
		t.folded.add(t.line)
		t.folded.add(newline)
	}
}

// body adds a leaf: transfer encoding, charset, HTML, each as it streams by.
func (t *searchText) body(p *Part) {
	in := &sourceReader{r: io.NewSectionReader(t.src, p.BodyOff, p.End-p.BodyOff)}
	var r io.Reader = in
	switch p.Encoding {
	case EncodingBase64:
		r = newBase64Reader(r)
	case EncodingQuotedPrintable:
		r = newQuotedReader(r)
	}
	if enc := encodingNamed(p.Charset); enc != nil {
		r = transform.NewReader(r, enc.NewDecoder())
	}
	w := &t.w
	w.buf = w.buf[:0]
	var err error
	if p.Type == "text/html" || p.Type == "application/xhtml+xml" {
		err = htmlText(w, r)
	} else {
		if t.piece == nil {
			t.piece = make([]byte, foldPiece)
		}
		_, err = io.CopyBuffer(w, r, t.piece)
	}
	if err == nil {
		w.fold(len(w.buf))
		t.folded.add(newline)
	}
	t.err = in.err // others are those of a broken encoding, or errFull
}

// sourceReader remembers an error of the store beneath the decoders.
type sourceReader struct {
	r   io.Reader
	err error
}

func (s *sourceReader) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

var errFull = errors.New("message: search text is full")

// foldWriter folds what is written to it, in pieces that end in white space
// if they can: a character must not be cut, nor a letter from its accents.
type foldWriter struct {
	t   *searchText
	buf []byte
}

const (
	foldPiece = 8192
	foldBack  = 256 // how far back white space is looked for
)

func (w *foldWriter) Write(b []byte) (int, error) {
	w.buf = append(w.buf, b...)
	if len(w.buf) < foldPiece {
		return len(b), nil
	}
	back := w.buf[len(w.buf)-foldBack:]
	n := len(w.buf) - foldBack + bytes.LastIndexAny(back, " \n") + 1
	if n == len(w.buf)-foldBack {
		n = wholeRunes(w.buf)
	}
	w.fold(n)
	if w.t.full() {
		return len(b), errFull
	}
	return len(b), nil
}

// fold folds the first n bytes of buf.
func (w *foldWriter) fold(n int) {
	text := w.buf[:n]
	if !utf8.Valid(text) {
		text = appendGuess(make([]byte, 0, n+n/8), text)
	}
	w.t.folded.add(text)
	w.buf = append(w.buf[:0], w.buf[n:]...)
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
