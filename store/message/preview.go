package message

import (
	"bytes"
	"io"
	"unicode"
	"unicode/utf8"
)

// How much of a part, and how many parts, are looked at for a preview.
const (
	previewBytes = 64 << 10
	previewParts = 8
)

// Preview gives the first words of a message as a list of messages would show
// them: of the first text that has some, decoded, in one line of at most max
// characters. What is quoted is left out if there is anything else. It is ""
// when there is no text to be read, or when it is encrypted. src holds the
// parsed message, without any prefix. The only errors are those of src.
func (s *Structure) Preview(src io.ReaderAt, max int) (string, error) {
	tries := 0
	for i := range s.Parts {
		p := &s.Parts[i]
		if p.Type != "text/plain" && p.Type != "text/html" || p.Kind != KindLeaf || s.isAttached(p) {
			continue
		}
		text, err := p.preview(src, max)
		if tries++; err != nil || text != "" || tries == previewParts {
			return text, err
		}
	}
	return "", nil
}

// isAttached says whether a part belongs to a message within the message.
func (s *Structure) isAttached(p *Part) bool {
	for up := p.Parent; up >= 0; up = s.Parts[up].Parent {
		if s.Parts[up].Kind == KindMessage {
			return true
		}
	}
	return false
}

func (p *Part) preview(src io.ReaderAt, max int) (string, error) {
	raw := make([]byte, min(p.End-p.BodyOff, previewBytes))
	if n, err := src.ReadAt(raw, p.BodyOff); n < len(raw) {
		return "", err
	}
	var d partDecoder
	d.start(p)
	whole := int64(len(raw)) == p.End-p.BodyOff
	text, _ := d.decode(raw, whole)
	if !whole {
		text = text[:wholeRunes(text)]
	}
	if p.Type == "text/html" {
		return firstWords([]byte(guessUTF8(pageText(text))), max), nil
	}
	text = []byte(guessUTF8(text))
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("-----BEGIN PGP MESSAGE")) {
		return "", nil
	}
	if own := firstWords(withoutQuotes(text), max); own != "" {
		return own, nil
	}
	return firstWords(text, max), nil
}

// pageText gives the text of the body of an HTML page.
func pageText(page []byte) []byte {
	for rest := page; ; {
		i := bytes.IndexByte(rest, '<')
		if i < 0 {
			break
		}
		rest = rest[i+1:]
		if len(rest) > 4 && equalFold(rest[:4], "body") {
			page = page[len(page)-len(rest)-1:]
			break
		}
	}
	h := htmlScanner{page: page}
	for len(h.page) > 0 {
		h.next()
	}
	return h.text
}

// withoutQuotes leaves out quoted lines, the line that says whose they are,
// and the signature.
func withoutQuotes(text []byte) []byte {
	var kept []byte
	last := 0 // where the last line that is not empty begins in kept
	for line := range bytes.Lines(text) {
		words := bytes.TrimSpace(line)
		switch {
		case bytes.Equal(bytes.TrimRight(line, "\r\n"), []byte("-- ")):
			return kept
		case len(words) == 0:
		case words[0] == '>':
			if intro := bytes.TrimSpace(kept[last:]); bytes.HasSuffix(intro, []byte(":")) {
				kept = kept[:last]
			}
		default:
			last = len(kept)
			kept = append(kept, line...)
		}
	}
	return kept
}

// firstWords puts text into one line and leaves out what is not seen, which
// newsletters are padded with.
func firstWords(text []byte, max int) string {
	var out []byte
	space := false
	for n := 0; len(text) > 0; {
		r, size := utf8.DecodeRune(text)
		text = text[size:]
		switch {
		case unicode.IsSpace(r):
			space = n > 0
			continue
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == '\u034F', r == '\u115F', r == '\u2800', r == '\u3164':
			continue
		}
		if space {
			n++
		}
		if n++; n > max {
			break
		}
		if space {
			out = append(out, ' ')
		}
		space = false
		out = utf8.AppendRune(out, r)
	}
	return string(out)
}
