package pop3d

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"tandem/store"
)

const dele2 = "C: DELE 2\nS: +OK*\nC: QUIT\nS: +OK*\nS: EOF"

func TestPolicyTrash(t *testing.T) {
	w := newWorld(t).listen()
	uids := w.putAll("INBOX", []string{message(1), message(2), message(3)})
	w.with("INBOX", func(imap *store.View) {
		w.login().script(dele2)
		if gone := imap.Advance(store.Reach{Expunges: true, Flags: true, New: true}).Gone; !slices.Equal(gone, store.UIDSet{{Start: uids[1], Stop: uids[1]}}) {
			t.Errorf("the IMAP session was told of %v, want %d", gone, uids[1])
		}
	})
	if got := w.uids("INBOX"); !slices.Equal(got, []store.UID{uids[0], uids[2]}) {
		t.Errorf("INBOX has %v", got)
	}
	w.with("Trash", func(v *store.View) {
		list := v.ByUID(store.AllUIDs()[0], make([]store.Member, 0, 9))
		if len(list) != 1 || list[0].Size != uint32(len(message(2))) || list[0].Flags&store.FlagPOP3Trashed == 0 {
			t.Errorf("Trash has %+v", list)
		}
	})
	w.login().script("C: STAT\nS: +OK 2 *\nC: RETR 2\nS: +OK*\nS: From:*\nS: Subject: number 3")
}

func TestPolicyExpunge(t *testing.T) {
	w := newWorld(t).listen()
	w.setPolicy(store.DeleteExpunge)
	w.putAll("INBOX", []string{message(1), message(2), message(3)})
	w.login().script(dele2)
	if in, trash := w.uids("INBOX"), w.uids("Trash"); len(in) != 2 || len(trash) != 0 {
		t.Errorf("INBOX has %v, Trash %v", in, trash)
	}
}

func TestPolicyKeep(t *testing.T) {
	w := newWorld(t).listen()
	w.setPolicy(store.DeleteKeep)
	w.putAll("INBOX", []string{message(1), message(2), message(3)})
	w.login().script(dele2)
	if in, trash := w.uids("INBOX"), w.uids("Trash"); len(in) != 3 || len(trash) != 0 {
		t.Errorf("INBOX has %v, Trash %v", in, trash)
	}
	c := w.login()
	c.script("C: STAT\nS: +OK 2 *\nC: RETR 2\nS: +OK*\nS: From:*\nS: Subject: number 3\nS: \nS: body of 3\nS: .\nC: QUIT\nS: +OK*\nS: EOF")
	w.put("INBOX", message(4))
	w.setPolicy(store.DeleteTrash) // what this device deleted stays deleted for it
	w.login().script("C: STAT\nS: +OK 3 *")
}

// Nothing but QUIT removes anything.
func TestNoQuitNoChange(t *testing.T) {
	w := newWorld(t).listen()
	w.putAll("INBOX", []string{message(1), message(2)})
	c := w.login()
	c.script("C: DELE 1\nS: +OK*\nC: DELE 2\nS: +OK*")
	c.Close()
	// The lease ends with the connection: no need for the client to wait.
	w.login().script("C: STAT\nS: +OK 2 *\nC: DELE 1\nS: +OK*\nC: RSET\nS: +OK*\nC: QUIT\nS: +OK*\nS: EOF")
	if got := w.uids("INBOX"); len(got) != 2 {
		t.Errorf("INBOX has %v", got)
	}
}

// A QUIT that cannot be carried out says so and leaves everything as it was.
func TestQuitFails(t *testing.T) {
	w := newWorld(t).listen()
	w.putAll("INBOX", []string{message(1), message(2)})
	w.engine.quitError = store.Errorf(store.ReadOnly, "input/output error")
	w.login().script("C: DELE 1\nS: +OK*\nC: QUIT\nS: -ERR [SYS/TEMP] *\nS: EOF")
	w.engine.quitError = nil
	if got := w.uids("INBOX"); len(got) != 2 {
		t.Errorf("INBOX has %v", got)
	}
	w.login().script("C: STAT\nS: +OK 2 *\nC: DELE 1\nS: +OK*\nC: QUIT\nS: +OK*\nS: EOF")
	if got := w.uids("INBOX"); len(got) != 1 {
		t.Errorf("INBOX has %v", got)
	}
}

