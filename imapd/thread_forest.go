package imapd

import "slices"

// forest is threads: nodes with their children in order.
type forest struct {
	messages []threaded
	nodes    []threadNode
	roots    []int32
}

// threadNode is a message or, on the top level only, a dummy that holds
// messages together.
type threadNode struct {
	message           int32 // nobody: a dummy
	first, last, next int32 // children, and the next of one's own parent
}

// message gives the message of a node, nil for a dummy.
func (f *forest) message(at int32) *threaded {
	if m := f.nodes[at].message; m != nobody {
		return &f.messages[m]
	}
	return nil
}

func (f *forest) add(message int32) int32 {
	f.nodes = append(f.nodes, threadNode{message, nobody, nobody, nobody})
	return int32(len(f.nodes) - 1)
}

// append puts a node behind the children of another.
func (f *forest) append(parent, child int32) {
	f.nodes[child].next = nobody
	if last := f.nodes[parent].last; last == nobody {
		f.nodes[parent].first = child
	} else {
		f.nodes[last].next = child
	}
	f.nodes[parent].last = child
}

// adopt puts the children of one node behind those of another.
func (f *forest) adopt(parent, from int32) {
	first, last := f.nodes[from].first, f.nodes[from].last
	f.nodes[from].first, f.nodes[from].last = nobody, nobody
	if first == nobody {
		return
	}
	if end := f.nodes[parent].last; end == nobody {
		f.nodes[parent].first = first
	} else {
		f.nodes[end].next = first
	}
	f.nodes[parent].last = last
}

// leader gives the message that a node goes by: a dummy goes by the first of
// its children (RFC 5256 section 3), which need not be in order yet.
func (f *forest) leader(at int32) *threaded {
	if m := f.message(at); m != nil {
		return m
	}
	var least *threaded
	for kid := f.nodes[at].first; kid != nobody; kid = f.nodes[kid].next {
		if m := f.message(kid); least == nil || bySent(m, least) < 0 {
			least = m
		}
	}
	return least
}

// sortKids puts the children of every node in the order of their sent dates.
func (f *forest) sortKids() {
	var kids []int32
	for i := range f.nodes {
		n := &f.nodes[i]
		if n.first == n.last {
			continue
		}
		kids = kids[:0]
		for kid := n.first; kid != nobody; kid = f.nodes[kid].next {
			kids = append(kids, kid)
		}
		slices.SortFunc(kids, func(a, b int32) int { return bySent(f.message(a), f.message(b)) })
		n.first, n.last = nobody, nobody
		for _, kid := range kids {
			f.append(int32(i), kid)
		}
	}
}

// sortRoots puts the threads in the order of their leaders.
func (f *forest) sortRoots() {
	keys := make(map[int32]*threaded) // of dummies
	for _, at := range f.roots {
		if f.nodes[at].message == nobody {
			keys[at] = f.leader(at)
		}
	}
	of := func(at int32) *threaded {
		if m := f.message(at); m != nil {
			return m
		}
		return keys[at]
	}
	slices.SortFunc(f.roots, func(a, b int32) int { return bySent(of(a), of(b)) })
}

// plant makes threads of parents: steps 2 and 3 of RFC 5256 section 3,
// THREAD=REFERENCES. Children come before their parents, so that a dummy has
// all that is to be promoted when its turn comes.
func plant(messages []threaded, links *linker) *forest {
	f := &forest{messages: messages, nodes: make([]threadNode, len(links.parents))}
	ready := make([]int32, 0, len(f.nodes))
	for i := range links.parents {
		f.nodes[i] = threadNode{links.parents[i].message, nobody, nobody, nobody}
		if links.parents[i].kids == 0 {
			ready = append(ready, int32(i))
		}
	}
	for len(ready) > 0 {
		at := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		up := links.parents[at].parent
		f.settle(at, up)
		if up != nobody {
			if links.parents[up].kids--; links.parents[up].kids == 0 {
				ready = append(ready, up)
			}
		}
	}
	return f
}

// settle puts a node whose children are settled below its parent.
func (f *forest) settle(at, up int32) {
	n := f.nodes[at]
	switch {
	case n.message == nobody && n.first == nobody: // 3, first case
	case n.message == nobody && up != nobody:
		f.adopt(up, at)
	case n.message == nobody && n.first == n.last: // one child may become a root
		f.roots = append(f.roots, n.first)
	case up == nobody:
		f.roots = append(f.roots, at)
	default:
		f.append(up, at)
	}
}

// byReferences is RFC 5256 section 3, THREAD=REFERENCES.
func byReferences(t *threader) *forest {
	f := plant(t.messages, t.links)
	f.sortRoots()    // step 4
	f.mergeSubject() // step 5
	f.sortKids()     // step 6
	f.sortRoots()
	return f
}

// byRefs is as byReferences, but subjects do not matter, and the thread with
// the latest message is the last. Dovecot orders them so, by sent dates.
func byRefs(t *threader) *forest {
	f := plant(t.messages, t.links)
	f.sortKids()
	latest := make(map[int32]*threaded, len(f.roots))
	for _, root := range f.roots {
		latest[root] = f.latest(root)
	}
	slices.SortFunc(f.roots, func(a, b int32) int { return bySent(latest[a], latest[b]) })
	return f
}

// latest gives the message of a thread that was sent last.
func (f *forest) latest(root int32) (found *threaded) {
	todo := []int32{root}
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if m := f.message(at); m != nil && (found == nil || bySent(m, found) > 0) {
			found = m
		}
		for kid := f.nodes[at].first; kid != nobody; kid = f.nodes[kid].next {
			todo = append(todo, kid)
		}
	}
	return found
}

// orderedSubject is RFC 5256 section 3, THREAD=ORDEREDSUBJECT: the first of
// each subject is the parent of the others.
func orderedSubject(t *threader) *forest {
	slices.SortFunc(t.messages, func(a, b threaded) int { return bySent(&a, &b) })
	f := &forest{messages: t.messages, nodes: make([]threadNode, 0, len(t.messages))}
	first := map[uint64]int32{}
	for i := range t.messages {
		at := f.add(int32(i))
		if root, known := first[t.messages[i].subject]; known {
			f.append(root, at)
			continue
		}
		first[t.messages[i].subject] = at
		f.roots = append(f.roots, at)
	}
	return f
}
