package imapd

import (
	"context"

	"tandem/imapd/internal/wire"
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
	a.answerESearch(s)
	if name == "CHARSET" {
		if s.enabled[utf8Accept] { // RFC 9755 section 3
			d.Fail("With UTF8=ACCEPT there is no CHARSET")
		}
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
	found := newSearchResult(&a)
	onlyMin := a.returns.onlyMin()
	err := s.lookThrough(ctx, &a, harvest{take: func(j *job) bool {
		for _, i := range j.found {
			m := &j.page[i]
			found.add(m.Seq, m.UID, m.ModSeq)
			if onlyMin {
				return false
			}
		}
		return true
	}})
	return s.tellFound("SEARCH", &a, found, err)
}

// tellFound answers a search or sort that has ended with err.
func (s *session) tellFound(word string, a *searchArgs, found *searchResult, err error) error {
	if err != nil {
		_ = a.returns.end(s, nil)
		return err
	}
	if a.esearch {
		s.tellESearch(a, found)
	} else {
		s.tellNumbers(word, a, found)
	}
	return a.returns.end(s, found)
}

// lookThrough runs the search program of a command.
func (s *session) lookThrough(ctx context.Context, a *searchArgs, h harvest) error {
	if a.refused != nil {
		return a.refused
	}
	if err := s.loaded(ctx); err != nil {
		return err
	}
	if a.modseq {
		s.enable(condstore)
	}
	if max(a.what.level, h.level) > byEntry {
		var stop context.CancelFunc
		ctx, stop = s.watchClient(ctx)
		defer stop()
		var release func()
		var err error
		s.meanwhile(func() { release, err = s.srv.cfg.Store.BeginSearch(ctx, s.actor.Account) })
		if err != nil {
			return err
		}
		defer release()
	}
	progress, goal, take := s.newProgress(), s.view.Len(), h.take
	h.take = func(j *job) bool {
		progress.at(j.page[len(j.page)-1].Seq, goal)
		return take(j)
	}
	damaged, err := runSearch(ctx, s.srv.cfg.Store, s.view, a.what, h)
	if damaged > 0 {
		s.log.Error("damaged messages were not searched", "mailbox", s.view.name, "messages", damaged)
	}
	return err
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
