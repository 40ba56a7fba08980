package imapd

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tandem/store"
)

// world is the server that all sessions of the consistency test work on.
type world struct {
	t  *testing.T
	ts *testServer

	steps, resumed, foreign atomic.Int64
	compared                int
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, ts: startServer(t, nil)}
	c := w.ts.login(t, "alice")
	for _, name := range []string{"Archive", "Work", "tmp"} {
		c.send("1 CREATE " + name)
		_ = c.line() // Archive is there from the start
	}
	for _, name := range append(mainBoxes(), "tmp") {
		c.send("1 SETACL " + name + " carol lrswipkxtea")
		c.expect("1 OK ...")
	}
	return w
}

// look gives what a new session sees of every mailbox, by MAILBOXID.
func (w *world) look() map[string]*believer {
	truth := map[string]*believer{}
	b := &believer{w: w, t: w.t, name: "z", mode: mode{condstore: true}}
	b.begin()
	b.names = map[string]bool{}
	b.run(`LIST "" *`)
	for name := range b.names {
		one := &believer{w: w, t: w.t, client: b.client, name: "z" + name, at: name, mode: b.mode, begins: b.begins, counts: map[string]map[string]int{}}
		one.run("STATUS %s (MESSAGES UIDNEXT UNSEEN)", name)
		one.run("EXAMINE %s (CONDSTORE)", name)
		one.run("FETCH 1:* (UID FLAGS MODSEQ)")
		one.run("UNSELECT")
		truth[one.id] = one
	}
	for name := range b.names {
		if strings.Count(name, "/") > 8 { // renamed once too often
			b.run("DELETE %s", name)
			delete(b.names, name)
		}
	}
	names := &believer{names: b.names, at: "names"}
	truth["names"] = names
	b.run("LOGOUT")
	return truth
}

// hearOfOthers takes in what is told of mailboxes that are not selected.
func (b *believer) hearOfOthers(line string) {
	if m := statusLine.FindStringSubmatch(line); m != nil {
		words := strings.Fields(m[2])
		counts := b.counts[m[1]]
		if counts == nil {
			counts = map[string]int{}
			b.counts[m[1]] = counts
		}
		for i := 0; i+1 < len(words); i += 2 {
			counts[words[i]], _ = strconv.Atoi(words[i+1])
		}
	}
	if m := listLine.FindStringSubmatch(line); m != nil && b.names != nil {
		attributes := strings.ToLower(m[1])
		if m[3] != "" {
			b.renamed(m[3], m[2])
		}
		if strings.Contains(attributes, `\nonexistent`) || strings.Contains(attributes, `\noselect`) {
			delete(b.names, m[2])
		} else {
			b.names[m[2]] = true
		}
	}
}

// renamed takes a name and those below it along.
func (b *believer) renamed(from, to string) {
	after := map[string]bool{}
	for name := range b.names {
		if inTree(name, from) {
			name = to + name[len(from):]
		}
		after[name] = true
	}
	b.names = after
}

// changeNames makes, removes and renames mailboxes. What it does itself it is
// not told (RFC 5465 section 5).
func (b *believer) changeNames() {
	name, to := b.tmpBox(), b.tmpBox()
	if b.names == nil {
		b.names = map[string]bool{}
		defer func() { b.names = nil }()
	}
	switch b.rnd.IntN(3) {
	case 0:
		if strings.HasPrefix(b.run("CREATE %s", name), "OK") {
			for ; name != ""; name = parentName(name) {
				b.names[name] = true
			}
		}
	case 1:
		if strings.HasPrefix(b.run("DELETE %s", name), "OK") {
			delete(b.names, name)
		}
	default:
		if strings.HasPrefix(b.run("RENAME %s %s", name, to), "OK") {
			b.renamed(name, to)
			for ; to != ""; to = parentName(to) {
				b.names[to] = true
			}
		}
	}
}

// status asks for the counters of a mailbox that is not selected.
func (b *believer) status() {
	if name := mainBoxes()[b.rnd.IntN(3)]; name != b.at {
		b.run("STATUS %s (MESSAGES UIDNEXT UNSEEN)", name)
		if b.mode.notify == "" {
			clear(b.counts) // soon out of date
		}
	}
}

