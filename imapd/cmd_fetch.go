package imapd

import (
	"context"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// fetchItem is a row of the table of what FETCH can be asked for.
type fetchItem struct {
	name string

	// parse reads what follows the name, a section for example, and gives the
	// work.
	parse func(d *wire.Decoder) fetchOp

	// macro names the items that this one stands for (RFC 3501 section
	// 6.4.5); it may only be given alone. parse is nil then.
	macro []string
}

// fetchOp is one item of one FETCH command: what it needs to have been read,
// and how it is written. Items that want nothing of a message are answered
// from the index and never touch the database.
type fetchOp struct {
	want    store.Want
	row     bool   // it needs the message itself, if nothing of want
	enables string // word of ENABLE that the item implies, or ""
	seen    bool   // it sets \Seen (RFC 3501 section 6.4.5)
	isUID   bool   // it is UID
	text    bool   // it gives out text of the message: noted for the journal

	// prepare does all that can fail, before the response is begun. A refusal
	// passes over the message and is the command's answer. nil: nothing can.
	prepare func(f *fetcher, m *fetched) error
	// write sends the item's name and value. An error ends the connection: it
	// came in the middle of a response.
	write func(f *fetcher, m *fetched) error
}

// fetchMod is a modifier of FETCH (RFC 4466 section 2.4).
type fetchMod struct {
	name  string
	parse func(d *wire.Decoder, a *fetchArgs)
}

// fetchCommand is RFC 3501 section 6.4.5; in its UID form 6.4.8.
func fetchCommand(uid bool) command {
	parse := func(s *session, d *wire.Decoder) fetchArgs { return parseFetch(s, d, uid) }
	if uid {
		return row("UID FETCH", selected, 0, parse, (*session).fetch)
	}
	return row("FETCH", selected, usesNumbers, parse, (*session).fetch)
}

type fetchArgs struct {
	of    numbers
	ops   []fetchOp
	since *store.ModSeq // only what changed later (CHANGEDSINCE)

	// narrow, if not nil, gives the part of the members named that is meant.
	narrow func(v *view, uids store.UIDSet) store.UIDSet
	most   uint32 // how many that may be

	// before is what modifiers do ahead of the answers.
	before []func(s *session, ctx context.Context, a *fetchArgs) error
}

// maxItems is how many items a FETCH may ask for.
const maxItems = 1000

func parseFetch(s *session, d *wire.Decoder, uid bool) (a fetchArgs) {
	d.SP()
	a.of = numbers{d.Set(), uid}
	d.SP()
	items := s.srv.reg.fetchItems
	hasUID := false
	take := func(item fetchItem) {
		hasUID = hasUID || item.name == "UID"
		a.ops = append(a.ops, item.parse(d))
		if len(a.ops) > maxItems {
			d.Fail("Too many items")
		}
	}
	alone := d.Next() != '('
	one := func() {
		item, ok := find(d, items, "FETCH item")
		switch {
		case !ok:
		case item.macro == nil:
			take(item)
		case !alone:
			d.Fail("%s cannot be part of a list", item.name)
		default:
			for _, name := range item.macro {
				take(items[name])
			}
		}
	}
	if alone {
		one()
	} else {
		d.List(one)
	}
	if len(a.ops) == 0 {
		d.Fail("FETCH wants at least one item")
	}
	if d.TrySP() {
		d.List(func() {
			if mod, ok := find(d, s.srv.reg.fetchMods, "modifier"); ok {
				mod.parse(d, &a)
			}
		})
	}
	if uid && !hasUID && !s.enabled[uidonly] { // RFC 3501 section 6.4.8
		a.ops = append([]fetchOp{uidOp()}, a.ops...)
	}
	return a
}

func (s *session) fetch(ctx context.Context, a fetchArgs) error {
	if err := s.loaded(ctx); err != nil {
		return err
	}
	uids, err := s.view.resolve(a.of)
	if err != nil {
		return err
	}
	if limit := s.srv.cfg.Limits.Messages; limit > 0 && int64(a.most) > int64(limit) {
		return no(limitCode(limit, 0), "More than %d messages at once", limit) // RFC 9738 section 3.1
	}
	if a.narrow != nil {
		uids = a.narrow(s.view, uids)
	}
	for _, op := range a.ops {
		if op.enables != "" {
			s.enable(op.enables)
		}
	}
	s.tellKeywords()
	for _, do := range a.before {
		if err := do(s, ctx, &a); err != nil {
			return err
		}
	}
	if limit := s.srv.cfg.Limits.Messages; limit > 0 {
		if a.since != nil {
			uids = s.view.changedAmong(uids, *a.since)
		}
		uids = s.withinLimit(s.view, uids, limit)
	}
	f := newFetcher(ctx, s, &a)
	if err := f.run(uids); err != nil {
		return err
	}
	if err := f.setSeen(); err != nil {
		// What was asked for was sent; a full disk must not stop reading.
		s.log.Warn("\\Seen could not be set", "err", err)
	}
	switch {
	case f.refused != nil:
		return f.refused
	case f.damaged:
		return no("SERVERBUG", "Some of the messages are damaged")
	case f.lost && !a.of.goesOn(): // RFC 2180 section 4.1.2
		return no("EXPUNGEISSUED", "Some of the messages no longer exist")
	}
	return nil
}
