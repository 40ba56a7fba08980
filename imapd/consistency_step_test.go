package imapd

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// steps are what a session may do next; the more often one is here, the more
// often it is done.
func steps() []func(*believer) {
	return []func(*believer){
		(*believer).appendSome, (*believer).appendSome,
		(*believer).fetchSome, (*believer).fetchSome, (*believer).fetchUnknown,
		(*believer).storeSome, (*believer).storeSome, (*believer).storeSome,
		(*believer).storeSilently, (*believer).storeSilently, (*believer).storeUnchanged, (*believer).storeUnchanged,
		(*believer).copySome, (*believer).copySome,
		(*believer).expunge, (*believer).expunge,
		(*believer).replaceOne,
		(*believer).searchSome, (*believer).searchUpdated,
		(*believer).waitInIdle, func(b *believer) { b.run("NOOP") },
		(*believer).visit, (*believer).visit, (*believer).depart, (*believer).hangUp,
		(*believer).changeNames, (*believer).changeNames, (*believer).status,
	}
}

// step does one thing at random.
func (b *believer) step() {
	switch {
	case b.at == "" && b.rnd.IntN(2) == 0:
		b.visit()
	case b.mode.idle && b.rnd.IntN(3) > 0:
		b.waitInIdle()
	default:
		all := steps()
		all[b.rnd.IntN(len(all))](b)
	}
}

// flag and op draw what STORE is about.
func (b *believer) flag() string {
	return []string{`\Seen`, `\Flagged`, `\Deleted`, `\Deleted`, "kw1", "kw2"}[b.rnd.IntN(6)]
}

func (b *believer) op() string { return []string{"+", "+", "-", ""}[b.rnd.IntN(4)] }

// otherBox draws a mailbox to put messages into.
func (b *believer) otherBox() string {
	if b.rnd.IntN(4) == 0 {
		return b.tmpBox()
	}
	return mainBoxes()[b.rnd.IntN(3)]
}

// tmpBox draws one that comes and goes.
func (b *believer) tmpBox() string {
	return []string{"tmp/1", "tmp/2", "tmp/3", "tmp/1/a", "tmp/2/a"}[b.rnd.IntN(5)]
}

// some draws messages in a row, by their places.
func (b *believer) some() (seqs []int) {
	if len(b.list) == 0 {
		return nil
	}
	first := 1 + b.rnd.IntN(len(b.list))
	last := min(len(b.list), first+b.rnd.IntN(4))
	if b.rnd.IntN(4) == 0 {
		first, last = 1, len(b.list)
	}
	for n := first; n <= last; n++ {
		seqs = append(seqs, n)
	}
	return seqs
}

// draw gives the beginning of a command about messages, "UID " or "", and the
// set of them; "" when there is none. UIDs may be of messages that are gone.
func (b *believer) draw() (uid, set string) {
	seqs := b.some()
	switch {
	case b.at == "" || len(seqs) == 0:
		return "", ""
	case !b.mode.byUID() && b.rnd.IntN(2) == 0:
		return "", fmt.Sprintf("%d:%d", seqs[0], seqs[len(seqs)-1])
	}
	first := max(1, b.list[seqs[0]-1].uid-1)
	return "UID ", fmt.Sprintf("%d:%d", first, first+len(seqs))
}

func (b *believer) appendSome() {
	if len(b.list) > 25 {
		return
	}
	to := b.otherBox()
	if b.at != "" && b.rnd.IntN(2) == 0 {
		to = b.at
	}
	var text strings.Builder
	for range 1 + b.rnd.IntN(3) {
		fmt.Fprintf(&text, " (%s) {9+}\r\na: b\r\n\r\n%c", b.flag(), 'a'+rune(b.rnd.IntN(26)))
	}
	b.run("APPEND %s%s", to, text.String())
}

// fetchAll asks for what is to be known of any message.
func (b *believer) fetchAll() {
	if b.at == "" {
		return
	}
	if b.mode.byUID() {
		b.run("UID FETCH 1:* (FLAGS)")
	} else {
		b.run("FETCH 1:* (UID FLAGS)")
	}
}

// fetchUnknown does that as clients do after EXISTS.
func (b *believer) fetchUnknown() {
	if slices.ContainsFunc(b.list, func(m believed) bool { return m.flags == nil }) {
		b.fetchAll()
	}
}

