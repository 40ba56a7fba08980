package clienttest

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// outcome is what a client may claim of an act when its connection has died.
type outcome int

const (
	unknown outcome = iota // asked for, not acknowledged: done or not done
	acked                  // acknowledged: done
)

// claims is what clients remember of a message, by its id.
type claims struct {
	mu     sync.Mutex
	stored map[string]outcome // by LMTP or APPEND
	moved  map[string]outcome // out of the mailbox it was stored in: by MOVE, or POP3's DELE and QUIT
	flags  map[string]outcome // keywords by STORE, as "id keyword"
	quits  [][]string         // ids of which a QUIT must have taken all or none
	modseq map[string]uint64  // highest seen, by mailbox
}

func newClaims() *claims {
	return &claims{stored: map[string]outcome{}, moved: map[string]outcome{}, flags: map[string]outcome{}, modseq: map[string]uint64{}}
}

func (c *claims) set(m map[string]outcome, id string, o outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m[id] = o
}

func (c *claims) saw(mailbox string, modseq uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.modseq[mailbox] = max(c.modseq[mailbox], modseq)
}

// killMail is a message that can be made again from its id, to tell whether all
// of it is there. Most are small; one in eight spans several chunks of storage.
func killMail(id string) []byte {
	sum := crc32.ChecksumIEEE([]byte(id))
	size := 200 + int(sum%6000)
	if sum%8 == 0 {
		size = 200_000 + int(sum%500_000)
	}
	line := fmt.Sprintf("%s %08x and so on, and so on, to the end of the line\n", id, sum)
	return message(id, "Kill "+id, strings.Repeat(line, size/len(line)+1))
}

var messageID = []byte("Message-ID: <")

// idOf is the id of a killMail.
func idOf(text []byte) string {
	_, rest, _ := bytes.Cut(text, messageID)
	id, _, _ := bytes.Cut(rest, []byte("@"))
	return string(id)
}

// TestKill kills the server at random moments while clients deliver, append,
// flag, move and delete. Nothing acknowledged may be lost, doubled or half there.
// It runs alone in this package, as it measures how long a restart takes.
func TestKill(t *testing.T) {
	rounds := 5
	if n, err := strconv.Atoi(os.Getenv("CLIENTTEST_KILL_ROUNDS")); err == nil {
		rounds = n
	}
	s := startServer(t, "[auth]\nplaintext = \"always\"\n")
	k := &killTest{server: s, imap: s.account(t, "alice"), pop: s.account(t, "bob"), seen: map[string]bool{},
		known: map[string]map[imap.UID]string{}, validity: map[string]uint32{}, highest: map[string]uint64{}, next: map[string]imap.UID{}}
	c := imapSession(t, k.imap, nil)
	for _, box := range []string{"Appended", "MoveTo"} {
		if err := c.Create(box, nil).Wait(); err != nil {
			t.Fatal(err)
		}
	}
	c.Close()
	for round := range rounds {
		k.round(t, round)
		if t.Failed() {
			t.Fatalf("in round %d of %d", round+1, rounds)
		}
	}
	slices.Sort(k.restarts)
	median := k.restarts[rounds/2] // others may use the processors at times
	if median > time.Second {
		t.Errorf("a restart took %v, want under 1 s", median)
	}
	t.Logf("%d rounds: %d messages stored, %d acknowledged acts in all, restart %v, slowest %v",
		rounds, k.messages, k.acts, median.Round(time.Millisecond), k.restarts[rounds-1].Round(time.Millisecond))
}

// killTest is what lasts from round to round.
type killTest struct {
	server    *server
	imap, pop target
	seen      map[string]bool                // ids found after earlier rounds
	known     map[string]map[imap.UID]string // ids by mailbox and UID
	validity  map[string]uint32              // UIDVALIDITY by mailbox
	highest   map[string]uint64              // HIGHESTMODSEQ by mailbox
	next      map[string]imap.UID            // UIDNEXT by mailbox
	messages  int                            // found after the last round
	acts      int                            // acknowledged in all rounds
	restarts  []time.Duration
}

// round loads the server, kills it, starts it and looks what is there.
func (k *killTest) round(t *testing.T, round int) {
	t.Helper()
	claimed := newClaims()
	killed := make(chan struct{})
	var clients sync.WaitGroup
	for worker, work := range []func(*claims, <-chan struct{}, string) error{k.deliver, k.deliver, k.append, k.flag, k.move, k.quit} {
		clients.Go(func() { // ends when the server is gone
			for n := 0; ; n++ {
				err := work(claimed, killed, fmt.Sprintf("r%d-w%d-%d", round, worker, n))
				select {
				case <-killed:
					return
				default:
				}
				if err != nil {
					t.Errorf("round %d, client %d, before the kill: %v", round, worker, err)
					return
				}
			}
		})
	}
	// The kill comes after a random number of acknowledged acts, not after a time.
	want := 20 + rand.IntN(400)
	busy := poll(func() error {
		if got := claimed.count(); got < want {
			return fmt.Errorf("%d of %d acts acknowledged", got, want)
		}
		return nil
	})
	close(killed)
	k.server.kill(t)
	clients.Wait()
	if busy != nil {
		t.Error(busy)
	}

	start := time.Now()
	if err := k.server.launch(); err != nil {
		t.Fatalf("after the kill: %v", err)
	}
	k.restarts = append(k.restarts, time.Since(start))
	k.acts += claimed.count()
	k.verify(t, claimed)
	if out, err := k.server.run("check"); err != nil {
		t.Errorf("tandem check: %v\n%s", err, out)
	}
}

