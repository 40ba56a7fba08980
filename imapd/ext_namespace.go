package imapd

import "context"

// extNamespace is RFC 2342. There is one personal namespace and no other yet.
func extNamespace() extension {
	return extension{
		name:         "NAMESPACE",
		rfc:          "RFC 2342",
		capabilities: everywhere("NAMESPACE"),
		commands:     []command{row("NAMESPACE", loggedIn, 0, noArgs, (*session).namespace)},
	}
}

func (s *session) namespace(context.Context, none) error {
	s.enc.Raw(`* NAMESPACE (("" "/")) NIL NIL`).CRLF()
	return nil
}
