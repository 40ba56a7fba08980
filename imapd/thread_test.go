package imapd

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// letter is a message as the tests write it.
type letter struct {
	id      uint64
	refs    []uint64
	subject uint64
	reply   bool
	sent    int64
}

// threadsOf threads letters and gives the answer as it would be sent.
func threadsOf(list []letter, order func(*threader) *forest) (*forest, string) {
	t := &threader{links: newLinker(len(list))}
	for i, m := range list {
		t.links.add(int32(i), m.id, m.refs)
		t.messages = append(t.messages, threaded{seq: uint32(i + 1), uid: store.UID(i + 1), sent: m.sent, reply: m.reply, subject: m.subject})
	}
	f := order(t)
	var out bytes.Buffer
	s := &session{enc: wire.NewEncoder(&out)}
	s.tellThreads(f, false)
	_ = s.enc.Flush()
	return f, strings.TrimSuffix(out.String(), "\r\n")
}

func TestThreadsMerge(t *testing.T) {
	for _, tt := range []struct {
		name string
		list []letter
		want string
	}{
		{"a reply joins what it answers", []letter{{id: 1, subject: 7}, {id: 2, subject: 7, reply: true, sent: 1}}, "(1 2)"},
		{"also when it comes first", []letter{{id: 1, subject: 7, reply: true}, {id: 2, subject: 7, sent: 1}}, "(2 1)"},
		{"two replies are brothers", []letter{{id: 1, subject: 7, reply: true}, {id: 2, subject: 7, reply: true, sent: 1}}, "((1)(2))"},
		{"three of a kind", []letter{{id: 1, subject: 7}, {id: 2, subject: 7, sent: 2}, {id: 3, subject: 7, sent: 1}}, "((1)(3)(2))"},
		{"two families without a parent", []letter{{refs: []uint64{8}, subject: 7}, {refs: []uint64{8}, subject: 7}, {refs: []uint64{9}, subject: 7}, {refs: []uint64{9}, subject: 7}}, "((1)(2)(3)(4))"},
		{"a message joins a family without a parent", []letter{{subject: 7}, {refs: []uint64{9}, subject: 7, sent: 1}, {refs: []uint64{9}, sent: 2}}, "((1)(2)(3))"},
		{"no subject, no merging", []letter{{}, {}}, "(1)(2)"},
		{"a lost chain is left out", []letter{{id: 1, refs: []uint64{5, 6, 7}}, {id: 2, refs: []uint64{5, 6, 7}}}, "((1)(2))"},
		{"nobody answers himself", []letter{{id: 1, refs: []uint64{1}}, {id: 2, refs: []uint64{1, 1}}}, "(1 2)"},
		{"what the message says itself counts", []letter{{id: 3, refs: []uint64{1, 2}}, {id: 2, refs: []uint64{9}, sent: 1}, {id: 9, sent: 2}}, "(3 2 1)"},
	} {
		if _, got := threadsOf(tt.list, byReferences); got != "* THREAD "+tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// checkForest: every message is there once, dummies are roots that hold at
// least two, and brothers are in order.
func checkForest(t *testing.T, f *forest, n int) {
	t.Helper()
	seen := make([]bool, n)
	todo := slices.Clone(f.roots)
	for i := 1; i < len(f.roots); i++ {
		if f.roots[i-1] == f.roots[i] {
			t.Fatalf("root %d twice", f.roots[i])
		}
	}
	for depth := 0; len(todo) > 0; depth++ {
		var below []int32
		for _, at := range todo {
			node := f.nodes[at]
			if node.message == nobody {
				if depth > 0 || node.first == node.last {
					t.Fatalf("a dummy at depth %d, children %d to %d", depth, node.first, node.last)
				}
			} else if seen[node.message] {
				t.Fatalf("message %d comes twice", node.message)
			} else {
				seen[node.message] = true
			}
			var before *threaded
			for kid := node.first; kid != nobody; kid = f.nodes[kid].next {
				if m := f.message(kid); before != nil && m != nil && bySent(before, m) > 0 {
					t.Fatalf("children of %d are not in order", at)
				}
				before = f.message(kid)
				below = append(below, kid)
			}
		}
		todo = below
	}
	if i := slices.Index(seen, false); i >= 0 {
		t.Fatalf("message %d is lost", i)
	}
}

func randomLetters(r *rand.Rand, n, ids int) []letter {
	list := make([]letter, n)
	for i := range list {
		m := letter{id: r.Uint64N(uint64(ids)), subject: r.Uint64N(uint64(n)), reply: r.IntN(2) == 0, sent: r.Int64N(int64(n))}
		for range r.IntN(4) {
			m.refs = append(m.refs, 1+r.Uint64N(uint64(ids)))
		}
		list[i] = m
	}
	return list
}

func TestThreadsAreWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 2000 {
		n := 1 + r.IntN(30)
		list := randomLetters(r, n, 1+r.IntN(40))
		for _, order := range []func(*threader) *forest{byReferences, byRefs, orderedSubject} {
			f, line := threadsOf(list, order)
			checkForest(t, f, n)
			if strings.Count(line, "(") != strings.Count(line, ")") || strings.Contains(line, "( ") || strings.Contains(line, " )") {
				t.Fatalf("answer %s", line)
			}
		}
	}
}

// TestThreadsDeep: the deepest threads, in both orders of arrival, take no
// recursion and no square time.
func TestThreadsDeep(t *testing.T) {
	const n = 100_000
	for _, backwards := range []bool{false, true} {
		list := make([]letter, n)
		for i := range list {
			list[i] = letter{id: uint64(i + 1), refs: []uint64{uint64(i)}, sent: int64(i)}
			if i == 0 {
				list[i].refs = nil
			}
		}
		if backwards {
			slices.Reverse(list)
		}
		f, line := threadsOf(list, byReferences)
		checkForest(t, f, n)
		if len(f.roots) != 1 || strings.Count(line, "(") != 1 {
			t.Errorf("backwards %v: %d threads, %d lists", backwards, len(f.roots), strings.Count(line, "("))
		}
	}
}

// TestThreadsHostile: references made to cost time and memory cost little.
func TestThreadsHostile(t *testing.T) {
	l := newLinker(0)
	const depth = 20_000
	for i := range depth {
		l.add(int32(i), uint64(i+1), []uint64{uint64(i)}[:min(i, 1)])
	}
	refs := make([]uint64, 200) // each tries to close the loop
	for i := range refs {
		refs[i] = uint64(1 + (i+1)%2*(depth-1))
	}
	for i := range 2000 {
		l.add(int32(depth+i), 0, refs)
	}
	if l.steps > maxLoopSteps+200*2000 {
		t.Errorf("%d steps", l.steps)
	}
	for i := range uint64(2 * maxDummies / 200) {
		for k := range refs {
			refs[k] = 1_000_000 + i*200 + uint64(k)
		}
		l.add(int32(i), 0, refs)
	}
	if len(l.parents) > maxDummies+depth+2000+2*maxDummies/200 {
		t.Errorf("%d nodes", len(l.parents))
	}
}

func FuzzThreads(f *testing.F) {
	f.Add([]byte("\x01\x02\x03\x04\x05\x06\x07\x08"))
	f.Add([]byte("1 2 3 4 5 6 7 8 9 10 11 12"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var list []letter
		for len(b) >= 4 && len(list) < 200 {
			m := letter{id: uint64(b[0] % 16), subject: uint64(b[1] % 8), reply: b[1]&128 != 0, sent: int64(b[2])}
			refs := b[4:min(len(b), 4+int(b[3]%6))]
			for _, ref := range refs {
				m.refs = append(m.refs, uint64(1+ref%16))
			}
			b = b[4+len(refs):]
			list = append(list, m)
		}
		for _, order := range []func(*threader) *forest{byReferences, byRefs, orderedSubject} {
			forest, _ := threadsOf(list, order)
			checkForest(t, forest, len(list))
		}
	})
}