func (b *believer) fetchSome() {
	uid, set := b.draw()
	if set == "" {
		return
	}
	items := []string{"(UID FLAGS BODY[])", "(FLAGS)", "(UID BODY.PEEK[HEADER])", "(ENVELOPE FLAGS)", "(UID INTERNALDATE RFC822.SIZE)"}[b.rnd.IntN(5)]
	if b.mode.modseqs() && b.rnd.IntN(3) == 0 {
		mod := ""
		if uid != "" && b.mode.qresync {
			mod = " VANISHED"
		}
		items += fmt.Sprintf(" (CHANGEDSINCE %d%s)", max(1, b.sync.highest-b.rnd.IntN(5)), mod)
	}
	b.run("%sFETCH %s %s", uid, set, items)
}

func (b *believer) storeSome() {
	if uid, set := b.draw(); set != "" {
		b.run("%sSTORE %s %sFLAGS (%s)", uid, set, b.op(), b.flag())
	}
}

func (b *believer) storeSilently() {
	seqs := b.some()
	if b.mode.byUID() {
		seqs = b.all()
	}
	b.silent(b.op(), b.flag(), seqs...)
}

// silent stores without being told, and believes what it asked for: by
// sequence numbers, or by UIDs all of seqs that it knows.
func (b *believer) silent(op, flag string, seqs ...int) { b.quietly(op, flag, "", seqs) }

// storeUnchanged is the same, on condition that nobody has changed them.
func (b *believer) storeUnchanged() {
	if seqs := b.some(); b.mode.modseqs() && b.sync.highest > 0 {
		b.quietly(b.op(), b.flag(), fmt.Sprintf("(UNCHANGEDSINCE %d) ", max(1, b.sync.highest-b.rnd.IntN(8))), seqs)
	}
}

func (b *believer) quietly(op, flag, condition string, seqs []int) {
	if b.at == "" {
		return
	}
	byUID := b.mode.byUID() || b.mode.notify != "" || b.rnd.IntN(3) == 0
	if byUID {
		seqs = slices.DeleteFunc(seqs, func(n int) bool { return b.list[n-1].uid == 0 })
	}
	if len(seqs) == 0 {
		return
	}
	before := map[int][]string{} // by UID, or by number when that must stay
	var uids []string
	for _, n := range seqs {
		m := &b.list[n-1]
		uids = append(uids, strconv.Itoa(m.uid))
		key := n
		if byUID {
			key = m.uid
		}
		before[key], m.told = m.flags, false
		if b.mode.notify == "" {
			m.flags = changed(m.flags, op, flag)
		}
	}
	var answer string
	switch {
	case b.mode.notify != "":
		// Flags told before the command was read would be taken for later
		// ones; so it is not silent.
		b.run("UID STORE %s %s%sFLAGS (%s)", strings.Join(uids, ","), condition, op, flag)
		return
	case byUID:
		answer = b.run("UID STORE %s %s%sFLAGS.SILENT (%s)", strings.Join(uids, ","), condition, op, flag)
	default:
		answer = b.run("STORE %d:%d %s%sFLAGS.SILENT (%s)", seqs[0], seqs[len(seqs)-1], condition, op, flag)
	}
	if _, code, ok := strings.Cut(answer, "[MODIFIED "); ok {
		code, _, _ = strings.Cut(code, "]")
		b.takeBack(uidsOf(code), byUID, before)
	}
}

// changed gives the flags that a STORE leaves; nil when they are not known.
func changed(flags []string, op, flag string) []string {
	switch {
	case op == "":
		return []string{flag}
	case flags == nil:
		return nil
	case op == "+":
		return sortedFlags(append(slices.Clone(flags), flag))
	default:
		return slices.DeleteFunc(slices.Clone(flags), func(f string) bool { return f == flag })
	}
}

// takeBack believes in the old flags of messages that were not changed, unless
// their flags were told.
func (b *believer) takeBack(failed []int, byUID bool, before map[int][]string) {
	for _, key := range failed {
		old, asked := before[key]
		if !asked {
			b.fault("%d failed, but was not in the command", key)
		}
		i := key - 1
		if byUID {
			i = slices.IndexFunc(b.list, func(m believed) bool { return m.uid == key })
		}
		if i >= 0 && i < len(b.list) && !b.list[i].told {
			b.list[i].flags = old
		}
	}
}

