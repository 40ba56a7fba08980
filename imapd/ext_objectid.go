package imapd

import (
	"tandem/store"
)

// extObjectID is RFC 8474. The ids are random values of the store: COPY and
// MOVE keep a message's, RENAME a mailbox's.
func extObjectID() extension {
	return extension{
		name:         "OBJECTID",
		rfc:          "RFC 8474",
		capabilities: everywhere("OBJECTID"),
		mailboxCodes: []mailboxCode{{"Mailbox id", func(box *store.Mailbox) string { // section 4
			return "MAILBOXID (" + box.MailboxID + ")"
		}}},
		statusItems: []statusItem{{name: "MAILBOXID", write: func(s *session, box *store.Mailbox) {
			s.enc.Byte('(').Raw(box.MailboxID).Byte(')')
		}}},
		fetchItems: []fetchItem{
			plainItem("EMAILID", idOp("EMAILID", func(m *store.Message) string { return m.EmailID })),
			plainItem("THREADID", idOp("THREADID", func(m *store.Message) string { return m.ThreadID })),
		},
		searchKeys: []searchKey{
			{"EMAILID", idKey(func(m *store.Message) string { return m.EmailID })},
			{"THREADID", idKey(func(m *store.Message) string { return m.ThreadID })},
		},
	}
}

// idOp is RFC 8474 section 5: an id, or NIL when the message has none.
func idOp(name string, id func(*store.Message) string) fetchOp {
	return fetchOp{row: true, write: func(f *fetcher, m *fetched) error {
		f.enc.Raw(name)
		if value := id(m.msg); value != "" {
			f.enc.Raw(" (").Raw(value).Byte(')')
		} else {
			f.enc.Raw(" NIL")
		}
		return nil
	}}
}

// idKey is RFC 8474 section 6: ids compare as they are.
func idKey(id func(*store.Message) string) func(*searchParser) *criterion {
	return func(p *searchParser) *criterion {
		p.d.SP()
		want := p.d.Atom()
		return leaf(byMessage, func(c *candidate) (bool, error) {
			return want != "" && id(c.msg) == want, nil
		})
	}
}
