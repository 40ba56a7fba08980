package imapd

import (
	"context"

	"tandem/imapd/internal/wire"
)

// threadCommand is THREAD and UID THREAD of RFC 5256 section 3.
func threadCommand(uid bool) command {
	parse := func(s *session, d *wire.Decoder) threadArgs { return parseThread(s, d, uid) }
	if uid {
		return row("UID THREAD", selected, 0, parse, (*session).thread)
	}
	return row("THREAD", selected, usesNumbers, parse, (*session).thread)
}

// threading is a row of the table of threading algorithms.
type threading struct {
	name    string
	subject bool // it needs the base subject
	refs    bool // it needs message ids
	order   func(t *threader) *forest
}

type threadArgs struct {
	searchArgs
	how threading
}

func parseThread(s *session, d *wire.Decoder, uid bool) (a threadArgs) {
	a.uid = uid
	d.SP()
	a.how, _ = find(d, s.srv.reg.threadings, "threading algorithm")
	a.parseProgram(s, d)
	return a
}

func (s *session) thread(ctx context.Context, a threadArgs) error {
	t := newThreader(a.how, int(s.view.Len()))
	err := s.lookThrough(ctx, &a.searchArgs, harvest{whole: true, level: byStructure, read: t.read, take: t.take})
	if err != nil {
		return err
	}
	s.tellThreads(a.how.order(t), a.uid)
	return nil
}

// tellThreads sends THREAD (RFC 5256 section 4). Threads may be as deep as the
// mailbox is large, so there is no recursion.
func (s *session) tellThreads(f *forest, uid bool) {
	s.enc.Raw("* THREAD")
	for i, root := range f.roots {
		if i == 0 {
			s.enc.SP()
		}
		s.tellThread(f, root, uid)
		if s.enc.Err() != nil {
			return
		}
	}
	s.enc.CRLF()
}

func (s *session) tellThread(f *forest, at int32, uid bool) {
	var open []int32 // for each list of threads begun, the next of them
	s.enc.Byte('(')
	for {
		if m := f.message(at); m != nil {
			n := m.seq
			if uid {
				n = uint32(m.uid)
			}
			s.enc.Num(uint64(n))
			if f.nodes[at].first != nobody {
				s.enc.SP()
			}
		}
		if s.enc.Buffered() > 16<<10 && s.enc.Flush() != nil {
			return
		}
		if first := f.nodes[at].first; first != nobody {
			if next := f.nodes[first].next; next != nobody {
				s.enc.Byte('(')
				open = append(open, next)
			}
			at = first
			continue
		}
		s.enc.Byte(')')
		for len(open) > 0 && open[len(open)-1] == nobody {
			open = open[:len(open)-1]
			s.enc.Byte(')')
		}
		if len(open) == 0 {
			return
		}
		s.enc.Byte('(')
		at = open[len(open)-1]
		open[len(open)-1] = f.nodes[at].next
	}
}
