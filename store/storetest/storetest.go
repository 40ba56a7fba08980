package storetest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem/store"
	"tandem/store/message"
)

// Open opens the engine's store kept under dir, making it when there is none.
// The engine takes the time from now.
type Open func(t testing.TB, dir string, now func() time.Time) store.Engine

// Run runs the suite. The engines are closed by it.
func Run(t *testing.T, open Open) {
	for _, group := range []map[string]func(*fixture){
		accountTests, mailboxTests, insertTests, flagsTests, moveTests, replaceTests, pop3Tests, deviceTests, upkeepTests, ruleTests,
		quotaTests, metadataTests, rightsTests, aclTests, acrossTests, recoverTests, storyTests,
	} {
		for _, name := range slices.Sorted(maps.Keys(group)) {
			t.Run(name, func(t *testing.T) { group[name](newFixture(t, open)) })
		}
	}
	t.Run("random deletions and recoveries", func(t *testing.T) { testRandomRecovery(t, open) })
	t.Run("random verbs against a model", func(t *testing.T) { testRandom(t, open) })
}

// fixture is one store with the accounts alice and bob.
type fixture struct {
	testing.TB
	store.Engine
	open Open
	dir  string

	alice, bob store.AccountID
	by         store.Actor // alice over IMAP
	admin      store.Actor
	inbox      store.MailboxID // alice's

	mu     sync.Mutex
	clock  time.Time
	events []store.Change
	serial int
}

// ctx outlives the test: fixtures are closed in its cleanup.
func (f *fixture) ctx() context.Context { return context.WithoutCancel(f.TB.Context()) }

func newFixture(t testing.TB, open Open) *fixture {
	f := &fixture{TB: t, open: open, dir: t.TempDir(), clock: time.Unix(1_760_000_000, 0), admin: store.Actor{Protocol: "admin"}}
	f.start()
	t.Cleanup(f.finish)
	f.must(f.CreateAccounts(t.Context(), []store.NewAccount{{Name: "alice", Hash: "h1"}, {Name: "bob", Hash: "h2"}}, false))
	for name, id := range map[string]*store.AccountID{"alice": &f.alice, "bob": &f.bob} {
		a, err := f.AccountByName(t.Context(), name)
		f.must(err)
		*id = a.ID
	}
	f.by = store.Actor{Account: f.alice, Credential: 1, Session: "s1", Protocol: "imap", Remote: "127.0.0.1:1"}
	f.inbox = f.named("INBOX").ID
	return f
}

func (f *fixture) start() {
	f.Engine = f.open(f.TB, f.dir, f.now)
	f.Start(func(list []store.Change) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.events = append(f.events, list...)
	})
}

// finish checks the store and closes it.
func (f *fixture) finish() {
	if f.Engine == nil {
		return
	}
	if f.Health() == nil {
		f.must(f.Check(f.ctx(), false, func(line string) { f.Errorf("check: %s", line) }))
	}
	f.must(f.Close())
}

// reopen closes the store and opens it again.
func (f *fixture) reopen() {
	f.Helper()
	f.must(f.Close())
	f.start()
}

func (f *fixture) now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.clock
}

// pass lets time pass, or go back.
func (f *fixture) pass(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.clock = f.clock.Add(d)
}

