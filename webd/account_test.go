package webd

import (
	"bufio"
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"tandem/store"
)

// deliver puts messages into alice's INBOX and gives its id.
func (w *world) deliver(subjects ...string) store.MailboxID {
	w.t.Helper()
	a, creds, err := w.store.FindLogin(w.t.Context(), "alice")
	if err != nil {
		w.t.Fatal(err)
	}
	by := store.Actor{Account: a.ID, Credential: creds[0].ID, Protocol: "imap", Session: "delivery"}
	inbox, err := w.store.Mailbox(w.t.Context(), by, "INBOX")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, subject := range subjects {
		in := w.store.NewIngest(w.t.Context(), 0)
		if _, err := in.Write([]byte("From: Ada <ada@example.org>\r\nSubject: " + subject + "\r\nMessage-ID: <" + subject + "@x>\r\n\r\nHello.\r\n")); err != nil {
			w.t.Fatal(err)
		}
		body, err := in.Finish()
		if err != nil {
			w.t.Fatal(err)
		}
		if _, err := w.store.Append(w.t.Context(), by, []store.Insertion{{Mailbox: inbox.ID, Body: body, Internal: w.store.Now()}}); err != nil {
			w.t.Fatal(err)
		}
	}
	return inbox.ID
}

// quit deletes all of a mailbox as a POP3 session would.
func (w *world) quit(inbox store.MailboxID, session string, policy store.DeletePolicy) {
	w.t.Helper()
	a, creds, err := w.store.FindLogin(w.t.Context(), "alice")
	if err != nil {
		w.t.Fatal(err)
	}
	by := store.Actor{Account: a.ID, Credential: creds[0].ID, Protocol: "pop3", Session: session}
	v, err := w.store.View(w.t.Context(), by, inbox)
	if err != nil {
		w.t.Fatal(err)
	}
	defer v.Close()
	if _, err := v.Quit(w.t.Context(), store.Quit{Deleted: store.AllUIDs(), Policy: policy}); err != nil {
		w.t.Fatal(err)
	}
}

func TestUndoOnThePage(t *testing.T) {
	w := newWorld(t)
	inbox := w.deliver("one", "two")
	w.quit(inbox, "misset", store.DeleteExpunge)
	b := w.browser()
	b.login("alice", "secret")
	p := b.get("/account/sessions")
	if !strings.Contains(p.text, `value="misset"`) {
		t.Fatalf("the session cannot be taken back: %s", p.text)
	}
	p = b.form("/account/undo", url.Values{"token": {p.token()}, "session": {"misset"}})
	if p.path != "/account/sessions" || !strings.Contains(p.text, "2 messages brought back to INBOX") || strings.Contains(p.text, `value="misset"`) {
		t.Errorf("%s %s", p.path, p.text)
	}
	if p := b.get("/account/sessions"); strings.Contains(p.text, "brought back to INBOX") {
		t.Error("it is told twice")
	}
	if p := b.form("/account/undo", url.Values{"token": {p.token()}, "session": {"nothing"}}); p.status != http.StatusNotFound {
		t.Errorf("no such session: %d", p.status)
	}
}

// TestOthersSessions: bob takes nothing of alice's back.
func TestOthersSessions(t *testing.T) {
	w := newWorld(t)
	inbox := w.deliver("one")
	w.quit(inbox, "hers", store.DeleteExpunge)
	b := w.browser()
	b.login("bob", "secret")
	token := b.get("/account/sessions").token()
	if p := b.form("/account/undo", url.Values{"token": {token}, "session": {"hers"}}); p.status != http.StatusNotFound {
		t.Errorf("bob took back alice's session: %d", p.status)
	}
	if p := b.form("/account/undelete", url.Values{"token": {token}, "m": {"1099511627777:1"}}); p.status == http.StatusOK {
		t.Errorf("bob brought back alice's message: %s", p.text)
	}
	if p := b.get("/account/story?message=%3Cone@x%3E"); !strings.Contains(p.text, "There is no message") {
		t.Error("bob was told of alice's message")
	}
}

