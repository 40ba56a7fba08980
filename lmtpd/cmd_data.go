package lmtpd

import (
	"errors"
	"io"
	"strconv"
	"strings"

	"tandem/store"
)

// excess is how far beyond the message size a client may go on sending before
// the connection is closed; until then it is told why at the end.
const excess = 64 << 20

var errExcess = errors.New("client does not stop sending")

// sink takes the message of a session.
type sink struct{ s *session }

// Write takes a part of the message. Why it cannot be taken is kept for the
// reply at its end; an error says that there is no waiting for that.
func (w sink) Write(p []byte) (int, error) {
	e := w.s.mail
	e.octets += int64(len(p))
	if e.failed == nil {
		e.failed = w.s.take(p)
	}
	if e.failed != nil {
		e.drop()
	}
	if e.max > 0 && e.octets > e.max+excess {
		return 0, errExcess
	}
	return len(p), nil
}

// take holds the first octets as they are, since reading their structure may
// take forty times their memory (thousands of empty parts). A message that has
// more goes to the store as it comes, once there is a place for it.
func (s *session) take(p []byte) error {
	e := s.mail
	if e.ingest == nil && e.octets <= largeMessage {
		e.held = append(e.held, p...)
		return nil
	}
	if e.ingest == nil {
		if err := s.srv.room.enter(s.ctx); err != nil {
			return err
		}
		e.room = s.srv.room
		if err := s.openIngest(); err != nil {
			return err
		}
	}
	_, err := e.ingest.Write(p)
	return err
}

// openIngest begins to store the message in hand, with what was held of it.
func (s *session) openIngest() error {
	e := s.mail
	e.ingest = s.srv.store.NewIngest(s.work, e.max)
	if e.utf8 {
		e.ingest.MarkUTF8()
	}
	_, err := e.ingest.Write(e.held)
	e.held = nil
	return err
}

// drop frees what the message holds.
func (e *envelope) drop() {
	e.held = nil
	if e.ingest != nil {
		e.ingest.Close()
		e.ingest = nil
	}
	if e.room != nil {
		e.room.leave()
		e.room = nil
	}
}

// begin gets ready for the message.
func (s *session) begin() {
	s.mail.begun = true
	s.mail.max = s.srv.store.MessageSize()
}

// cmdData: RFC 5321 section 4.1.1.4, with the replies of RFC 2033 section 4.2.
func cmdData(s *session, text string) {
	switch {
	case text != "":
		s.badCommand(reply{501, "5.5.4", "DATA has no arguments"})
		return
	case s.mail.chunks: // RFC 3030 section 2
		s.badCommand(reply{503, "5.5.1", "BDAT has begun already"})
		return
	}
	s.reply(reply{354, "", "send the message, end it with a dot"})
	s.begin()
	if err := s.receive(func() error { return readData(s.in, sink{s}) }); err != nil {
		s.lost(err)
		return
	}
	s.deliver()
}

// receive runs read with the deadlines of data: the server's end does not
// break it off.
func (s *session) receive(read func() error) error {
	s.inData = true
	defer func() { s.inData = false }()
	return read()
}

// lost ends a session whose connection failed while the message came.
func (s *session) lost(err error) {
	s.over = true
	if errors.Is(err, errExcess) {
		s.log.Warn("client goes on sending a message that is too big", "octets", s.mail.octets)
		s.reply(failures[store.TooBig])
		return
	}
	s.goodbye(err)
}

// cmdBdat: RFC 3030 section 2. The octets are read whatever is wrong, or they
// would be taken for commands.
func cmdBdat(s *session, text string) {
	size, last, ok := parseBdat(text)
	if !ok {
		s.badCommand(reply{501, "5.5.4", "want BDAT size [LAST]"})
		s.over = true // what follows cannot be told from commands
		return
	}
	r, ready := s.ready(recipients)
	if max := s.srv.store.MessageSize(); max > 0 && size > max+excess {
		s.log.Warn("message too big", "size", size, "limit", max)
		s.reply(failures[store.TooBig])
		s.over = true
		return
	}
	var to io.Writer = io.Discard
	if ready {
		if !s.mail.begun {
			s.begin()
			s.mail.chunks = true
		}
		to = sink{s}
	}
	if err := s.receive(func() error { return copyOctets(to, s.in, size) }); err != nil {
		s.lost(err)
		return
	}
	switch {
	case !ready:
		s.tooEarly(r)
	case last:
		s.deliver()
	case s.mail.failed != nil:
		s.reply(failureOf(s.mail.failed))
	default:
		s.reply(reply{250, "2.0.0", strconv.FormatInt(size, 10) + " octets received"})
	}
}

// parseBdat reads the arguments of BDAT.
func parseBdat(text string) (size int64, last, ok bool) {
	words := strings.Fields(text)
	if len(words) == 0 || len(words) > 2 || strings.Trim(words[0], "0123456789") != "" {
		return 0, false, false
	}
	size, err := strconv.ParseInt(words[0], 10, 64)
	if err != nil {
		return 0, false, false
	}
	if len(words) == 2 {
		if last = strings.EqualFold(words[1], "LAST"); !last {
			return 0, false, false
		}
	}
	return size, last, true
}
