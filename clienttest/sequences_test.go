package clienttest

import (
	"encoding/base64"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// step is a command of a mail program with what its answer must contain.
// %u in the command stands for AUTHENTICATE PLAIN's initial response.
type step struct {
	command string
	want    []string
}

// sequences are what mail programs with windows send when they open an account
// with three samples in INBOX: the order and the forms are theirs.
func sequences() map[string][]step {
	return map[string][]step{
		"Thunderbird": {
			{"capability", []string{"IMAP4rev1", "IDLE", "CONDSTORE"}},
			{"authenticate PLAIN %u", nil},
			{"capability", []string{"SPECIAL-USE", "MOVE", "UIDPLUS"}},
			{`ID ("name" "Thunderbird" "version" "128.5.0")`, []string{"* ID "}},
			{"namespace", []string{`(("" "/"))`}},
			{`list (subscribed) "" "*" return (special-use)`, []string{"INBOX", `\Trash`, `\Sent`}},
			{`list "" "INBOX"`, []string{`"/" INBOX`}},
			{`select "INBOX" (CONDSTORE)`, []string{"* 3 EXISTS", "HIGHESTMODSEQ", "UIDVALIDITY", "PERMANENTFLAGS"}},
			{"UID fetch 1:* (FLAGS)", []string{"* 1 FETCH (", "* 3 FETCH ("}},
			{"UID fetch 1:3 (UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (From To Cc Bcc Subject Date Message-ID Priority X-Priority References Newsgroups In-Reply-To Content-Type Reply-To)])",
				[]string{"Subject: Tea at four", "RFC822.SIZE 181", "UID 3"}},
			{"UID fetch 1 (UID RFC822.SIZE BODY.PEEK[])", []string{"BODY[] {181}", "tea is at four."}},
			{`uid store 1 +Flags (\Seen)`, []string{`\Seen`}},
			{`uid store 1 +Flags ($label1 NonJunk)`, []string{"NonJunk"}},
			{`uid copy 1 "Sent"`, []string{"COPYUID"}},
			{`uid move 1 "Trash"`, []string{"COPYUID", "* 1 EXPUNGE"}},
			{`UID fetch 2:* (FLAGS) (CHANGEDSINCE 1)`, nil},
			{`STATUS "Trash" (UIDNEXT MESSAGES UNSEEN RECENT)`, []string{"MESSAGES 1", "UNSEEN 0"}},
			{`create "Trash/2026"`, nil},
			{`subscribe "Trash/2026"`, nil},
			{`lsub "" "*"`, []string{"Trash/2026"}},
			{"expunge", nil},
			{"noop", nil},
			{"close", nil},
			{"logout", []string{"* BYE"}},
		},
		"Apple Mail": {
			{"CAPABILITY", nil},
			{"AUTHENTICATE PLAIN %u", nil},
			{`ID ("name" "Mac OS X Mail" "version" "16.0" "os" "Mac OS X" "os-version" "14.5" "vendor" "Apple Inc.")`, nil},
			{`LIST "" ""`, []string{`"/"`}},
			{`LIST "" "*" RETURN (SPECIAL-USE)`, []string{`\Junk`, `\Drafts`}},
			{`STATUS INBOX (MESSAGES UNSEEN UIDNEXT UIDVALIDITY HIGHESTMODSEQ)`, []string{"MESSAGES 3", "UNSEEN 3"}},
			{"SELECT INBOX", []string{"* 3 EXISTS"}},
			{"FETCH 1:3 (FLAGS UID MODSEQ)", []string{"MODSEQ ("}},
			{"UID FETCH 1:3 (INTERNALDATE UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (date subject from to cc message-id in-reply-to references content-type x-priority list-id dkim-signature)])",
				[]string{"Message-ID: <dots@example.org>", "INTERNALDATE"}},
			{"UID FETCH 2 (BODYSTRUCTURE BODY.PEEK[HEADER])", []string{`"7bit"`, "Subject: Dots"}},
			{"UID FETCH 2 BODY.PEEK[1]<0.16384>", []string{"BODY[1]<0>", ".hidden"}},
			{`UID STORE 1:2 +FLAGS.SILENT (\Seen \Flagged $MailFlagBit0)`, nil},
			{`UID SEARCH 1:* NOT DELETED`, []string{"* SEARCH 1 2 3"}},
			{`UID SEARCH RETURN (ALL) UNSEEN`, []string{"ALL 3"}},
			{"CHECK", nil},
			{"UNSELECT", nil},
			{"LOGOUT", []string{"* BYE"}},
		},
		"Outlook": {
			{"CAPABILITY", nil},
			{"AUTHENTICATE PLAIN %u", nil},
			{`LIST "" "*"`, []string{"INBOX"}},
			{`LSUB "" "*"`, []string{"INBOX"}},
			{"SELECT \"INBOX\"", []string{"* 3 EXISTS"}},
			{"UID FETCH 1:* (UID FLAGS)", []string{"* 3 FETCH"}},
			{"UID FETCH 1:3 (UID FLAGS RFC822.SIZE BODY.PEEK[HEADER] INTERNALDATE)", []string{"From: Ada"}},
			{"UID FETCH 3 (UID BODY[])", []string{">>From anywhere"}},
			{`UID STORE 3 +FLAGS (\Deleted \Seen)`, nil},
			{"EXPUNGE", []string{"* 3 EXPUNGE"}},
			{`STATUS "Drafts" (UNSEEN)`, []string{"UNSEEN 0"}},
			{"LOGOUT", []string{"* BYE"}},
		},
	}
}

func TestSequences(t *testing.T) {
	t.Parallel()
	for name, steps := range sequences() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := newTarget(t)
			fill(t, to, "INBOX", samples()[:3])
			c := dialLines(t, to.IMAP, nil)
			plain := base64.StdEncoding.EncodeToString([]byte("\x00" + to.User + "\x00" + to.Pass))
			for _, step := range steps {
				lines := c.command(t, strings.ReplaceAll(step.command, "%u", plain))
				said := strings.Join(lines, "\n")
				if !strings.Contains(lines[len(lines)-1], " OK ") {
					t.Fatalf("%s: %s", step.command, said)
				}
				for _, want := range step.want {
					if !strings.Contains(strings.ToLower(said), strings.ToLower(want)) {
						t.Errorf("%s: no %q in\n%s", step.command, want, said)
					}
				}
			}
		})
	}
}

