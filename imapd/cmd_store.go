package imapd

import (
	"context"
	"slices"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// storeMod is a modifier of STORE (RFC 4466 section 2.5).
type storeMod struct {
	name    string
	enables string // word of ENABLE that the modifier implies, or ""
	parse   func(d *wire.Decoder, a *storeArgs)
}

// storeCommand is RFC 3501 section 6.4.6; in its UID form 6.4.8.
func storeCommand(uid bool) command {
	parse := func(s *session, d *wire.Decoder) storeArgs { return parseStore(s, d, uid) }
	if uid {
		return row("UID STORE", selected, 0, parse, (*session).store)
	}
	return row("STORE", selected, usesNumbers, parse, (*session).store)
}

type storeArgs struct {
	of      numbers
	change  store.FlagsChange
	silent  bool
	enables []string
}

func parseStore(s *session, d *wire.Decoder, uid bool) (a storeArgs) {
	d.SP()
	a.of = numbers{d.Set(), uid}
	d.SP()
	if d.Next() == '(' {
		d.List(func() {
			if mod, ok := find(d, s.srv.reg.storeMods, "modifier"); ok {
				mod.parse(d, &a)
				if mod.enables != "" {
					a.enables = append(a.enables, mod.enables)
				}
			}
		})
		d.SP()
	}
	a.change.Op = store.FlagsReplace
	if d.TryByte('+') {
		a.change.Op = store.FlagsAdd
	} else if d.TryByte('-') {
		a.change.Op = store.FlagsRemove
	}
	switch item := d.Keyword(); item {
	case "FLAGS":
	case "FLAGS.SILENT":
		a.silent = true
	default:
		d.Fail("STORE wants FLAGS, not %s", item)
	}
	d.SP()
	a.change.Flags, a.change.Keywords = splitFlags(d, parseStoreFlags(d))
	return a
}

// parseStoreFlags reads flags with or without parentheses.
func parseStoreFlags(d *wire.Decoder) []string {
	if d.Next() == '(' {
		return d.Flags()
	}
	flags := []string{d.Flag()}
	for d.TrySP() {
		flags = append(flags, d.Flag())
	}
	return flags
}

func (s *session) store(ctx context.Context, a storeArgs) error {
	if err := s.writable(ctx); err != nil {
		return err
	}
	uids, err := s.view.resolve(a.of)
	if err != nil {
		return err
	}
	if err := checkKeywords(a.change.Keywords); err != nil {
		return err
	}
	for _, name := range a.enables {
		s.enable(name)
	}
	if len(uids) == 0 {
		return nil
	}
	uids = s.withinLimit(s.view, uids, s.srv.cfg.Limits.Messages)
	a.change.UIDs = uids
	known, partly := s.view.ToldFlags(), a.isBeyond(s.view.Rights())
	res, err := s.view.SetFlags(ctx, a.change)
	if err != nil {
		return err
	}
	if res.ModSeq != 0 {
		s.view.Own(res.ModSeq)
	}
	s.tellKeywords()
	if a.silent && !partly {
		s.tellSilently(&res, known, a.of.uid)
	} else {
		s.tellStored(uids, &res, a.of.uid)
	}
	gone := !a.of.goesOn() && s.view.goneIn(uids)
	switch {
	case len(res.Modified) > 0:
		return s.tellModified(&res, a.of.uid, gone)
	case gone: // RFC 2180 section 4.2.1
		return no("EXPUNGEISSUED", "Some of the messages no longer exist")
	}
	return nil
}

// isBeyond says that not all of the change may be made under these rights: what
// may be is, and the client is told what came of it (RFC 4314 section 4).
func (a *storeArgs) isBeyond(have store.Rights) bool {
	may := have.Flags()
	if a.change.Op == store.FlagsReplace {
		return may != store.AllRights.Flags()
	}
	return a.change.Flags&^may != 0 || len(a.change.Keywords) > 0 && !have.Has(store.RightWrite)
}

// tellStored sends the flags of all members in uids (RFC 3501 section 6.4.6)
// but those that were not changed because others had changed them.
func (s *session) tellStored(uids store.UIDSet, res *store.FlagsResult, uid bool) {
	modseq := s.enabled[condstore]
	modified := wireSet(res.Modified)
	for page := range s.answerPages(uids, pageSize) {
		for i := range page {
			if !page[i].Gone && !(len(modified) > 0 && modified.Contains(uint32(page[i].UID))) {
				s.tellMember(&page[i], uid, true, modseq)
			}
		}
		if s.enc.Err() != nil {
			return
		}
	}
}

// tellSilently sends what a client that knows the outcome still has to hear:
// the new modseqs (RFC 7162 section 3.1.3), and the flags of members that
// others had changed since they were told, because they may differ from what
// the client thinks.
func (s *session) tellSilently(res *store.FlagsResult, known store.ModSeq, uid bool) {
	modseq := s.enabled[condstore]
	buf := make([]store.Member, 0, 1)
	if s.stopped != "" { // RFC 9738 section 3.1: from the highest down
		slices.Reverse(res.Changed)
	}
	for i := range res.Changed {
		c := &res.Changed[i]
		conflict := c.Previous > known
		if !modseq && !conflict {
			continue
		}
		page := s.view.ByUID(store.UIDRange{Start: c.UID, Stop: c.UID}, buf)
		if len(page) == 0 || page[0].Gone {
			continue
		}
		s.tellMember(&page[0], uid || conflict, conflict, modseq) // what nobody asked for has its UID (RFC 9051 appendix E)
	}
}

// tellModified answers with the members that failed UNCHANGEDSINCE (RFC 7162
// section 3.1.3); the loop tells of their changes.
func (s *session) tellModified(res *store.FlagsResult, uid, gone bool) error {
	failed := wireSet(res.Modified)
	if !uid {
		failed = nil
		for page := range s.view.pages(res.Modified, pageSize) {
			for i := range page {
				failed.Add(page[i].Seq)
			}
		}
	}
	code := "MODIFIED " + failed.String()
	if gone {
		return no(code, "Some of the messages no longer exist")
	}
	s.ok(code, "Conditional STORE failed for some")
	return nil
}
