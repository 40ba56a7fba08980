package imapd

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// mode is what a believer has asked of its session.
type mode struct {
	rev2, condstore, qresync, uidonly, compress bool

	// guest makes it one of another user, who has all rights.
	guest bool

	// idle makes it wait in IDLE most of the time.
	idle bool

	// notify is the filter for the selected mailbox: SELECTED, or
	// SELECTED-DELAYED; "" without NOTIFY.
	notify string
}

// modes are those that run against each other, a session each.
func modes() []mode {
	const now, delayed = "SELECTED", "SELECTED-DELAYED"
	return []mode{
		{},
		{},
		{condstore: true},
		{condstore: true, idle: true},
		{qresync: true},
		{qresync: true},
		{qresync: true, idle: true, compress: true},
		{uidonly: true},
		{uidonly: true, qresync: true},
		{rev2: true},
		{rev2: true, qresync: true},
		{rev2: true, uidonly: true, compress: true},
		{idle: true},
		{compress: true},
		{notify: delayed},
		{notify: now},
		{notify: delayed, qresync: true},
		{notify: now, qresync: true, uidonly: true, rev2: true},
		{notify: now, idle: true, condstore: true, compress: true},
		{notify: delayed, idle: true, qresync: true, uidonly: true},
		{guest: true},
		{guest: true, qresync: true},
		{guest: true, notify: now, idle: true, condstore: true},
	}
}

var (
	hostName  = regexp.MustCompile(`\b(?:INBOX|Archive|Work|tmp\b[\w/]*)`)
	guestName = regexp.MustCompile(`"Other Users/alice/([^"]*)"`)
)

// asGuest gives a command with the names by which a guest knows mailboxes.
func asGuest(line string) string {
	line = strings.Replace(line, `LIST "" *`, `LIST "" "Other Users/alice/*"`, 1)
	return hostName.ReplaceAllString(line, `"Other Users/alice/$0"`)
}

// asHost gives an answer with the names by which their owner knows them.
func asHost(line string) string { return guestName.ReplaceAllString(line, "$1") }

// byUID says that sequence numbers are no good in commands.
func (m mode) byUID() bool { return m.uidonly || m.notify == "SELECTED" }

// modseqs says that every change is told with its MODSEQ.
func (m mode) modseqs() bool { return m.condstore || m.qresync }

// syncState is what a client keeps to come back to a mailbox.
type syncState struct {
	highest  int // resumes from here (RFC 7162 section 6)
	seen     int // the highest MODSEQ since the last tagged answer
	given    int // HIGHESTMODSEQ since the last tagged answer
	exists   int
	resuming bool
}

