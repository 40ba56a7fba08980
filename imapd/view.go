package imapd

import (
	"iter"
	"strings"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// view is the selected mailbox as its session sees it. Members keep their
// sequence numbers until tellChanges moves the view on.
type view struct {
	*store.View
	name     string
	readOnly bool // EXAMINE
	emptied  bool // see tellLost
	delayed  bool // see tellDelayed

	mine store.UIDSet // what this session has put here and not been told of

	// saved is what "$" means (RFC 5182). UIDs whose messages were expunged
	// stay in it: they are never used again, so they mean nothing.
	saved store.UIDSet

	live []*liveSearch // results the client hears the changes of (RFC 5267)

	rights store.Rights // as PERMANENTFLAGS has told them

	recent   store.UIDSet // \Recent to this session (RFC 3501 section 2.3.2)
	keywords int          // how many keywords FLAGS has told

	words     map[store.Flags]string // rendered flags, a small cache
	lastFlags store.Flags
	lastWords string
}

// pageSize is how many members are looked at under one hold of the index.
const pageSize = 512

// numbers is a set as a client wrote it, of sequence numbers or of UIDs.
type numbers struct {
	set wire.Set
	uid bool
}

// goesOn says that messages expunged by others are passed over: UIDs without a
// message mean nothing, and what is saved loses them (RFC 5182 section 2.1).
func (n numbers) goesOn() bool { return n.uid || n.set.Saved }

// resolve gives the UIDs that a set means among the view's members: for each
// range of sequence numbers one of UIDs, so that nothing is ever enumerated.
// UIDs without a member may be in the ranges.
func (v *view) resolve(n numbers) (store.UIDSet, error) {
	switch {
	case n.set.Saved:
		return v.saved, nil
	case n.uid:
		return v.resolveUIDs(n.set), nil
	}
	count := v.Len()
	set := n.set.Resolve(count)
	if set.Max() > count {
		return nil, bad("No message %d: the mailbox has %d", set.Max(), count)
	}
	uids := make(store.UIDSet, 0, len(set))
	for _, r := range set {
		if span, ok := v.Span(r.Start, r.Stop); ok {
			uids = append(uids, span)
		}
	}
	return uids, nil
}

// resolveUIDs clips a set of UIDs to what the session has been told of. A
// star is the highest UID of a member (RFC 3501 section 6.4.8).
func (v *view) resolveUIDs(s wire.Set) store.UIDSet {
	count := v.Len()
	last, ok := v.Span(count, count)
	if !ok {
		return nil
	}
	set := s.Resolve(uint32(last.Stop)).Intersect(wire.Of(1, uint32(last.Stop)))
	uids := make(store.UIDSet, len(set))
	for i, r := range set {
		uids[i] = store.UIDRange{Start: store.UID(r.Start), Stop: store.UID(r.Stop)}
	}
	return uids
}

// everything is the UIDs of all members.
func (v *view) everything() store.UIDSet {
	if v.UIDNext() <= 1 {
		return nil
	}
	return store.UIDSet{{Start: 1, Stop: v.UIDNext() - 1}}
}

// pages gives the members in uids, at most size at a time, in one buffer that
// is used again for each page.
func (v *view) pages(uids store.UIDSet, size int) iter.Seq[[]store.Member] {
	return func(yield func([]store.Member) bool) {
		buf := make([]store.Member, 0, max(1, min(size, uids.Len(), int(v.Len()))))
		for _, r := range uids {
			for {
				buf = v.ByUID(r, buf)
				if len(buf) < cap(buf) {
					break
				}
				last := buf[len(buf)-1].UID
				if !yield(buf) {
					return
				}
				buf = buf[:0]
				if last >= r.Stop {
					break
				}
				r.Start = last + 1
			}
		}
		if len(buf) > 0 {
			yield(buf)
		}
	}
}

// goneIn reports whether one of uids belongs to a member that was expunged.
func (v *view) goneIn(uids store.UIDSet) bool {
	gone := v.Gone()
	for i, j := 0, 0; i < len(gone) && j < len(uids); {
		switch {
		case gone[i].Stop < uids[j].Start:
			i++
		case uids[j].Stop < gone[i].Start:
			j++
		default:
			return true
		}
	}
	return false
}

// claimRecent takes what has newly arrived as \Recent to this session, unless
// another session has.
func (v *view) claimRecent() {
	first := v.ClaimRecent(v.readOnly || !v.Rights().Has(store.RightSeen))
	if n := len(v.recent); n > 0 {
		first = max(first, v.recent[n-1].Stop+1)
	}
	if first < v.UIDNext() {
		v.recent.AddRange(store.UIDRange{Start: first, Stop: v.UIDNext() - 1})
	}
}

// recents counts the members that are \Recent. Before the index is loaded it
// goes by UIDs, which may count too many.
func (v *view) recents() uint32 {
	var n uint32
	for _, r := range v.recent {
		if v.Loaded() {
			n += v.Rank(r.Stop+1) - v.Rank(r.Start)
		} else {
			n += uint32(r.Stop-r.Start) + 1
		}
	}
	if !v.Loaded() {
		n = min(n, uint32(v.Mailbox().Messages))
	}
	return n
}

func (v *view) isRecent(uid store.UID) bool {
	for i := len(v.recent) - 1; i >= 0; i-- {
		if r := v.recent[i]; uid >= r.Start {
			return uid <= r.Stop
		}
	}
	return false
}

// flagName is a flag with a bit of its own.
type flagName struct {
	bit  store.Flags
	name string
}

// systemFlags are the flags of RFC 3501 section 2.3.2, less \Recent, which no
// client can change.
func systemFlags() [5]flagName {
	return [5]flagName{{store.FlagAnswered, `\Answered`}, {store.FlagFlagged, `\Flagged`},
		{store.FlagDeleted, `\Deleted`}, {store.FlagSeen, `\Seen`}, {store.FlagDraft, `\Draft`}}
}

// flagNames gives the flags of RFC 3501 and the account's keywords.
func (v *view) flagNames() []string { return v.namesOf(store.AllRights.Flags()) }

// namesOf gives the names of those flags that are in a set, to which keywords
// belong all or none.
func (v *view) namesOf(set store.Flags) (names []string) {
	for _, f := range systemFlags() {
		if set&f.bit != 0 {
			names = append(names, f.name)
		}
	}
	if set&store.KeywordFlag(0) != 0 {
		names = append(names, v.Keywords()...)
	}
	return names
}

// isClosed says that the mailbox may no longer be read by this user. One that is
// deleted, and its ACL with it, is as empty to others as to its owner.
func (v *view) isClosed() bool { return !v.Rights().Has(store.RightRead) && !v.Deleted() }

// stillOpen is nil unless the mailbox was closed to this user meanwhile.
func (v *view) stillOpen() error {
	if v.isClosed() {
		return store.Errorf(store.Forbidden, "you may no longer read the mailbox")
	}
	return nil
}

// mayChange says whether anything in the mailbox can be changed by this user
// (RFC 4314 section 5.2).
func (v *view) mayChange() bool {
	const change = store.RightSeen | store.RightMark | store.RightWrite | store.RightInsert | store.RightExpunge
	return v.Rights()&change != 0
}

// writeFlags writes FLAGS and a member's flags.
func (v *view) writeFlags(enc *wire.Encoder, m *store.Member) {
	words := v.flagWords(m)
	enc.Raw("FLAGS (")
	if len(v.recent) > 0 && v.isRecent(m.UID) {
		enc.Raw(`\Recent`)
		if words != "" {
			enc.SP()
		}
	}
	enc.Raw(words).Byte(')')
}

// maxWords bounds the cache of rendered flags.
const maxWords = 64

// flagWords renders a member's flags. Neighbours mostly have the same.
func (v *view) flagWords(m *store.Member) string {
	bits := m.Flags &^ store.FlagPOP3Trashed
	if bits&store.FlagMore != 0 {
		return v.render(m.FlagSet())
	}
	if bits == v.lastFlags {
		return v.lastWords
	}
	words, ok := v.words[bits]
	if !ok {
		words = v.render(store.FlagSet{Bits: bits})
		if v.words == nil || len(v.words) >= maxWords {
			v.words = map[store.Flags]string{}
		}
		v.words[bits] = words
	}
	v.lastFlags, v.lastWords = bits, words
	return words
}

func (v *view) render(f store.FlagSet) string {
	var names []string
	for _, s := range systemFlags() {
		if f.Bits&s.bit != 0 {
			names = append(names, s.name)
		}
	}
	for n, name := range v.Keywords() {
		if f.Has(n) {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}
