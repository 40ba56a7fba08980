package uidlist

import "errors"

// Message is a message as a server has it.
type Message struct {
	Name  string // for people: a file's name, or a number
	UIDL  string
	Size  int64 // octets, with CRLF
	Print Print // of the header
	ID    Print // of the fields that make a message known, see IDOf; zero for none
}

// maxMessages bounds a list.
const maxMessages = 2_000_000

// What is kept of a name and of a UIDL: more than either can have.
const (
	maxName = 256
	maxUIDL = 80
)

func clip(s string, n int) string { return s[:min(len(s), n)] }

// ErrTooMany says that a list is longer than any maildrop.
var ErrTooMany = errors.New("more than 2,000,000 messages")

// Match finds for each message of the old server the one here: its index, or -1.
// Of several with the same header, the one that has the UIDL already goes first,
// then one of the same size, in order; a size may differ, as not all servers
// count line ends alike. What is left and has another header, because a server
// adds fields or folds them anew, must have an ID that no other message has.
func Match(old, here []Message) []int {
	m := matcher{pairs: make([]int, len(old)), taken: make([]bool, len(here))}
	for i := range m.pairs {
		m.pairs[i] = -1
	}
	type sized struct {
		Print
		size int64
	}
	type named struct {
		Print
		uidl string
	}
	round(&m, old, here, func(e *Message) named { return named{e.Print, e.UIDL} })
	round(&m, old, here, func(e *Message) sized { return sized{e.Print, e.Size} })
	round(&m, old, here, func(e *Message) Print { return e.Print })
	m.byID(old, here)
	return m.pairs
}

// byID pairs what is left and alone on both sides.
func (m *matcher) byID(old, here []Message) {
	// alone gives by ID where a message is, -1 for an ID that several have.
	alone := func(list []Message) map[Print]int {
		found := map[Print]int{}
		for i := range list {
			id := list[i].ID
			if _, known := found[id]; known {
				found[id] = -1
				continue
			}
			found[id] = i
		}
		return found
	}
	theirs, ours := alone(old), alone(here)
	for id, i := range theirs {
		j, ok := ours[id]
		if id != (Print{}) && ok && i >= 0 && j >= 0 && m.pairs[i] < 0 && !m.taken[j] {
			m.pairs[i], m.taken[j] = j, true
		}
	}
}

type matcher struct {
	pairs []int  // by index in old
	taken []bool // by index in here
}

// round pairs what is left by a key.
func round[K comparable](m *matcher, old, here []Message, key func(*Message) K) {
	free := map[K][]int{}
	for i := range here {
		if !m.taken[i] {
			k := key(&here[i])
			free[k] = append(free[k], i)
		}
	}
	for i := range old {
		if m.pairs[i] >= 0 {
			continue
		}
		k := key(&old[i])
		if list := free[k]; len(list) > 0 {
			m.pairs[i], free[k] = list[0], list[1:]
			m.taken[list[0]] = true
		}
	}
}
