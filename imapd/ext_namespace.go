package imapd

import "context"

// extNamespace is RFC 2342. The answer is the same for all, whether or not
// there is something behind a prefix for this user: it may come at any time.
func extNamespace() extension {
	return extension{
		name:         "NAMESPACE",
		rfc:          "RFC 2342",
		capabilities: everywhere("NAMESPACE"),
		commands:     []command{row("NAMESPACE", loggedIn, 0, noArgs, (*session).namespace)},
	}
}

func (s *session) namespace(context.Context, none) error {
	s.enc.Raw(`* NAMESPACE (("" "/")) (("` + othersPrefix + `" "/")) (("` + sharedPrefix + `" "/"))`).CRLF()
	return nil
}
