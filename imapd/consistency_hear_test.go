package imapd

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	fetchLine    = regexp.MustCompile(`^\* (\d+) (UID)?FETCH \((.*)\)$`)
	uidItem      = regexp.MustCompile(`\bUID (\d+)`)
	flagsItem    = regexp.MustCompile(`\bFLAGS \(([^)]*)\)`)
	modseqItem   = regexp.MustCompile(`\bMODSEQ \((\d+)\)`)
	numberLine   = regexp.MustCompile(`^\* (\d+) (EXISTS|EXPUNGE)$`)
	vanishedLine = regexp.MustCompile(`^\* VANISHED (\(EARLIER\) )?([\d,:]+)$`)
	mailboxLine  = regexp.MustCompile(`^\* OK \[MAILBOXID \(([^)]*)\)\]`)
	statusLine   = regexp.MustCompile(`^\* STATUS (\S+) \((.*)\)$`)
	listLine     = regexp.MustCompile(`^\* LIST \(([^)]*)\) "/" (\S+)(?: \("OLDNAME" \((\S+)\)\))?$`)
	searchLine   = regexp.MustCompile(`^\* SEARCH((?: \d+)*)(?: \(MODSEQ \d+\))?$`)
	esearchLine  = regexp.MustCompile(`^\* ESEARCH \(TAG "([^"]*)"\)(.*)$`)
)

// hear applies one untagged answer.
func (b *believer) hear(line string) {
	b.sync.hear(line)
	if strings.HasPrefix(line, "* OK [CLOSED]") {
		b.arrive()
		return
	}
	if m := mailboxLine.FindStringSubmatch(line); m != nil {
		b.id = m[1]
		return
	}
	if m := numberLine.FindStringSubmatch(line); m != nil {
		n, _ := strconv.Atoi(m[1])
		b.hearNumber(line, n, m[2] == "EXISTS")
		return
	}
	if m := vanishedLine.FindStringSubmatch(line); m != nil {
		b.vanish(line, m[1] != "", uidsOf(m[2]))
		return
	}
	if m := fetchLine.FindStringSubmatch(line); m != nil {
		n, _ := strconv.Atoi(m[1])
		b.hearFetch(line, n, m[2] != "", m[3])
		return
	}
	b.hearOfOthers(line)
	b.hearFound(line)
}

// numbersMatter says that the command in hand keeps sequence numbers as they
// are (RFC 3501 section 7.4.1).
func (b *believer) numbersMatter() bool {
	word, _, _ := strings.Cut(b.busy, " ")
	return (word == "FETCH" || word == "STORE" || word == "SEARCH") && b.mode.notify != "SELECTED"
}

func (b *believer) hearNumber(line string, n int, exists bool) {
	switch {
	case b.at == "":
		b.fault("%s, but no mailbox is selected", line)
	case exists && b.sync.resuming:
		b.sync.exists = n
	case exists:
		if n < len(b.list) {
			b.fault("%s with %d known", line, len(b.list))
		}
		b.grow(n)
	case b.mode.qresync || b.mode.uidonly:
		b.fault("%s in place of VANISHED", line)
	case b.numbersMatter():
		b.fault("%s while numbers must stay", line)
	case n < 1 || n > len(b.list):
		b.fault("%s of %d", line, len(b.list))
	default:
		b.drop(n - 1)
	}
}

// grow adds messages of which nothing is known.
func (b *believer) grow(n int) {
	for len(b.list) < n {
		b.list = append(b.list, believed{})
	}
}

// drop takes a message out.
func (b *believer) drop(i int) {
	if m := b.list[i]; m.found || b.live.uids[m.uid] {
		b.fault("UID %d goes before it has left the result", m.uid) // RFC 5267 section 4.3.4
	}
	b.list = slices.Delete(b.list, i, i+1)
}

func (b *believer) hearFetch(line string, n int, byUID bool, items string) {
	if byUID != b.mode.uidonly || b.at == "" {
		b.fault("%s in this mode", line)
		return
	}
	uid := n
	if byUID {
		n = b.find(uid)
	} else if uid = number(uidItem, items); b.sync.resuming && uid != 0 {
		n = b.find(uid) // numbers are good again once all is said
	}
	if n == 0 && b.sync.resuming {
		return // one that is new
	}
	if n < 1 || n > len(b.list) {
		b.fault("%s, but there are %d messages", line, len(b.list))
		return
	}
	known := &b.list[n-1]
	if uid != 0 {
		if known.uid != 0 && known.uid != uid {
			b.fault("message %d was UID %d: %s", n, known.uid, line)
		}
		known.uid = uid
	}
	if f := flagsItem.FindStringSubmatch(items); f != nil {
		known.flags, known.told = sortedFlags(strings.Fields(f[1])), true
	}
	if m := number(modseqItem, items); m != 0 {
		if m < known.modseq {
			b.fault("MODSEQ was %d: %s", known.modseq, line)
		}
		known.modseq = m
	}
}