// TestPipelinedIdle sends DONE and what follows in one packet, as mail programs
// do when the user clicks.
func TestPipelinedIdle(t *testing.T) {
	t.Parallel()
	to := newTarget(t)
	fill(t, to, "INBOX", samples()[:2])
	c := idling(t, to)
	fmt.Fprint(c, "DONE\r\nf UID FETCH 2 (FLAGS)\r\ni2 IDLE\r\n")
	c.until(t, "i OK")
	c.until(t, "f OK")
	c.until(t, "+")
	deliver(t, to, samples()[2])
	c.until(t, "* 3 EXISTS")
	fmt.Fprint(c, "DONE\r\n")
	c.until(t, "i2 OK")
}

// TestPipelinedPOP3 asks for everything in one packet, much more than any
// buffer between holds, and reads only then (RFC 2449 section 6.6).
func TestPipelinedPOP3(t *testing.T) {
	t.Parallel()
	to, mails := newTarget(t), samples()
	fill(t, to, "INBOX", mails)
	p := pop(t, to)
	p.conn.SetDeadline(time.Now().Add(patience))
	const rounds = 20
	go func() { // ends when all is written or the connection is closed
		for range rounds {
			for n := range mails {
				fmt.Fprintf(p.conn, "RETR %d\r\n", n+1)
			}
		}
		fmt.Fprint(p.conn, "NOOP\r\n")
	}()
	for range rounds {
		for n := range mails {
			got, err := p.answer()
			if err != nil || string(got) != string(mails[n]) {
				t.Fatalf("RETR %d: %v, %s", n+1, err, head(got))
			}
		}
	}
	p.must(t, "", "QUIT")
}

// TestSplitAppend writes the end of an APPEND apart from its literal, without
// TCP_NODELAY, as Python's imaplib does. Such a client waits until the literal
// is confirmed; a server that leaves that to the kernel takes 40 ms each time.
func TestSplitAppend(t *testing.T) {
	t.Parallel()
	for name, private := range map[string]bool{"plain": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			to, mail := newTarget(t), samples()[0]
			conn, err := net.DialTimeout("tcp", map[bool]string{false: to.IMAP, true: to.IMAPS}[private], patience)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.(*net.TCPConn).SetNoDelay(false)
			c := greeted(t, conn, map[bool]*target{true: &to}[private])
			c.ok(t, fmt.Sprintf("LOGIN %q %q", to.User, to.Pass))
			fastest := patience
			for range 20 {
				start := time.Now()
				fmt.Fprintf(c, "a APPEND INBOX {%d}\r\n", len(mail))
				c.until(t, "+")
				c.Write(mail)
				fmt.Fprint(c, "\r\n")
				c.until(t, "a OK")
				fastest = min(fastest, time.Since(start))
			}
			if fastest > 25*time.Millisecond {
				t.Errorf("the fastest of 20 took %v", fastest)
			}
		})
	}
}