// agreesOnOthers compares what NOTIFY told of other mailboxes. It is told
// between commands, so it may take a moment.
func (b *believer) agreesOnOthers(truth map[string]*believer) {
	if b.mode.notify == "" {
		return
	}
	wrong := b.wrongOfOthers(truth)
	for deadline := time.Now().Add(5 * time.Second); wrong != ""; wrong = b.wrongOfOthers(truth) {
		<-time.After(200 * time.Millisecond)
		b.run("NOOP")
		if time.Now().After(deadline) {
			b.fault("%s", wrong)
			return
		}
	}
}

// wrongOfOthers says what is believed of other mailboxes and not so.
func (b *believer) wrongOfOthers(truth map[string]*believer) string {
	for id, real := range truth {
		if id == b.id {
			continue // told in another way
		}
		for item, told := range b.counts[real.at] {
			if want := real.counts[real.at][item]; item != "UIDVALIDITY" && item != "HIGHESTMODSEQ" && told != want {
				return "of " + real.at + " was told " + item + " " + strconv.Itoa(told) + ", it is " + strconv.Itoa(want)
			}
		}
	}
	if got, want := below("tmp", b.names), below("tmp", truth["names"].names); !slices.Equal(got, want) {
		return "names believed in are " + strings.Join(got, " ") + ", there are " + strings.Join(want, " ")
	}
	return ""
}

// below gives the names below one.
func below(name string, names map[string]bool) (list []string) {
	for n := range names {
		if strings.HasPrefix(n, name+"/") {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return list
}

// otherProtocols delivers mail and ends POP3 sessions until it is told to stop.
func (w *world) otherProtocols(rnd *rand.Rand, stop <-chan struct{}) {
	account, err := w.ts.store.Account(w.t.Context(), "alice")
	if err != nil {
		w.t.Error(err)
		return
	}
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !w.t.Failed() {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		if rnd.IntN(2) == 0 {
			err = w.deliver(rnd, store.Actor{Account: account.ID, Protocol: "lmtp"})
		} else {
			err = w.quit(rnd, store.Actor{Account: account.ID, Protocol: "pop3"})
		}
		if err != nil {
			w.t.Error(err)
			return
		}
		w.foreign.Add(1)
	}
}

// deliver puts one message into mailboxes, as LMTP does.
func (w *world) deliver(rnd *rand.Rand, by store.Actor) error {
	ctx := w.t.Context()
	in := w.ts.store.NewIngest(ctx, 0)
	defer in.Close()
	if _, err := in.Write([]byte("From: x@example.org\r\n\r\ndelivered\r\n")); err != nil {
		return err
	}
	body, err := in.Finish()
	if err != nil {
		return err
	}
	var list []store.Insertion
	for _, name := range mainBoxes()[rnd.IntN(3):] {
		box, err := w.ts.store.Mailbox(ctx, by, name)
		if err != nil {
			return err
		}
		if box.Messages < 20 {
			list = append(list, store.Insertion{Mailbox: box.ID, Body: body, Internal: w.ts.store.Now()})
		}
	}
	if len(list) == 0 {
		return nil
	}
	_, err = w.ts.store.Deliver(ctx, by, list)
	if err == nil {
		in.Used()
	}
	return err
}

// quit deletes messages and sets \Seen, as POP3 does; it keeps mailboxes small.
func (w *world) quit(rnd *rand.Rand, by store.Actor) error {
	ctx := w.t.Context()
	box, err := w.ts.store.Mailbox(ctx, by, mainBoxes()[rnd.IntN(3)])
	if err != nil {
		return err
	}
	view, err := w.ts.store.View(ctx, by, box.ID)
	if err != nil {
		return err
	}
	defer view.Close()
	if err := view.Load(ctx); err != nil {
		return err
	}
	share := 8
	if view.Len() > 40 {
		share = 2
	}
	var deleted, seen store.UIDSet
	for _, m := range view.BySeq(1, view.Len(), make([]store.Member, 0, view.Len()+1)) {
		switch rnd.IntN(share) {
		case 0:
			deleted.Add(m.UID)
		case 1:
			seen.Add(m.UID)
		}
	}
	policy := store.DeleteExpunge
	if rnd.IntN(4) == 0 {
		policy = store.DeleteTrash
	}
	_, err = view.Quit(ctx, store.Quit{Deleted: deleted, Seen: seen, Policy: policy})
	return err
}