// number gives the number that a pattern finds, or 0.
func number(pattern *regexp.Regexp, text string) int {
	m := pattern.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	return n
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

// find gives the place of a UID, making it known if it was not; 0 when there
// is no place for it.
func (b *believer) find(uid int) int {
	for i := range b.list {
		if b.list[i].uid == uid {
			return i + 1
		}
	}
	if b.sync.resuming {
		return 0
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
	if !b.mode.qresync && !b.mode.uidonly || b.at == "" {
		b.fault("%s in this mode", line)
	}
	if !earlier && b.numbersMatter() {
		b.fault("%s while numbers must stay", line)
	}
	for _, uid := range uids {
		if i := slices.IndexFunc(b.list, func(m believed) bool { return m.uid == uid }); i >= 0 {
			if earlier && !b.sync.resuming {
				b.fault("%s, but it is there", line)
			}
			b.drop(i)
			continue
		}
		if earlier {
			continue
		}
		i := b.unknownAt(uid)
		if i < 0 {
			b.fault("%s tells of %d, which is not known", line, uid)
			return
		}
		b.drop(i)
	}
	if earlier {
		return
	}
	for i := range b.list {
		if b.list[i].uid == 0 {
			b.list[i] = believed{}
		}
	}
}

// liveBelief is a search result that is kept up to date (RFC 5267).
type liveBelief struct {
	tag  string // "": there is none
	uid  bool
	uids map[int]bool // by UID; by number it is in the list
}

// hearFound takes in what a search has found.
func (b *believer) hearFound(line string) {
	if m := searchLine.FindStringSubmatch(line); m != nil && strings.HasPrefix(b.busy, "SEARCH") {
		for _, word := range strings.Fields(m[1]) {
			if n, _ := strconv.Atoi(word); n > len(b.list) {
				b.fault("%s, but there are %d messages", line, len(b.list))
			}
		}
	}
	if strings.HasPrefix(line, "* NO [NOUPDATE ") {
		b.live = liveBelief{}
	}
	m := esearchLine.FindStringSubmatch(line)
	if m == nil || b.live.tag == "" || m[1] != b.live.tag {
		return
	}
	words := strings.Fields(strings.NewReplacer("(", " ", ")", " ").Replace(m[2]))
	for i := 0; i < len(words); i++ {
		switch words[i] {
		case "ALL":
			b.matches(line, words[i+1], true)
			i++
		case "REMOVEFROM", "ADDTO":
			b.matches(line, words[i+2], words[i] == "ADDTO")
			i += 2
		}
	}
}

// matches puts messages into the result, or out of it.
func (b *believer) matches(line, set string, in bool) {
	for _, n := range uidsOf(set) {
		switch {
		case b.live.uid && in == b.live.uids[n]:
			b.fault("%s, but UID %d is so already", line, n)
		case b.live.uid && in:
			b.live.uids[n] = true
		case b.live.uid:
			delete(b.live.uids, n)
		case n > len(b.list):
			b.fault("%s, but there are %d messages", line, len(b.list))
		case in == b.list[n-1].found:
			b.fault("%s, but message %d is so already", line, n)
		default:
			b.list[n-1].found = in
		}
	}
}

// agreesOnSearch compares the result that was kept up to date.
func (b *believer) agreesOnSearch(truth *believer) {
	if b.live.tag == "" {
		return
	}
	count := 0
	for i, m := range truth.list {
		seen := slices.Contains(m.flags, `\Seen`)
		found := b.live.uids[m.uid]
		if !b.live.uid {
			found = b.list[i].found
		}
		if seen != found {
			b.fault("message %d (UID %d) has flags %v, in the result %v", i+1, m.uid, m.flags, found)
		}
		if seen {
			count++
		}
	}
	if b.live.uid && len(b.live.uids) != count {
		b.fault("the result has %d, of which %d are there", len(b.live.uids), count)
	}
}
