package imapd

import "context"

// RFC 3501 section 6.1.3.
func logoutCommand() command {
	return row("LOGOUT", anyState, noSync, noArgs, (*session).logout)
}

func (s *session) logout(context.Context, none) error {
	s.status("*", answer{"BYE", "", "Logging out"})
	s.leaveMailbox()
	s.state = ended
	return nil
}
