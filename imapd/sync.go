package imapd

import "context"

// tellChanges sends what changed in the selected mailbox; expunge says whether
// EXPUNGE may be sent.
func (s *session) tellChanges(ctx context.Context, expunge bool) error {
	return nil
}
