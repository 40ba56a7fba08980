package imapd

import (
	"strconv"

	"tandem/store"
)

// extMultiAppend is RFC 3502; cmd_append.go does it.
func extMultiAppend() extension {
	return extension{name: "MULTIAPPEND", rfc: "RFC 3502", capabilities: everywhere("MULTIAPPEND")}
}

// extAppendLimit is RFC 7889, with one limit for all mailboxes.
func extAppendLimit() extension {
	return extension{
		name: "APPENDLIMIT",
		rfc:  "RFC 7889",
		capabilities: []capability{{name: "APPENDLIMIT", states: anyState, word: func(s *session) string {
			limit := s.srv.cfg.Limits.User.Message
			if limit == 0 {
				return ""
			}
			return "APPENDLIMIT=" + strconv.FormatInt(limit, 10)
		}}},
		statusItems: []statusItem{{name: "APPENDLIMIT", write: writeAppendLimit}},
	}
}

// writeAppendLimit is the STATUS item (RFC 7889 section 3).
func writeAppendLimit(s *session, _ *store.Mailbox) {
	limit := s.srv.cfg.Limits.User.Message
	if limit == 0 {
		s.enc.Raw("NIL")
		return
	}
	s.enc.Num(uint64(limit))
}
