package store

import (
	"context"
	"io"
	"iter"

	"tandem/store/message"
)

// Deliver puts messages into mailboxes, each with its own result, in one
// transaction: LMTP's verb. Insertions that share a Body share its bytes.
func (s *Store) Deliver(ctx context.Context, by Actor, list []Insertion) ([]Inserted, error) {
	out, err := s.engine.Insert(ctx, by, list, false, s.opts.MaxKeywords)
	return out, s.watchRoom(err)
}

// Append puts messages into mailboxes, all or none: IMAP APPEND and import.
func (s *Store) Append(ctx context.Context, by Actor, list []Insertion) ([]Inserted, error) {
	out, err := s.engine.Insert(ctx, by, list, true, s.opts.MaxKeywords)
	return out, s.watchRoom(err)
}

// SetFlags changes flags of entries of the view's mailbox.
func (v *View) SetFlags(ctx context.Context, change FlagsChange) (FlagsResult, error) {
	return v.s.engine.SetFlags(ctx, v.by, v.row.ID, change, v.s.opts.MaxKeywords)
}

// Copy copies or moves entries to another mailbox, also of another account.
func (v *View) Copy(ctx context.Context, to MailboxID, uids UIDSet, move bool) (Copied, error) {
	res, err := v.s.engine.Copy(ctx, v.by, v.row.ID, to, uids, move, v.s.opts.MaxKeywords)
	return res, v.s.watchRoom(err)
}

// Expunge removes the entries in uids that have \Deleted.
func (v *View) Expunge(ctx context.Context, uids UIDSet) (Expunge, error) {
	return v.s.engine.Expunge(ctx, v.by, v.row.ID, uids, true)
}

// Expunges gives what was expunged later than since.
func (v *View) Expunges(ctx context.Context, since ModSeq) ([]Expunge, error) {
	if err := v.mayRead(); err != nil {
		return nil, err
	}
	return v.s.engine.Expunges(ctx, v.row.ID, since)
}

// UIDLs gives the UIDLs of the mailbox's entries that have one of their own;
// every other entry has DefaultUIDL of its message.
func (v *View) UIDLs(ctx context.Context) (map[UID]string, error) {
	if err := v.mayRead(); err != nil {
		return nil, err
	}
	return v.s.engine.UIDLs(ctx, v.row.ID)
}

// NewUIDL is the UIDL that an entry of a mailbox is to have.
type NewUIDL struct {
	UID  UID
	UIDL string
}

// SetUIDLs gives messages the UIDLs that they had on another server. There is an
// outcome for each of list, see MessageEngine: no POP3 client is told another
// UIDL than it has seen.
func (s *Store) SetUIDLs(ctx context.Context, by Actor, id MailboxID, list []NewUIDL) ([]error, error) {
	if err := s.flushListings(ctx); err != nil {
		return nil, err
	}
	return s.engine.SetUIDLs(ctx, by, id, list)
}

// DowngradedSizes gives the sizes of the downgraded forms of the mailbox's
// entries that have one: what a reader without UTF-8 is given (RFC 6858).
func (v *View) DowngradedSizes(ctx context.Context) (map[UID]int64, error) {
	return v.s.engine.DowngradedSizes(ctx, v.row.ID)
}

// Messages is View.Messages for those who need no view: it asks for no rights.
func (s *Store) Messages(ctx context.Context, ids []MessageID, want Want) iter.Seq2[*Message, error] {
	return s.engine.Messages(ctx, ids, want)
}

// Salvage finds what it can of the entries of a mailbox that cannot be loaded
// because it is damaged, by UID. Flags and dates of saving are zero where they
// are lost.
func (s *Store) Salvage(ctx context.Context, by Actor, id MailboxID) ([]Entry, error) {
	if by.Account != id.Account() {
		return nil, Errorf(NotFound, "no such mailbox")
	}
	return s.engine.Salvage(ctx, id)
}

// ImportSeen reports which keys an account's import ledger has.
func (s *Store) ImportSeen(ctx context.Context, account AccountID, keys []string) (map[string]bool, error) {
	return s.engine.ImportSeen(ctx, account, keys)
}

// noteReads journals what a session read, without waiting; Close does wait.
func (s *Store) noteReads(by Actor, id MailboxID, uids UIDSet) {
	s.done.Go(func() {
		if err := s.engine.NoteReads(context.WithoutCancel(s.ctx), by, id, uids); err != nil {
			s.opts.Logger.Info("journal of reading dropped", "account", by.Account, "err", err)
		}
	})
}

// Reader reads a message's served bytes: prefix, header, text. It keeps one
// chunk in memory. Not for use by two goroutines at once.
type Reader struct {
	ctx   context.Context
	s     *Store
	v     *View // whose rights it rests on; nil: nobody's
	m     *Message
	chunk int // number of the chunk in data, -1: none
	data  []byte
}

// Reader gives a reader of a message that Messages read with Header wanted.
func (s *Store) Reader(ctx context.Context, m *Message) *Reader {
	return &Reader{ctx: ctx, s: s, m: m, chunk: -1}
}

// Size is the number of octets of BODY[].
func (r *Reader) Size() int64 { return r.m.Size }

// ReadAt implements io.ReaderAt over the served bytes.
func (r *Reader) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		part, err := r.at(off + int64(n))
		if err != nil {
			return n, err
		}
		n += copy(p[n:], part)
	}
	return n, nil
}

// Parsed is the same without the prefix: what message.Structure speaks of.
func (r *Reader) Parsed() io.ReaderAt {
	prefix := int64(r.m.PrefixSize)
	return io.NewSectionReader(r, prefix, r.m.Size-prefix)
}

// WriteRange writes n octets from off on to w, a chunk at a time.
func (r *Reader) WriteRange(w io.Writer, off, n int64) error {
	for n > 0 {
		part, err := r.at(off)
		if err != nil {
			return err
		}
		part = part[:min(int64(len(part)), n)]
		if _, err := w.Write(part); err != nil {
			return err
		}
		off += int64(len(part))
		n -= int64(len(part))
	}
	return nil
}

// WriteDowngraded writes the message as readers without UTF-8 get it, to w.
func (r *Reader) WriteDowngraded(w io.Writer) error {
	edits, err := r.s.engine.Downgrade(r.ctx, r.m)
	if err != nil {
		return err
	}
	return message.WriteEdited(w, r.m.Size, edits, r.WriteRange)
}

// at gives some bytes, at least one, from off on.
func (r *Reader) at(off int64) ([]byte, error) {
	if off >= r.m.Size {
		return nil, io.EOF
	}
	if r.v != nil {
		if err := r.v.mayRead(); err != nil {
			return nil, err
		}
	}
	for _, part := range [][]byte{r.m.Prefix, r.m.Header} {
		if off < int64(len(part)) {
			return part[off:], nil
		}
		off -= int64(len(part))
	}
	if r.m.Text != nil {
		return r.m.Text[off:], nil
	}
	if n := int(off / ChunkSize); n != r.chunk {
		data, err := r.s.engine.ReadChunk(r.ctx, r.m.Body, n)
		if err != nil {
			return nil, err
		}
		r.chunk, r.data = n, data
	}
	part := r.data[off%ChunkSize:]
	if len(part) == 0 {
		return nil, Errorf(Corrupt, "message %d is shorter than its size says", r.m.ID)
	}
	return part, nil
}
