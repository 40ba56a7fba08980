package store

import (
	"context"
	"iter"
)

// Rights gives what the session's account may do with the mailbox now. They
// change without a word but a wake-up: a session that loses RightRead gets no
// more bytes, and should give the view up.
func (v *View) Rights() Rights {
	if v.by.Account == v.x.id.Account() {
		return v.x.id.OwnerRights()
	}
	v.x.mu.RLock()
	defer v.x.mu.RUnlock()
	return v.x.grants.Of(v.by.Account)
}

// mayRead is nil while the session may read the mailbox.
func (v *View) mayRead() error { return v.Rights().Allow(RightRead) }

// learnGrants brings the ACL into the index, which publish keeps current from
// then on. Owners have no need of it.
func (v *View) learnGrants(ctx context.Context) error {
	x := v.x
	if v.by.Account == x.id.Account() {
		return nil
	}
	x.mu.RLock()
	known := x.known
	x.mu.RUnlock()
	if known {
		return nil
	}
	grants, err := v.s.engine.Grants(ctx, x.id)
	if err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.known { // else a change was published, which is later
		x.grants, x.known = grants, true
	}
	return nil
}

// Messages reads what never changes of messages of the view, in the order of
// ids, in pages; no statement is open while the loop body runs. Ids that are
// gone are passed over. The loop ends with an error when the right to read is
// withdrawn.
func (v *View) Messages(ctx context.Context, ids []MessageID, want Want) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		if err := v.mayRead(); err != nil {
			yield(nil, err)
			return
		}
		for msg, err := range v.s.engine.Messages(ctx, ids, want) {
			if refused := v.mayRead(); refused != nil {
				yield(nil, refused)
				return
			}
			if !yield(msg, err) {
				return
			}
		}
	}
}

// Reader gives a reader of a message that Messages read with Header wanted. It
// fails when the right to read is withdrawn.
func (v *View) Reader(ctx context.Context, m *Message) *Reader {
	r := v.s.Reader(ctx, m)
	r.v = v
	return r
}
