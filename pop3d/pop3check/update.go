package pop3check

import (
	"net"
	"slices"
)

func updateChecks() []check {
	return []check{
		{"dele", "1939 section 5", dele},
		{"dele-until-quit", "1939 section 5", deleUntilQuit},
		{"rset", "1939 section 5", rset},
		{"rset-nothing-marked", "1939 section 5", rsetNothing},
		{"rset-then-quit", "1939 section 5", rsetThenQuit},
		{"rset-then-dele", "1939 section 5", rsetThenDele},
		{"quit-removes", "1939 section 6", quitRemoves},
		{"quit-removes-no-others", "1939 section 6", quitNoOthers},
		{"quit-after-the-work", "1939 section 6", quitAfterWork},
		{"quit-ok-means-removed", "1939 section 6", quitTruth},
		{"quit-closes", "1939 section 6", quitCloses},
		{"close-removes-nothing", "1939 section 6", closeRemovesNothing},
		{"reset-removes-nothing", "1939 section 6", resetRemovesNothing},
		{"unfinished-quit-removes-nothing", "1939 section 6", unfinishedQuit},
		{"close-amid-retr-removes-nothing", "1939 section 6", closeAmidRetr},
		{"close-marks-nothing-read", "1939 section 4", closeMarksNothing},
		{"top-marks-nothing-read", "1939 section 7", topMarksNothing},
		{"expunged-meanwhile", "1939 section 4", expungedMeanwhile},
	}
}

func dele(t *test) {
	s, n := t.scratch(1)
	s.ok("DELE %d", n[0])
	s.alive()
}

// deleUntilQuit: the mark is no deletion yet: RSET brings the message back whole.
func deleUntilQuit(t *test) {
	s, n := t.scratch(1)
	before := s.text("RETR %d", n[0])
	s.ok("DELE %d", n[0])
	s.ok("RSET")
	t.same(s.text("RETR %d", n[0]), before)
}

func rset(t *test) {
	s, n := t.scratch(2)
	count, octets := s.stat()
	s.ok("DELE %d", n[0])
	s.ok("DELE %d", n[1])
	s.ok("RSET")
	count2, octets2 := s.stat()
	t.that(count == count2 && octets == octets2, "STAT was %d %d, after DELE and RSET %d %d", count, octets, count2, octets2)
	s.ok("LIST %d", n[0])
}

func rsetNothing(t *test) {
	s := t.login()
	s.ok("RSET")
	s.alive()
}

func rsetThenQuit(t *test) {
	ids := t.put(2)
	s := t.login()
	s.ok("DELE %d", s.number(ids[0]))
	s.ok("DELE %d", s.number(ids[1]))
	s.ok("RSET")
	s.quit()
	t.there(true, ids...)
}

// rsetThenDele: after RSET a message can be marked again, and only that counts.
func rsetThenDele(t *test) {
	ids := t.put(2)
	s := t.login()
	s.ok("DELE %d", s.number(ids[0]))
	s.ok("RSET")
	s.ok("DELE %d", s.number(ids[1]))
	s.quit()
	t.there(true, ids[0])
	t.there(false, ids[1])
}

func quitRemoves(t *test) {
	ids := t.put(1)
	s := t.login()
	s.ok("DELE %d", s.number(ids[0]))
	s.quit()
	t.there(false, ids...)
}

func quitNoOthers(t *test) {
	ids := t.put(3)
	s := t.login()
	before := s.uidls()
	s.ok("DELE %d", s.number(ids[1]))
	s.quit()
	s = t.login()
	after := s.uidls()
	if t.err != nil {
		return
	}
	for id := range before {
		if _, there := after[id]; !there && id != ids[1] {
			t.fail("the message with UIDL %s went too", id)
		}
	}
}

// quitAfterWork: when QUIT is answered, its deletions are done. The next session
// does not wait a moment.
func quitAfterWork(t *test) {
	ids := t.put(20)
	s := t.login()
	for _, id := range slices.Backward(ids) {
		s.ok("DELE %d", s.number(id))
	}
	s.ok("QUIT")
	s.inside = false
	next := t.login()
	listing := next.uidls()
	if t.err != nil {
		return
	}
	left := 0
	for _, id := range ids {
		if _, there := listing[id]; there {
			left++
		}
	}
	t.that(left == 0, "QUIT was answered, but %d of %d deleted messages are still there", left, len(ids))
}

