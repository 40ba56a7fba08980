package lmtpd

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"tandem/store"
)

// outcome is what happened to one recipient.
type outcome struct {
	insertion int // in the list given to the store
	err       error
}

// deliver ends the mail transaction: the message goes to all recipients in one
// transaction of the store, and each gets a reply, in their order, once it is
// on disk (RFC 2033 section 4.2).
func (s *session) deliver() {
	e := s.mail
	outcomes, size := s.insert(e)
	for i, o := range outcomes {
		if o.err != nil {
			s.log.Warn("not delivered", "from", logged(e.from.text), "to", logged(e.recipients[i].to), "err", o.err)
			s.reply(s.refusalOf(o.err))
			continue
		}
		s.log.Info("delivered", "from", logged(e.from.text), "to", logged(e.recipients[i].to),
			"account", e.recipients[i].account.Name, "octets", size)
		s.reply(reply{250, "2.0.0", "delivered as " + s.messageID()})
	}
	s.delivered++
	s.bad = 0
	s.reset()
}

// messageID names the message in hand in replies, headers and the log.
func (s *session) messageID() string { return s.id + "." + strconv.Itoa(s.delivered+1) }

// insert puts the message into the recipients' mailboxes. There is an outcome
// for each recipient; those with the same mailbox share an insertion.
func (s *session) insert(e *envelope) (outcomes []outcome, size int64) {
	outcomes = make([]outcome, len(e.recipients))
	failAll := func(err error) ([]outcome, int64) {
		for i := range outcomes {
			outcomes[i].err = err
		}
		return outcomes, 0
	}
	if e.failed == nil && e.ingest == nil {
		e.failed = s.openIngest()
	}
	if e.failed != nil {
		return failAll(e.failed)
	}
	body, err := e.ingest.Finish()
	if err != nil {
		return failAll(err)
	}
	list := s.insertions(e, body, outcomes)
	if len(list) == 0 {
		return outcomes, body.Size
	}
	inserted, err := s.srv.store.Deliver(s.work, s.by, list)
	if err != nil {
		return failAll(err)
	}
	for i := range outcomes {
		if o := &outcomes[i]; o.err == nil {
			o.err = inserted[o.insertion].Err
			if o.err == nil {
				e.ingest.Used()
			}
		}
	}
	return outcomes, body.Size
}

// insertions makes the list for the store, and notes in outcomes which one is
// whose.
func (s *session) insertions(e *envelope, body *store.Body, outcomes []outcome) []store.Insertion {
	junk := s.srv.junk.in(body.Header)
	now := s.srv.store.Now()
	list := make([]store.Insertion, 0, len(e.recipients))
	seen := make(map[store.MailboxID]int, len(e.recipients))
	for i, r := range e.recipients {
		id, err := s.mailbox(r, junk)
		if err != nil {
			outcomes[i].err = err
			continue
		}
		n, twice := seen[id]
		if !twice {
			n = len(list)
			seen[id] = n
			list = append(list, store.Insertion{Mailbox: id, Body: body, Prefix: s.trace(e, r, now), Internal: now})
		}
		outcomes[i].insertion = n
	}
	return list
}

// trace gives the header lines that delivery adds for one recipient (RFC 5321
// section 4.4). They name no other recipient.
func (s *session) trace(e *envelope, r recipient, now time.Time) []byte {
	b := make([]byte, 0, 384)
	b = append(b, "Return-Path: <"...)
	b = append(b, e.from.text...)
	b = append(b, ">\r\nDelivered-To: "...)
	b = append(b, r.to...)
	b = append(b, "\r\nReceived: from "...)
	b = append(b, s.client...)
	if s.remote.IsValid() {
		b = append(b, " (["...)
		if s.remote.Is6() {
			b = append(b, "IPv6:"...)
		}
		b = s.remote.AppendTo(b)
		b = append(b, "])"...)
	}
	b = append(b, "\r\n\tby "...)
	b = append(b, s.srv.hostname...)
	b = append(b, " with "...)
	if e.utf8 {
		b = append(b, "UTF8"...) // RFC 6531 section 4.3
	}
	b = append(b, "LMTP id "...)
	b = append(b, s.messageID()...)
	if len(e.recipients) == 1 {
		b = append(b, "\r\n\tfor <"...)
		b = append(b, r.to...)
		b = append(b, '>')
	}
	b = append(b, ";\r\n\t"...)
	b = now.AppendFormat(b, "Mon, 2 Jan 2006 15:04:05 -0700")
	return append(b, "\r\n"...)
}

// headerLine is a header field to look for; the zero value is in no message.
type headerLine struct{ name, value string }

// parseHeaderLine reads "Name: value".
func parseHeaderLine(line string) headerLine {
	name, value, ok := strings.Cut(line, ":")
	if !ok {
		return headerLine{}
	}
	return headerLine{strings.TrimSpace(name), strings.TrimSpace(value)}
}

// in reports whether a header block has the field with that value, both in any
// case.
func (h headerLine) in(header []byte) bool {
	if h.name == "" {
		return false
	}
	for len(header) > 0 {
		field := header[:fieldEnd(header)]
		header = header[len(field):]
		name, value, ok := bytes.Cut(field, []byte(":"))
		if !ok || !strings.EqualFold(string(bytes.TrimSpace(name)), h.name) {
			continue
		}
		if strings.EqualFold(strings.Join(strings.Fields(string(value)), " "), h.value) {
			return true
		}
	}
	return false
}

// fieldEnd gives the length of the first header field, with its folded lines.
func fieldEnd(header []byte) int {
	n := 0
	for {
		i := bytes.IndexByte(header[n:], '\n')
		if i < 0 {
			return len(header)
		}
		n += i + 1
		if n == len(header) || header[n] != ' ' && header[n] != '\t' {
			return n
		}
	}
}
