package pop3d

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"tandem/store"
)

// modelMessage is a message as the test knows it.
type modelMessage struct {
	uid     store.UID
	text    string
	uidl    string // "" until a session has listed it
	deleted bool   // marked in the session
}

// model is INBOX and a POP3 session on it, said plainly.
type model struct {
	t      *testing.T
	w      *world
	rnd    *rand.Rand
	policy store.DeletePolicy
	inbox  []*modelMessage
	hidden map[store.UID]bool // by this device, under "keep"
	trash  int

	c    *client
	drop []*modelMessage // of the session
	n    int             // messages made so far
}

// TestModel drives random interleavings of a POP3 session with what an IMAP
// client does meanwhile, and compares each answer with the model.
func TestModel(t *testing.T) {
	for seed := range uint64(6) {
		policy := []store.DeletePolicy{store.DeleteTrash, store.DeleteExpunge, store.DeleteKeep}[seed%3]
		t.Run(fmt.Sprintf("%s/%d", policy, seed), func(t *testing.T) {
			w := newWorld(t).listen()
			w.setPolicy(policy)
			m := &model{t: t, w: w, rnd: rand.New(rand.NewPCG(seed, 9)), policy: policy, hidden: map[store.UID]bool{}}
			steps := []func(){m.put, m.put, m.expunge, m.login, m.dele, m.dele, m.dele, m.rset, m.list, m.retr, m.retr, m.quit, m.vanish}
			for range 150 {
				steps[m.rnd.IntN(len(steps))]()
				m.check()
			}
		})
	}
}

// put: IMAP appends.
func (m *model) put() {
	m.n++
	text := fmt.Sprintf("N: %d\r\n\r\n%s", m.n, randomText(m.rnd))
	m.inbox = append(m.inbox, &modelMessage{uid: m.w.put("INBOX", text), text: text})
}

// expunge: IMAP removes one.
func (m *model) expunge() {
	if len(m.inbox) == 0 {
		return
	}
	i := m.rnd.IntN(len(m.inbox))
	m.w.expunge(m.inbox[i].uid)
	m.inbox = slices.Delete(m.inbox, i, i+1)
}

func (m *model) login() {
	if m.c != nil {
		return
	}
	m.c = m.w.login()
	m.drop = nil
	for _, msg := range m.inbox {
		if !m.hidden[msg.uid] {
			msg.deleted = false
			m.drop = append(m.drop, msg)
		}
	}
	m.list()
}

func (m *model) list() {
	if m.c == nil {
		return
	}
	var count, octets int
	var list strings.Builder
	for i, msg := range m.drop {
		if !msg.deleted {
			count, octets = count+1, octets+len(msg.text)
			fmt.Fprintf(&list, "%d %d\r\n", i+1, len(msg.text))
		}
	}
	m.c.script(fmt.Sprintf("C: STAT\nS: +OK %d %d\nC: LIST\nS: +OK*", count, octets))
	if got := m.c.body(); got != list.String() {
		m.t.Fatalf("LIST:\n%swant\n%s", got, list.String())
	}
	m.c.script("C: UIDL\nS: +OK*")
	got := m.c.body()
	list.Reset()
	lines := strings.Split(got, "\r\n")
	for i, msg := range m.drop {
		if !msg.deleted {
			if msg.uidl == "" && len(lines) > 0 {
				_, msg.uidl, _ = strings.Cut(lines[0], " ")
			}
			lines = lines[min(1, len(lines)):]
			fmt.Fprintf(&list, "%d %s\r\n", i+1, msg.uidl)
		}
	}
	if got != list.String() {
		m.t.Fatalf("UIDL:\n%swant\n%s", got, list.String())
	}
}

// pick gives a message number, maybe one too high, and its message.
func (m *model) pick() (int, *modelMessage) {
	n := m.rnd.IntN(len(m.drop) + 1)
	if n == len(m.drop) {
		return n + 1, nil
	}
	return n + 1, m.drop[n]
}

func (m *model) dele() {
	if m.c == nil {
		return
	}
	n, msg := m.pick()
	want := "+OK*"
	if msg == nil || msg.deleted {
		want = "-ERR*"
	} else {
		msg.deleted = true
	}
	m.c.script(fmt.Sprintf("C: DELE %d\nS: %s", n, want))
}

func (m *model) rset() {
	if m.c == nil || m.rnd.IntN(3) > 0 {
		return
	}
	m.c.script("C: RSET\nS: +OK*")
	for _, msg := range m.drop {
		msg.deleted = false
	}
}

func (m *model) retr() {
	if m.c == nil {
		return
	}
	n, msg := m.pick()
	if msg == nil || msg.deleted {
		m.c.script(fmt.Sprintf("C: RETR %d\nS: -ERR*", n))
		return
	}
	m.c.script(fmt.Sprintf("C: RETR %d\nS: +OK %d octets", n, len(msg.text)))
	want := msg.text
	if !strings.HasSuffix(want, "\n") {
		want += "\r\n"
	}
	if got := readBody(m.c); got != want {
		m.t.Fatalf("RETR %d: %q, want %q", n, got, want)
	}
}

func (m *model) quit() {
	if m.c == nil {
		return
	}
	m.c.script("C: QUIT\nS: +OK*\nS: EOF")
	m.c = nil
	for _, msg := range m.drop {
		i := slices.Index(m.inbox, msg)
		switch {
		case !msg.deleted || i < 0:
		case m.policy == store.DeleteKeep:
			m.hidden[msg.uid] = true
		default:
			m.inbox = slices.Delete(m.inbox, i, i+1)
			if m.policy == store.DeleteTrash {
				m.trash++
			}
		}
	}
}

// vanish: the connection breaks.
func (m *model) vanish() {
	if m.c != nil {
		m.c.Close()
		m.c = nil
	}
}

// check compares what IMAP sees.
func (m *model) check() {
	m.t.Helper()
	var want []store.UID
	for _, msg := range m.inbox {
		want = append(want, msg.uid)
	}
	if got := m.w.uids("INBOX"); !slices.Equal(got, want) {
		m.t.Fatalf("INBOX has %v, want %v", got, want)
	}
	if got := len(m.w.uids("Trash")); got != m.trash {
		m.t.Fatalf("Trash has %d messages, want %d", got, m.trash)
	}
}