func (b *believer) copySome() {
	uid, set := b.draw()
	if set == "" {
		return
	}
	verb := "MOVE"
	if len(b.list) < 20 && b.rnd.IntN(2) == 0 {
		verb = "COPY"
	}
	b.run("%s%s %s %s", uid, verb, set, b.otherBox())
}

func (b *believer) expunge() {
	switch seqs := b.some(); {
	case b.at == "":
	case b.rnd.IntN(2) == 0 && len(seqs) > 0 && b.list[seqs[0]-1].uid > 0:
		first := b.list[seqs[0]-1].uid
		b.run("UID EXPUNGE %d:%d", first, first+len(seqs))
	default:
		b.run("EXPUNGE")
	}
}

func (b *believer) replaceOne() {
	if b.at == "" || len(b.list) == 0 {
		return
	}
	n := 1 + b.rnd.IntN(len(b.list))
	to := b.at
	if b.rnd.IntN(3) == 0 {
		to = b.otherBox()
	}
	switch uid := b.list[n-1].uid; {
	case !b.mode.byUID() && b.rnd.IntN(2) == 0:
		b.run("REPLACE %d %s (%s) {9+}\r\na: b\r\n\r\nr", n, to, b.flag())
	case uid != 0:
		b.run("UID REPLACE %d %s (%s) {9+}\r\na: b\r\n\r\nr", uid, to, b.flag())
	}
}

func (b *believer) searchSome() {
	if b.at == "" {
		return
	}
	program := []string{"ALL", "OR SEEN KEYWORD kw1", "NOT DELETED", "BODY r", "UID 1:* UNSEEN"}[b.rnd.IntN(5)]
	if b.mode.byUID() || b.rnd.IntN(2) == 0 {
		b.run("UID SEARCH %s", program)
	} else {
		b.run("SEARCH %s", program)
	}
}

// searchUpdated asks for a result that is kept up to date, or ends that. Where
// VANISHED is told, numbers do not say which message has left the result.
func (b *believer) searchUpdated() {
	switch {
	case b.at == "":
	case b.live.tag != "":
		tag := b.live.tag
		b.live = liveBelief{}
		for i := range b.list {
			b.list[i].found = false
		}
		b.run("CANCELUPDATE %q", tag)
	case b.mode.byUID() || b.mode.qresync || b.rnd.IntN(2) == 0:
		b.live = liveBelief{tag: fmt.Sprintf("%s%d", b.name, b.tags+1), uid: true, uids: map[int]bool{}}
		b.run("UID SEARCH RETURN (UPDATE ALL) SEEN")
	default:
		b.live = liveBelief{tag: fmt.Sprintf("%s%d", b.name, b.tags+1)}
		b.run("SEARCH RETURN (UPDATE ALL) SEEN")
	}
}

// waitInIdle idles until a moment has passed.
func (b *believer) waitInIdle() {
	tag := b.tag()
	b.busy = "IDLE"
	b.say(tag + " IDLE")
	if b.until("+ ") == "BYE" {
		return
	}
	wait := time.NewTimer(time.Duration(b.rnd.IntN(8)) * time.Millisecond)
	conn := b.conn
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		<-wait.C
		_, _ = conn.Write([]byte("DONE\r\n"))
	}()
	if b.until(tag+" ") != "BYE" {
		<-sent
	}
}

// visit selects another mailbox, or the same again.
func (b *believer) visit() {
	name := mainBoxes()[b.rnd.IntN(3)]
	if b.rnd.IntN(6) == 0 {
		name = b.tmpBox()
	}
	if b.at != "" && b.rnd.IntN(2) == 0 {
		b.depart()
	}
	b.enter(name)
	if b.rnd.IntN(2) == 0 {
		b.fetchUnknown()
	}
}

// depart leaves the mailbox.
func (b *believer) depart() {
	if b.at == "" {
		return
	}
	b.fetchUnknown()
	b.run("%s", []string{"UNSELECT", "CLOSE"}[b.rnd.IntN(2)])
	b.leave()
}

// hangUp loses the connection now and then.
func (b *believer) hangUp() {
	if b.rnd.IntN(4) == 0 {
		b.reconnect()
	}
}
