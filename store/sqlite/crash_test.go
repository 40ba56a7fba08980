package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem/store"
)

// crashDir names the store a child process works on until it is killed,
// crashTo the account to whose Archive it moves: alice's or another's.
const (
	crashDir = "TANDEM_TEST_CRASH_DIR"
	crashTo  = "TANDEM_TEST_CRASH_TO"
)

const (
	crashRounds  = 10
	crashWorkers = 6
)

// The stages a message goes through in the child, one acknowledged verb each.
const (
	stageNone = iota
	stageStored
	stageFlagged
	stageMoved
	stageExpunged
)

// TestCrashChild is the child of TestCrash: it works until it is killed. Each
// verb is announced before (try) and acknowledged after (ack).
func TestCrashChild(t *testing.T) {
	dir := os.Getenv(crashDir)
	if dir == "" {
		t.Skip("only as a child of TestCrash")
	}
	b := openBox(t, dir, Options{})
	to := b.archive(os.Getenv(crashTo))
	round := os.Getpid()
	var wg sync.WaitGroup
	for w := range crashWorkers {
		wg.Go(func() {
			for i := 0; ; i++ {
				b.workOn(fmt.Sprintf("%d-%d-%d", round, w, i), to.ID, i%3 > 0)
			}
		})
	}
	wg.Wait()
}

// archive gives the Archive of an account, which is made when missing.
func (b *box) archive(account string) store.Mailbox {
	b.must(b.CreateAccounts(b.t.Context(), []store.NewAccount{{Name: account, Hash: "x"}}, true))
	a, err := b.AccountByName(b.t.Context(), account)
	b.must(err)
	m, err := b.MailboxByName(b.t.Context(), a.ID, "Archive")
	b.must(err)
	return m
}

func say(format string, args ...any) { fmt.Fprintf(os.Stdout, format+"\n", args...) }

func (b *box) workOn(subject string, to store.MailboxID, last bool) {
	ctx := context.Background()
	say("try %s %d", subject, stageStored)
	in, err := b.put(subject)
	b.must(err)
	say("ack %s %d %d %d", subject, stageStored, in.UID, 0)
	one := store.UIDSet{{Start: in.UID, Stop: in.UID}}
	say("try %s %d", subject, stageFlagged)
	res, err := b.SetFlags(ctx, admin, b.inbox, store.FlagsChange{UIDs: one, Flags: store.FlagFlagged}, 0)
	b.must(err)
	say("ack %s %d %d %d", subject, stageFlagged, in.UID, res.ModSeq)
	say("try %s %d", subject, stageMoved)
	got, err := b.Copy(ctx, admin, b.inbox, to, one, true, 0)
	b.must(err)
	say("ack %s %d %d %d", subject, stageMoved, got.Dest[0].Start, 0)
	if !last {
		return
	}
	say("try %s %d", subject, stageExpunged)
	gone, err := b.Expunge(ctx, admin, to, got.Dest, false)
	b.must(err)
	say("ack %s %d %d %d", subject, stageExpunged, got.Dest[0].Start, gone.ModSeq)
}

// crash is what the parent knows from the child's announcements, over all
// rounds.
type crash struct {
	t          *testing.T
	dir        string
	to         string // the account moved to
	tried      map[string]int
	acked      map[string]int
	uids       [2]map[store.UID]string // of INBOX, Archive: whose they were
	modseq     [2]store.ModSeq
	validities [2]uint32
}

// TestCrash kills a working process at random moments and looks at what it
// left: nothing acknowledged lost or doubled, nothing half done, no UID used
// twice, UIDVALIDITY the same, modseqs never back.
func TestCrash(t *testing.T) { crashAndLook(t, "alice") }

// TestCrashAcross does so while messages move to another account.
func TestCrashAcross(t *testing.T) { crashAndLook(t, "bob") }

func crashAndLook(t *testing.T, to string) {
	c := &crash{t: t, dir: t.TempDir(), to: to, tried: map[string]int{}, acked: map[string]int{},
		uids: [2]map[store.UID]string{{}, {}}}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	for range crashRounds {
		c.round(time.Duration(rnd.IntN(250)+1) * time.Millisecond)
		c.verify()
	}
	if len(c.acked) < 100 {
		t.Fatalf("only %d messages were worked on", len(c.acked))
	}
	t.Logf("%d messages", len(c.acked))
}

