package webd

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"tandem/store"
)

func TestLogin(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	if p := b.get("/account/"); p.path != "/login" {
		t.Fatalf("a stranger got %s", p.path)
	}
	for _, wrong := range [][2]string{{"alice", "wrong"}, {"nobody", "secret"}, {"", ""}} {
		p := b.login(wrong[0], wrong[1])
		if p.status != http.StatusUnauthorized || !strings.Contains(p.text, "name or the password is wrong") || p.header.Get("Set-Cookie") != "" {
			t.Errorf("%q: %d %s", wrong, p.status, p.text)
		}
	}
	p := b.login("alice", "secret")
	if p.path != "/account/" || p.status != http.StatusOK || !strings.Contains(p.text, "INBOX") {
		t.Fatalf("%s %d %s", p.path, p.status, p.text)
	}
	if p := b.form("/logout", url.Values{"token": {"guessed"}}); p.status != http.StatusForbidden {
		t.Errorf("a form without the token: %d", p.status)
	}
	if p := b.form("/logout", url.Values{"token": {p.token()}}); p.path != "/login" {
		t.Errorf("logged out to %s", p.path)
	}
	if p := b.get("/account/"); p.path != "/login" {
		t.Errorf("after logging out: %s", p.path)
	}
}

func TestCookie(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	cookie := b.login("alice", "secret").header.Get("Set-Cookie")
	for _, want := range []string{"tandem=", "HttpOnly", "SameSite=Strict", "Path=/"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("cookie %q lacks %s", cookie, want)
		}
	}
}

func TestHeaders(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	for _, path := range []string{"/", "/login", "/static/base.css", "/nothing"} {
		h := b.get(path).header
		if csp := h.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: %v", path, h)
		}
	}
}

func TestAnotherSitesFormIsRefused(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	token := b.login("alice", "secret").token()
	for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}} {
		if p := b.form("/logout", url.Values{"token": {token}}, headers...); p.status != http.StatusForbidden {
			t.Errorf("%v: %d", headers, p.status)
		}
	}
	if p := b.get("/account/"); p.path != "/account/" {
		t.Errorf("logged out by another site: %s", p.path)
	}
}

func TestNewPasswordEndsSessions(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.login("alice", "secret")
	a, err := w.store.Account(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.store.UpdateAccount(t.Context(), a.ID, store.AccountUpdate{Password: &store.NewPassword{Hash: "{PLAIN}other", KeepScheme: true}}); err != nil {
		t.Fatal(err)
	}
	if p := b.get("/account/"); p.path != "/login" {
		t.Errorf("the old password's session still sees %s", p.path)
	}
}

func TestHugeRequests(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	if p := b.login("alice", strings.Repeat("x", maxForm)); p.status == http.StatusOK {
		t.Errorf("a form of over %d octets: %d", maxForm, p.status)
	}
	c := w.dial()
	go io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nX: "+strings.Repeat("x", 1<<20))
	answer, err := io.ReadAll(c)
	if err == nil && !strings.Contains(string(answer), "431") {
		t.Errorf("a header of 1 MiB: %q", answer)
	}
}

func TestDrain(t *testing.T) {
	w := newWorld(t)
	idle := w.dial()
	w.browser().get("/")
	w.stop()
	<-w.ended
	if _, err := io.ReadAll(idle); err != nil {
		t.Logf("the idle connection ended with %v", err)
	}
}
