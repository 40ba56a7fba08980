package imapd

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// mode is what a believer has asked of its session.
type mode struct {
	condstore, qresync, uidonly bool

	// notify is the filter for the selected mailbox: SELECTED, or
	// SELECTED-DELAYED; "" without NOTIFY.
	notify string
}

// modes are those that run against each other.
func modes() []mode {
	return []mode{
		{},
		{condstore: true},
		{qresync: true},
		{uidonly: true},
		{notify: "SELECTED-DELAYED"},
		{qresync: true, notify: "SELECTED-DELAYED"},
		{qresync: true, uidonly: true, notify: "SELECTED"},
		{notify: "SELECTED"},
	}
}

// byUID says that sequence numbers are no good in commands.
func (m mode) byUID() bool { return m.uidonly || m.notify == "SELECTED" }

// syncState is what a client keeps to come back to a mailbox.
type syncState struct {
	highest  int // resumes from here (RFC 7162 section 6)
	seen     int // the highest MODSEQ since the last tagged answer
	given    int // HIGHESTMODSEQ since the last tagged answer
	exists   int
	resuming bool
	archive  int // messages in Archive, by STATUS
}

var (
	modseqItem   = regexp.MustCompile(`\bMODSEQ \((\d+)\)`)
	highestCode  = regexp.MustCompile(`\[HIGHESTMODSEQ (\d+)\]`)
	vanishedLine = regexp.MustCompile(`^\* VANISHED (\(EARLIER\) )?([\d,:]+)$`)
	archiveLine  = regexp.MustCompile(`^\* STATUS Archive \(.*\bMESSAGES (\d+)`)
)

// hear notes mod-sequences as RFC 7162 section 6 tells clients to.
func (y *syncState) hear(line string) {
	if m := highestCode.FindStringSubmatch(line); m != nil {
		y.given, _ = strconv.Atoi(m[1])
	}
	if m := modseqItem.FindStringSubmatch(line); m != nil {
		n, _ := strconv.Atoi(m[1])
		y.seen = max(y.seen, n)
	}
}

// tagged settles where to resume from.
func (y *syncState) tagged() {
	if y.given != 0 {
		y.highest = y.given
	} else {
		y.highest = max(y.highest, y.seen)
	}
	y.given, y.seen = 0, 0
}

// start selects the mailbox in the session's mode.
func (b *believer) start() {
	if b.mode.qresync {
		b.run("ENABLE QRESYNC")
	}
	if b.mode.uidonly {
		b.run("ENABLE UIDONLY")
	}
	if b.mode.notify != "" {
		b.run("NOTIFY SET STATUS (%s (MessageNew (UID FLAGS) MessageExpunge FlagChange)) (mailboxes Archive (MessageNew MessageExpunge))", b.mode.notify)
	}
	if b.mode.condstore {
		b.run("SELECT INBOX (CONDSTORE)")
	} else {
		b.run("SELECT INBOX")
	}
}

// fetchAll asks for what is not known of any message.
func (b *believer) fetchAll() {
	if b.mode.byUID() {
		b.run("UID FETCH 1:* (FLAGS)")
	} else {
		b.run("FETCH 1:* (UID FLAGS)")
	}
}

// find gives the place of a UID, making it known if it was not.
func (b *believer) find(uid int) int {
	for i := range b.list {
		if b.list[i].uid == uid {
			return i + 1
		}
	}
	for i := range b.list {
		if b.list[i].uid != 0 {
			continue
		}
		b.list[i] = believed{uid: uid}
		slices.SortStableFunc(b.list, func(x, y believed) int { // the unknown ones last
			return int(uint32(x.uid-1)) - int(uint32(y.uid-1))
		})
		return b.find(uid)
	}
	return 0
}

// hearSync takes in what the modes add; it says whether the line is done with.
func (b *believer) hearSync(line string) bool {
	if m := archiveLine.FindStringSubmatch(line); m != nil && b.mode.notify != "" {
		b.sync.archive, _ = strconv.Atoi(m[1])
		return true
	}
	if m := vanishedLine.FindStringSubmatch(line); m != nil {
		b.vanish(line, m[1] != "", uidsOf(m[2]))
		return true
	}
	if (b.mode.qresync || b.mode.uidonly) && strings.HasSuffix(line, " EXPUNGE") {
		b.t.Errorf("%s: %s, in answer to %s", b.name, line, b.busy)
		return true
	}
	if b.mode.uidonly && strings.Contains(line, " FETCH (") {
		b.t.Errorf("%s: %s, in answer to %s", b.name, line, b.busy)
		return true
	}
	if !b.sync.resuming {
		return false
	}
	if m := numberLine.FindStringSubmatch(line); m != nil && m[2] == "EXISTS" {
		b.sync.exists, _ = strconv.Atoi(m[1])
		return true
	}
	if m := fetchLine.FindStringSubmatch(line); m != nil {
		uid, _ := strconv.Atoi(m[1])
		if !b.mode.uidonly {
			uid, _ = strconv.Atoi(uidItem.FindStringSubmatch(m[2])[1])
		}
		for i := range b.list {
			if b.list[i].uid == uid {
				b.list[i].flags = sortedFlags(strings.Fields(flagsItem.FindStringSubmatch(m[2])[1]))
			}
		}
		return true
	}
	return false
}