// hear notes mod-sequences as RFC 7162 section 6 tells clients to.
func (y *syncState) hear(line string) {
	if _, code, ok := strings.Cut(line, "[HIGHESTMODSEQ "); ok {
		_, _ = fmt.Sscan(strings.TrimRight(strings.Fields(code)[0], "]"), &y.given)
	}
	y.seen = max(y.seen, number(modseqItem, line))
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

// remembered is what a client keeps of a mailbox that it has left.
type remembered struct {
	list     []believed
	validity string
	highest  int
}

// entering is a SELECT in hand.
type entering struct {
	name string
	back *remembered // resume from it; nil: begin anew
}

// begin connects and asks for what the mode is.
func (b *believer) begin() {
	b.begins = time.Now()
	user := "alice"
	if b.mode.guest {
		user = "carol"
	}
	b.client = b.w.ts.login(b.t, user)
	b.note("--", "connected")
	if b.mode.compress {
		b.startCompress()
	}
	var words []string
	if b.mode.rev2 {
		words = append(words, "IMAP4rev2")
	}
	if b.mode.qresync {
		words = append(words, "QRESYNC")
	}
	if b.mode.uidonly {
		words = append(words, "UIDONLY")
	}
	if len(words) > 0 {
		b.run("ENABLE %s", strings.Join(words, " "))
	}
	b.counts = map[string]map[string]int{}
	if b.mode.notify != "" {
		b.names = map[string]bool{}
		b.run("NOTIFY SET STATUS (%s (MessageNew (UID FLAGS) MessageExpunge FlagChange)) "+
			"(mailboxes (INBOX Archive Work) (MessageNew MessageExpunge FlagChange)) (subtree tmp (MailboxName))", b.mode.notify)
		b.run(`LIST "" *`)
	}
	if b.kept == nil {
		b.kept = map[string]remembered{}
	}
}

// ended takes in that the server has ended the session, as it may when a
// mailbox that was about to be looked into is gone; else it is a fault.
func (b *believer) ended(line string) string {
	if !strings.HasPrefix(b.at, "tmp") || !strings.Contains(line, "deleted") {
		b.fault("%s", line)
		b.t.FailNow()
	}
	b.reconnect()
	return "BYE"
}

// reconnect begins again, knowing what it knew.
func (b *believer) reconnect() {
	_ = b.conn.Close()
	b.leave()
	b.next = nil
	b.begin()
}

// enter selects a mailbox, resuming where it can.
func (b *believer) enter(name string) {
	if b.mode.qresync && b.rnd.IntN(3) > 0 {
		b.fetchUnknown() // so that there is more to remember
	}
	b.next = &entering{name: name}
	params := ""
	if b.mode.condstore {
		params = " (CONDSTORE)"
	}
	if kept, ok := b.kept[name]; ok && b.mode.qresync && name != b.at && b.rnd.IntN(5) > 0 {
		b.next.back = &kept
		params = " (QRESYNC (" + b.resumption(&kept) + "))"
		b.w.resumed.Add(1)
	}
	if b.at == "" {
		b.arrive()
	}
	answer := b.run("SELECT %s%s", name, params)
	switch {
	case answer == "BYE":
	case !strings.HasPrefix(answer, "OK"):
		b.arriveNowhere()
	default:
		b.entered()
	}
}

// arriveNowhere is after a SELECT that failed: no mailbox is selected.
func (b *believer) arriveNowhere() {
	if b.next != nil {
		b.leave()
	}
	b.next = nil
	b.at, b.list, b.sync, b.live = "", nil, syncState{}, liveBelief{}
}

// arrive is where answers begin to be about the mailbox being selected.
func (b *believer) arrive() {
	next := b.next
	b.leave()
	if next == nil {
		return // it has deleted the mailbox
	}
	b.next = nil
	b.at = next.name
	if next.back != nil {
		b.list = slices.Clone(next.back.list)
		b.sync = syncState{highest: next.back.highest, resuming: true}
	}
	delete(b.counts, b.at)
}

// leave remembers the mailbox being left.
func (b *believer) leave() {
	if b.at != "" && b.mode.qresync && !b.sync.resuming {
		b.remember()
	}
	delete(b.counts, b.at)
	b.at, b.id, b.list, b.sync, b.live = "", "", nil, syncState{}, liveBelief{}
}

// remember keeps the mailbox as far as every message is known, so that numbers
// are places.
func (b *believer) remember() {
	known := slices.Clone(b.list)
	if i := slices.IndexFunc(known, func(m believed) bool { return m.uid == 0 }); i >= 0 {
		known = known[:i]
	}
	for _, m := range b.list[len(known):] {
		if m.uid != 0 {
			delete(b.kept, b.at)
			return
		}
	}
	for i := range known {
		known[i].found = false
	}
	b.kept[b.at] = remembered{list: known, validity: b.validity, highest: b.sync.highest}
}

// entered settles what a SELECT has told.
func (b *believer) entered() {
	if !b.sync.resuming {
		return
	}
	b.sync.resuming = false
	if b.kept[b.at].validity != b.validity {
		b.list = nil
	}
	if len(b.list) > b.sync.exists {
		b.fault("%d messages, but %d known after it", b.sync.exists, len(b.list))
	}
	b.grow(b.sync.exists)
}

// resumption gives the parameters of QRESYNC (RFC 7162 section 3.2.5).
func (b *believer) resumption(kept *remembered) string {
	text := fmt.Sprintf("%s %d", kept.validity, max(1, kept.highest))
	n := len(kept.list)
	switch what := b.rnd.IntN(4); {
	case what == 0 || n == 0:
	case what == 1:
		text += " 1:4294967295"
	case what == 2 || b.mode.uidonly || n == 1:
		text += fmt.Sprintf(" %d:%d", kept.list[0].uid, kept.list[n-1].uid)
	default:
		text += fmt.Sprintf(" (1,%d %d,%d)", n, kept.list[0].uid, kept.list[n-1].uid)
	}
	return text
}
