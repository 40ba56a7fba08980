package pop3check

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// test is a check under way. The first error ends it: afterwards the methods of
// the test and of its sessions do nothing and return zero values.
type test struct {
	r    *runner
	err  error
	open []*session
}

// skipError is why a check cannot be made.
type skipError struct{ why string }

func (e skipError) Error() string { return e.why }

// fail notes what is wrong, unless something was before.
func (t *test) fail(format string, args ...any) {
	if t.err == nil {
		t.err = fmt.Errorf(format, args...)
	}
}

// skip ends a check that cannot be made.
func (t *test) skip(format string, args ...any) {
	if t.err == nil {
		t.err = skipError{fmt.Sprintf(format, args...)}
	}
}

// that fails the test unless ok.
func (t *test) that(ok bool, format string, args ...any) {
	if !ok {
		t.fail(format, args...)
	}
}

// end closes the sessions that the check left open. One that could change the
// maildrop takes its marks back first. Nothing of that counts for the check.
func (t *test) end() {
	found := t.err
	for _, s := range t.open {
		if s.conn != nil && s.inside && t.err == nil {
			s.do("RSET")
			s.do("QUIT")
		}
		s.drop()
	}
	t.err = found
}

// dial connects, secures the connection as the configuration says, and reads the
// greeting.
func (t *test) dial() *session {
	s := t.dialPlain()
	if t.r.cfg.Security == STLS {
		s.stls()
	}
	return s
}

// dialPlain is dial without STLS.
func (t *test) dialPlain() *session {
	s := &session{t: t}
	t.open = append(t.open, s)
	if t.err != nil {
		return s
	}
	conn, err := t.r.connect()
	if err != nil {
		t.fail("connecting: %w", err)
		return s
	}
	s.attach(conn)
	s.greeting = s.reply()
	t.that(s.greeting.ok, "the greeting is %q", s.greeting.raw)
	return s
}

const (
	lockTime  = 5 * time.Second // how long the end of a session may hold the maildrop
	lockPause = 20 * time.Millisecond
)

// login opens a session in the TRANSACTION state. A maildrop that the end of the
// last session still holds is waited for.
func (t *test) login() *session {
	for start := time.Now(); ; {
		s := t.dial()
		s.ok("USER %s", t.r.cfg.User)
		answer := s.do("PASS %s", t.r.cfg.Password)
		switch {
		case t.err != nil || answer.ok:
			s.inside = t.err == nil
			return s
		case time.Since(start) > lockTime || t.r.ctx.Err() != nil || !locked(answer):
			t.fail("login refused: %q", answer.raw)
			return s
		}
		s.drop()
		time.Sleep(lockPause)
	}
}

// locked reports whether a login was refused because of another session. Servers
// without response codes say so in words.
func locked(p reply) bool {
	text := strings.ToLower(p.text)
	return strings.EqualFold(p.code, "IN-USE") || strings.Contains(text, "lock") || strings.Contains(text, "in use")
}

// needMail skips the test when no mail can be put in.
func (t *test) needMail() {
	if t.r.side == nil {
		t.skip("no way to put test mail in: give --lmtp or --imap")
	}
}

// put puts n small messages into the maildrop and gives their UIDLs.
func (t *test) put(n int) []string {
	t.needMail()
	if t.err != nil {
		return make([]string, n)
	}
	ids, err := t.r.put(slices.Repeat([]sample{{kind: "small", text: smallText}}, n))
	if err != nil {
		t.fail("%w", err)
		return make([]string, n)
	}
	return ids
}

// scratch puts n messages in, logs in and gives their numbers.
func (t *test) scratch(n int) (*session, []int) {
	ids := t.put(n)
	s := t.login()
	numbers := make([]int, n)
	for i, id := range ids {
		numbers[i] = s.number(id)
	}
	return s, numbers
}

// sample logs in and gives the number of the sample of a kind, and its text as it
// was put in.
func (t *test) sample(kind string) (*session, int, []byte) {
	t.needMail()
	i := slices.IndexFunc(t.r.ours, func(m mail) bool { return m.kind == kind })
	if i < 0 {
		t.skip("no message of that kind could be put in: it takes --imap")
		return &session{t: t}, 0, nil
	}
	s := t.login()
	return s, s.number(t.r.ours[i].uidl), t.r.ours[i].text
}

// there logs in and checks whether the messages are there, as want says.
func (t *test) there(want bool, ids ...string) {
	s := t.login()
	listing := s.uidls()
	if t.err != nil {
		return
	}
	for _, id := range ids {
		if _, there := listing[id]; there != want {
			t.fail("at the next login the message is there: %t, should be %t", there, want)
		}
	}
	s.quit()
}

// viewer gives the account's other door, if it shows mail too.
func (t *test) viewer() viewer {
	v, ok := t.r.side.(viewer)
	if !ok {
		t.skip("needs a look from the other side: give --imap")
	}
	return v
}

// caps gives the capabilities that CAPA lists before login.
func (t *test) caps() capabilities {
	s := t.dial()
	lines := s.lines("CAPA")
	s.drop()
	return parseCaps(lines)
}

// needs skips the test unless the server lists a capability.
func (t *test) needs(capability string) []string {
	list := t.caps()
	params, ok := list[capability]
	if t.err == nil && !ok {
		t.skip("the server does not list %s", capability)
	}
	return params
}

// errClosed is the orderly end of a connection, errSilent that a server does not
// answer in time.
var (
	errClosed = errors.New("the server closed the connection")
	errSilent = errors.New("no answer")
)
