package imapd

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"tandem/imapd/internal/wire"
	"tandem/store"
	"tandem/store/message"
)

// How many messages are read from the store at once, and how much of their
// text.
const (
	structurePage = 256
	textPage      = 64
	textBytes     = 1 << 20
)

// fetcher is one FETCH command at work.
type fetcher struct {
	ctx   context.Context
	s     *session
	v     *view
	enc   *wire.Encoder
	ops   []fetchOp
	since *store.ModSeq

	want store.Want
	row  bool // messages are read even when nothing is wanted of them
	seen bool // something asked for sets \Seen
	text bool

	mark    store.UIDSet // to be given \Seen at the end
	lost    bool         // a member was expunged and its bytes are gone
	damaged bool         // stored bytes did not match their digest
	refused error        // why a member could not be answered for, of the user's kind

	one fetched // the member in hand

	// scratch
	ids            []store.MessageID
	header, fields []byte
}

// fetched is a member and what was read of its message.
type fetched struct {
	*store.Member
	msg    *store.Message     // nil when nothing was wanted of it
	parts  *message.Structure // see fetcher.structure
	reader *store.Reader      // see fetcher.bytes
}

func newFetcher(ctx context.Context, s *session, a *fetchArgs) *fetcher {
	f := &fetcher{ctx: ctx, s: s, v: s.view, enc: s.enc, ops: a.ops, since: a.since}
	for _, op := range a.ops {
		f.want.Structure = f.want.Structure || op.want.Structure
		f.want.Header = f.want.Header || op.want.Header
		f.want.Text = f.want.Text || op.want.Text
		f.row = f.row || op.row
		f.seen = f.seen || op.seen
		f.text = f.text || op.text
	}
	f.seen = f.seen && !s.view.readOnly && s.view.Rights().Has(store.RightSeen) // RFC 3501 section 6.3.2, RFC 4314 section 4
	return f
}

// run answers for all members in uids.
func (f *fetcher) run(uids store.UIDSet) error {
	size := pageSize
	switch {
	case f.want.Text || f.want.Header:
		size = textPage
	case f.want.Structure:
		size = structurePage
	}
	for page := range f.s.answerPages(uids, size) {
		if f.since != nil {
			page = changedAfter(page, *f.since)
		}
		if err := f.v.stillOpen(); err != nil {
			return err
		}
		if err := f.page(page); err != nil {
			return err
		}
		if err := f.ctx.Err(); err != nil {
			return err
		}
		if err := f.enc.Err(); err != nil {
			return err
		}
	}
	return nil
}

// changedAfter keeps the members with a modseq above since (RFC 7162 section
// 3.1.4.1).
func changedAfter(page []store.Member, since store.ModSeq) []store.Member {
	kept := page[:0]
	for i := range page {
		if page[i].ModSeq > since && !page[i].Gone {
			kept = append(kept, page[i])
		}
	}
	return kept
}

// page answers for a page of members.
func (f *fetcher) page(page []store.Member) error {
	page, err := f.revive(page)
	if err != nil {
		return err
	}
	if f.want == (store.Want{}) && !f.row {
		for i := range page {
			f.one = fetched{Member: &page[i]}
			if err := f.answer(&f.one); err != nil {
				return err
			}
		}
		return nil
	}
	for len(page) > 0 {
		n := f.batch(page)
		if err := f.read(page[:n]); err != nil {
			return err
		}
		page = page[n:]
	}
	return nil
}

// revive finds what is kept of members that were expunged meanwhile, and
// leaves out those of which nothing is.
func (f *fetcher) revive(page []store.Member) ([]store.Member, error) {
	var missing []store.UID
	for i := range page {
		if page[i].Gone {
			missing = append(missing, page[i].UID)
		}
	}
	if missing == nil {
		return page, nil
	}
	slices.Sort(missing) // they may come from the highest down
	var gone store.UIDSet
	for _, uid := range missing {
		gone.Add(uid)
	}
	found, err := f.v.Tombstones(f.ctx, gone)
	if err != nil && store.KindOf(err) != store.NotFound { // the mailbox itself may be gone
		return nil, err
	}
	was := make(map[store.UID]store.Entry, len(found))
	for _, e := range found {
		was[e.UID] = e
	}
	kept := page[:0]
	for i := range page {
		m := page[i]
		if m.Gone {
			e, ok := was[m.UID]
			if !ok {
				f.lost = true
				continue
			}
			m.Entry = e
		}
		kept = append(kept, m)
	}
	return kept, nil
}

