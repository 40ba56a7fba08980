package imapd

import (
	"context"
	"strconv"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// qresync is the word of ENABLE, and the key in session.enabled.
const qresync = "QRESYNC"

// extQResync is the other half of RFC 7162. Every mailbox keeps mod-sequences,
// so NOMODSEQ is never sent; CLOSED is with SELECT.
func extQResync() extension {
	return extension{
		name:         "QRESYNC",
		rfc:          "RFC 7162",
		capabilities: everywhere("QRESYNC"),
		enables:      []enable{{name: qresync, on: func(s *session) { s.enable(condstore) }}}, // section 3.2.3
		selectParams: []selectParam{{name: "QRESYNC", parse: parseQResync}},
		fetchMods: []fetchMod{{"VANISHED", func(_ *wire.Decoder, a *fetchArgs) {
			a.before = append(a.before, (*session).fetchVanished)
		}}},
	}
}

// resync is what a client knew of a mailbox when it last left it (RFC 7162
// section 3.2.5).
type resync struct {
	validity uint32
	since    store.ModSeq
	known    store.UIDSet // nil: all
	seqs     wire.NumSet  // a sample of sequence numbers,
	uids     wire.NumSet  // and the UIDs that these had, as many
}

func parseQResync(s *session, d *wire.Decoder) func(context.Context, *session) error {
	if !s.enabled[qresync] {
		d.Fail("QRESYNC needs ENABLE QRESYNC first")
		return nil
	}
	var r resync
	d.SP()
	d.Byte('(')
	r.validity = d.NzNumber()
	d.SP()
	r.since = store.ModSeq(d.ModSeq())
	more := d.TrySP()
	if more && d.Next() != '(' {
		r.known = storeSet(plainSet(d))
		more = d.TrySP()
	}
	if more {
		if s.enabled[uidonly] { // RFC 9586 sections 3 and 3.7
			d.FailWith("UIDREQUIRED", "Sequence numbers to match are not taken after ENABLE UIDONLY")
		}
		d.Byte('(')
		r.seqs = plainSet(d)
		d.SP()
		r.uids = plainSet(d)
		d.Byte(')')
		if r.seqs.Count() != r.uids.Count() {
			d.Fail("As many sequence numbers as UIDs are to match")
		}
	}
	d.Byte(')')
	return func(ctx context.Context, s *session) error { return s.resync(ctx, &r) }
}

// plainSet expects a set without a star (RFC 7162 section 7).
func plainSet(d *wire.Decoder) wire.NumSet {
	set := d.Set()
	if set.From != 0 || set.Saved {
		d.Fail("Only numbers are allowed in this set")
	}
	return set.Nums
}

// resync tells what happened to a mailbox since its client left it: first what
// is gone, so that numbers mean what the client thinks (RFC 7162 section 3.2.6).
func (s *session) resync(ctx context.Context, r *resync) error {
	v := s.view
	if r.validity != v.Mailbox().UIDValidity || v.UIDNext() <= 1 {
		return nil // section 3.2.5: as if nothing had been asked
	}
	if err := s.loaded(ctx); err != nil {
		return err
	}
	if r.known == nil {
		r.known = v.everything()
	}
	if err := s.tellEarlier(ctx, r.since, above(r.known, v.matched(r))); err != nil {
		return err
	}
	s.tellSince(r.since, r.known)
	return nil
}

// matched gives the highest UID of the sample that still has its sequence
// number: nothing up to it is gone that the client knew (RFC 7162 section
// 3.2.5.2). If one pair matches, so do all before it.
func (v *view) matched(r *resync) (highest store.UID) {
	buf := make([]store.Member, 0, 1)
	lo, hi := uint64(0), r.seqs.Count()
	for lo < hi {
		mid := (lo + hi) / 2
		seq, uid := nth(r.seqs, mid), store.UID(nth(r.uids, mid))
		if m := v.BySeq(seq, seq, buf); len(m) == 1 && m[0].UID == uid {
			highest, lo = uid, mid+1
		} else {
			hi = mid
		}
	}
	return highest
}

// nth gives the n-th number of a set, from 0 on.
func nth(set wire.NumSet, n uint64) uint32 {
	for _, r := range set {
		if count := uint64(r.Stop-r.Start) + 1; n >= count {
			n -= count
			continue
		}
		return r.Start + uint32(n)
	}
	return 0
}

// above gives the UIDs of set above uid.
func above(set store.UIDSet, uid store.UID) store.UIDSet {
	var left store.UIDSet
	for _, r := range set {
		if r.Stop > uid {
			left = append(left, store.UIDRange{Start: max(r.Start, uid+1), Stop: r.Stop})
		}
	}
	return left
}

// storeSet gives UIDs as the store has them.
func storeSet(set wire.NumSet) store.UIDSet {
	uids := make(store.UIDSet, len(set))
	for i, r := range set {
		uids[i] = store.UIDRange{Start: store.UID(r.Start), Stop: store.UID(r.Stop)}
	}
	return uids
}

// tellSince sends the flags of members changed later than since.
func (s *session) tellSince(since store.ModSeq, uids store.UIDSet) {
	buf := make([]store.Member, 0, changedPage)
	for _, r := range uids {
		for {
			page := s.view.ChangedSince(since, r, buf[:0])
			for i := range page {
				s.tellMember(&page[i], true, true, true)
			}
			if s.enc.Err() != nil {
				return
			}
			if len(page) < cap(buf) || page[len(page)-1].UID >= r.Stop {
				break
			}
			r.Start = page[len(page)-1].UID + 1
		}
	}
}

// fetchVanished is RFC 7162 section 3.2.6. Unlike the rest of the command it
// is about UIDs above the last message too.
func (s *session) fetchVanished(ctx context.Context, a *fetchArgs) error {
	switch {
	case !s.enabled[qresync]:
		return bad("VANISHED needs ENABLE QRESYNC first")
	case !a.of.uid:
		return bad("VANISHED belongs to UID FETCH")
	case a.since == nil:
		return bad("VANISHED needs CHANGEDSINCE")
	}
	asked := s.view.saved
	if !a.of.set.Saved {
		asked = storeSet(a.of.set.Resolve(uint32(s.view.UIDNext() - 1)))
	}
	return s.tellEarlier(ctx, *a.since, asked)
}

// tellEarlier sends what of asked is gone since a modseq and is not to be told
// as an expunge.
func (s *session) tellEarlier(ctx context.Context, since store.ModSeq, asked store.UIDSet) error {
	gone, err := s.view.Vanished(ctx, since, asked)
	if err != nil {
		return err
	}
	s.tellVanished("(EARLIER) ", wireSet(gone))
	return nil
}

// vanishes says whether VANISHED is sent in place of EXPUNGE.
func (s *session) vanishes() bool { return s.enabled[qresync] || s.enabled[uidonly] }

// vanishedRanges is how many ranges one VANISHED has at most: some clients
// have fixed buffers for a line.
const vanishedRanges = 500

// tellVanished sends VANISHED; earlier is its tag, with a space, or "".
func (s *session) tellVanished(earlier string, uids wire.NumSet) {
	for len(uids) > 0 && s.enc.Err() == nil {
		n := min(len(uids), vanishedRanges)
		s.enc.Raw("* VANISHED ").Raw(earlier).Set(uids[:n]).CRLF()
		uids = uids[n:]
	}
}

// okExpunged notes that the command in hand has expunged, and makes its tagged
// answer tell where the client is afterwards (RFC 7162 section 3.2.7). The loop tells all that
// happened up to there before it sends the answer.
func (s *session) okExpunged(text string) {
	s.expunged = true
	if !s.enabled[qresync] {
		return
	}
	upTo := s.view.HighestModSeq()
	if s.heeded()&flagChange == 0 { // not everything up to there is told
		upTo = s.view.Told()
	}
	s.ok("HIGHESTMODSEQ "+strconv.FormatUint(uint64(upTo), 10), text)
}

// tellDelayed keeps a client from resuming behind expunges that it has not
// been told of: it goes by the highest MODSEQ it has seen unless it is given
// HIGHESTMODSEQ (RFC 7162 section 6).
func (s *session) tellDelayed() {
	if !s.enabled[qresync] {
		return
	}
	waiting := len(s.view.Gone()) > 0 || s.heeded()&flagChange == 0 && s.view.Behind()
	if waiting || s.view.delayed {
		s.tellHighest(s.view.Told())
	}
	s.view.delayed = waiting
}
