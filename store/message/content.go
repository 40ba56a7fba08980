package message

import (
	"bytes"
	"strconv"
	"strings"
)

const (
	octetStreamType = "application/octet-stream"
	maxCharset      = 64

	// What a part without a usable Content-Type is (RFC 2045 section 5.2).
	textPlain   = `"text" "plain" ("charset" "us-ascii") NIL NIL "7bit"`
	octetStream = `"application" "octet-stream" NIL NIL NIL "7bit"`
	noExtension = " NIL NIL NIL NIL"
)

// Types in place of missing or unusable ones; never written to.
var (
	typeText  = []byte("text")
	typePlain = []byte("plain")
)

// defaultLeaf gives a part without a header of its own its wire text.
func (p *Parser) defaultLeaf(i int, wire string) {
	from := len(p.arena)
	p.arena = append(p.arena, wire...)
	basic := len(p.arena)
	p.arena = append(p.arena, noExtension...)
	p.frags[i].basic = span{from, basic}
	p.frags[i].ext = span{basic, len(p.arena)}
}

// readContent reads the Content-* fields of the block: sets the part's kind
// and types, writes its wire text and gives its boundary.
func (p *Parser) readContent(i int) (boundary string) {
	part := &p.parts[i]
	raw, ok := p.head.get(fieldContentType)
	p.mime.parseType(raw, p.lim.Params)
	if !ok && p.inDigest(i) {
		p.mime.main, p.mime.sub = []byte("message"), []byte("rfc822")
	}
	p.decideType(i)
	part.Charset = strings.ToLower(p.charset())
	encoding := p.readEncoding(part)
	switch part.Kind {
	case KindMultipart:
		boundary = p.boundary()
		p.writeMultipart(i)
	default:
		p.writeLeaf(i, encoding)
	}
	return boundary
}

// decideType settles the part's type and kind from the parsed Content-Type.
func (p *Parser) decideType(i int) {
	part := &p.parts[i]
	m := &p.mime
	switch {
	case len(m.main) > 0 && len(m.sub) > 0:
	case equalFold(m.main, "multipart"):
		m.sub = []byte("mixed")
	default:
		m.main, m.sub = typeText, typePlain
	}
	container := int(part.Depth) < p.lim.Depth && len(p.parts) < p.lim.Parts-1
	switch {
	case equalFold(m.main, "multipart"):
		if p.boundary() == "" { // cannot be taken apart: its text is what can be shown
			m.main, m.sub, m.params = typeText, typePlain, nil
		} else if container {
			part.Kind = KindMultipart
		} else {
			p.asBytes()
		}
	case equalFold(m.main, "message") && (equalFold(m.sub, "rfc822") || equalFold(m.sub, "global")):
		if container {
			part.Kind = KindMessage
		} else {
			p.asBytes()
		}
	}
	part.Type = joinType(m.main, m.sub)
}

// asBytes shows a container beyond the limits as what it is then: bytes.
func (p *Parser) asBytes() {
	p.mime.main, p.mime.sub = []byte("application"), []byte("octet-stream")
}

// boundary is cut as no white space may end it (RFC 2046 section 5.1.1).
func (p *Parser) boundary() string {
	b := p.mime.param("boundary")
	if len(b) > maxBoundary {
		b = b[:maxBoundary]
	}
	return strings.TrimRight(b, " \t")
}

func (p *Parser) charset() string {
	c := strings.TrimSpace(p.mime.param("charset"))
	if len(c) > maxCharset {
		return ""
	}
	return c
}

// joinType gives "main/sub" in lower case.
func joinType(main, sub []byte) string {
	var buf [64]byte
	t := buf[:0]
	t = append(t, main...)
	t = append(t, '/')
	t = append(t, sub...)
	for i, c := range t {
		if 'A' <= c && c <= 'Z' {
			t[i] = c + 'a' - 'A'
		}
	}
	return internType(t)
}

