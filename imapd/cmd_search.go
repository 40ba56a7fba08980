package imapd

import (
	"context"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// searchCommand is RFC 3501 section 6.4.4; in its UID form 6.4.8.
func searchCommand(uid bool) command {
	parse := func(s *session, d *wire.Decoder) searchArgs { return parseSearch(s, d, uid) }
	if uid {
		return row("UID SEARCH", selected, 0, parse, (*session).search)
	}
	return row("SEARCH", selected, usesNumbers, parse, (*session).search)
}

type searchArgs struct {
	uid     bool
	what    *criterion
	modseq  bool  // MODSEQ was a key: CONDSTORE is meant, and told in the answer
	refused error // NO, known only after the line was read

	esearch bool // RETURN was given (RFC 4731)
	returns searchReturns
}

func parseSearch(s *session, d *wire.Decoder, uid bool) searchArgs {
	a := searchArgs{uid: uid}
	p := &searchParser{s: s, d: d}
	d.SP()
	name := p.word()
	if name == "RETURN" {
		d.SP()
		a.esearch = true
		a.returns = parseReturns(s, d)
		d.SP()
		name = p.word()
	}
	if name == "CHARSET" {
		d.SP()
		p.setCharset(d.Astring())
		d.SP()
		name = p.word()
	}
	a.what = p.program(name)
	a.modseq, a.refused = p.modseq, p.refused
	return a
}

func (s *session) search(ctx context.Context, a searchArgs) error {
	if a.refused != nil {
		return a.refused
	}
	if err := s.loaded(ctx); err != nil {
		return err
	}
	if a.modseq {
		s.enable(condstore)
	}
	if a.what.level > byEntry {
		var stop context.CancelFunc
		ctx, stop = s.watchClient(ctx)
		defer stop()
		release, err := s.srv.cfg.Store.BeginSearch(ctx, s.actor.Account)
		if err != nil {
			return err
		}
		defer release()
	}
	found, err := runSearch(ctx, s.srv.cfg.Store, s.view, &a)
	if err != nil {
		return err
	}
	if found.damaged > 0 {
		s.log.Error("damaged messages were not searched", "mailbox", s.view.name, "messages", found.damaged)
	}
	if a.esearch {
		s.tellESearch(&a, found)
		return nil
	}
	s.tellSearch(&a, found)
	return nil
}

// tellSearch sends SEARCH, also when nothing was found (RFC 3501 section
// 7.2.5); MODSEQ is RFC 7162 section 3.1.5.
func (s *session) tellSearch(a *searchArgs, found *searchResult) {
	s.enc.Raw("* SEARCH")
	for _, r := range found.nums {
		for n := uint64(r.Start); n <= uint64(r.Stop); n++ {
			s.enc.SP().Num(n)
		}
		if s.enc.Buffered() > 16<<10 && s.enc.Flush() != nil {
			return
		}
	}
	if a.modseq && found.count > 0 {
		s.enc.Raw(" (MODSEQ ").Num(uint64(found.highest)).Byte(')')
	}
	s.enc.CRLF()
}

// searchResult is what a search found.
type searchResult struct {
	nums    wire.NumSet // UIDs or sequence numbers
	count   uint64
	highest store.ModSeq // of all found
	first   store.ModSeq // of the lowest number
	last    store.ModSeq // of the highest number
	damaged int          // messages that could not be read
}

// add takes the next member found, in ascending order.
func (r *searchResult) add(m *store.Member, uid bool) {
	n := m.Seq
	if uid {
		n = uint32(m.UID)
	}
	if r.count == 0 {
		r.first = m.ModSeq
	}
	r.nums.Add(n)
	r.count++
	r.last = m.ModSeq
	r.highest = max(r.highest, m.ModSeq)
}

// watchClient gives a context that ends also when the client hangs up, as far
// as that shows: a client that has sent more is thought to be there.
func (s *session) watchClient(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	if s.in.Buffered() == 0 {
		s.pendingInput = s.awaitInput(cancel)
	}
	return ctx, cancel
}
