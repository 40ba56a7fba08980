package imapd

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// believer is a session that keeps what a client would: a list of messages
// built from untagged answers alone.
type believer struct {
	*client
	rnd  *rand.Rand
	name string
	tags int
	list []believed
	busy string // command in hand

	mode mode
	sync syncState
}

// believed is one message; unknown parts are zero and nil.
type believed struct {
	uid   int
	flags []string // sorted, without \Recent
}

var (
	fetchLine  = regexp.MustCompile(`^\* (\d+) (?:UID)?FETCH \((.*)\)$`)
	uidItem    = regexp.MustCompile(`\bUID (\d+)`)
	flagsItem  = regexp.MustCompile(`\bFLAGS \(([^)]*)\)`)
	numberLine = regexp.MustCompile(`^\* (\d+) (EXISTS|EXPUNGE)$`)
)

// run sends a command and takes in everything up to its tagged answer.
func (b *believer) run(format string, args ...any) string {
	b.tags++
	tag := fmt.Sprintf("%s%d", b.name, b.tags)
	b.busy = fmt.Sprintf(format, args...)
	b.send(tag + " " + b.busy)
	return b.until(tag + " ")
}

func (b *believer) until(prefix string) string {
	for {
		line := b.line()
		b.sync.hear(line)
		if strings.HasPrefix(line, prefix) {
			b.sync.tagged()
			return line
		}
		b.hear(line)
	}
}

// hear applies one untagged answer.
func (b *believer) hear(line string) {
	if b.hearSync(line) {
		return
	}
	if m := numberLine.FindStringSubmatch(line); m != nil {
		n, _ := strconv.Atoi(m[1])
		if m[2] == "EXISTS" {
			if n < len(b.list) {
				b.t.Errorf("%s: EXISTS %d with %d known, in answer to %s", b.name, n, len(b.list), b.busy)
			}
			for len(b.list) < n {
				b.list = append(b.list, believed{})
			}
			return
		}
		word, _, _ := strings.Cut(b.busy, " ")
		if word == "FETCH" || word == "STORE" || word == "SEARCH" || word == "COPY" {
			b.t.Errorf("%s: EXPUNGE in answer to %s", b.name, b.busy)
		}
		if n < 1 || n > len(b.list) {
			b.t.Errorf("%s: EXPUNGE %d of %d", b.name, n, len(b.list))
			return
		}
		b.list = slices.Delete(b.list, n-1, n)
		return
	}
	if m := fetchLine.FindStringSubmatch(line); m != nil {
		b.hearFetch(line, m)
	}
}

func (b *believer) hearFetch(line string, m []string) {
	n, _ := strconv.Atoi(m[1])
	if b.mode.uidonly {
		n = b.find(n)
	}
	if n < 1 || n > len(b.list) {
		b.t.Errorf("%s: %s, but %d messages", b.name, line, len(b.list))
		return
	}
	known := &b.list[n-1]
	if u := uidItem.FindStringSubmatch(m[2]); u != nil {
		uid, _ := strconv.Atoi(u[1])
		if known.uid != 0 && known.uid != uid {
			b.t.Errorf("%s: message %d was UID %d, now %s (in answer to %s)", b.name, n, known.uid, line, b.busy)
		}
		known.uid = uid
	}
	if f := flagsItem.FindStringSubmatch(m[2]); f != nil {
		known.flags = sortedFlags(strings.Fields(f[1]))
	}
}

