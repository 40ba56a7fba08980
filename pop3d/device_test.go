package pop3d

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem/store"
)

// device adds an app password of alice; the password is its label.
func (w *world) device(label string, edit ...func(*store.NewCredential)) store.CredentialID {
	w.t.Helper()
	n := store.NewCredential{Label: label, Hash: "{PLAIN}" + label, KeepScheme: true, Scope: store.ScopePOP3}
	for _, e := range edit {
		e(&n)
	}
	c, err := w.store.AddCredential(w.t.Context(), w.by.Account, n)
	if err != nil {
		w.t.Fatal(err)
	}
	return c.ID
}

func deletes(p store.DeletePolicy) func(*store.NewCredential) {
	return func(n *store.NewCredential) { n.POP3Delete = p }
}

func sees(r store.SeeRule) func(*store.NewCredential) {
	return func(n *store.NewCredential) { n.POP3See = r }
}

// as logs in as alice with the password of a device.
func (w *world) as(label string) *client {
	w.t.Helper()
	c := w.dial()
	c.script("C: USER alice\nS: +OK*\nC: PASS " + label + "\nS: +OK*")
	return c
}

// subjects lists what a session sees, by the numbers in the subjects.
func (c *client) subjects(n int) string {
	c.t.Helper()
	var list []string
	for i := range n {
		c.script(fmt.Sprintf("C: TOP %d 0\nS: +OK*", i+1))
		for line := range strings.Lines(c.body()) {
			if number, ok := strings.CutPrefix(strings.TrimSpace(line), "Subject: number "); ok {
				list = append(list, number)
			}
		}
	}
	return strings.Join(list, " ")
}

// Each device has a view of its own; under shared a message leaves INBOX when the
// last has deleted it.
func TestDevices(t *testing.T) {
	w := newWorld(t).listen()
	w.device("a", deletes(store.DeleteShared))
	w.device("b", deletes(store.DeleteShared))
	w.device("k", deletes(store.DeleteKeep))
	w.putAll("INBOX", []string{message(1), message(2), message(3)})
	b := w.as("b")
	w.as("a").script("C: DELE 1\nS: +OK*\nC: DELE 2\nS: +OK*\nC: QUIT\nS: +OK*\nS: EOF")
	b.script("C: RETR 1\nS: +OK*\nS: From*\nS: Subject: number 1\nS: \nS: body*\nS: .\nC: DELE 1\nS: +OK*\nC: QUIT\nS: +OK*\nS: EOF")
	if got := w.uids("INBOX"); len(got) != 3 {
		t.Errorf("INBOX has %v", got)
	}
	w.as("a").script("C: STAT\nS: +OK 1 *\nC: TOP 1 0\nS: +OK*\nS: From*\nS: Subject: number 3\nS: \nS: .\nC: QUIT\nS: +OK*")
	w.as("b").script("C: STAT\nS: +OK 2 *\nC: TOP 1 0\nS: +OK*\nS: From*\nS: Subject: number 2\nS: \nS: .\nC: QUIT\nS: +OK*")
	w.as("k").script("C: STAT\nS: +OK 3 *\nC: DELE 1\nS: +OK*\nC: QUIT\nS: +OK*\nS: EOF")
	if in, trash := w.uids("INBOX"), w.uids("Trash"); len(in) != 2 || len(trash) != 1 {
		t.Errorf("INBOX has %v, Trash %v", in, trash)
	}
	// The account's own password has been no device so far.
	w.login().script("C: STAT\nS: +OK 2 *\nC: QUIT\nS: +OK*")
}

