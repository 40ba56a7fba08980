package clienttest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
)

// whole describes all mail of an account: mailbox, bytes, flags and date of
// each message, and which mailboxes are subscribed.
func whole(t testing.TB, to target) []string {
	t.Helper()
	c := imapSession(t, to, nil)
	defer c.Close()
	list, err := c.List("", "*", &imap.ListOptions{ReturnSubscribed: true}).Collect()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, box := range list {
		if slices.Contains(box.Attrs, imap.MailboxAttrNoSelect) {
			continue
		}
		all = append(all, fmt.Sprintf("%s, subscribed: %v", box.Mailbox, slices.Contains(box.Attrs, imap.MailboxAttrSubscribed)))
		selected, err := c.Select(box.Mailbox, &imap.SelectOptions{ReadOnly: true}).Wait()
		if err != nil {
			t.Fatal(err)
		}
		if selected.NumMessages == 0 {
			continue
		}
		msgs, err := c.Fetch(imap.SeqSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{
			Flags: true, InternalDate: true, BodySection: []*imap.FetchItemBodySection{wholeMessage}}).Collect()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range msgs {
			var flags []string
			for _, f := range m.Flags {
				if f != "\\Recent" {
					flags = append(flags, strings.ToLower(string(f)))
				}
			}
			slices.Sort(flags)
			all = append(all, fmt.Sprintf("%s: %s %v %s", box.Mailbox, one(m.FindBodySection(wholeMessage))[:16], flags, m.InternalDate.UTC().Format(time.RFC3339)))
		}
	}
	slices.Sort(all)
	return all
}

