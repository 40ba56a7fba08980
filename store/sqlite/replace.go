package sqlite

import (
	"context"

	"tandem/store"
)

// Replace puts a message into a mailbox and removes an entry, in one
// transaction. The entry goes first, so that what it took up is free.
func (e *Engine) Replace(ctx context.Context, by store.Actor, id store.MailboxID, uid store.UID, ins store.Insertion, maxKeywords int) (store.Inserted, error) {
	if err := e.space.check(ctx, "replace a message"); err != nil {
		return store.Inserted{}, err
	}
	bytes := len(ins.Prefix) + len(ins.Body.Header) + len(ins.Body.Text)
	var out store.Inserted
	err := e.write(ctx, "replace a message", bytes, func(t *tx) error {
		if err := e.space.take("replace a message", bytes); err != nil {
			return err
		}
		m, err := t.mailbox(by, id, store.RightMark|store.RightExpunge)
		if err != nil {
			return err
		}
		gone, err := t.expunge(m, store.UIDSet{{Start: uid, Stop: uid}}, false)
		if err != nil {
			return err
		}
		if gone.ModSeq == 0 {
			return store.Errorf(store.Expunged, "the message to be replaced is gone")
		}
		in := &inserter{tx: t, by: by, maxKeywords: maxKeywords, bodies: map[*store.Body]store.BodyID{}, into: map[store.MailboxID]*store.Change{}}
		p, err := in.prepare(&ins)
		if err != nil {
			return err
		}
		if out, err = in.insert(p); err != nil {
			return err
		}
		rec := record{verb: "replace", mailbox: id, other: ins.Mailbox, modseq: p.mailbox.HighestModSeq,
			uids: gone.UIDs, otherUIDs: store.UIDSet{{Start: out.UID, Stop: out.UID}}}
		if id.Account() != ins.Mailbox.Account() {
			return t.journalAcross(by, rec, gone.ModSeq)
		}
		return t.journal(by, id.Account(), rec)
	})
	return out, err
}
