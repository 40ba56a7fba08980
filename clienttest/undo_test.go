package clienttest

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// device makes an app password for POP3 and returns the account with it.
func (s *server) device(t testing.TB, to target, label string, flags ...string) target {
	t.Helper()
	out := s.mustRun(t, append([]string{"app-password", "add", to.User, label, "--scope", "pop3", "--json"}, flags...)...)
	var made struct{ Password string }
	if err := json.Unmarshal([]byte(out), &made); err != nil || made.Password == "" {
		t.Fatalf("app-password add printed %q: %v", out, err)
	}
	to.Pass = made.Password
	return to
}

// uidls is what a device finds on the server.
func uidls(t testing.TB, to target) []string {
	t.Helper()
	p := pop(t, to)
	list, err := p.listing("UIDL")
	if err != nil {
		t.Fatal(err)
	}
	p.must(t, "QUIT")
	return slices.Sorted(maps.Values(list))
}

var fetchLine = regexp.MustCompile(`^\* \d+ FETCH \(UID (\d+) (.*)\)$`)

// lasting gives what must stay of the messages of INBOX, and their UIDs.
func lasting(t testing.TB, to target) (mail []string, uids map[string]bool) {
	t.Helper()
	c := dialLines(t, to.IMAP, &to)
	c.ok(t, "EXAMINE INBOX")
	uids = map[string]bool{}
	for _, line := range c.ok(t, "UID FETCH 1:* (UID FLAGS EMAILID THREADID INTERNALDATE SAVEDATE RFC822.SIZE)") {
		if m := fetchLine.FindStringSubmatch(line); m != nil {
			uids[m[1]] = true
			mail = append(mail, strings.Replace(m[2], `\Recent`, "", 1))
		}
	}
	c.ok(t, "LOGOUT")
	slices.Sort(mail)
	return mail, uids
}

// TestUndo has a mis-set POP3 client delete all that an account has, under each
// policy, and takes it back with one command: no other device downloads anything
// twice, and IMAP clients see the messages again as they were.
func TestUndo(t *testing.T) {
	t.Parallel()
	const n = 50 // the brake is for maildrops of more
	for _, policy := range []string{"trash", "expunge", "keep", "shared"} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, "")
			alice := s.account(t, "alice")
			phone, laptop := s.device(t, alice, "phone"), s.device(t, alice, "laptop")
			misset := s.device(t, alice, "mis-set", "--pop3-delete", policy)
			for i := range n {
				fill(t, alice, "INBOX", [][]byte{message(fmt.Sprint("undo", i), "to be undone", "text")}, `\Flagged`)
			}
			before, uids := lasting(t, alice)
			seen := uidls(t, phone)
			if len(before) != n || len(seen) != n || !slices.Equal(seen, uidls(t, laptop)) {
				t.Fatalf("%d messages over IMAP, %d over POP3", len(before), len(seen))
			}

			p := pop(t, misset)
			for i := range n {
				p.must(t, fmt.Sprint("DELE ", i+1))
			}
			p.must(t, "QUIT")
			kept := policy == "keep" || policy == "shared"
			if left, _ := lasting(t, alice); len(left) != n && kept || len(left) != 0 && !kept {
				t.Fatalf("%d messages are left in INBOX", len(left))
			}
			if left := uidls(t, misset); len(left) != 0 {
				t.Fatalf("the device still sees %d messages", len(left))
			}

			var sessions []struct {
				Session, Device, Policy string
				Deleted                 int
			}
			if err := json.Unmarshal([]byte(s.mustRun(t, "sessions", "alice", "--json")), &sessions); err != nil {
				t.Fatal(err)
			}
			session := ""
			for _, x := range sessions {
				if x.Device == "mis-set" && x.Policy == policy && x.Deleted == n {
					session = x.Session
				}
			}
			if out := s.mustRun(t, "undo", session); !strings.Contains(out, fmt.Sprintf("%d messages", n)) {
				t.Errorf("undo printed %q", out)
			}
			if out := s.mustRun(t, "undo", "alice", session); !strings.Contains(out, "nothing left to take back") {
				t.Errorf("a second undo printed %q", out)
			}

			after, again := lasting(t, alice)
			if !slices.Equal(after, before) {
				t.Errorf("messages after the undo: %.1000q, want %.1000q", after, before)
			}
			for uid := range again {
				if uids[uid] != kept {
					t.Fatalf("UID %s after the undo; under %s UIDs must be the old ones: %v", uid, policy, kept)
				}
			}
			for _, device := range []target{phone, laptop, misset} {
				if got := uidls(t, device); !slices.Equal(got, seen) {
					t.Errorf("UIDLs after the undo %q, want %q", got, seen)
				}
			}
			s.mustRun(t, "check")
		})
	}
}