// TestMigrate moves an account with folders, flags, keywords, dates and
// subscriptions to another by way of a Maildir, twice.
func TestMigrate(t *testing.T) {
	t.Parallel()
	s := startServer(t, "")
	from, to := s.account(t, "alice"), s.account(t, "bob")
	mails := samples()
	c := imapSession(t, from, nil)
	for _, box := range []string{"Lists/Go", "Grüße & mehr", "a.b"} {
		if err := c.Create(box, nil).Wait(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Subscribe("Lists/Go").Wait(); err != nil {
		t.Fatal(err)
	}
	for i, box := range []string{"INBOX", "Lists/Go", "Grüße & mehr", "a.b", "Archive"} {
		cmd := c.Append(box, int64(len(mails[i])), &imap.AppendOptions{
			Flags: [][]imap.Flag{nil, {imap.FlagSeen, "$Label1"}, {imap.FlagFlagged, imap.FlagAnswered}, {"Junk", "$Forwarded"}, {imap.FlagDraft, imap.FlagSeen}}[i],
			Time:  time.Date(2020+i, 2, 3, 4, 5, 6, 0, time.UTC),
		})
		cmd.Write(mails[i])
		if err := cmd.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
	}

	dest := filepath.Join(t.TempDir(), "maildir")
	s.mustRun(t, "export", "--account", "alice", "--format", "maildir", dest)
	s.mustRun(t, "import", "--account", "bob", dest)
	before, after := whole(t, from), whole(t, to)
	if !slices.Equal(before, after) {
		t.Errorf("exported:\n%s\nimported:\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}

	// What was deleted since does not come back with the next import.
	b := imapSession(t, to, nil)
	if _, err := b.Select("Lists/Go", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	flagAll(t, b, imap.FlagDeleted)
	if err := b.Expunge().Close(); err != nil {
		t.Fatal(err)
	}
	before = whole(t, to)
	s.mustRun(t, "import", "--account", "bob", dest)
	if after := whole(t, to); !slices.Equal(before, after) {
		t.Errorf("before the second import:\n%s\nafter:\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
}

// TestImportForms imports single messages and stdin.
func TestImportForms(t *testing.T) {
	t.Parallel()
	s := startServer(t, "")
	to := s.account(t, "alice")
	mails := samples()
	path := filepath.Join(t.TempDir(), "one.eml")
	if err := os.WriteFile(path, lf(mails[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	s.mustRun(t, "import", "--account", "alice", path)
	mbox := "From ada@example.org Tue Mar  3 10:20:30 2026\n" + string(lf(mails[1])) + "\n"
	if out, err := s.runWith([]byte(mbox), "import", "--account", "alice", "--mailbox", "Old/Mail", "-"); err != nil {
		t.Fatalf("import -: %v\n%s", err, out)
	}
	sameMail(t, mailboxMail(t, to, "INBOX"), mails[:1])
	sameMail(t, mailboxMail(t, to, "Old/Mail"), mails[1:2])
	if out, err := s.run("import", "--account", "nobody", path); exitCode(err) != 1 {
		t.Errorf("import for an unknown account: exit code %d: %s", exitCode(err), out)
	}
}

// TestDeliverWithoutServer is an MTA's pipe while the server is down: exit code
// 75 makes the MTA try again later.
func TestDeliverWithoutServer(t *testing.T) {
	t.Parallel()
	s := startServer(t, "")
	to := s.account(t, "alice")
	if code, _ := s.stop(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if out, err := s.runWith(samples()[0], "deliver", "--to", "alice"); exitCode(err) != 75 {
		t.Errorf("deliver without a server: exit code %d, want 75: %s", exitCode(err), out)
	}
	if err := s.launch(); err != nil {
		t.Fatal(err)
	}
	if out, err := s.runWith(samples()[0], "deliver", "--to", "alice"); err != nil {
		t.Errorf("deliver: %v\n%s", err, out)
	}
	if out, err := s.runWith(samples()[0], "deliver", "--to", "nobody"); err == nil || exitCode(err) == 75 {
		t.Errorf("deliver to nobody: exit code %d, want a permanent failure: %s", exitCode(err), out)
	}
	sameCount(t, to, 1)
}

// TestManyAccounts imports 1,000 accounts from a passwd-file.
func TestManyAccounts(t *testing.T) {
	t.Parallel()
	s := startServer(t, "")
	var lines []string
	for n := range 1000 {
		lines = append(lines, fmt.Sprintf("u%04d:{PLAIN}p%d", n, n))
	}
	path := write(t, filepath.Join(t.TempDir(), "users"), lines...)
	start := time.Now()
	s.mustRun(t, "account", "import", "--keep-schemes", path)
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("1,000 accounts took %v, want under 5 s", took)
	}
	to := target{IMAP: s.imap, POP3: s.pop3, User: "u0999", Pass: "p999"}
	sameCount(t, to, 0)
	to.Pass = "p998"
	if c, err := dialIMAP(to, nil); err == nil {
		c.Close()
		t.Error("a wrong password is taken")
	}
}

// TestImportResumed kills the server in the middle of an import; the next run
// brings what is missing and nothing twice.
func TestImportResumed(t *testing.T) {
	t.Parallel()
	s := startServer(t, "")
	to := s.account(t, "alice")
	var mails [][]byte
	var mbox strings.Builder
	for n := range 6000 {
		m := message(fmt.Sprint("resume-", n), fmt.Sprint("Message ", n), strings.Repeat("text\n", n%500))
		mails = append(mails, m)
		fmt.Fprintf(&mbox, "From ada@example.org Tue Mar  3 10:20:30 2026\n%s\n", lf(m))
	}
	path := filepath.Join(t.TempDir(), "mbox")
	if err := os.WriteFile(path, []byte(mbox.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	first, err := spawn(nil, "import", "--account", "alice", path, "--config", s.config)
	if err != nil {
		t.Fatal(err)
	}
	c := imapSession(t, to, nil)
	var arrived uint32
	eventually(t, func() error {
		status, err := c.Status("INBOX", &imap.StatusOptions{NumMessages: true}).Wait()
		if err != nil {
			t.Fatal(err)
		}
		if arrived = *status.NumMessages; arrived < 500 {
			return fmt.Errorf("%d messages have arrived", arrived)
		}
		return nil
	})
	s.kill(t)
	<-first.exit
	if code := first.cmd.ProcessState.ExitCode(); code == 0 && arrived < uint32(len(mails)) {
		t.Errorf("the import ended well without a server, after %d messages", arrived)
	}
	if err := s.launch(); err != nil {
		t.Fatal(err)
	}
	out := s.mustRun(t, "import", "--account", "alice", path)
	t.Logf("%d or more had arrived at the kill; then: %s", arrived, strings.TrimSpace(out))
	sameMail(t, mailboxMail(t, to, "INBOX"), mails)
}