func uidsOf(set string) (uids []int) {
	for _, r := range strings.Split(set, ",") {
		first, last, ok := strings.Cut(r, ":")
		from, _ := strconv.Atoi(first)
		to := from
		if ok {
			to, _ = strconv.Atoi(last)
		}
		for ; from <= to; from++ {
			uids = append(uids, from)
		}
	}
	return uids
}

// unknownAt gives the place of a message whose UID is not known and may be uid,
// by the UIDs around it; -1 when there is none. In mode UIDONLY places mean
// nothing.
func (b *believer) unknownAt(uid int) int {
	at := -1
	for i, m := range b.list {
		switch {
		case m.uid == 0:
			at = i
		case b.mode.uidonly:
		case m.uid > uid:
			return at
		default:
			at = -1
		}
	}
	return at
}

// vanish takes messages out. Those whose UIDs are not known yet are all alike
// between two that are known.
func (b *believer) vanish(line string, earlier bool, uids []int) {
	word, _, _ := strings.Cut(b.busy, " ")
	if !earlier && (word == "FETCH" || word == "STORE" || word == "SEARCH") && b.mode.notify != "SELECTED" {
		b.t.Errorf("%s: %s in answer to %s", b.name, line, b.busy)
	}
	for _, uid := range uids {
		if i := slices.IndexFunc(b.list, func(m believed) bool { return m.uid == uid }); i >= 0 {
			if earlier && !b.sync.resuming {
				b.t.Errorf("%s: %s, but it is there (%s)", b.name, line, b.busy)
			}
			b.list = slices.Delete(b.list, i, i+1)
			continue
		}
		if earlier {
			continue
		}
		i := b.unknownAt(uid)
		if i < 0 {
			b.t.Errorf("%s: %s tells of %d, which is not known (%s)", b.name, line, uid, b.busy)
			return
		}
		b.list = slices.Delete(b.list, i, i+1)
	}
	if earlier {
		return
	}
	for i := range b.list {
		if b.list[i].uid == 0 {
			b.list[i].flags = nil
		}
	}
}

// comeBack leaves the mailbox and resumes, keeping what it knows by UID.
func (b *believer) comeBack() {
	b.fetchAll() // so that what is not known is at the end
	b.run("UNSELECT")
	b.list = slices.DeleteFunc(b.list, func(m believed) bool { return m.uid == 0 })
	b.sync.resuming = true
	verb := []string{"SELECT INBOX (QRESYNC (%s %d))", "SELECT INBOX (QRESYNC (%s %d 1:4294967295))"}[b.rnd.IntN(2)]
	if n := len(b.list); n > 0 && !b.mode.uidonly && b.rnd.IntN(2) == 0 {
		verb = fmt.Sprintf("SELECT INBOX (QRESYNC (%%s %%d (1,%d %d,%d)))", n, b.list[0].uid, b.list[n-1].uid)
		if n == 1 {
			verb = fmt.Sprintf("SELECT INBOX (QRESYNC (%%s %%d (1 %d)))", b.list[0].uid)
		}
	}
	b.run(verb, b.validity, max(1, b.sync.highest))
	b.sync.resuming = false
	if len(b.list) > b.sync.exists {
		b.t.Errorf("%s: %d messages, but %d known after %s", b.name, b.sync.exists, len(b.list), b.busy)
	}
	for len(b.list) < b.sync.exists {
		b.list = append(b.list, believed{})
	}
}

// agreesOnArchive compares what NOTIFY told of another mailbox. It is told
// between commands, so it may take a moment.
func (b *believer) agreesOnArchive(truth *believer) {
	if b.mode.notify == "" {
		return
	}
	truth.send("s STATUS Archive (MESSAGES)")
	line := truth.line()
	_, _ = truth.line(), line
	want, _ := strconv.Atoi(archiveLine.FindStringSubmatch(line)[1])
	for deadline := time.Now().Add(10 * time.Second); b.sync.archive != want; b.run("NOOP") {
		if time.Now().After(deadline) {
			b.t.Errorf("%s was told of %d messages in Archive, it has %d", b.name, b.sync.archive, want)
			return
		}
	}
}
