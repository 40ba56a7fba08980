package imapd

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The mailboxes that all sessions work in; others come and go below "tmp".
func mainBoxes() []string { return []string{"INBOX", "Archive", "Work"} }

// TestConsistency lets sessions of every mode do everything to the same
// mailboxes at once, beside deliveries and POP3. What each believes from what
// it was told must be what a new session sees.
//
// TANDEM_CONSISTENCY is how long it goes on ("10m"); without it a fixed number
// of steps is done.
func TestConsistency(t *testing.T) {
	var until time.Time
	if text := os.Getenv("TANDEM_CONSISTENCY"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		until = time.Now().Add(d)
	}
	rounds := 2
	if testing.Short() {
		rounds = 1
	}
	w := newWorld(t)
	done := 0
	for n := 0; n < rounds || time.Now().Before(until); n++ {
		seed := rand.Uint64()
		if until.IsZero() {
			t.Logf("round %d: seed %d", n, seed)
		}
		w.round(seed)
		done++
		if t.Failed() {
			break
		}
	}
	t.Logf("%d rounds, %d steps, %d mailboxes compared, %d resumed, %d by POP3 or LMTP",
		done, w.steps.Load(), w.compared, w.resumed.Load(), w.foreign.Load())
}

// How a round goes: everybody does some steps, then all views are compared.
const (
	stretches = 4
	stretch   = 30
)

// round has one session of each mode work and be compared, several times.
func (w *world) round(seed uint64) {
	var sessions []*believer
	for i, mode := range modes() {
		b := &believer{w: w, t: w.t, name: string(rune('a' + i)), rnd: rand.New(rand.NewPCG(seed, uint64(i))), mode: mode}
		sessions = append(sessions, b)
	}
	each := func(f func(b *believer)) {
		var all sync.WaitGroup
		for _, b := range sessions {
			all.Go(func() { f(b) })
		}
		all.Wait()
	}
	each(func(b *believer) {
		b.begin()
		b.enter(mainBoxes()[b.rnd.IntN(3)])
		b.fetchAll()
	})
	for n := range stretches {
		stop := make(chan struct{})
		var others sync.WaitGroup
		others.Go(func() { w.otherProtocols(rand.New(rand.NewPCG(seed, uint64(100+n))), stop) })
		each(func(b *believer) { b.work(stretch) })
		close(stop)
		others.Wait()
		if n%2 == 0 {
			// All change all silently, at once, over what others did and they
			// have not heard of.
			each(func(b *believer) { b.fetchAll() })
			each(func(b *believer) { b.silent("+", "kw-"+b.name, b.all()...) })
		}
		if w.t.Failed() {
			return
		}
		each(func(b *believer) { b.run("NOOP") })
		w.compare(sessions)
	}
	each(func(b *believer) { b.run("LOGOUT") })
}

// compare compares what every session believes with what a new one sees.
func (w *world) compare(sessions []*believer) {
	truth := w.look()
	for _, b := range sessions {
		if b.at != "" {
			b.agrees(truth[b.id])
			w.compared++
		}
		b.agreesOnOthers(truth)
		if b.faulty {
			return
		}
	}
}

// believer is a session that keeps what a client would: a list of messages
// built from untagged answers alone.
type believer struct {
	*client
	t      testing.TB
	w      *world
	rnd    *rand.Rand
	name   string
	mode   mode
	tags   int
	busy   string   // command in hand
	said   []string // the last lines, of both sides
	faulty bool
	begins time.Time

	at   string // the selected mailbox by the name that it was selected by, or ""
	id   string // its MAILBOXID
	list []believed
	sync syncState
	kept map[string]remembered
	next *entering // SELECT in hand
	live liveBelief

	counts map[string]map[string]int // of other mailboxes, as told by STATUS
	names  map[string]bool           // of mailboxes, as told by NOTIFY
}

// believed is one message; unknown parts are zero and nil.
type believed struct {
	uid    int
	flags  []string // sorted, without \Recent
	modseq int
	found  bool // by the search that is kept up to date
	told   bool // flags, since the last silent STORE
}

// work does a number of steps, until something is wrong somewhere.
func (b *believer) work(steps int) {
	for range steps {
		if b.t.Failed() {
			return
		}
		b.step()
		b.w.steps.Add(1)
	}
}

// note keeps a line of the dialogue for the report of a fault.
func (b *believer) note(side, line string) {
	if len(b.said) == 1000 {
		b.said = append(b.said[:0], b.said[500:]...)
	}
	b.said = append(b.said, fmt.Sprintf("%9.3f %s %s", float64(time.Since(b.begins).Microseconds())/1000, side, line))
}

// fault reports the first thing that is wrong; the rest follows from it.
func (b *believer) fault(format string, args ...any) {
	if b.faulty {
		return
	}
	b.faulty = true
	b.t.Errorf("session %s %+v: %s\nin answer to %s\nthe dialogue ended\n%s",
		b.name, b.mode, fmt.Sprintf(format, args...), b.busy, strings.Join(b.said[max(0, len(b.said)-300):], "\n"))
}

