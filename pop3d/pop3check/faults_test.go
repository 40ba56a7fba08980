package pop3check

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A good server leaves nothing unanswered, however busy the machine is.
const goodPatience = 20 * time.Second

// runFake checks a fake server, waiting for each answer as long as patience, and
// gives the checks that failed, with notes.
func runFake(t *testing.T, fault string, patience time.Duration) (failed map[string]string, results []Result) {
	t.Helper()
	f := startFake(t, fault)
	cfg := Config{Addr: f.addr, User: fakeUser, Password: fakePassword, Timeout: patience}
	results, err := run(t.Context(), cfg, f, nil)
	if err != nil {
		t.Errorf("a server that %q: %v", fault, err)
	}
	failed = map[string]string{}
	for _, r := range results {
		if r.Verdict == Fail {
			failed[r.Name] = r.Note
		}
	}
	return failed, results
}

func TestGoodServerPasses(t *testing.T) {
	t.Parallel()
	failed, results := runFake(t, "", goodPatience)
	for name, note := range failed {
		t.Errorf("%s: %s", name, note)
	}
	passed := 0
	for _, r := range results {
		if r.Verdict == Pass {
			passed++
		} else if r.Note == "" {
			t.Errorf("%s: %s without a reason", r.Name, r.Verdict)
		}
	}
	if passed < 150 {
		t.Errorf("%d checks passed, most should", passed)
	}
}

// faults are what servers get wrong, and which checks must tell. Others may fail
// beside them, up to a number.
var faults = []struct {
	fault  string
	checks string
	beside int
}{
	// Seen in Stalwart.
	{"counts marked messages", "stat-leaves-out-marked", 3},
	{"lists marked messages", "list-leaves-out-marked", 2},
	{"gives marked messages unique ids", "uidl-leaves-out-marked", 2},
	{"TOP n 0 is all", "top-0 top-long-header", 0},
	// Seen in WildDuck.
	{"renumbers after DELE", "numbers-keep-after-dele", 25},
	{"answers QUIT before the work", "quit-after-the-work", 3},
	// Seen in Cyrus.
	{"+OK to QUIT whatever happens", "quit-ok-means-removed", 0},
	// Seen in Dovecot.
	{"no lock", "lock-second-login", 0},
	{"marks as read without QUIT", "close-marks-nothing-read", 0},
	// Seen in others, or easily made.
	{"deletes without QUIT", "close-removes-nothing reset-removes-nothing unfinished-quit-removes-nothing close-amid-retr-removes-nothing", 0},
	{"no dot-stuffing", "retr-dots retr-dot-edges retr-last-dot top-dots", 5},
	{"counts the stuffing", "size-dots size-dot-edges size-as-imap", 1},
	{"counts line ends as one octet", "size-dots size-large", 6},
	{"unique ids change", "uidl-same-next-session", 130},
	{"unique ids are used again", "uidl-not-used-again", 130},
	{"numbers wrap around", "list-huge uidl-huge retr-huge top-huge dele-huge", 20},
	{"DELE takes marked messages", "dele-marked", 0},
	{"RETR takes marked messages", "retr-marked", 1},
	{"TOP takes marked messages", "top-marked", 0},
	{"TOP counts the blank line", "top-1 top-7 top-dots", 6},
	{"terminator not on its own line", "retr-no-line-end", 4},
	{"RSET does nothing", "rset rset-then-quit rset-then-dele dele-until-quit", 8},
	{"new mail comes in at once", "new-mail-waits", 2},
	{"renumbers when others delete", "expunged-meanwhile", 0},
	{"removes one message too many", "quit-removes-no-others", 130},
	{"tells which users there are", "login-unknown-user", 0},
	{"no response codes", "login-auth-code sasl-wrong-password", 0},
	{"no capabilities after login", "capa-after-login capa-in-both-states", 3},
	{"small letters", "replies-capitals", 3},
	{"bare LF", "replies-crlf", 3},
	{"input behind a command is lost", "pipelining-order pipelining-errors pipelining-login pipelining-retr pipelining-many", 6},
	{"keeps replies back", "pipelining-split", 0},
	{"goes on after QUIT", "quit-closes quit-before-login pipelining-nothing-after-quit", 10},
	{"runs what came before TLS", "stls-injection", 0},
	{"lists STLS inside TLS", "stls-not-listed-after capa-stls-after-login", 0},
	{"a lock is a wrong password", "lock-in-use-code", 0},
	{"names are in ASCII only", "utf8-name-before-command", 0},
	{"LANG takes any tag", "lang-unknown", 0},
	// What RFCs leave to servers is no fault.
	{"takes STLS inside TLS", "", 0},
	{"a lock is trouble", "", 0},
	{"lists backwards", "", 0},
	{"refuses UTF8", "", 0},
	{"lists no languages", "", 0},
	{"languages have no names", "", 0},
	{"prefers no language", "", 0},
}

