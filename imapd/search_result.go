package imapd

import (
	"tandem/imapd/internal/wire"
	"tandem/store"
)

// listing is numbers in the order of an answer, as runs: of a search they
// ascend, of a sort they do not.
type listing []wire.Range

// add puts n at the end.
func (l *listing) add(n uint32) {
	if k := len(*l) - 1; k >= 0 && (*l)[k].Stop+1 == n {
		(*l)[k].Stop = n
		return
	}
	*l = append(*l, wire.Range{Start: n, Stop: n})
}

// part gives the numbers at the places from to, not including, to.
func (l listing) part(from, to int) (part listing) {
	for _, r := range l {
		n := int(r.Stop-r.Start) + 1
		if from < n && to > max(from, 0) {
			part = append(part, wire.Range{Start: r.Start + uint32(max(from, 0)), Stop: r.Start + uint32(min(to, n)) - 1})
		}
		from, to = from-n, to-n
		if to <= 0 {
			break
		}
	}
	return part
}

// searchResult is what a search or a sort found, in the order of the answer.
type searchResult struct {
	byUID   bool // nums are UIDs
	nums    listing
	uids    listing
	count   int
	highest store.ModSeq
	modseqs []store.ModSeq // of each, when MODSEQ is to be told
	scores  []uint8        // of each, when RELEVANCY is
}

func newSearchResult(a *searchArgs) *searchResult {
	r := &searchResult{byUID: a.uid}
	if a.modseq && a.esearch {
		r.modseqs = []store.ModSeq{}
	}
	if a.returns.has(relevancy) {
		r.scores = []uint8{}
	}
	return r
}

// add takes the next message found.
func (r *searchResult) add(seq uint32, uid store.UID, modseq store.ModSeq) {
	r.uids.add(uint32(uid))
	if r.byUID {
		seq = uint32(uid)
	}
	r.nums.add(seq)
	r.count++
	r.highest = max(r.highest, modseq)
	if r.modseqs != nil {
		r.modseqs = append(r.modseqs, modseq)
	}
}

// rate says how well the message added last matches.
func (r *searchResult) rate(score uint8) {
	if r.scores != nil {
		r.scores = append(r.scores, score)
	}
}

// tellNumbers sends SEARCH or SORT, also when nothing was found (RFC 3501
// section 7.2.5); MODSEQ is RFC 7162 section 3.1.5.
func (s *session) tellNumbers(word string, a *searchArgs, found *searchResult) {
	s.enc.Raw("* ").Raw(word)
	for _, r := range found.nums {
		for n := uint64(r.Start); n <= uint64(r.Stop); n++ {
			s.enc.SP().Num(n)
			if s.enc.Buffered() > 16<<10 && s.enc.Flush() != nil {
				return
			}
		}
	}
	if a.modseq && found.count > 0 {
		s.enc.Raw(" (MODSEQ ").Num(uint64(found.highest)).Byte(')')
	}
	s.enc.CRLF()
}