// internType is string(t) that does not allocate for the types most mail is
// made of.
func internType(t []byte) string {
	switch string(t) {
	case "text/plain":
		return "text/plain"
	case "text/html":
		return "text/html"
	case "multipart/mixed":
		return "multipart/mixed"
	case "multipart/alternative":
		return "multipart/alternative"
	case "application/octet-stream":
		return octetStreamType
	}
	return string(t)
}

// inDigest says whether the part's default type is message/rfc822 (RFC 2046
// section 5.1.5).
func (p *Parser) inDigest(i int) bool {
	parent := p.parts[i].Parent
	return parent >= 0 && p.parts[parent].Type == "multipart/digest"
}

// writeMultipart writes what follows the children: subtype, parameters,
// disposition, language, location.
func (p *Parser) writeMultipart(i int) {
	f := &p.frags[i]
	from := len(p.arena)
	p.arena = appendString(p.arena, p.mime.sub)
	f.basic = span{from, len(p.arena)}
	p.arena = append(p.arena, ' ')
	p.writeParams(false)
	p.writeExtension()
	f.ext = span{f.basic.to, len(p.arena)}
}

// writeLeaf writes the fields of a part that is not a multipart, up to its
// encoding and from its MD5 on; sizes come in between at the end.
func (p *Parser) writeLeaf(i int, encoding string) {
	part, f := &p.parts[i], &p.frags[i]
	from := len(p.arena)
	p.arena = appendString(p.arena, p.mime.main)
	p.arena = append(p.arena, ' ')
	p.arena = appendString(p.arena, p.mime.sub)
	p.arena = append(p.arena, ' ')
	p.writeParams(strings.HasPrefix(part.Type, "text/"))
	p.writeField(fieldContentID)
	p.writeField(fieldDescription)
	p.arena = append(p.arena, ' ')
	p.arena = append(p.arena, encoding...)
	f.basic = span{from, len(p.arena)}
	p.writeField(fieldMD5)
	p.writeExtension()
	f.ext = span{f.basic.to, len(p.arena)}
}

// writeParams writes the parameters as they were sent. A text part without a
// charset is shown as the us-ascii it is by default (RFC 2046 section 4.1.2).
func (p *Parser) writeParams(text bool) {
	if len(p.mime.params) == 0 && !text {
		p.arena = append(p.arena, "NIL"...)
		return
	}
	charset := !text
	open := byte('(')
	for _, pr := range p.mime.params {
		charset = charset || isCharset(pr.name)
		p.arena = append(p.arena, open)
		open = ' '
		p.arena = appendString(p.arena, pr.name)
		p.arena = append(p.arena, ' ')
		p.arena = appendString(p.arena, pr.value)
	}
	if !charset {
		p.arena = append(p.arena, open)
		p.arena = append(p.arena, `"charset" "us-ascii"`...)
	}
	p.arena = append(p.arena, ')')
}

// isCharset also knows the extended form of RFC 2231.
func isCharset(name []byte) bool {
	return len(name) >= 7 && equalFold(name[:7], "charset") && (len(name) == 7 || name[7] == '*')
}

// writeField writes a space and a field's text, NIL if there is none.
func (p *Parser) writeField(f field) {
	p.arena = append(p.arena, ' ')
	raw, ok := p.head.get(f)
	if !ok {
		p.arena = append(p.arena, "NIL"...)
		return
	}
	if f == fieldSubject || f == fieldDescription {
		p.text = unfoldText(p.text[:0], raw)
	} else {
		p.text = unfold(p.text[:0], raw)
	}
	p.arena = appendString(p.arena, p.text)
}

