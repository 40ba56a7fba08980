package pop3d

import (
	"cmp"
	"errors"
	"io"
	"strconv"

	"tandem/store"
)

// cmdRetr: RFC 1939 section 5.
func cmdRetr(s *session, a arguments) {
	m, r := s.fetch(a.number, true)
	if m == nil {
		return
	}
	size := int64(s.drop.messages[a.number-1].size)
	s.okCount(size, "octets")
	text := stuffer{w: s.out}
	if err := s.write(&text, a.number, m, r); err != nil {
		s.broken(a.number, err)
		return
	}
	text.end()
	s.drop.marks[a.number-1] |= retrieved
	s.sent.messages++
	s.sent.octets += size
}

// cmdTop: RFC 1939 section 7: the headers, the blank line, and a.lines lines of
// the body.
func cmdTop(s *session, a arguments) {
	m, r := s.fetch(a.number, a.lines > 0)
	if m == nil {
		return
	}
	s.ok("top of message follows")
	text := stuffer{w: s.out}
	top := topper{w: &text, lines: a.lines}
	err := s.write(&top, a.number, m, r)
	if err != nil && !errors.Is(err, errTopEnd) {
		s.broken(a.number, err)
		return
	}
	text.end()
}

// write writes a message in the form that has the size of LIST.
func (s *session) write(w io.Writer, number int, m *store.Message, r *store.Reader) error {
	if _, ok := s.drop.downgraded[s.drop.messages[number-1].uid]; ok {
		return r.WriteDowngraded(w)
	}
	return r.WriteRange(w, 0, m.Size)
}

// broken ends the session in the middle of a message: nothing else tells the
// client that what it has is not all.
func (s *session) broken(number int, err error) {
	s.over = true
	if _, gone := s.out.Write(nil); gone != nil {
		s.log.Info("client did not take a message", "number", number, "err", gone)
		s.told = true
		return
	}
	s.log.Error("message broken off", "number", number, "message", int64(s.drop.messages[number-1].message), "err", err)
}

// fetch gets a message ready to be sent: with its text, or the header alone,
// which is kept apart from it. When it cannot, it has told the client why and
// gives nil.
func (s *session) fetch(number int, text bool) (*store.Message, *store.Reader) {
	e, problem := s.drop.find(number)
	if problem != "" {
		s.refuse("", problem)
		return nil, nil
	}
	m, err := s.ahead.get(s, number, store.Want{Header: true, Text: text})
	if err == nil && m == nil { // IMAP expunged it, and the time to keep it is over
		err = store.Errorf(store.Expunged, "message %d is gone", e.message)
	}
	if err != nil {
		s.fail("reading message "+strconv.Itoa(number), err)
		return nil, nil
	}
	r := s.srv.store.Reader(s.work, m)
	// Damage that is found before the answer begins can be told.
	if body := int64(m.PrefixSize + m.HeaderSize); text && m.Text == nil && body < m.Size {
		if _, err := r.ReadAt(make([]byte, 1), body); err != nil {
			s.fail("reading message "+strconv.Itoa(number), err)
			return nil, nil
		}
	}
	return m, r
}

const (
	aheadMessages = 32
	aheadOctets   = 128 << 10
)

// readAhead is messages read together, because clients retrieve them in order.
// Those that were read without their text are as good: a Reader finds it.
type readAhead struct {
	next     int // number that an orderly client asks for next
	messages map[store.MessageID]*store.Message
}

// get gives a message, nil when its bytes are no longer kept. A client that goes
// through the maildrop in order has the following ones read along.
func (r *readAhead) get(s *session, number int, want store.Want) (*store.Message, error) {
	id := s.drop.messages[number-1].message
	orderly := number == r.next
	r.next = number + 1
	if m := r.messages[id]; m != nil {
		delete(r.messages, id)
		return m, nil
	}
	ids := []store.MessageID{id}
	if orderly {
		ids = following(s.drop, number, want.Text)
	}
	err := r.read(s, ids, want)
	m := r.messages[id]
	if m == nil && err != nil && len(ids) > 1 {
		err = r.read(s, ids[:1], want) // perhaps only another one is damaged
		m = r.messages[id]
	}
	if m != nil {
		err = nil
	}
	delete(r.messages, id)
	return m, err
}

// read reads what can be read of ids, until it has enough for a session to keep;
// failed is about the first that cannot be read.
func (r *readAhead) read(s *session, ids []store.MessageID, want store.Want) (failed error) {
	r.messages = make(map[store.MessageID]*store.Message, len(ids))
	kept := 0
	for m, err := range s.srv.store.Messages(s.work, ids, want) {
		if err != nil {
			failed = cmp.Or(failed, err)
			continue
		}
		r.messages[m.ID] = m
		if kept += len(m.Prefix) + len(m.Header) + len(m.Text); kept > aheadOctets {
			break
		}
	}
	return failed
}

// following lists the messages from number on that are to be read together:
// small ones, as many as fit, beginning with number. How long headers are is not
// known beforehand.
func following(d *maildrop, number int, text bool) (ids []store.MessageID) {
	octets := 0
	for i := number - 1; i < len(d.messages) && len(ids) < aheadMessages; i++ {
		if text {
			octets += int(d.messages[i].size)
		}
		if len(ids) > 0 && octets > aheadOctets {
			break
		}
		if d.marks[i]&deleted == 0 {
			ids = append(ids, d.messages[i].message)
		}
	}
	return ids
}
