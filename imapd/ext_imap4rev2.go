package imapd

// rev2 is the word of ENABLE.
const rev2 = "IMAP4REV2"

// imap4rev2 is RFC 9051 beyond RFC 3501 and the extensions that it took in,
// which are all here apart. Until a client enables it, the server speaks as
// RFC 3501 says, since it advertises both (section 6.3.1). Enabled, it means
// (appendix E):
//
//   - names and quoted strings are in UTF-8, as with UTF8=ACCEPT;
//   - SEARCH is answered by ESEARCH, with ALL when nothing else is asked for;
//   - there is no \Recent, no RECENT and, with SELECT, no UNSEEN;
//   - SELECT and EXAMINE answer with the LIST of the mailbox.
//
// What RFC 9051 leaves out of RFC 3501 (LSUB, CHECK, RFC822 and others) stays.
func imap4rev2() extension {
	return extension{
		name:         "IMAP4rev2",
		rfc:          "RFC 9051",
		capabilities: everywhere("IMAP4rev2"),
		enables: []enable{{name: "IMAP4rev2", on: func(s *session) {
			s.dec.UTF8, s.enc.UTF8 = true, true
			if s.view != nil {
				s.view.recent = nil
			}
		}}},
	}
}

// tellRecent takes what has newly arrived as \Recent to this session, and tells
// how much of that there is. Sessions of IMAP4rev2 leave it to others.
func (s *session) tellRecent() {
	if s.enabled[rev2] {
		return
	}
	s.view.claimRecent()
	s.enc.Raw("* ").Num(uint64(s.view.recents())).Raw(" RECENT").CRLF()
}

// tellSelectedName is the LIST response of SELECT and EXAMINE (RFC 9051 section
// 6.3.2).
func (s *session) tellSelectedName() {
	if s.enabled[rev2] {
		s.enc.Raw(`* LIST () "/" `).Mailbox(s.view.name).CRLF()
	}
}

// answerESearch makes a search without RETURN one with RETURN (ALL) (RFC 9051
// section 6.4.4).
func (a *searchArgs) answerESearch(s *session) {
	if !a.esearch && s.enabled[rev2] {
		a.esearch = true
		a.returns = searchReturns{s.srv.reg.searchReturns["ALL"]}
	}
}