// readEncoding sets the part's encoding and gives the sender's word for it as
// it goes on the wire.
func (p *Parser) readEncoding(part *Part) string {
	raw, ok := p.head.get(fieldEncoding)
	if !ok {
		return `"7bit"`
	}
	p.text = unfold(p.text[:0], raw)
	token := skipComments(p.text)
	token = bytes.Trim(token[:tokenEnd(token, "; \t(")], `"`)
	if len(token) == 0 {
		return `"7bit"`
	}
	part.Encoding = encodingOf(token)
	return string(appendString(nil, token))
}

func encodingOf(token []byte) Encoding {
	switch {
	case equalFold(token, "7bit"):
		return Encoding7Bit
	case equalFold(token, "8bit"):
		return Encoding8Bit
	case equalFold(token, "binary"):
		return EncodingBinary
	case equalFold(token, "base64"):
		return EncodingBase64
	case equalFold(token, "quoted-printable"):
		return EncodingQuotedPrintable
	}
	return EncodingOther
}

// writeExtension writes disposition, language and location.
func (p *Parser) writeExtension() {
	p.writeDisposition()
	p.writeLanguage()
	p.writeField(fieldLocation)
}

func (p *Parser) writeDisposition() {
	raw, _ := p.head.get(fieldDisposition)
	p.mime.parseToken(raw, p.lim.Params)
	if len(p.mime.main) == 0 {
		if len(p.mime.params) == 0 {
			p.arena = append(p.arena, " NIL"...)
			return
		}
		p.mime.main = []byte("attachment") // RFC 2183 section 2.8: what is not known is an attachment
	}
	p.arena = append(p.arena, ` (`...)
	p.arena = appendString(p.arena, p.mime.main)
	p.arena = append(p.arena, ' ')
	p.writeParams(false)
	p.arena = append(p.arena, ')')
}

// writeLanguage writes the tags of RFC 3282.
func (p *Parser) writeLanguage() {
	raw, _ := p.head.get(fieldLanguage)
	p.text = unfold(p.text[:0], raw)
	open := byte('(')
	p.arena = append(p.arena, ' ')
	for tags := p.text; len(tags) > 0; {
		n := tokenEnd(tags, ", \t(")
		if n > 0 {
			p.arena = append(p.arena, open)
			p.arena = appendString(p.arena, tags[:n])
			open = ' '
		}
		if n == len(tags) {
			break
		}
		if tags[n] == '(' {
			tags = skipComment(tags[n:])
		} else {
			tags = tags[n+1:]
		}
	}
	if open == '(' {
		p.arena = append(p.arena, "NIL"...)
		return
	}
	p.arena = append(p.arena, ')')
}

// appendStructure appends the BODYSTRUCTURE of part i (RFC 3501 section
// 7.4.2) and gives the index behind its last descendant. Limits.Depth bounds
// the recursion.
func (p *Parser) appendStructure(dst []byte, i int) ([]byte, int) {
	part, f := &p.parts[i], &p.frags[i]
	next := i + 1
	dst = append(dst, '(')
	switch part.Kind {
	case KindMultipart:
		for next < len(p.parts) && p.parts[next].Parent == int32(i) {
			dst, next = p.appendStructure(dst, next)
		}
		dst = append(dst, ' ')
		dst = append(dst, p.arena[f.basic.from:f.basic.to]...)
	default:
		dst = append(dst, p.arena[f.basic.from:f.basic.to]...)
		dst = append(dst, ' ')
		dst = strconv.AppendInt(dst, part.End-part.BodyOff, 10)
	}
	if part.Kind == KindMessage {
		env := p.frags[next].envelope
		dst = append(dst, ' ')
		dst = append(dst, p.arena[env.from:env.to]...)
		dst = append(dst, ' ')
		dst, next = p.appendStructure(dst, next)
	}
	if part.Kind == KindMessage || strings.HasPrefix(part.Type, "text/") {
		dst = append(dst, ' ')
		dst = strconv.AppendInt(dst, part.Lines, 10)
	}
	dst = append(dst, p.arena[f.ext.from:f.ext.to]...)
	return append(dst, ')'), next
}
