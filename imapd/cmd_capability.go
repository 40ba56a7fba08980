package imapd

import "context"

// RFC 3501 section 6.1.1.
func capabilityCommand() command {
	return row("CAPABILITY", anyState, 0, noArgs, (*session).capability)
}

func (s *session) capability(context.Context, none) error {
	s.enc.Raw("* ").Raw(s.capabilityWords()).CRLF()
	return nil
}
