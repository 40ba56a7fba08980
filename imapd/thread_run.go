package imapd

import (
	"cmp"
	"hash/maphash"

	"tandem/store"
	"tandem/store/message"
)

// threadSubject is how much of a subject is compared.
const threadSubject = 1 << 10

// threader gathers what a THREAD found, in the order of the mailbox. The
// workers share all but messages and links.
type threader struct {
	how  threading
	seed maphash.Seed

	messages []threaded
	links    *linker
}

// threaded is a message to be put into a thread. Subjects and message ids are
// only ever compared for being equal, so that hashes do, of a seed that nobody
// can foresee.
type threaded struct {
	seq     uint32
	uid     store.UID
	sent    int64  // Unix seconds (RFC 5256 section 2.2)
	reply   bool   // its subject marks a reply or a forwarded message
	subject uint64 // base subject, 0 for an empty one
}

// threadPage is what a worker read of a page: by place in it, a message, its
// id, and which of refs it refers to.
type threadPage struct {
	list []threadEntry
	refs []uint64
}

type threadEntry struct {
	threaded
	id       uint64
	from, to int
	known    bool
}

func newThreader(how threading, n int) *threader {
	t := &threader{how: how, seed: maphash.MakeSeed()}
	if how.refs {
		t.links = newLinker(n)
	}
	return t
}

// read reads a page for harvest. A message that cannot be read is one without
// subject and ids.
func (t *threader) read(r *searcher, j *job, mem *scratch) {
	p := &threadPage{list: make([]threadEntry, len(j.page))}
	one := func(i int, msg *store.Message) {
		p.list[i] = t.entry(p, &ordering{Member: &j.page[i], msg: msg, mem: mem})
	}
	r.read(j, byStructure, j.found, one)
	for _, i := range j.found {
		if !p.list[i].known {
			one(i, nil)
		}
	}
	j.read = p
}

func (t *threader) entry(p *threadPage, o *ordering) threadEntry {
	e := threadEntry{threaded: threaded{seq: o.Seq, uid: o.UID, sent: o.sentAt()}, from: len(p.refs), known: true}
	if t.how.subject {
		base, reply := o.baseSubject()
		o.mem.folded = appendCollated(o.mem.folded[:0], base, threadSubject)
		e.reply, e.subject = reply, t.hash(o.mem.folded)
	}
	if parts := o.structure(); t.how.refs && parts != nil {
		e.id = t.hash([]byte(parts.MessageID))
		for _, ref := range referredTo(parts) {
			p.refs = append(p.refs, t.hash([]byte(ref)))
		}
	}
	e.to = len(p.refs)
	return e
}

// referredTo gives the ids that a message answers, oldest first: those of
// References, else the first of In-Reply-To (RFC 5256 section 3).
func referredTo(parts *message.Structure) []string {
	ids := parts.References[:len(parts.References)-parts.ReplyIDs]
	if len(ids) == 0 && parts.ReplyIDs > 0 {
		return parts.References[:1]
	}
	return ids
}

// hash gives 0 for nothing, and for nothing else.
func (t *threader) hash(b []byte) uint64 {
	if len(b) == 0 {
		return 0
	}
	return max(1, maphash.Bytes(t.seed, b))
}

// take takes a page for harvest.
func (t *threader) take(j *job) bool {
	p := j.read.(*threadPage)
	for _, i := range j.found {
		e := &p.list[i]
		if t.how.refs {
			t.links.add(int32(len(t.messages)), e.id, p.refs[e.from:e.to])
		}
		t.messages = append(t.messages, e.threaded)
	}
	return true
}

// bySent orders by sent date, then by place in the mailbox (RFC 5256 section
// 3).
func bySent(a, b *threaded) int {
	return cmp.Or(cmp.Compare(a.sent, b.sent), cmp.Compare(a.uid, b.uid))
}
