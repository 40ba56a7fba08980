package clienttest

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// device is a mail program that collects mail over POP3 with an app password. As
// such programs do, it remembers the UIDLs of what it has, retrieves nothing
// twice, and deletes what it has.
type device struct {
	to    target
	label string
	got   map[string][]byte // what was retrieved, by UIDL
	twice []string          // UIDLs that came back after a QUIT was acknowledged
	gone  map[string]bool   // deleted by an acknowledged QUIT
	acked *atomic.Int64     // counts acknowledged deletions of all devices
}

// newDevice adds an app password.
func newDevice(t *testing.T, s *server, to target, label string, acked *atomic.Int64) *device {
	t.Helper()
	var made struct{ Label, Password string }
	if err := json.Unmarshal([]byte(s.mustRun(t, "app-password", "add", to.User, label, "--json")), &made); err != nil || made.Label != label {
		t.Fatalf("app-password add: %+v, %v", made, err)
	}
	to.Pass = made.Password
	return &device{to: to, label: label, got: map[string][]byte{}, gone: map[string]bool{}, acked: acked}
}

// collect has one session on at most batch messages and tells how many there
// were.
func (d *device) collect(batch int) (int, error) {
	c, err := dialPOP(d.to)
	if err != nil {
		return 0, err
	}
	defer c.conn.Close()
	list, err := c.listing("UIDL")
	if err != nil {
		return 0, err
	}
	var deleted []string
	for n := 1; n <= min(len(list), batch); n++ {
		uidl := list[n]
		if d.gone[uidl] {
			d.twice = append(d.twice, uidl)
		}
		if d.got[uidl] == nil {
			text, err := c.retr(n)
			if err != nil {
				return 0, err
			}
			d.got[uidl] = text
		}
		if _, err := c.command(fmt.Sprintf("DELE %d", n)); err != nil {
			return 0, err
		}
		deleted = append(deleted, uidl)
	}
	if _, err := c.command("QUIT"); err != nil {
		return 0, err
	}
	for _, uidl := range deleted {
		d.gone[uidl] = true
	}
	d.acked.Add(int64(len(deleted)))
	return len(list), nil
}

// collectAll goes on until the maildrop is empty, also over deaths of the server.
func (d *device) collectAll() error {
	for {
		left := 0
		err := poll(func() (err error) {
			left, err = d.collect(10 + rand.IntN(60))
			return err
		})
		if err != nil || left == 0 {
			return err
		}
	}
}

