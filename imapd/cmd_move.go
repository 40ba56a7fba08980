package imapd

import "context"

// extMove is RFC 6851.
func extMove() extension {
	return extension{
		name:         "MOVE",
		rfc:          "RFC 6851",
		capabilities: everywhere("MOVE"),
		commands: []command{
			// EXPUNGE goes out with the answer of both forms: it is what
			// they are for (RFC 6851 section 3.3).
			row("MOVE", selected, namesNumbers, parseCopy(false), (*session).move),
			row("UID MOVE", selected, 0, parseCopy(true), (*session).move),
		},
	}
}

// move tells COPYUID before the loop tells of the expunges (RFC 6851 section
// 4.3).
func (s *session) move(ctx context.Context, a copyArgs) error {
	if err := s.writable(ctx); err != nil {
		return err
	}
	done, code, err := s.copyTo(ctx, a, true)
	if err != nil || len(done.Source) == 0 {
		return err
	}
	if code != "" {
		s.status("*", answer{"OK", code, "Moved"})
	}
	s.okExpunged("MOVE completed")
	return nil
}