// What a device sees, its numbers, sizes and UIDLs are those of one view.
func TestDeviceRules(t *testing.T) {
	w := newWorld(t).listen()
	w.putAll("INBOX", []string{message(1), message(2)})
	w.device("since", sees(store.SeeSinceNow))
	w.device("newest", sees("newest=2"))
	w.device("days", sees("days=7"))
	w.putAll("INBOX", []string{message(3)})
	w.with("INBOX", func(v *store.View) {
		in := w.store.NewIngest(t.Context(), 0)
		defer in.Close()
		in.Write([]byte(message(4)))
		body, err := in.Finish()
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.store.Append(t.Context(), w.by, []store.Insertion{{Mailbox: v.ID(), Body: body, Internal: time.Now().AddDate(0, 0, -8)}})
		if err != nil {
			t.Fatal(err)
		}
	})
	for label, want := range map[string]string{"secret": "1 2 3 4", "since": "3 4", "newest": "3 4", "days": "1 2 3"} {
		c := w.as(label)
		n := len(strings.Fields(want))
		octets := n * len(message(1))
		c.script(fmt.Sprintf("C: STAT\nS: +OK %d %d\nC: LIST\nS: +OK*", n, octets))
		c.body()
		if got := c.subjects(n); got != want {
			t.Errorf("%s sees %s, want %s", label, got, want)
		}
		c.script("C: UIDL\nS: +OK*")
		if lines := strings.Count(c.body(), "\r\n"); lines != n {
			t.Errorf("%s has %d UIDLs, want %d", label, lines, n)
		}
		c.Close()
	}
	c := w.as("newest")
	c.script("C: DELE 2\nS: +OK*\nC: QUIT\nS: +OK*\nS: EOF")
	if got := w.as("newest").subjects(2); got != "2 3" {
		t.Errorf("after the newest was deleted it sees %s", got)
	}
}

// RETR marks \Seen at QUIT, and only under the policy.
func TestMarkSeen(t *testing.T) {
	w := newWorld(t).listen()
	w.device("marks", func(n *store.NewCredential) { n.POP3MarkSeen = store.SwitchYes })
	uids := w.putAll("INBOX", []string{message(1), message(2), message(3)})
	seen := func() (list []store.UID) {
		w.with("INBOX", func(v *store.View) {
			for _, m := range v.ByUID(store.AllUIDs()[0], make([]store.Member, 0, 9)) {
				if m.Flags&store.FlagSeen != 0 {
					list = append(list, m.UID)
				}
			}
		})
		return list
	}
	retr := "C: RETR 2\nS: +OK*\nS: *\nS: *\nS: \nS: *\nS: .\n"
	w.login().script(retr + "C: QUIT\nS: +OK*\nS: EOF")
	c := w.as("marks")
	c.script(retr)
	c.Close()
	if got := seen(); len(got) != 0 {
		t.Errorf("%v are seen without a QUIT or the policy", got)
	}
	w.as("marks").script(retr + "C: TOP 1 1\nS: +OK*\nS: *\nS: *\nS: \nS: *\nS: .\nC: QUIT\nS: +OK*\nS: EOF")
	if got := seen(); !slices.Equal(got, uids[1:2]) {
		t.Errorf("%v are seen, want %v", got, uids[1:2])
	}
}

// A revoked password ends its sessions, those of others go on.
func TestRevoke(t *testing.T) {
	w := newWorld(t).listen()
	w.device("phone", deletes(store.DeleteExpunge))
	w.device("ends", func(n *store.NewCredential) { n.Expires = time.Now().Add(-time.Second) })
	w.putAll("INBOX", []string{message(1)})
	phone, other := w.as("phone"), w.login()
	phone.script("C: DELE 1\nS: +OK*")
	if err := w.store.RevokeCredential(t.Context(), w.by.Account, "phone"); err != nil {
		t.Fatal(err)
	}
	phone.script("S: -ERR [AUTH] the password was revoked\nS: EOF")
	other.script("C: STAT\nS: +OK 1 *")
	for _, label := range []string{"phone", "ends"} {
		w.dial().script("C: USER alice\nS: +OK*\nC: PASS " + label + "\nS: -ERR [AUTH] wrong name or password")
	}
}

// A disabled account's sessions end without the UPDATE state.
func TestDisable(t *testing.T) {
	w := newWorld(t).listen()
	w.putAll("INBOX", []string{message(1)})
	c := w.login()
	c.script("C: DELE 1\nS: +OK*")
	off := false
	if err := w.store.UpdateAccount(t.Context(), w.by.Account, store.AccountUpdate{Enabled: &off}); err != nil {
		t.Fatal(err)
	}
	c.script("S: -ERR [AUTH]*\nS: EOF")
	if in := w.uids("INBOX"); len(in) != 1 {
		t.Errorf("INBOX has %v", in)
	}
}