// TestThreeDevices has three POP3 devices and an IMAP client on one account,
// under the policy shared, while the server is killed and stopped. Each device
// gets each message once, and what all have leaves INBOX for Trash.
func TestThreeDevices(t *testing.T) {
	t.Parallel()
	const messages = 1000
	s := startServer(t, "[limits]\nsessions_per_user_address = 0\n")
	to := s.account(t, "alice")
	s.mustRun(t, "account", "policy", "alice", "--pop3-delete", "shared")
	var acked atomic.Int64
	laptop, phone := newDevice(t, s, to, "laptop", &acked), newDevice(t, s, to, "phone", &acked)
	var mails [][]byte
	for n := range messages {
		mails = append(mails, message(fmt.Sprintf("device-%d", n), fmt.Sprintf("Number %d", n), strings.Repeat("text\n", n%50)))
	}
	fill(t, to, "INBOX", mails)
	// A device that came later: its first listing makes it count.
	tablet := newDevice(t, s, to, "tablet", &acked)
	c := pop(t, tablet.to)
	c.must(t, "STAT", "QUIT")

	run := func(rounds int, devices ...*device) {
		t.Helper()
		var running sync.WaitGroup
		for _, d := range devices {
			running.Go(func() { // ends when its maildrop is empty
				if err := d.collectAll(); err != nil {
					t.Errorf("%s: %v", d.label, err)
				}
			})
		}
		over := make(chan struct{})
		go func() { running.Wait(); close(over) }()
		for round := range rounds {
			want := acked.Load() + int64(50+rand.IntN(150))
			ended := false // all that is left may be gone before that
			if err := poll(func() error {
				select {
				case <-over:
					ended = true
					return nil
				default:
				}
				if n := acked.Load(); n < want {
					return fmt.Errorf("%d of %d deletions", n, want)
				}
				return nil
			}); err != nil {
				t.Error(err)
				break
			}
			if ended && round > 0 {
				break
			}
			if round%3 == 2 {
				if code, _ := s.stop(t); code != 0 {
					t.Errorf("after SIGTERM: exit code %d", code)
				}
			} else {
				s.kill(t)
			}
			if err := s.launch(); err != nil {
				t.Errorf("start the server again: %v", err)
				break
			}
			err := poll(func() error { // a move may come between the two counts
				in, trash := s.counts(t, to)
				if in+trash != messages || len(devices) == 2 && trash > 0 {
					return fmt.Errorf("round %d: %d messages in INBOX and %d in Trash", round, in, trash)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}
		<-over
	}
	run(4, laptop, phone)
	sameMail(t, mailboxMail(t, to, "INBOX"), mails)
	run(3, tablet)
	if in, _ := s.counts(t, to); in != 0 {
		t.Errorf("%d messages are left in INBOX", in)
	}
	sameMail(t, mailboxMail(t, to, "Trash"), mails)
	for _, d := range []*device{laptop, phone, tablet} {
		sameMail(t, slices.Collect(maps.Values(d.got)), mails)
		if len(d.twice) > 0 {
			t.Errorf("%s: %d messages came back after their deletion was acknowledged", d.label, len(d.twice))
		}
	}
}

// counts gives how many messages an IMAP client finds in INBOX and in Trash.
func (s *server) counts(t *testing.T, to target) (inbox, trash int) {
	t.Helper()
	c := imapSession(t, to, nil)
	defer c.Close()
	for name, n := range map[string]*int{"INBOX": &inbox, "Trash": &trash} {
		box, err := c.Select(name, nil).Wait()
		if err != nil {
			t.Fatal(err)
		}
		*n = int(box.NumMessages)
	}
	return inbox, trash
}

// TestRevokedDevice has a device that never comes again hold back mail, until its
// password is revoked while the server runs: its session ends, and the mail goes.
func TestRevokedDevice(t *testing.T) {
	t.Parallel()
	s := startServer(t, "")
	to := s.account(t, "alice")
	s.mustRun(t, "account", "policy", "alice", "--pop3-delete", "shared")
	var acked atomic.Int64
	laptop, lost := newDevice(t, s, to, "laptop", &acked), newDevice(t, s, to, "lost phone", &acked)
	mails := samples()[:3]
	fill(t, to, "INBOX", mails)
	open, idle := pop(t, lost.to), dialLines(t, to.IMAP, &lost.to)
	idle.ok(t, `ID ("name" "Test Mail" "version" "1.0" "os" "none")`)
	idle.ok(t, "SELECT INBOX")
	fmt.Fprint(idle, "i IDLE\r\n")
	idle.until(t, "+")
	if err := laptop.collectAll(); err != nil {
		t.Fatal(err)
	}
	if in, trash := s.counts(t, to); in != len(mails) || trash != 0 {
		t.Errorf("INBOX has %d messages, Trash %d", in, trash)
	}
	s.mustRun(t, "app-password", "revoke", "alice", "lost phone")
	if line, err := open.text.ReadLine(); err != nil || !strings.HasPrefix(line, "-ERR [AUTH]") {
		t.Errorf("the lost phone was told %q, %v", line, err)
	}
	if line, err := open.text.ReadLine(); err == nil {
		t.Errorf("the lost phone's session goes on: %q", line)
	}
	if said, over := idle.ended(); !over || !strings.Contains(said, "* BYE The password was revoked\r\n") {
		t.Errorf("the lost phone's IMAP session: %q, ended %v", said, over)
	}
	if _, err := dialPOP(lost.to); err == nil {
		t.Error("the lost phone still logs in")
	}
	if in, trash := s.counts(t, to); in != 0 || trash != len(mails) {
		t.Errorf("INBOX has %d messages, Trash %d", in, trash)
	}
	c := imapSession(t, to, nil) // the account's own password is as before
	defer c.Close()
}

// TestLastUse looks at what is remembered of a password's last use.
func TestLastUse(t *testing.T) {
	t.Parallel()
	s := startServer(t, "")
	d := newDevice(t, s, s.account(t, "alice"), "laptop", new(atomic.Int64))
	before := dialLines(t, d.to.IMAP, nil)
	before.ok(t, `ID ("version" "2.0" "name" "Early Mail")`)
	before.ok(t, fmt.Sprintf("LOGIN alice %q", d.to.Pass))
	s.stop(t) // writes what was gathered
	var list []struct {
		Label      string
		LastUsed   *time.Time `json:"last_used"`
		LastAddr   string     `json:"last_address"`
		LastClient string     `json:"last_client"`
	}
	if err := json.Unmarshal([]byte(s.mustRun(t, "app-password", "list", "alice", "--json")), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || list[0].LastUsed == nil || time.Since(*list[0].LastUsed) > time.Minute ||
		list[0].LastAddr != "127.0.0.1" || list[0].LastClient != "Early Mail 2.0" {
		t.Errorf("app passwords %+v", list)
	}
}
