package clienttest

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestAccountPageUndoes: a POP3 client that was told to delete everything has
// done so, and its user takes that back in a browser, by keyboard alone.
func TestAccountPageUndoes(t *testing.T) {
	t.Parallel()
	s, web := startWeb(t, "")
	alice := s.account(t, "alice")
	s.mustRun(t, "account", "policy", "alice", "--pop3-delete", "expunge")
	mails := samples()[:5]
	fill(t, alice, "INBOX", mails)
	c := pop(t, alice)
	c.must(t, "DELE 1", "DELE 2", "DELE 3", "DELE 4", "DELE 5", "QUIT")

	b := browse(t, web, "/account/")
	b.do(chromedp.SendKeys(chromedp.CSS("#name"), "alice"), chromedp.SendKeys(chromedp.CSS("#password"), password+kb.Enter),
		chromedp.WaitVisible(chromedp.CSS("#storage")))
	b.shoot("account")
	b.width(360)
	b.do(chromedp.EmulateViewport(1280, 900), chromedp.Click(chromedp.CSS(`nav.pages a[href="/account/sessions"]`)), chromedp.WaitVisible(chromedp.CSS(`form[action="/account/undo"]`)))
	b.shoot("sessions")
	for range 40 {
		if value[bool](b, `document.activeElement.textContent === "Take back"`) {
			break
		}
		b.do(chromedp.KeyEvent(kb.Tab))
	}
	b.do(chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(chromedp.CSS(".told")))
	if told := value[string](b, `document.querySelector(".told").textContent`); !strings.Contains(told, "5 messages brought back to INBOX") {
		t.Errorf("the page says %q", told)
	}
	b.shoot("undone")
	b.width(360)
	c = pop(t, alice)
	sameMail(t, c.all(t), mails)
	c.must(t, "QUIT")

	b.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate("http://"+web+"/account/live"))
	b.until(`document.getElementById("live-pop3").textContent.includes("deleted 5 messages from INBOX")`)
	open := pop(t, alice)
	b.until(`document.getElementById("live-say").textContent.includes("1 session is open")`)
	b.shoot("live")
	open.must(t, "QUIT")
	b.until(`document.getElementById("live-say").textContent.includes("0 sessions are open")`)
	for _, path := range []string{"/account/passwords", "/account/deleted", "/account/story?message=1"} {
		b.do(chromedp.Navigate("http://"+web+path), chromedp.WaitVisible(chromedp.CSS("h1")))
		b.width(360)
		b.do(chromedp.EmulateViewport(1280, 900))
		b.shoot("account" + strings.ReplaceAll(strings.TrimPrefix(strings.Split(path, "?")[0], "/account"), "/", " "))
	}
}
