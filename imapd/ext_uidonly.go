package imapd

import "tandem/store"

// uidonly is the word of ENABLE, and the key in session.enabled.
const uidonly = "UIDONLY"

// extUIDOnly is RFC 9586: once enabled, no sequence number is taken or told.
// FETCH becomes UIDFETCH, EXPUNGE becomes VANISHED; the loop refuses the
// commands that are about sequence numbers, and the parser of search programs
// the key.
func extUIDOnly() extension {
	return extension{
		name:         "UIDONLY",
		rfc:          "RFC 9586",
		capabilities: everywhere("UIDONLY"),
		enables:      []enable{{name: uidonly}},
	}
}

// uidRequired refuses a sequence number (RFC 9586 section 3).
func uidRequired() error {
	return &misuse{"UIDREQUIRED", "Sequence numbers are not taken after ENABLE UIDONLY"}
}

// beginFetch begins a response about a member: FETCH, or UIDFETCH, which needs
// no item UID.
func (s *session) beginFetch(m *store.Member) {
	if s.enabled[uidonly] {
		s.enc.Raw("* ").Num(uint64(m.UID)).Raw(" UIDFETCH (")
		return
	}
	s.enc.Raw("* ").Num(uint64(m.Seq)).Raw(" FETCH (")
}
