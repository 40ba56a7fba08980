package imapd

import "context"

// RFC 3501 section 6.1.2: what it is good for, the loop does after it.
func noopCommand() command {
	return row("NOOP", anyState, 0, noArgs, func(*session, context.Context, none) error { return nil })
}
