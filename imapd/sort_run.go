package imapd

import (
	"encoding/binary"

	"tandem/store"
	"tandem/store/message"
)

// A message is sorted by one string of bytes: the values of all keys, each in
// a form whose bytes compare as the values do. A number has eight bytes, a text
// ends in NUL, which is nowhere else in it, and what is to be reversed is
// complemented.

// Bounds of what is kept of the texts of all messages together, and of one.
const (
	sortMemory  = 64 << 20
	maxSortText = 1 << 10
	minSortText = 32

	// maxRawText is how much of a text is decoded for that.
	maxRawText = 8 << 10
)

// sortKey is a row of the table of sort keys.
type sortKey struct {
	name   string
	level  level // what must have been read
	append func(o *ordering, dst []byte) []byte
}

// sorter gathers what a SORT found. The workers share all but list.
type sorter struct {
	terms []sortTerm
	level level
	keep  int // bytes of one text

	list []sorted // the session's goroutine's
}

// sorted is a message found, and what it is sorted by.
type sorted struct {
	head   uint64 // the first bytes of key, which nearly always decide
	key    string
	seq    uint32
	uid    store.UID
	modseq store.ModSeq
	score  uint8
}

// newSorter sorts at most n messages. The more there are, the less of each
// text is kept.
func newSorter(terms []sortTerm, n uint32) *sorter {
	o := &sorter{terms: terms, keep: textKept(int(n) * len(terms))}
	for _, t := range terms {
		o.level = max(o.level, t.level)
	}
	return o
}

// textKept gives how much is kept of each of n texts.
func textKept(n int) int {
	return min(maxSortText, max(minSortText, sortMemory/max(1, n)))
}

// read makes the keys of a page, all in one string.
func (o *sorter) read(r *searcher, j *job, mem *scratch) {
	keys := make([]byte, 0, 64*len(j.found))
	ends := make([][2]int, len(j.page))
	one := func(i int, msg *store.Message) {
		from := len(keys)
		keys = o.key(keys, &ordering{Member: &j.page[i], msg: msg, keep: o.keep, mem: mem, score: j.score(i)})
		ends[i] = [2]int{from, len(keys)}
	}
	r.read(j, o.level, j.found, one)
	for _, i := range j.found {
		if ends[i][1] == 0 { // it cannot be read
			one(i, nil)
		}
	}
	whole := string(keys)
	list := make([]sorted, 0, len(j.found))
	for _, i := range j.found {
		m := &j.page[i]
		key := whole[ends[i][0]:ends[i][1]]
		list = append(list, sorted{headOf(key), key, m.Seq, m.UID, m.ModSeq, j.score(i)})
	}
	j.read = list
}

func headOf(key string) uint64 {
	var b [8]byte
	copy(b[:], key)
	return binary.BigEndian.Uint64(b[:])
}

func (o *sorter) take(j *job) bool {
	o.list = append(o.list, j.read.([]sorted)...)
	return true
}

// key appends the values of all keys.
func (o *sorter) key(dst []byte, of *ordering) []byte {
	for _, t := range o.terms {
		from := len(dst)
		dst = t.append(of, dst)
		if t.reverse {
			for i := from; i < len(dst); i++ {
				dst[i] = ^dst[i]
			}
		}
	}
	return dst
}

// ordering is a message whose place among others is looked for.
type ordering struct {
	*store.Member
	msg  *store.Message // nil when it cannot be read
	keep int
	mem  *scratch

	score uint8 // how well it matches

	env   []byte
	parts *message.Structure
}

// structure gives what was stored about the message, nil when nothing can be
// read of it.
func (o *ordering) structure() *message.Structure {
	if o.parts == nil && o.msg != nil {
		o.parts, _ = message.Decode(o.msg.Structure)
	}
	return o.parts
}

// field gives a field of the ENVELOPE in wire form, nil for none.
func (o *ordering) field(f envelopeField) []byte {
	if o.env == nil && o.msg != nil {
		o.env, _ = message.EnvelopeOf(o.msg.Structure)
	}
	return envelopeValue(o.env, f)
}

// sentAt is the date that SORT and THREAD go by: without a Date field that can
// be read it is INTERNALDATE (RFC 5256 section 2.2).
func (o *ordering) sentAt() int64 {
	if parts := o.structure(); parts != nil && parts.HasSent {
		return parts.Sent
	}
	return int64(o.Internal)
}

func (o *ordering) sent(dst []byte) []byte {
	return appendNumber(dst, uint64(o.sentAt())^1<<63) // negative numbers first
}

// baseSubject is RFC 5256 section 2.1.
func (o *ordering) baseSubject() (base string, replyOrForward bool) {
	value := o.field(envSubject)
	if value == nil {
		return "", false
	}
	return message.BaseSubject(string(o.text(value)))
}

// text gives a string in wire form as text, in memory that is used again.
func (o *ordering) text(value []byte) []byte {
	o.mem.value, _ = appendStringText(o.mem.value[:0], value, 0)
	o.mem.value = o.mem.value[:min(len(o.mem.value), maxRawText)]
	if needsDecoding(o.mem.value) {
		return []byte(message.DecodeText(o.mem.value))
	}
	return o.mem.value
}

func (o *ordering) subject(dst []byte) []byte {
	base, _ := o.baseSubject()
	return o.end(appendCollated(dst, base, o.keep))
}

// end ends a text.
func (o *ordering) end(dst []byte) []byte { return append(dst, 0) }

// appendNumber appends a number so that bytes compare as numbers do.
func appendNumber(dst []byte, n uint64) []byte { return binary.BigEndian.AppendUint64(dst, n) }

// mailboxOf is the mailbox of the first address of a field (RFC 5256 section
// 3).
func mailboxOf(f envelopeField) func(*ordering, []byte) []byte {
	return func(o *ordering, dst []byte) []byte {
		_, mailbox, _ := firstAddress(o.field(f))
		return o.end(appendCollated(dst, o.text(mailbox), o.keep))
	}
}

// displayOf is what a mail program shows of the first address of a field: its
// name, or the name of a group, else the address (RFC 5957 section 3).
func displayOf(f envelopeField) func(*ordering, []byte) []byte {
	return func(o *ordering, dst []byte) []byte {
		name, mailbox, host := firstAddress(o.field(f))
		if shown := o.text(name); len(shown) > 0 {
			return o.end(appendCollated(dst, shown, o.keep))
		}
		from := len(dst)
		dst = appendCollated(dst, o.text(mailbox), o.keep)
		if domain := o.text(host); len(domain) > 0 {
			dst = appendCollated(append(dst, '@'), domain, max(0, o.keep-(len(dst)-from)))
		}
		return o.end(dst)
	}
}

// firstAddress gives the name, mailbox and host of the first of a list of
// addresses, each in wire form; nothing when there is none.
func firstAddress(list []byte) (name, mailbox, host []byte) {
	if len(list) < 2 || list[0] != '(' || list[1] != '(' {
		return nil, nil, nil
	}
	var fields [4][]byte
	at := 2
	for i := range fields {
		end := skipValue(list, at)
		if end < 0 {
			return nil, nil, nil
		}
		fields[i] = list[at:end]
		at = end + 1 // the space
	}
	return fields[0], fields[2], fields[3]
}
