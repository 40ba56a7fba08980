package message

import "bytes"

// writeEnvelope writes the ENVELOPE of the message root i (RFC 3501 section
// 7.4.2). Fields that come twice: the first counts, except that addresses
// are put together, so that no reader sees another sender than a second one.
func (p *Parser) writeEnvelope(i int) {
	from := len(p.arena)
	p.arena = append(p.arena, '(')
	p.writeText(fieldDate)
	p.writeField(fieldSubject)
	p.arena = append(p.arena, ' ')
	sender := p.writeAddresses(fieldFrom)
	// An absent or empty Sender or Reply-To is From.
	for _, f := range []field{fieldSender, fieldReplyTo} {
		p.arena = append(p.arena, ' ')
		if own := p.writeAddresses(f); own.from == own.to {
			p.arena = p.arena[:len(p.arena)-len("NIL")]
			p.copyAddresses(sender)
		}
	}
	for _, f := range []field{fieldTo, fieldCc, fieldBcc} {
		p.arena = append(p.arena, ' ')
		p.writeAddresses(f)
	}
	p.writeField(fieldInReplyTo)
	p.writeField(fieldMessageID)
	p.arena = append(p.arena, ')')
	p.frags[i].envelope = span{from, len(p.arena)}
	if i == 0 {
		p.readRoot()
	}
}

// writeText is writeField without the space before it.
func (p *Parser) writeText(f field) {
	at := len(p.arena)
	p.writeField(f)
	p.arena = append(p.arena[:at], p.arena[at+1:]...)
}

// writeAddresses writes an address list or NIL; the span is empty for NIL.
func (p *Parser) writeAddresses(f field) span {
	if p.head.seen&(1<<f) == 0 {
		p.arena = append(p.arena, "NIL"...)
		return span{}
	}
	from := len(p.arena)
	p.arena = append(p.arena, '(')
	left := p.lim.Addresses
	for _, k := range p.head.kept {
		if k.field == f && left > 0 {
			p.arena, left = p.addr.appendList(p.arena, p.head.buf[k.from:k.to], left)
		}
	}
	if len(p.arena) == from+1 {
		p.arena = append(p.arena[:from], "NIL"...)
		return span{}
	}
	p.arena = append(p.arena, ')')
	return span{from, len(p.arena)}
}

func (p *Parser) copyAddresses(from span) {
	if from.from == from.to {
		p.arena = append(p.arena, "NIL"...)
		return
	}
	p.arena = append(p.arena, p.arena[from.from:from.to]...)
}

// readRoot reads what the store keeps decoded: date and message ids.
func (p *Parser) readRoot() {
	s := p.out
	if raw, ok := p.head.get(fieldDate); ok {
		if t, ok := ParseDate(string(raw)); ok {
			_, zone := t.Zone()
			s.Sent, s.SentZone, s.HasSent = t.Unix(), int16(zone/60), true
		}
	}
	if raw, ok := p.head.get(fieldMessageID); ok {
		if ids := messageIDs(nil, raw, true); len(ids) > 0 {
			s.MessageID = ids[0]
		}
	}
	var ids []string
	if raw, ok := p.head.get(fieldReferences); ok {
		ids = messageIDs(ids, raw, true)
	}
	if raw, ok := p.head.get(fieldInReplyTo); ok {
		for _, id := range messageIDs(nil, raw, false) {
			if len(ids) == 0 || ids[len(ids)-1] != id {
				ids = append(ids, id)
				s.ReplyIDs++
			}
		}
	}
	if n := len(ids) - p.lim.References; n > 0 {
		ids = append([]string(nil), ids[n:]...)
	}
	s.References, s.ReplyIDs = ids, min(s.ReplyIDs, len(ids))
}

// maxMessageID is as long as a line may be (RFC 5322 section 2.1.1).
const maxMessageID = 998

// messageIDs appends the ids of a field without <>, white space and quotes
// ("a"@b and a@b are one id, RFC 5256 section 2.2). bare also takes words
// with an @ for ids when none is in <>.
func messageIDs(ids []string, raw []byte, bare bool) []string {
	n := len(ids)
	for rest := raw; ; {
		open := bytes.IndexByte(rest, '<')
		if open < 0 {
			break
		}
		rest = rest[open+1:]
		end := bytes.IndexByte(rest, '>')
		if end < 0 {
			break
		}
		// "<<a@b>": the inner one is meant.
		start := bytes.LastIndexByte(rest[:end], '<') + 1
		ids = appendID(ids, rest[start:end])
		rest = rest[end+1:]
	}
	if len(ids) > n || !bare {
		return ids
	}
	for word := range bytes.FieldsSeq(raw) {
		if bytes.IndexByte(word, '@') > 0 {
			ids = appendID(ids, bytes.Trim(word, "<>,;"))
		}
	}
	return ids
}

func appendID(ids []string, raw []byte) []string {
	id := raw
	if bytes.ContainsAny(raw, " \t\r\n\"\x00") {
		id = nil
		for _, c := range raw {
			switch c {
			case ' ', '\t', '\r', '\n', '"', 0:
			default:
				id = append(id, c)
			}
		}
	}
	if len(id) == 0 || len(id) > maxMessageID {
		return ids
	}
	return append(ids, string(id))
}
