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

	unsteady bool    // whether a message matches can change without the message
	order    *sorter // what sorted it, of SORT

	of *store.Mailbox // what was searched, when that is to be told (RFC 7377)
}

func parseSearch(s *session, d *wire.Decoder, uid bool) searchArgs {
	a := searchArgs{uid: uid}
	p := &searchParser{s: s, d: d}
	d.SP()
	a.parseOptions(p, p.word())
	return a
}

// parseOptions reads the return options, the charset and the program; the
// first word was read.
func (a *searchArgs) parseOptions(p *searchParser, name string) {
	s, d := p.s, p.d
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
	a.modseq, a.refused, a.unsteady = p.modseq, p.refused, p.unsteady
	a.checkRelevancy(p, nil)
}

func (s *session) search(ctx context.Context, a searchArgs) error {
	found, err := s.find(ctx, &a)
	return s.tellFound("SEARCH", &a, found, err)
}

// find searches the selected mailbox.
func (s *session) find(ctx context.Context, a *searchArgs) (*searchResult, error) {
	found := newSearchResult(a)
	return found, s.lookThrough(ctx, a, a.gather(found))
}

// findIn searches a mailbox, once the search may run.
func (s *session) findIn(ctx context.Context, v *view, a *searchArgs, found *searchResult) error {
	return s.lookIn(ctx, v, a, a.gather(found))
}

// gather puts what is found into found.
func (a *searchArgs) gather(found *searchResult) harvest {
	onlyMin := a.returns.onlyMin()
	return harvest{take: func(j *job) bool {
		for _, i := range j.found {
			m := &j.page[i]
			found.add(m.Seq, m.UID, m.ModSeq)
			found.rate(j.score(i))
			if onlyMin {
				return false
			}
		}
		return true
	}}
}

// tellFound answers a search or sort that has ended with err. One that is BAD
// has not been (RFC 5182 section 2.1: it leaves "$" as it is).
func (s *session) tellFound(word string, a *searchArgs, found *searchResult, err error) error {
	if err != nil {
		if is, _ := answerTo(err); is.word != "BAD" {
			_ = a.end(s, nil)
		}
		return err
	}
	if a.esearch {
		s.tellESearch(a, found)
	} else {
		s.tellNumbers(word, a, found)
	}
	return a.end(s, found)
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
	ctx, release, err := s.beginSearch(ctx, max(a.what.level, h.level))
	if err != nil {
		return err
	}
	defer release()
	return s.lookIn(ctx, s.view, a, h)
}

// beginSearch waits for a place when messages must be read, and then watches
// whether the client is still there.
func (s *session) beginSearch(ctx context.Context, at level) (_ context.Context, release func(), err error) {
	if at <= byEntry {
		return ctx, func() {}, nil
	}
	ctx, stop := s.watchClient(ctx)
	var leave func()
	s.meanwhile(func() { leave, err = s.srv.cfg.Store.BeginSearch(ctx, s.actor.Account) })
	if err != nil {
		stop()
		return nil, nil, err
	}
	return ctx, func() {
		leave()
		stop()
	}, nil
}

// lookIn runs the search program over a mailbox.
func (s *session) lookIn(ctx context.Context, v *view, a *searchArgs, h harvest) error {
	ctx, giveUp := context.WithCancel(ctx)
	defer giveUp()
	progress, goal, take := s.newProgress(), v.Len(), h.take
	h.take = func(j *job) bool {
		progress.at(j.page[len(j.page)-1].Seq, goal)
		if s.enc.Err() != nil { // nobody is there any more
			giveUp()
		}
		return take(j)
	}
	if limit := s.srv.cfg.Limits.Messages; limit > 0 {
		h.among = func(uids store.UIDSet) (store.UIDSet, error) {
			if h.whole { // RFC 9738 section 3.3
				return uids, s.refuseBeyond(v, uids, limit)
			}
			return s.withinLimit(v, uids, limit), nil
		}
	}
	damaged, err := runSearch(ctx, s.srv.cfg.Store, v, a.what, h)
	if damaged > 0 {
		s.log.Error("damaged messages were not searched", "mailbox", v.name, "messages", damaged)
	}
	if err == nil {
		err = v.stillOpen()
	}
	return err
}

// watchClient gives a context that ends also when the client hangs up, as far
// as that shows: a client that has sent more is thought to be there until it
// can no longer be told how far the search is.
func (s *session) watchClient(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	if s.in.Buffered() == 0 {
		s.pendingInput = s.awaitInput(cancel)
	}
	return ctx, cancel
}
