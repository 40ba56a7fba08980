package imapd

// nobody is no node.
const nobody = -1

// Bounds on what messages full of made-up references can cost: ids that no
// message has, and steps up a thread in search of loops. A reference that
// would go beyond is overlooked.
const (
	maxDummies   = 1 << 20
	maxLoopSteps = 1 << 26
)

// linker is step 1 of RFC 5256 section 3, THREAD=REFERENCES: it finds the
// parent of each message and of each id that is only referred to. Nodes have
// no lists of children yet: order among them comes later.
type linker struct {
	parents []parentLink
	byID    map[uint64]int32
	dummies int
	steps   int
}

// parentLink is a message or, without one, a dummy for an id.
type parentLink struct {
	parent  int32
	kids    int32 // how many nodes it is the parent of
	message int32 // index, nobody for a dummy
}

func newLinker(n int) *linker {
	return &linker{parents: make([]parentLink, 0, n), byID: make(map[uint64]int32, n)}
}

// add links the next message: its id (0: none) and those it refers to, oldest
// first.
func (l *linker) add(message int32, id uint64, refs []uint64) {
	// 1.A: each reference is the parent of the next, unless that has one.
	last := int32(nobody)
	for _, ref := range refs {
		at, ok := l.find(ref)
		if !ok {
			continue
		}
		if last != nobody && l.parents[at].parent == nobody {
			l.link(last, at)
		}
		last = at
	}
	// 1.B: the last one is the parent of the message, whatever others thought.
	at := l.own(message, id)
	l.unlink(at)
	if last != nobody {
		l.link(last, at)
	}
}

// find gives the node of an id, made when there is none.
func (l *linker) find(id uint64) (at int32, ok bool) {
	if at, ok := l.byID[id]; ok {
		return at, true
	}
	if l.dummies >= maxDummies {
		return nobody, false
	}
	l.dummies++
	at = l.make(nobody)
	l.byID[id] = at
	return at, true
}

// own gives the node of a message. Of several with one id only the first has
// it (RFC 5256 section 3).
func (l *linker) own(message int32, id uint64) int32 {
	if id == 0 {
		return l.make(message)
	}
	at, known := l.byID[id]
	switch {
	case !known:
		at = l.make(message)
		l.byID[id] = at
	case l.parents[at].message == nobody:
		l.parents[at].message = message
		l.dummies--
	default:
		at = l.make(message)
	}
	return at
}

func (l *linker) make(message int32) int32 {
	l.parents = append(l.parents, parentLink{parent: nobody, message: message})
	return int32(len(l.parents) - 1)
}

// link makes parent the parent of a node that has none, unless that would be a
// loop. A node without children is in nobody's way up.
func (l *linker) link(parent, child int32) {
	if parent == child {
		return
	}
	if l.parents[child].kids > 0 {
		for up := parent; up != nobody; up = l.parents[up].parent {
			if l.steps++; up == child || l.steps > maxLoopSteps {
				return
			}
		}
	}
	l.parents[child].parent = parent
	l.parents[parent].kids++
}

func (l *linker) unlink(child int32) {
	if up := l.parents[child].parent; up != nobody {
		l.parents[up].kids--
		l.parents[child].parent = nobody
	}
}