// count is the number of acknowledged acts.
func (c *claims) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, m := range []map[string]outcome{c.stored, c.moved, c.flags} {
		for _, o := range m {
			if o == acked {
				n++
			}
		}
	}
	return n
}

// running reports whether the server has not been killed.
func running(killed <-chan struct{}) bool {
	select {
	case <-killed:
		return false
	default:
		return true
	}
}

// deliver sends mail by LMTP to alice's INBOX.
func (k *killTest) deliver(c *claims, killed <-chan struct{}, id string) error {
	conn, err := dialLMTP(k.imap.LMTP)
	if err != nil {
		return err
	}
	defer conn.close()
	for n := 0; running(killed); n++ {
		id := fmt.Sprintf("%s-lmtp-%d", id, n)
		c.set(c.stored, id, unknown)
		if err := conn.deliver(killMail(id), k.imap.Rcpt); err != nil {
			return err
		}
		c.set(c.stored, id, acked)
	}
	return nil
}

// append stores mail with APPEND.
func (k *killTest) append(c *claims, killed <-chan struct{}, id string) error {
	conn, err := dialIMAP(k.imap, nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	for n := 0; running(killed); n++ {
		id := fmt.Sprintf("%s-append-%d", id, n)
		c.set(c.stored, id, unknown)
		if _, err := appendMail(conn, "Appended", killMail(id)); err != nil {
			return err
		}
		c.set(c.stored, id, acked)
	}
	return nil
}

// flag appends a message and gives it keywords with STORE.
func (k *killTest) flag(c *claims, killed <-chan struct{}, id string) error {
	conn, err := dialIMAP(k.imap, nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	id += "-flag"
	c.set(c.stored, id, unknown)
	uid, err := appendMail(conn, "Appended", killMail(id))
	if err != nil {
		return err
	}
	c.set(c.stored, id, acked)
	if _, err := conn.Select("Appended", &imap.SelectOptions{CondStore: true}).Wait(); err != nil {
		return err
	}
	for n := range 20 {
		keyword := fmt.Sprintf("$k%d", n)
		c.set(c.flags, id+" "+keyword, unknown)
		msgs, err := conn.Store(imap.UIDSetNum(uid), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.Flag(keyword)}}, nil).Collect()
		if err != nil {
			return err
		}
		c.set(c.flags, id+" "+keyword, acked)
		for _, m := range msgs {
			c.saw("Appended", m.ModSeq)
		}
	}
	return conn.Logout().Wait()
}