// published takes the changes published since the last call.
func (f *fixture) published() []store.Change {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := f.events
	f.events = nil
	return list
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// wantKind fails unless err is of a kind.
func (f *fixture) wantKind(err error, kind store.Kind) {
	f.Helper()
	if err == nil {
		f.Fatalf("no error, want one of kind %q", kind)
	}
	if got := store.KindOf(err); got != kind {
		f.Fatalf("error %q of kind %q, want %q", err, got, kind)
	}
}

// named gives alice's mailbox of a name.
func (f *fixture) named(name string) store.Mailbox {
	f.Helper()
	m, err := f.MailboxByName(f.ctx(), f.alice, name)
	f.must(err)
	return m
}

func (f *fixture) row(id store.MailboxID) store.Mailbox {
	f.Helper()
	m, err := f.Mailbox(f.ctx(), id)
	f.must(err)
	return m
}

// create makes a mailbox of alice.
func (f *fixture) create(name string) store.MailboxID {
	f.Helper()
	m, err := f.CreateMailbox(f.ctx(), f.by, f.alice, store.NewMailbox{Name: name}, 0)
	f.must(err)
	return m.ID
}

// text makes the bytes of a small message unlike all others.
func (f *fixture) text() string {
	f.serial++
	return fmt.Sprintf("From: a@example.org\r\nSubject: number %d\r\nMessage-ID: <%d@example.org>\r\n\r\nText %d.\r\n", f.serial, f.serial, f.serial)
}

// bodyOf makes a body of a message of at most one chunk.
func bodyOf(text string) *store.Body {
	st := message.Parse([]byte(text))
	n := int(st.HeaderSize)
	return &store.Body{Header: []byte(text[:n]), Text: []byte(text[n:]), Size: int64(len(text)), Digest: sha256.Sum256([]byte(text)),
		Structure: st.AppendBinary(nil), MessageID: st.MessageID, References: st.References}
}

// put inserts n small messages and gives their UIDs.
func (f *fixture) put(id store.MailboxID, n int, flags store.Flags, keywords ...string) []store.UID {
	f.Helper()
	var list []store.Insertion
	for range n {
		list = append(list, store.Insertion{Mailbox: id, Body: bodyOf(f.text()), Flags: flags, Keywords: keywords, Internal: f.now()})
	}
	out, err := f.Insert(f.ctx(), f.by, list, true, 0)
	f.must(err)
	var uids []store.UID
	for _, o := range out {
		uids = append(uids, o.UID)
	}
	return uids
}

// load reads a mailbox as an index would.
func (f *fixture) load(id store.MailboxID) *store.LoadedIndex {
	f.Helper()
	x, err := f.LoadIndex(f.ctx(), id, 0)
	f.must(err)
	return x
}

// entry gives one entry.
func (f *fixture) entry(id store.MailboxID, uid store.UID) store.Entry {
	f.Helper()
	for _, e := range f.load(id).Entries {
		if e.UID == uid {
			return e
		}
	}
	f.Fatalf("no entry of UID %d", uid)
	return store.Entry{}
}

// uids gives the UIDs of a mailbox as text.
func (f *fixture) uids(id store.MailboxID) string {
	f.Helper()
	var s store.UIDSet
	for _, e := range f.load(id).Entries {
		s.Add(e.UID)
	}
	return str(s)
}

func (f *fixture) wantUIDs(id store.MailboxID, want string) {
	f.Helper()
	if got := f.uids(id); got != want {
		f.Fatalf("UIDs %s, want %s", got, want)
	}
}

// served gives the bytes of a message as it would be served.
func (f *fixture) served(id store.MessageID) string {
	f.Helper()
	for m, err := range f.Messages(f.ctx(), []store.MessageID{id}, store.Want{Header: true, Text: true}) {
		f.must(err)
		out := append(append([]byte{}, m.Prefix...), m.Header...)
		if m.Text != nil {
			return string(append(out, m.Text...))
		}
		for n := 0; int64(len(out)) < m.Size; n++ {
			chunk, err := f.ReadChunk(f.ctx(), m.Body, n)
			f.must(err)
			out = append(out, chunk...)
		}
		return string(out)
	}
	f.Fatalf("message %d is gone", id)
	return ""
}

// set makes a UID set of UIDs in ascending order.
func set(uids ...store.UID) store.UIDSet {
	var s store.UIDSet
	for _, u := range uids {
		s.Add(u)
	}
	return s
}

func span(start, stop store.UID) store.UIDSet { return store.UIDSet{{Start: start, Stop: stop}} }

// str writes a set as IMAP does.
func str(s store.UIDSet) string {
	var parts []string
	for _, r := range s {
		if r.Start == r.Stop {
			parts = append(parts, fmt.Sprint(r.Start))
		} else {
			parts = append(parts, fmt.Sprintf("%d:%d", r.Start, r.Stop))
		}
	}
	return strings.Join(parts, ",")
}

func (f *fixture) equal(what string, got, want any) {
	f.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		f.Fatalf("%s: %v, want %v", what, got, want)
	}
}