// say sends a line. When that fails, what the server said last is still to be
// read.
func (b *believer) say(line string) {
	if b.mode.guest {
		line = asGuest(line)
	}
	b.note("C:", line)
	_, _ = b.conn.Write([]byte(line + "\r\n"))
}

// tag makes a new one.
func (b *believer) tag() string {
	b.tags++
	return fmt.Sprintf("%s%d", b.name, b.tags)
}

// run sends a command and takes in everything up to its tagged answer, of
// which it gives what follows the tag.
func (b *believer) run(format string, args ...any) string {
	tag := b.tag()
	b.busy = fmt.Sprintf(format, args...)
	b.say(tag + " " + b.busy)
	answer := b.until(tag + " ")
	b.judge(answer)
	return answer
}

// refusals are the codes of NO that work at the same time explains.
func refusals() []string {
	return []string{"EXPUNGEISSUED", "NONEXISTENT", "TRYCREATE", "ALREADYEXISTS", "MODIFIED", "HASCHILDREN", "CANNOT"}
}

// judge looks whether an answer is one that a client that does no wrong can get.
func (b *believer) judge(answer string) {
	word, text, _ := strings.Cut(answer, " ")
	code, _, _ := strings.Cut(strings.TrimPrefix(text, "["), "]")
	code, _, _ = strings.Cut(code, " ")
	if word != "OK" && word != "BYE" && !(word == "NO" && slices.Contains(refusals(), code)) {
		b.fault("answered %s", answer)
	}
}

// until takes in lines up to one that begins with prefix, and gives the rest
// of it; or "BYE" when the server ends the session.
func (b *believer) until(prefix string) string {
	_ = b.conn.SetDeadline(time.Now().Add(30 * time.Second))
	for {
		line := b.logical()
		if rest, ok := strings.CutPrefix(line, prefix); ok {
			b.sync.hear(line)
			b.sync.tagged()
			return rest
		}
		if strings.HasPrefix(line, "* BYE") && b.busy != "LOGOUT" {
			return b.ended(line)
		}
		b.hear(line)
	}
}

// logical reads a line with the literals in it, whose octets it leaves out.
func (b *believer) logical() string {
	line := b.readLine()
	for {
		var n int
		at := strings.LastIndexByte(line, '{')
		if at < 0 || !strings.HasSuffix(line, "}") {
			break
		}
		if _, err := fmt.Sscanf(line[at:], "{%d}", &n); err != nil {
			break
		}
		for range n {
			if _, err := b.in.ReadByte(); err != nil {
				b.t.Fatal(err)
			}
		}
		line = line[:at] + "literal" + b.readLine()
	}
	b.note("S:", line)
	if b.mode.guest {
		line = asHost(line)
	}
	return line
}

func (b *believer) readLine() string {
	line, err := b.in.ReadString('\n')
	if err != nil || !strings.HasSuffix(line, "\r\n") {
		b.fault("reading a line: %q, %v", line, err)
		b.t.FailNow()
	}
	if _, code, ok := strings.Cut(line, "[UIDVALIDITY "); ok {
		b.validity, _, _ = strings.Cut(code, "]")
	}
	return strings.TrimSuffix(line, "\r\n")
}

// agrees compares what is believed, as far as it is known, with the truth. A
// mailbox that is gone has no messages.
func (b *believer) agrees(truth *believer) {
	b.busy = "comparison of " + b.at
	if truth == nil {
		if len(b.list) > 0 {
			b.fault("the mailbox is gone, but %d messages are believed in", len(b.list))
		}
		return
	}
	if len(b.list) != len(truth.list) {
		b.fault("%d messages believed, the mailbox has %d", len(b.list), len(truth.list))
		return
	}
	for i, m := range b.list {
		if b.mode.uidonly { // places mean nothing
			i = slices.IndexFunc(truth.list, func(real believed) bool { return m.uid == 0 || m.uid == real.uid })
		}
		if i < 0 {
			b.fault("UID %d is believed in, but gone", m.uid)
			return
		}
		real := truth.list[i]
		switch {
		case m.uid != 0 && m.uid != real.uid:
			b.fault("message %d is UID %d, believed %d", i+1, real.uid, m.uid)
		case m.flags != nil && !slices.Equal(m.flags, real.flags):
			b.fault("message %d (UID %d) has flags %v, believed %v", i+1, real.uid, real.flags, m.flags)
		case b.mode.modseqs() && m.modseq != 0 && m.modseq != real.modseq:
			b.fault("message %d (UID %d) has MODSEQ %d, believed %d", i+1, real.uid, real.modseq, m.modseq)
		}
	}
	b.agreesOnSearch(truth)
}

// all gives all sequence numbers.
func (b *believer) all() (seqs []int) {
	for n := range b.list {
		seqs = append(seqs, n+1)
	}
	return seqs
}