// move appends a message and moves it.
func (k *killTest) move(c *claims, killed <-chan struct{}, id string) error {
	conn, err := dialIMAP(k.imap, nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Select("Appended", nil).Wait(); err != nil {
		return err
	}
	for n := 0; running(killed); n++ {
		id := fmt.Sprintf("%s-move-%d", id, n)
		c.set(c.stored, id, unknown)
		uid, err := appendMail(conn, "Appended", killMail(id))
		if err != nil {
			return err
		}
		c.set(c.stored, id, acked)
		c.set(c.moved, id, unknown)
		if _, err := conn.Move(imap.UIDSetNum(uid), "MoveTo").Wait(); err != nil {
			return err
		}
		c.set(c.moved, id, acked)
	}
	return nil
}

// quit delivers some mail to bob, reads it by POP3 and deletes it.
func (k *killTest) quit(c *claims, killed <-chan struct{}, id string) error {
	conn, err := dialLMTP(k.pop.LMTP)
	if err != nil {
		return err
	}
	defer conn.close()
	for n := range 3 {
		id := fmt.Sprintf("%s-pop-%d", id, n)
		c.set(c.stored, id, unknown)
		if err := conn.deliver(killMail(id), k.pop.Rcpt); err != nil {
			return err
		}
		c.set(c.stored, id, acked)
	}
	p, err := dialPOP(k.pop)
	if err != nil {
		return err
	}
	defer p.conn.Close()
	list, err := p.listing("LIST")
	if err != nil {
		return err
	}
	var ids []string
	for n := range len(list) {
		text, err := p.retr(n + 1)
		if err != nil {
			return err
		}
		ids = append(ids, idOf(text))
		if _, err := p.command(fmt.Sprintf("DELE %d", n+1)); err != nil {
			return err
		}
	}
	c.mu.Lock()
	c.quits = append(c.quits, ids)
	c.mu.Unlock()
	for _, id := range ids {
		c.set(c.moved, id, unknown)
	}
	if _, err := p.command("QUIT"); err != nil {
		return err
	}
	for _, id := range ids {
		c.set(c.moved, id, acked)
	}
	return nil
}

// place is where a message lies.
type place struct {
	mailbox string
	flags   []imap.Flag
}

// verify compares what is there with what was claimed.
func (k *killTest) verify(t *testing.T, c *claims) {
	t.Helper()
	found := map[string][]place{}
	k.look(t, k.imap, []string{"INBOX", "Appended", "MoveTo"}, c, found)
	k.look(t, k.pop, []string{"INBOX", "Trash"}, c, found)
	for id := range k.seen {
		if len(found[id]) != 1 {
			t.Errorf("%s, stored in an earlier round, is there %d times", id, len(found[id]))
		}
	}
	for id, o := range c.stored {
		if n := len(found[id]); n > 1 || o == acked && n == 0 {
			t.Errorf("%s, %s, is there %d times: %v", id, [...]string{"not acknowledged", "acknowledged"}[o], n, found[id])
		}
	}
	for id, o := range c.moved {
		at := found[id]
		if len(at) == 1 && o == acked && at[0].mailbox != "MoveTo" && at[0].mailbox != "bob/Trash" {
			t.Errorf("%s was moved, and lies in %s", id, at[0].mailbox)
		}
	}
	for key, o := range c.flags {
		id, keyword, _ := strings.Cut(key, " ")
		if at := found[id]; o == acked && (len(at) != 1 || !slices.Contains(at[0].flags, imap.Flag(keyword))) {
			t.Errorf("%s was set on %s, which is at %v", keyword, id, at)
		}
	}
	for _, ids := range c.quits {
		inTrash := 0
		for _, id := range ids {
			if at := found[id]; len(at) == 1 && at[0].mailbox == "bob/Trash" {
				inTrash++
			}
		}
		if inTrash != 0 && inTrash != len(ids) {
			t.Errorf("a QUIT deleted %d of %d messages", inTrash, len(ids))
		}
	}
	k.messages = len(found)
	for id := range found {
		k.seen[id] = true // what is there now stays, acknowledged or not
	}
}

// look reads the mailboxes of an account into found, and compares UIDs and
// counters with what earlier rounds saw.
func (k *killTest) look(t *testing.T, to target, mailboxes []string, c *claims, found map[string][]place) {
	t.Helper()
	conn := imapSession(t, to, nil)
	defer conn.Close()
	for _, mailbox := range mailboxes {
		name := mailbox
		if to.User == "bob" {
			name = "bob/" + mailbox
		}
		all, box, err := fetchAll(conn, mailbox)
		if err != nil {
			t.Fatal(err)
		}
		k.counters(t, conn, mailbox, name, box, c)
		if k.known[name] == nil {
			k.known[name] = map[imap.UID]string{}
		}
		for _, m := range all {
			id := idOf(m.text)
			if !bytes.HasSuffix(m.text, killMail(id)) || m.size != int64(len(m.text)) {
				t.Errorf("%s UID %d is not whole: %s", name, m.uid, head(m.text))
			}
			if before, ok := k.known[name][m.uid]; ok && before != id {
				t.Errorf("%s UID %d was %s and is %s", name, m.uid, before, id)
			}
			if _, ok := k.known[name][m.uid]; !ok && m.uid < k.next[name] {
				t.Errorf("%s UID %d is new, below the UIDNEXT %d seen before", name, m.uid, k.next[name])
			}
			k.known[name][m.uid] = id
			found[id] = append(found[id], place{name, m.flags})
		}
		k.next[name] = box.UIDNext
	}
}

// counters compares UIDVALIDITY, UIDNEXT and HIGHESTMODSEQ.
func (k *killTest) counters(t *testing.T, conn *imapclient.Client, mailbox, name string, box *imap.SelectData, c *claims) {
	t.Helper()
	if before, ok := k.validity[name]; ok && before != box.UIDValidity {
		t.Errorf("%s: UIDVALIDITY was %d and is %d", name, before, box.UIDValidity)
	}
	k.validity[name] = box.UIDValidity
	if box.UIDNext < k.next[name] {
		t.Errorf("%s: UIDNEXT was %d and is %d", name, k.next[name], box.UIDNext)
	}
	status, err := conn.Status(mailbox, &imap.StatusOptions{HighestModSeq: true}).Wait()
	if err != nil {
		t.Fatal(err)
	}
	k.highest[name] = max(k.highest[name], c.modseq[name])
	if status.HighestModSeq < k.highest[name] {
		t.Errorf("%s: HIGHESTMODSEQ was %d and is %d", name, k.highest[name], status.HighestModSeq)
	}
	k.highest[name] = status.HighestModSeq
}