func TestUndeleteOnThePage(t *testing.T) {
	w := newWorld(t)
	inbox := w.deliver("apples", "pears")
	w.quit(inbox, "s", store.DeleteExpunge)
	b := w.browser()
	b.login("alice", "secret")
	p := b.get("/account/deleted?subject=PEAR")
	if strings.Contains(p.text, "apples") || !strings.Contains(p.text, "pears") {
		t.Fatal(p.text)
	}
	_, rest, _ := strings.Cut(p.text, `name="m" value="`)
	mark, _, _ := strings.Cut(rest, `"`)
	if p = b.form("/account/undelete", url.Values{"token": {p.token()}, "m": {mark}}); !strings.Contains(p.text, "1 message brought back") {
		t.Error(p.text)
	}
	if p = b.get("/account/story?message=%3Cpears@x%3E"); !strings.Contains(p.text, "brought back") || !strings.Contains(p.text, "expunged") {
		t.Errorf("the story: %s", p.text)
	}
}

func TestAppPasswordsOnThePage(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.AddPassword = func(ctx context.Context, a store.Account, n store.NewCredential) (string, error) {
			n.Hash, n.KeepScheme = "{PLAIN}made-for-you", true
			_, err := c.Store.AddCredential(ctx, a.ID, n)
			return "made-for-you", err
		}
	})
	b := w.browser()
	token := b.login("alice", "secret").token()
	p := b.form("/account/passwords/add", url.Values{"token": {token}, "label": {"phone"}, "web": {"yes"}, "delete": {"keep"}})
	if !strings.Contains(p.text, "made-for-you") {
		t.Fatal(p.text)
	}
	if p := b.get("/account/passwords"); strings.Contains(p.text, "made-for-you") || !strings.Contains(p.text, `value="keep" selected`) {
		t.Errorf("shown again, or the policy is lost: %s", p.text)
	}
	phone := w.browser()
	if p := phone.login("alice", "made-for-you"); p.path != "/account/" {
		t.Fatalf("the new password: %d", p.status)
	}
	for _, bad := range []url.Values{{"label": {"phone"}, "imap": {"yes"}}, {"label": {""}, "imap": {"yes"}}, {"label": {"x"}}, {"label": {"y"}, "imap": {"1"}, "delete": {"burn"}}, {"label": {"z"}, "imap": {"1"}, "expires": {"soon"}},
		{"label": {"past"}, "imap": {"1"}, "expires": {"2020-01-31"}}} {
		bad.Set("token", token)
		if p := b.form("/account/passwords/add", bad); p.status != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d", bad, p.status)
		}
	}
	if p := b.form("/account/passwords/policy", url.Values{"token": {token}, "label": {"phone"}, "delete": {"shared"}}); !strings.Contains(p.text, `value="shared" selected`) {
		t.Error(p.text)
	}
	if p := b.form("/account/passwords/revoke", url.Values{"token": {token}, "label": {"phone"}}); !strings.Contains(p.text, "revoked") {
		t.Error(p.text)
	}
	if p := phone.get("/account/"); p.path != "/login" {
		t.Errorf("the revoked password's session still sees %s", p.path)
	}
}

func TestPolicyOnThePage(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	token := b.login("alice", "secret").token()
	p := b.form("/account/policy", url.Values{"token": {token}, "delete": {"shared"}, "see": {"days=30"}, "seen": {"yes"}})
	if !strings.Contains(p.text, `value="shared" selected`) || !strings.Contains(p.text, "days=30") || !strings.Contains(p.text, "checked") {
		t.Error(p.text)
	}
	if p := b.form("/account/policy", url.Values{"token": {token}, "delete": {"burn"}, "see": {"all"}}); p.status != http.StatusUnprocessableEntity {
		t.Errorf("no such policy: %d", p.status)
	}
}

// TestLive: somebody who watches is told of a session without asking, and only
// of their own.
func TestLive(t *testing.T) {
	w := newWorld(t)
	streams := map[string]*bufio.Scanner{}
	for _, name := range []string{"alice", "bob"} {
		b := w.browser()
		b.login(name, "secret")
		answer, err := b.client.Get(w.url + "/account/live/events")
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		streams[name] = bufio.NewScanner(answer.Body)
		if !streams[name].Scan() || streams[name].Text() != "data: []" {
			t.Fatalf("%s is told first: %s", name, streams[name].Text())
		}
	}
	inbox := w.deliver("one")
	w.quit(inbox, "tonight", store.DeleteTrash)
	for s := streams["alice"]; ; {
		if !s.Scan() {
			t.Fatal("the stream ended")
		}
		if strings.Contains(s.Text(), "deleted 1 message from INBOX, now in Trash") {
			break
		}
	}
	for s := streams["bob"]; s.Scan(); {
		if strings.HasPrefix(s.Text(), "data:") {
			t.Fatalf("bob is told: %s", s.Text())
		}
		if s.Text() == ": alive" {
			break
		}
	}
}