func sortedFlags(list []string) []string {
	out := []string{}
	for _, f := range list {
		if f != `\Recent` {
			out = append(out, f)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// some draws a sequence set that exists, or "".
func (b *believer) some() (set string, seqs []int) {
	if len(b.list) == 0 {
		return "", nil
	}
	first := 1 + b.rnd.IntN(len(b.list))
	last := min(len(b.list), first+b.rnd.IntN(4))
	if b.rnd.IntN(3) == 0 {
		first, last = 1, len(b.list)
	}
	for n := first; n <= last; n++ {
		seqs = append(seqs, n)
	}
	return fmt.Sprintf("%d:%d", first, last), seqs
}

// someUIDs draws a set of UIDs, some of which may be gone.
func (b *believer) someUIDs() string {
	n := 1
	if len(b.list) > 0 {
		n += b.list[b.rnd.IntN(len(b.list))].uid
	}
	return fmt.Sprintf("%d:%d", n, n+b.rnd.IntN(4))
}

// step does one thing at random.
func (b *believer) step() {
	flag := []string{`\Seen`, `\Flagged`, `\Deleted`, `\Draft`, "kw1", "kw2"}[b.rnd.IntN(6)]
	op := []string{"+", "-", ""}[b.rnd.IntN(3)]
	set, seqs := b.some()
	other := "INBOX"
	if b.rnd.IntN(2) == 0 {
		other = "Archive"
	}
	if b.rnd.IntN(3) == 0 && slices.ContainsFunc(b.list, func(m believed) bool { return m.flags == nil }) {
		b.fetchAll() // as clients do after EXISTS
	}
	if b.mode.byUID() {
		set, seqs = "", nil // sequence numbers are not taken, or change their meaning at any time
	}
	switch what := b.rnd.IntN(22); {
	case len(b.list) < 20 && (what == 0 || what == 19):
		b.run("APPEND INBOX (%s) {4+}\r\na: b {4+}\r\na: b {4+}\r\na: b {4+}\r\na: b", flag)
	case what == 1:
		b.run("NOOP")
	case what == 2:
		b.run("UID STORE %s %sFLAGS (%s)", b.someUIDs(), op, flag)
	case what == 3:
		b.run("UID COPY %s %s", b.someUIDs(), other)
	case what == 4:
		b.run("UID MOVE %s %s", b.someUIDs(), other)
	case what == 5:
		b.run("EXPUNGE")
	case what == 6:
		b.run("UID EXPUNGE %s", b.someUIDs())
	case what == 7:
		b.run("UID SEARCH OR SEEN KEYWORD kw1")
	case what == 8:
		b.tags++
		b.busy = "IDLE"
		b.send(fmt.Sprintf("%s%d IDLE", b.name, b.tags))
		b.until("+ ")
		b.send("DONE")
		b.until(fmt.Sprintf("%s%d ", b.name, b.tags))
	case what > 19 && b.mode.qresync:
		b.comeBack()
	case what > 12 && b.mode.byUID():
		b.silent(op, flag)
	case set == "" || what == 0 || what > 19:
	case what == 9:
		b.run("STORE %s %sFLAGS (%s)", set, op, flag)
	case what == 10, what > 13:
		b.silent(op, flag, seqs...)
	case what == 11:
		b.run("FETCH %s (UID FLAGS BODY[])", set)
	case what == 12:
		b.run("COPY %s %s", set, other)
	case what == 13:
		b.run("FETCH %s (FLAGS)", set)
	}
}

// silent stores without being told, and believes what it asked for: by
// sequence numbers, or by UIDs all that it knows.
func (b *believer) silent(op, flag string, seqs ...int) {
	if b.mode.byUID() {
		seqs = b.all()
	}
	var uids []string
	for _, n := range seqs {
		m := &b.list[n-1]
		if b.mode.byUID() && m.uid == 0 {
			continue
		}
		uids = append(uids, strconv.Itoa(m.uid))
		if m.flags == nil && op != "" {
			continue
		}
		switch op {
		case "+":
			m.flags = sortedFlags(append(slices.Clone(m.flags), flag))
		case "-":
			m.flags = slices.DeleteFunc(slices.Clone(m.flags), func(f string) bool { return f == flag })
		default:
			m.flags = []string{flag}
		}
	}
	switch {
	case len(uids) == 0:
	case b.mode.notify != "":
		// Flags told before the command was read would be taken for later ones.
		b.run("UID STORE %s %sFLAGS (%s)", strings.Join(uids, ","), op, flag)
	case b.mode.byUID():
		b.run("UID STORE %s %sFLAGS.SILENT (%s)", strings.Join(uids, ","), op, flag)
	default:
		b.run("STORE %d:%d %sFLAGS.SILENT (%s)", seqs[0], seqs[len(seqs)-1], op, flag)
	}
}

// TestConsistency lets sessions of every mode do everything to one mailbox at
// once. What each believes in the end from what it was told must be what a new
// session sees.
func TestConsistency(t *testing.T) {
	rounds, steps := 4, 200
	if testing.Short() {
		rounds = 1
	}
	ts := startServer(t, nil)
	for round := range rounds {
		seed := rand.Uint64()
		t.Logf("round %d: seed %d", round, seed)
		var sessions []*believer
		for i, mode := range modes() {
			b := &believer{client: ts.login(t, "alice"), name: string(rune('a' + i)), rnd: rand.New(rand.NewPCG(seed, uint64(i))), mode: mode}
			_ = b.conn.SetDeadline(time.Now().Add(time.Minute))
			b.start()
			b.fetchAll()
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
			for range steps {
				if !t.Failed() {
					b.step()
				}
			}
		})
		// In the end all change all silently, at once, over what others did and
		// they have not heard of.
		each(func(b *believer) { b.fetchAll() })
		each(func(b *believer) { b.silent("+", "kw-"+b.name, b.all()...) })
		fresh := &believer{client: ts.login(t, "alice"), name: "z"}
		fresh.run("SELECT INBOX")
		fresh.run("FETCH 1:* (UID FLAGS)")
		for _, b := range sessions {
			b.run("NOOP")
			b.agrees(fresh)
			b.agreesOnArchive(fresh)
			b.run("LOGOUT")
		}
		fresh.run("LOGOUT")
	}
}

// all gives all sequence numbers.
func (b *believer) all() (seqs []int) {
	for n := range b.list {
		seqs = append(seqs, n+1)
	}
	return seqs
}

// agrees compares what is believed, as far as it is known, with the truth.
func (b *believer) agrees(truth *believer) {
	b.t.Helper()
	if len(b.list) != len(truth.list) {
		b.t.Errorf("%s has %d messages, the mailbox %d", b.name, len(b.list), len(truth.list))
		return
	}
	for i, m := range b.list {
		real := truth.list[i]
		if m.uid != 0 && m.uid != real.uid {
			b.t.Errorf("%s: message %d is UID %d, believed %d", b.name, i+1, real.uid, m.uid)
		}
		if m.flags != nil && !slices.Equal(m.flags, real.flags) {
			b.t.Errorf("%s: message %d (UID %d) has flags %v, believed %v", b.name, i+1, real.uid, real.flags, m.flags)
		}
	}
}