// TestFaultsAreFound runs the checks against each faulty server, several at a
// time: most of the time they wait for answers that do not come.
func TestFaultsAreFound(t *testing.T) {
	t.Parallel()
	slots := make(chan struct{}, 8)
	var all sync.WaitGroup
	failed := make([]map[string]string, len(faults))
	for i, test := range faults {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			failed[i], _ = runFake(t, test.fault, 2*time.Second)
		})
	}
	all.Wait()
	for i, test := range faults {
		others := failed[i]
		if len(others) > test.beside+len(strings.Fields(test.checks)) { // a busy machine?
			others, _ = runFake(t, test.fault, goodPatience/2)
		}
		for name := range strings.FieldsSeq(test.checks) {
			if _, ok := others[name]; !ok {
				t.Errorf("a server that %q: %s passed", test.fault, name)
			}
			delete(others, name)
		}
		if len(others) > test.beside {
			t.Errorf("a server that %q: %d other checks failed, at most %d should: %v", test.fault, len(others), test.beside, others)
		}
	}
}

// TestTable looks at the rows themselves.
func TestTable(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range checks() {
		if seen[c.name] || c.rfc == "" || strings.ToLower(c.name) != c.name {
			t.Errorf("%q, RFC %q: twice, without RFC or not in small letters", c.name, c.rfc)
		}
		seen[c.name] = true
	}
	for _, f := range faults {
		for name := range strings.FieldsSeq(f.checks) {
			if !seen[name] {
				t.Errorf("no check %s", name)
			}
		}
	}
}

// TestWithoutMail: without a way to put mail in, the rest is checked.
func TestWithoutMail(t *testing.T) {
	t.Parallel()
	f := startFake(t, "")
	cfg := Config{Addr: f.addr, User: fakeUser, Password: fakePassword, Timeout: goodPatience}
	results, err := Run(t.Context(), cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	count := map[Verdict]int{}
	for _, r := range results {
		count[r.Verdict]++
		if r.Verdict == Fail {
			t.Errorf("%s: %s", r.Name, r.Note)
		}
	}
	if count[Pass] < 50 || count[Skip] < 50 {
		t.Errorf("verdicts: %v", count)
	}
}

// TestLeavesMailAlone: what was in the maildrop before is there afterwards, and
// nothing else is.
func TestLeavesMailAlone(t *testing.T) {
	t.Parallel()
	f := startFake(t, "")
	for i := range 3 {
		if err := f.put(fmt.Appendf(nil, "Subject: mine %d\r\n\r\ntext\r\n", i)); err != nil {
			t.Fatal(err)
		}
	}
	before := f.list()
	cfg := Config{Addr: f.addr, User: fakeUser, Password: fakePassword, Timeout: goodPatience}
	results, err := run(t.Context(), cfg, f, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Verdict == Fail {
			t.Errorf("%s: %s", r.Name, r.Note)
		}
	}
	if after := f.list(); !slices.Equal(before, after) {
		t.Errorf("%d messages are there, before %d", len(after), len(before))
	}
	for _, m := range before {
		if m.seen {
			t.Error("a message was retrieved that is not the run's own")
		}
	}
}

// TestWrongPassword: the run ends with the reason.
func TestWrongPassword(t *testing.T) {
	t.Parallel()
	f := startFake(t, "")
	cfg := Config{Addr: f.addr, User: fakeUser, Password: "other", Timeout: goodPatience}
	if _, err := Run(context.Background(), cfg, nil); err == nil || !strings.Contains(err.Error(), "login refused") {
		t.Errorf("error %v, want that the login is refused", err)
	}
}