// What IMAP does meanwhile changes neither numbers nor bytes.
func TestIMAPMeanwhile(t *testing.T) {
	w := newWorld(t).listen()
	large := "Subject: large\r\n\r\n" + strings.Repeat(strings.Repeat("x", 70)+"\r\n", 10000)
	uids := w.putAll("INBOX", []string{message(1), message(2), large, message(4)})
	c := w.login()
	w.expunge(uids[1], uids[2])
	w.put("INBOX", message(5))
	c.script("C: STAT\nS: +OK 4 *\nC: RETR 2\nS: +OK*")
	if got := c.body(); got != message(2) {
		t.Errorf("message 2 is %q", got)
	}
	c.script("C: RETR 3\nS: +OK*")
	if got := c.body(); got != large {
		t.Errorf("message 3 came as %d octets, want %d", len(got), len(large))
	}
	c.script("C: RETR 5\nS: -ERR no such message\nC: DELE 2\nS: +OK*\nC: DELE 4\nS: +OK*\nC: QUIT\nS: +OK*\nS: EOF")
	w.login().script("C: STAT\nS: +OK 2 *\nC: RETR 2\nS: +OK*\nS: From:*\nS: Subject: number 5")
}

// A message whose bytes are no longer kept is an error of its own.
func TestPurgedMessage(t *testing.T) {
	w := newWorld(t).listen()
	uids := w.putAll("INBOX", []string{message(1), message(2)})
	c := w.login()
	w.expunge(uids...)
	w.engine.purged = true
	c.script("C: RETR 1\nS: -ERR [SYS/PERM] message is gone\nC: TOP 2 0\nS: -ERR [SYS/PERM] message is gone\nC: LIST 1\nS: +OK 1 *\nC: DELE 1\nS: +OK*\nC: QUIT\nS: +OK*\nS: EOF")
}

// Damage is told where that is possible; in the middle of a message the
// connection ends, so that no client takes half for the whole.
func TestDamagedMessage(t *testing.T) {
	large := message(1) + strings.Repeat(strings.Repeat("x", 1022)+"\r\n", 1024)
	for damaged, want := range []string{
		"S: -ERR [SYS/PERM] *\nC: TOP 1 0\nS: +OK*\nS: From*\nS: Subj*\nS: \nS: .\nC: RETR 2\nS: +OK*\nS: From*\nS: Subj*\nS: \nS: body of 2\nS: .",
		"S: +OK*\nS: From:*",
	} {
		w := newWorld(t).listen()
		w.putAll("INBOX", []string{large, message(2)})
		w.engine.damaged = damaged
		c := w.login()
		c.script("C: RETR 1\n" + want)
		if damaged == 0 {
			continue
		}
		rest, err := io.ReadAll(c.r)
		if err != nil || len(rest) == 0 || strings.HasSuffix(string(rest), "\r\n.\r\n") {
			t.Errorf("read %d octets, %v, ending in %.10q", len(rest), err, rest[max(0, len(rest)-5):])
		}
	}
}

// Every kind of store error has words for the client, and a response code that
// says whether trying again may help.
func TestFailures(t *testing.T) {
	for _, k := range store.Kinds() {
		f := failureOf(fmt.Errorf("wrapped: %w", store.Errorf(k, "x")))
		if f.text == "" || !slices.Contains([]string{codeTemp, codePerm, codeInUse}, f.code) {
			t.Errorf("%v becomes %+v", k, f)
		}
	}
	for k, want := range map[store.Kind]string{
		store.ReadOnly: codeTemp, store.Busy: codeTemp, store.Unavailable: codeTemp, store.Internal: codeTemp,
		store.Expunged: codePerm, store.Corrupt: codePerm, store.InUse: codeInUse,
	} {
		if got := failures[k].code; got != want {
			t.Errorf("%v becomes %s, want %s", k, got, want)
		}
	}
	if f := failureOf(context.Canceled); f.code != codeTemp {
		t.Errorf("a cancelled context becomes %+v", f)
	}
}

// TOP reads of a body what it sends, and of a large message's header nothing
// more.
func TestTopReadsLittle(t *testing.T) {
	w := newWorld(t).listen()
	texts := make([]string, 4)
	for i := range texts {
		texts[i] = message(i) + strings.Repeat(strings.Repeat("x", 1022)+"\r\n", 1024)
	}
	w.putAll("INBOX", texts)
	c := w.login()
	for i := range texts {
		c.script(fmt.Sprintf("C: TOP %d 0\nS: +OK*\nS: From:*\nS: Subject: number %d\nS: \nS: .", i+1, i))
	}
	if w.engine.chunks != 0 {
		t.Errorf("TOP n 0 read %d chunks", w.engine.chunks)
	}
	for i := range texts {
		c.script(fmt.Sprintf("C: TOP %d 1\nS: +OK*\nS: From:*\nS: Subject: number %d\nS: \nS: body of %d\nS: .", i+1, i, i))
	}
	if w.engine.chunks > len(texts) {
		t.Errorf("TOP n 1 of %d messages read %d chunks", len(texts), w.engine.chunks)
	}
}