// quitTruth: +OK to QUIT means that the messages are removed; a server that could
// not says -ERR. The right to delete is taken away where that is possible.
func quitTruth(t *test) {
	ids := t.put(1)
	undo := func() error { return nil }
	if v, ok := t.r.side.(viewer); ok && t.err == nil {
		u, err := v.forbid()
		if err != nil {
			t.fail("taking the right to delete away: %w", err)
		}
		if u != nil {
			undo = u
		}
	}
	s := t.login()
	s.ok("DELE %d", s.number(ids[0]))
	p := s.do("QUIT")
	s.inside = false
	s.drop()
	err := undo()
	if err != nil {
		t.fail("giving the right to delete back: %w", err)
	}
	if p.ok {
		t.there(false, ids...)
	}
}

func quitCloses(t *test) {
	s := t.login()
	s.ok("QUIT")
	s.closed()
}

func closeRemovesNothing(t *test) {
	ids := t.put(1)
	s := t.login()
	s.ok("DELE %d", s.number(ids[0]))
	s.drop()
	t.there(true, ids...)
}

// resetRemovesNothing ends the connection with RST.
func resetRemovesNothing(t *test) {
	ids := t.put(1)
	s := t.login()
	s.ok("DELE %d", s.number(ids[0]))
	if raw, ok := s.conn.(*net.TCPConn); ok {
		_ = raw.SetLinger(0) // else it is an ordinary close: still a test
	}
	s.drop()
	t.there(true, ids...)
}

// unfinishedQuit: a line without its end is no command.
func unfinishedQuit(t *test) {
	ids := t.put(1)
	s := t.login()
	s.ok("DELE %d", s.number(ids[0]))
	s.write("QUIT")
	s.drop()
	t.there(true, ids...)
}

// closeAmidRetr closes with a large answer under way.
func closeAmidRetr(t *test) {
	ids := t.put(1)
	s, large, _ := t.sample("large")
	s.ok("DELE %d", s.number(ids[0]))
	s.send("RETR %d", large)
	s.line()
	s.drop()
	t.there(true, ids...)
}

// closeMarksNothing: messages are not modified before the UPDATE state, and without
// QUIT there is none: one whose download broke off is not read.
func closeMarksNothing(t *test) {
	v := t.viewer()
	ids := t.put(1)
	s := t.login()
	s.text("RETR %d", s.number(ids[0]))
	s.drop()
	t.there(true, ids...)
	t.unread(v, "RETR without QUIT")
}

func topMarksNothing(t *test) {
	v := t.viewer()
	ids := t.put(1)
	s := t.login()
	s.text("TOP %d 0", s.number(ids[0]))
	s.quit()
	t.unread(v, "TOP")
}

// unread checks that the last message put in is not \Seen.
func (t *test) unread(v viewer, what string) {
	if t.err != nil {
		return
	}
	seen, err := v.seen(t.r.ours[len(t.r.ours)-1].name)
	if err != nil {
		t.fail("%w", err)
	}
	t.that(!seen, "%s marked the message as read", what)
}

// expungedMeanwhile: what another protocol removes during a session changes
// neither numbers nor sizes. RETR sends the message or says -ERR.
func expungedMeanwhile(t *test) {
	v := t.viewer()
	ids := t.put(2)
	s := t.login()
	n := []int{s.number(ids[0]), s.number(ids[1])}
	count, octets := s.stat()
	if t.err != nil {
		return
	}
	want := nameAt(t, n[1])
	if err := v.expunge(nameAt(t, n[0])); err != nil {
		t.fail("%w", err)
	}
	count2, octets2 := s.stat()
	t.that(count == count2 && octets == octets2, "STAT was %d %d, after an expunge elsewhere %d %d", count, octets, count2, octets2)
	if p := s.do("RETR %d", n[0]); p.ok {
		s.rest()
	}
	got := nameOf(s.text("RETR %d", n[1]))
	t.that(got == want, "RETR %d sends another message", n[1])
	s.ok("DELE %d", n[1])
	s.do("DELE %d", n[0])
	s.do("QUIT")
	s.inside = false
	s.drop()
	t.there(false, ids...)
}