// round runs a child and kills it some time after its first acknowledgement.
func (c *crash) round(after time.Duration) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestCrashChild$")
	cmd.Env = append(os.Environ(), crashDir+"="+c.dir, crashTo+"="+c.to)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		c.t.Fatal(err)
	}
	var kill *time.Timer
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if kill == nil {
			kill = time.AfterFunc(after, func() { cmd.Process.Kill() })
		}
		c.note(lines.Text())
	}
	io.Copy(io.Discard, out)
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		c.t.Fatalf("the child ended by itself: %v", err)
	}
}

// note takes one line of the child: try SUBJECT STAGE, or ack SUBJECT STAGE
// UID MODSEQ.
func (c *crash) note(line string) {
	var verb, subject string
	var stage int
	var uid store.UID
	var modseq store.ModSeq
	n, _ := fmt.Sscanf(line, "%s %s %d %d %d", &verb, &subject, &stage, &uid, &modseq)
	switch {
	case n == 3 && verb == "try":
		c.tried[subject] = stage
	case n == 5 && verb == "ack":
		c.acked[subject] = stage
		box := 0
		if stage >= stageMoved {
			box = 1
		}
		c.claim(box, uid, subject)
		c.modseq[box] = max(c.modseq[box], modseq)
	}
}

// claim notes that a UID was given to a subject; it may be no other's.
func (c *crash) claim(box int, uid store.UID, subject string) {
	if owner, taken := c.uids[box][uid]; taken && owner != subject {
		c.t.Fatalf("UID %d of mailbox %d was given to %s and to %s", uid, box, owner, subject)
	}
	c.uids[box][uid] = subject
}

var subjectLine = regexp.MustCompile(`(?m)^Subject: (\S+)\r$`)

// verify opens the store as the next process would.
func (c *crash) verify() {
	b := openBox(c.t, c.dir, Options{})
	b.wantClean()
	archive := b.archive(c.to)
	found := map[string]int{}
	for i, id := range []store.MailboxID{b.inbox, archive.ID} {
		x, err := b.LoadIndex(c.t.Context(), id, 0)
		b.must(err)
		if v := x.Mailbox.UIDValidity; c.validities[i] != 0 && v != c.validities[i] {
			c.t.Fatalf("UIDVALIDITY %d, was %d", v, c.validities[i])
		}
		c.validities[i] = x.Mailbox.UIDValidity
		if x.Mailbox.HighestModSeq < c.modseq[i] {
			c.t.Fatalf("modseq %d, was %d", x.Mailbox.HighestModSeq, c.modseq[i])
		}
		c.modseq[i] = x.Mailbox.HighestModSeq
		for _, e := range x.Entries {
			subject := b.subjectOf(e.Message)
			c.claim(i, e.UID, subject)
			if found[subject] != 0 {
				c.t.Fatalf("%s is there twice", subject)
			}
			found[subject] = stageOf(i, e)
		}
	}
	for subject, tried := range c.tried {
		c.judge(subject, tried, found[subject])
	}
	b.must(b.Close())
}

func stageOf(box int, e store.Entry) int {
	switch {
	case box == 1:
		return stageMoved
	case e.Flags&store.FlagFlagged != 0:
		return stageFlagged
	}
	return stageStored
}

// judge compares what became of a message with what was tried and acknowledged.
func (c *crash) judge(subject string, tried, found int) {
	acked := c.acked[subject]
	gone := found == stageNone && (tried == stageExpunged || acked == stageNone)
	if !gone && found != acked && found != tried {
		c.t.Fatalf("%s: found at stage %d, acknowledged %d, tried %d", subject, found, acked, tried)
	}
	if acked == stageExpunged && found != stageNone {
		c.t.Fatalf("%s: came back at stage %d after its expunge", subject, found)
	}
}

// subjectOf reads a message whole and gives its subject.
func (b *box) subjectOf(id store.MessageID) string {
	for m, err := range b.Messages(b.t.Context(), []store.MessageID{id}, store.Want{Structure: true, Header: true, Text: true}) {
		b.must(err)
		found := subjectLine.FindSubmatch(m.Header)
		if found == nil || string(m.Text) != fmt.Sprintf("This is %s.\r\n", found[1]) {
			b.t.Fatalf("message %d is not what was stored", id)
		}
		return string(found[1])
	}
	b.t.Fatalf("message %d is missing", id)
	return ""
}