// The brake softens what a mis-set device does first, and the log says so.
func TestBrake(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Brake = 3 }).listen()
	w.device("a", deletes(store.DeleteExpunge))
	w.putAll("INBOX", []string{message(1), message(2), message(3), message(4)})
	w.as("a").script("C: DELE 1\nS: +OK*\nC: DELE 2\nS: +OK*\nC: DELE 3\nS: +OK*\nC: QUIT\nS: +OK*\nS: EOF")
	if in, trash := w.uids("INBOX"), w.uids("Trash"); len(in) != 1 || len(trash) != 3 {
		t.Errorf("INBOX has %v, Trash %v", in, trash)
	}
}

// What IMAP has deleted with its mailbox counts as deleted at QUIT.
func TestMailboxGoesMeanwhile(t *testing.T) {
	w := newWorld(t).listen()
	scans, err := w.store.CreateMailbox(t.Context(), w.by, w.by.Account, store.NewMailbox{Name: "Scans"})
	if err != nil {
		t.Fatal(err)
	}
	w.putAll("Scans", []string{message(1)})
	c := w.dial()
	c.script("C: USER alice+Scans\nS: +OK*\nC: PASS secret\nS: +OK*")
	if err := w.store.DeleteMailbox(t.Context(), w.by, scans.ID); err != nil {
		t.Fatal(err)
	}
	c.script("C: RETR 1\nS: +OK*")
	readBody(c)
	c.script("C: DELE 1\nS: +OK*\nC: QUIT\nS: +OK*\nS: EOF")
}

// EXPIRE is true of the device after login, and of the user who is worst off
// before (RFC 2449 section 6.7).
func TestExpire(t *testing.T) {
	w := newWorld(t).listen()
	expire := func(c *client) string {
		c.script("C: CAPA\nS: +OK*")
		for line := range strings.Lines(c.body()) {
			if value, ok := strings.CutPrefix(strings.TrimSpace(line), "EXPIRE "); ok {
				return value
			}
		}
		return ""
	}
	if got := expire(w.dial()); got != "NEVER" {
		t.Errorf("EXPIRE %s", got)
	}
	w.device("days", sees("days=30"))
	w.device("week", sees("days=7"))
	for got, want := range map[string]string{
		expire(w.dial()): "7 USER", expire(w.login()): "NEVER", expire(w.as("days")): "30", expire(w.as("week")): "7",
	} {
		if got != want {
			t.Errorf("EXPIRE %s, want %s", got, want)
		}
	}
	// Trash is emptied after 30 days here.
	w.put("INBOX", message(1))
	w.device("other")
	w.as("other").script("C: DELE 1\nS: +OK*\nC: QUIT\nS: +OK*\nS: EOF")
	for password, want := range map[string]string{"secret": "30", "week": "7"} {
		c := w.dial()
		c.script("C: USER alice+Trash\nS: +OK*\nC: PASS " + password + "\nS: +OK*")
		if got := expire(c); got != want {
			t.Errorf("EXPIRE of Trash %s, want %s", got, want)
		}
	}
}

// A device that has looked at a maildrop and left counts for what it saw, even if
// the server dies at once; and a QUIT that deletes nothing needs no disk.
func TestListingSurvives(t *testing.T) {
	w := newWorld(t).listen()
	a := w.device("a", deletes(store.DeleteShared))
	w.putAll("INBOX", []string{message(1)})
	b := w.device("b", deletes(store.DeleteShared))
	w.engine.quitError = store.Errorf(store.ReadOnly, "input/output error")
	w.as("b").script("C: QUIT\nS: +OK*\nS: EOF")
	w.engine.quitError = nil
	w.as("b").script("C: QUIT\nS: +OK*\nS: EOF")
	for left, id := range []store.CredentialID{a, b} {
		// Past the store, as after its death: what the engine has is on disk.
		by := store.Actor{Account: w.by.Account, Credential: id, Protocol: "pop3"}
		res, err := w.engine.Engine.Quit(t.Context(), by, w.mailbox("INBOX").ID, store.Quit{Deleted: store.AllUIDs(), Policy: store.DeleteShared})
		if err != nil || res.Left != left {
			t.Errorf("credential %d: %+v, %v; want %d to leave INBOX", id, res, err, left)
		}
	}
}
