package imapd

import "context"

// RFC 3501 section 6.3.6. A name may be subscribed to that does not exist.
func subscribeCommand() command {
	return row("SUBSCRIBE", loggedIn, 0, parseName, func(s *session, ctx context.Context, name string) error {
		return s.setSubscribed(ctx, name, true)
	})
}

// RFC 3501 section 6.3.7.
func unsubscribeCommand() command {
	return row("UNSUBSCRIBE", loggedIn, 0, parseName, func(s *session, ctx context.Context, name string) error {
		return s.setSubscribed(ctx, name, false)
	})
}

func (s *session) setSubscribed(ctx context.Context, name string, on bool) error {
	name = foldForeign(name)
	err := s.srv.cfg.Store.SetSubscribed(ctx, s.actor, name, on)
	if err == nil {
		s.hasSubscribed(name, on)
	}
	return err
}
