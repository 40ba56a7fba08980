package message

import (
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
	for i := range s.Parts {
		p := &s.Parts[i]
		if header || p.Parent >= 0 && s.Parts[p.Parent].Kind == KindMessage {
			t.header(p)
		}
		if p.Kind == KindLeaf && searchable(p.Type) {
			t.body(p)
		}
		if t.err != nil || t.out.Len() >= t.max {
			break
		}
	}
	text := t.out.String()
	if len(text) > t.max {
		for text = text[:t.max]; len(text) > 0; text = text[:len(text)-1] {
			if r, n := utf8.DecodeLastRuneInString(text); r != utf8.RuneError || n != 1 {
				break
			}
		}
	}
	return text, t.err
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
	src io.ReaderAt
	out strings.Builder
	max int
	err error
}

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
		foldTo(&t.out, guessUTF8(name), t.max)
		foldTo(&t.out, ": ", t.max)
		foldTo(&t.out, DecodeText(value), t.max)
		foldTo(&t.out, "\n", t.max)
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
	} else {
		r = transform.NewReader(r, guesser{})
	}
	w := &foldWriter{t: t}
	var err error
	if p.Type == "text/html" || p.Type == "application/xhtml+xml" {
		err = htmlText(w, r)
	} else {
		_, err = io.Copy(w, r)
	}
	if err == nil {
		w.flush()
		foldTo(&t.out, "\n", t.max)
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

// guesser is guessUTF8 as text streams by.
type guesser struct{ transform.NopResetter }

func (guesser) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for nSrc < len(src) {
		if !atEOF && !utf8.FullRune(src[nSrc:]) {
			return nDst, nSrc, transform.ErrShortSrc
		}
		if len(dst)-nDst < utf8.UTFMax {
			return nDst, nSrc, transform.ErrShortDst
		}
		_, n := utf8.DecodeRune(src[nSrc:])
		nDst = len(appendGuess(dst[:nDst], src[nSrc:nSrc+n]))
		nSrc += n
	}
	return nDst, nSrc, nil
}

var errFull = errors.New("message: search text is full")

// foldWriter folds what is written to it, in pieces that end in white space:
// a character must not be cut, nor a letter from its accents.
type foldWriter struct {
	t   *searchText
	buf []byte
}

const foldPiece = 8192

func (w *foldWriter) Write(b []byte) (int, error) {
	w.buf = append(w.buf, b...)
	if len(w.buf) >= foldPiece {
		n := len(w.buf)
		for n > len(w.buf)-256 && w.buf[n-1] != ' ' && w.buf[n-1] != '\n' {
			n--
		}
		if n <= len(w.buf)-256 { // no white space: cut between characters
			n = len(w.buf)
			for i := 1; i <= utf8.UTFMax; i++ {
				if utf8.RuneStart(w.buf[n-i]) {
					if !utf8.FullRune(w.buf[n-i:]) {
						n -= i
					}
					break
				}
			}
		}
		foldTo(&w.t.out, strings.ToValidUTF8(string(w.buf[:n]), "\uFFFD"), w.t.max)
		w.buf = append(w.buf[:0], w.buf[n:]...)
	}
	if w.t.out.Len() >= w.t.max {
		return len(b), errFull
	}
	return len(b), nil
}

func (w *foldWriter) flush() {
	foldTo(&w.t.out, strings.ToValidUTF8(string(w.buf), "\uFFFD"), w.t.max)
}