// batch says how many of the members to read at once.
func (f *fetcher) batch(page []store.Member) int {
	if !f.want.Text {
		return len(page)
	}
	sum := 0
	for i := range page {
		sum += min(int(page[i].Size), store.ChunkSize)
		if sum > textBytes && i > 0 {
			return i
		}
	}
	return len(page)
}

// read reads the messages of members and answers for them. When one cannot be
// read because it is damaged, the others are read by themselves.
func (f *fetcher) read(batch []store.Member) error {
	f.ids = f.ids[:0]
	for i := range batch {
		f.ids = append(f.ids, batch[i].Message)
	}
	next := 0 // the first member not answered for
	for msg, err := range f.v.Messages(f.ctx, f.ids, f.want) {
		if err != nil {
			return f.readSingly(batch[next:], err)
		}
		for next < len(batch) && batch[next].Message != msg.ID {
			f.lost = true
			next++
		}
		if next == len(batch) {
			return nil
		}
		f.one = fetched{Member: &batch[next], msg: msg}
		if err := f.answer(&f.one); err != nil {
			return err
		}
		next++
	}
	if next < len(batch) {
		f.lost = true
	}
	return nil
}

// readSingly goes on after an error: a damaged message is left out and the
// rest served.
func (f *fetcher) readSingly(batch []store.Member, err error) error {
	if store.KindOf(err) != store.Corrupt || len(batch) == 0 {
		return err
	}
	if len(batch) == 1 {
		f.spoilt(&batch[0], err)
		return nil
	}
	for i := range batch {
		if err := f.read(batch[i : i+1]); err != nil {
			return err
		}
	}
	return nil
}

// spoilt notes a member whose message is damaged.
func (f *fetcher) spoilt(m *store.Member, err error) {
	f.damaged = true
	f.s.log.Error("message is damaged", "mailbox", f.v.name, "uid", m.UID, "message", m.Message, "err", err)
}

// answer sends the FETCH response for one member.
func (f *fetcher) answer(m *fetched) error {
	for i := range f.ops {
		if f.ops[i].prepare == nil {
			continue
		}
		err := f.ops[i].prepare(f, m)
		if store.KindOf(err) == store.Corrupt && err != nil {
			f.spoilt(m.Member, err)
			return nil
		}
		var why *refusal
		if errors.As(err, &why) {
			f.refused = err
			return nil
		}
		if err != nil {
			return err
		}
	}
	f.s.beginFetch(m.Member)
	for i := range f.ops {
		if i > 0 {
			f.enc.SP()
		}
		if err := f.ops[i].write(f, m); err != nil {
			if gone := f.enc.Err(); gone != nil {
				return gone
			}
			f.s.log.Error("connection given up inside a response", "uid", m.UID, "err", err)
			return &goodbye{code: "SERVERBUG", text: "A message could not be read"}
		}
	}
	f.enc.Byte(')').CRLF()
	if f.seen && !m.Gone && m.Flags&store.FlagSeen == 0 {
		f.mark.Add(m.UID)
	}
	if f.text {
		f.v.NoteRead(m.UID)
	}
	return nil
}

// setSeen sets \Seen where it is due; the loop tells of it.
func (f *fetcher) setSeen() error {
	if len(f.mark) == 0 {
		return nil
	}
	slices.SortFunc(f.mark, func(a, b store.UIDRange) int { return cmp.Compare(a.Start, b.Start) })
	_, err := f.v.SetFlags(f.ctx, store.FlagsChange{UIDs: f.mark, Op: store.FlagsAdd, Flags: store.FlagSeen})
	return err
}

// structure gives the part tree of a member's message, decoded once.
func (f *fetcher) structure(m *fetched) (*message.Structure, error) {
	if m.parts != nil {
		return m.parts, nil
	}
	blob := m.msg.Structure
	if blob == nil { // an item that rarely needs it did not ask for it
		for msg, err := range f.v.Messages(f.ctx, []store.MessageID{m.Message}, store.Want{Structure: true}) {
			if err != nil {
				return nil, err
			}
			blob = msg.Structure
		}
	}
	parts, err := message.Decode(blob)
	if err != nil {
		return nil, store.Errorf(store.Corrupt, "structure of message %d: %w", m.Message, err)
	}
	m.parts = parts
	return parts, nil
}

// bytes gives the reader of a member's message.
func (f *fetcher) bytes(m *fetched) *store.Reader {
	if m.reader == nil {
		m.reader = f.v.Reader(f.ctx, m.msg)
	}
	return m.reader
}
