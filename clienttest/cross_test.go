package clienttest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

// idling starts IDLE on a selected INBOX and returns the client.
func idling(t testing.TB, to target) *lineClient {
	t.Helper()
	c := dialLines(t, to.IMAP, &to)
	c.ok(t, "SELECT INBOX")
	fmt.Fprint(c, "i IDLE\r\n")
	c.until(t, "+")
	return c
}

// TestDeliveryWakesIdle delivers by LMTP while a client idles.
func TestDeliveryWakesIdle(t *testing.T) {
	t.Parallel()
	to, mails := newTarget(t), samples()
	c := idling(t, to)
	for n := 1; n <= 3; n++ {
		sent := time.Now()
		deliver(t, to, mails[n])
		c.until(t, fmt.Sprintf("* %d EXISTS", n))
		if took := time.Since(sent); took > 5*time.Second { // far below any poll
			t.Errorf("EXISTS came %v after the delivery", took)
		}
	}
	fmt.Fprint(c, "DONE\r\n")
	c.until(t, "i OK")
	for n := 1; n <= 3; n++ {
		if lines := strings.Join(c.ok(t, fmt.Sprintf("FETCH %d BODY.PEEK[]", n)), "\r\n"); !bytes.Contains([]byte(lines), mails[n][:len(mails[n])-2]) {
			t.Errorf("message %d: %.500q", n, lines)
		}
	}
}

// TestPOP3DeletePolicies has POP3 delete mail while an IMAP client idles, under
// each policy.
func TestPOP3DeletePolicies(t *testing.T) {
	t.Parallel()
	mails := samples()
	for policy, test := range map[string]struct{ inbox, trash [][]byte }{
		"trash":   {mails[2:3], mails[:2]},
		"expunge": {mails[2:3], nil},
		"keep":    {mails[:3], nil},
	} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, "")
			to := s.account(t, "alice")
			if policy != "trash" { // the default
				s.mustRun(t, "account", "policy", "alice", "--pop3-delete", policy)
			}
			fill(t, to, "INBOX", mails[:3])
			c := idling(t, to)

			p := pop(t, to)
			p.must(t, "DELE 1", "DELE 2")
			p.conn.Close() // without QUIT nothing is deleted
			p = pop(t, to)
			p.must(t, "STAT", "DELE 1", "DELE 2", "QUIT")
			fill(t, to, "INBOX", mails[3:4]) // told after what happened before
			lines := c.until(t, fmt.Sprintf("* %d EXISTS", len(test.inbox)+1))
			want := 3 - len(test.inbox)
			if got := strings.Count(strings.Join(lines, "\n"), "EXPUNGE"); got != want {
				t.Errorf("%d EXPUNGE, want %d; the client was told %q", got, want, lines)
			}
			sameMail(t, mailboxMail(t, to, "INBOX"), append(test.inbox[:len(test.inbox):len(test.inbox)], mails[3]))
			sameMail(t, mailboxMail(t, to, "Trash"), test.trash)
			p = pop(t, to)
			sameMail(t, p.all(t), mails[2:4])
			p.must(t, "QUIT")
		})
	}
}

// TestTrashKeepsUIDL moves a message back that POP3 had deleted: it has the
// UIDL it had, so that no client takes it for new mail.
func TestTrashKeepsUIDL(t *testing.T) {
	t.Parallel()
	to, mails := newTarget(t), samples()
	fill(t, to, "INBOX", mails[:2])
	p := pop(t, to)
	before, err := p.listing("UIDL")
	if err != nil {
		t.Fatal(err)
	}
	p.must(t, "DELE 1", "QUIT")
	c := dialLines(t, to.IMAP, &to)
	c.ok(t, "SELECT Trash")
	c.ok(t, "MOVE 1 INBOX")
	p = pop(t, to)
	after, err := p.listing("UIDL")
	if err != nil {
		t.Fatal(err)
	}
	p.must(t, "QUIT")
	if after[1] != before[2] || after[2] != before[1] {
		t.Errorf("UIDLs were %v and are %v", before, after)
	}
}

// TestExpungedMailStaysReadable expunges by IMAP what a POP3 session has seen:
// the session goes on serving it under its number.
func TestExpungedMailStaysReadable(t *testing.T) {
	t.Parallel()
	to, mails := newTarget(t), samples()
	fill(t, to, "INBOX", mails[:3])
	p := pop(t, to)
	c := dialLines(t, to.IMAP, &to)
	c.ok(t, "SELECT INBOX")
	c.ok(t, `STORE 1 +FLAGS (\Deleted)`)
	c.ok(t, "EXPUNGE")
	for n := 1; n <= 3; n++ {
		if got, err := p.retr(n); err != nil || !bytes.Equal(got, mails[n-1]) {
			t.Errorf("RETR %d: %v, %s", n, err, head(got))
		}
	}
	p.must(t, "DELE 1", "DELE 2", "QUIT")
	sameMail(t, mailboxMail(t, to, "INBOX"), mails[2:3])
}
