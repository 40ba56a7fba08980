package pop3d

import "strconv"

// cmdStat: RFC 1939 section 5. Marked messages do not count.
func cmdStat(s *session, _ arguments) {
	b := append(s.out.AvailableBuffer(), "+OK "...)
	b = strconv.AppendInt(b, int64(s.drop.left), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, s.drop.octets, 10)
	s.out.Write(append(b, "\r\n"...))
}

// cmdList: RFC 1939 section 5.
func cmdList(s *session, a arguments) {
	s.scan(a, func(b []byte, e *entry) []byte {
		return strconv.AppendUint(b, uint64(e.size), 10)
	})
}

// cmdUidl: RFC 1939 section 7.
func cmdUidl(s *session, a arguments) {
	s.scan(a, func(b []byte, e *entry) []byte {
		return append(b, s.drop.uidl(e)...)
	})
}

// scan answers with the scan listing, or the unique-id listing, of one message
// or of all that are not marked.
func (s *session) scan(a arguments, what func([]byte, *entry) []byte) {
	line := func(b []byte, number int, e *entry) {
		b = strconv.AppendInt(b, int64(number), 10)
		b = append(b, ' ')
		b = what(b, e)
		s.out.Write(append(b, "\r\n"...))
	}
	if a.given {
		e, problem := s.drop.find(a.number)
		if problem != "" {
			s.refuse("", problem)
			return
		}
		line(append(s.out.AvailableBuffer(), "+OK "...), a.number, e)
		return
	}
	s.okCount(int64(s.drop.left), "messages")
	for i := range s.drop.messages {
		if s.drop.marks[i]&deleted == 0 {
			line(s.out.AvailableBuffer(), i+1, &s.drop.messages[i])
		}
	}
	s.out.WriteString(".\r\n")
}
