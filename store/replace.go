package store

import "context"

// Replace removes the entry uid of the view's mailbox and puts a message into
// that mailbox or another of the account, both or neither: IMAP REPLACE.
// Expunged when there is no such entry any more.
func (v *View) Replace(ctx context.Context, uid UID, ins Insertion) (Inserted, error) {
	out, err := v.s.engine.Replace(ctx, v.by, v.row.ID, uid, ins, v.s.opts.MaxKeywords)
	return out, v.s.watchRoom(err)
}
