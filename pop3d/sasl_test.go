package pop3d

import (
	"encoding/base64"
	"log/slog"
	"strings"
	"testing"

	"github.com/xdg-go/scram"

	"tandem/auth"
	"tandem/store"
)

// scram runs AUTH with a library's client and gives the last answer.
func (c *client) scram(mech string, talk *scram.ClientConversation) string {
	c.t.Helper()
	first, err := talk.Step("")
	if err != nil {
		c.t.Fatal(err)
	}
	c.send("AUTH " + mech + " " + base64.StdEncoding.EncodeToString([]byte(first)) + "\r\n")
	for {
		line, err := c.line()
		if err != nil {
			c.t.Fatal(err)
		}
		text, more := strings.CutPrefix(line, "+ ")
		if !more {
			return line
		}
		challenge, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			c.t.Fatal(err)
		}
		answer, err := talk.Step(string(challenge))
		if err != nil {
			c.t.Fatal(err)
		}
		c.send(base64.StdEncoding.EncodeToString([]byte(answer)) + "\r\n")
	}
}

func TestScram(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.Auth = auth.New(c.Store, auth.Config{SCRAM: auth.SCRAMAuto, Log: slog.New(slog.DiscardHandler)})
		c.Limits.BadCommandsBefore = 0
	}).listen()
	c := w.dial()
	c.script("C: CAPA\nS: +OK*\nS: TOP\nS: UIDL\nS: PIPELINING\nS: RESP-CODES\nS: AUTH-RESP-CODE\nS: LANG\nS: USER\nS: UTF8 USER\nS: SASL PLAIN LOGIN\n" +
		"S: STLS\nS: LOGIN-DELAY 0\nS: EXPIRE NEVER\nS: IMPLEMENTATION tandem\nS: .\nC: AUTH SCRAM-SHA-256\nS: -ERR no such*")
	for _, name := range []string{"alice", "bob"} {
		a, err := w.store.Account(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		p := &store.NewPassword{Hash: auth.HashPassword("secret"), Keys: auth.MakeScramKeys("secret", false)}
		if err := w.store.UpdateAccount(t.Context(), a.ID, store.AccountUpdate{Password: p}); err != nil {
			t.Fatal(err)
		}
	}
	c.script("C: CAPA\nS: +OK*\nS: TOP\nS: UIDL\nS: PIPELINING\nS: RESP-CODES\nS: AUTH-RESP-CODE\nS: LANG\nS: USER\nS: UTF8 USER\nS: SASL SCRAM-SHA-256 PLAIN LOGIN\n" +
		"S: STLS\nS: LOGIN-DELAY 0\nS: EXPIRE NEVER\nS: IMPLEMENTATION tandem\nS: .\n" +
		// n,,n=alice,r=abc
		"C: AUTH SCRAM-SHA-256\nS: + \nC: biwsbj1hbGljZSxyPWFiYw==\nS: + cj1hYm*\nC: *\nS: -ERR authentication cancelled\n" +
		"C: AUTH SCRAM-SHA-256 biwsbj1hbGljZSxyPWFiYw==\nS: + cj1hYm*\nC: AAAA\nS: -ERR malformed*")
	client := func(password string) *scram.Client {
		c, err := scram.SHA256.NewClient("alice", password, "")
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if got := c.scram("SCRAM-SHA-256", client("wrong").NewConversation()); !strings.HasPrefix(got, "-ERR [AUTH]") {
		t.Errorf("wrong password: %s", got)
	}
	if got := c.scram("scram-sha-256", client("secret").NewConversation()); !strings.HasPrefix(got, "+OK maildrop") {
		t.Errorf("right password: %s", got)
	}

	c.script("C: QUIT\nS: +OK*\nS: EOF")
	c = w.dial()
	c.script("C: STLS\nS: +OK*")
	c.startTLS()
	// No -PLUS: see auth. A client that could have bound the login may say so.
	c.script("C: CAPA\nS: +OK*\nS: TOP\nS: UIDL\nS: PIPELINING\nS: RESP-CODES\nS: AUTH-RESP-CODE\nS: LANG\nS: USER\nS: UTF8 USER\nS: SASL SCRAM-SHA-256 PLAIN LOGIN\n" +
		"S: LOGIN-DELAY 0\nS: EXPIRE NEVER\nS: IMPLEMENTATION tandem\nS: .\n" +
		"C: AUTH SCRAM-SHA-256-PLUS\nS: -ERR no such authentication mechanism")
	if got := c.scram("SCRAM-SHA-256", client("secret").NewConversationAdvertisingChannelBinding()); !strings.HasPrefix(got, "+OK maildrop") {
		t.Errorf("inside TLS: %s", got)
	}
}

// The refusal of an access token is told in a challenge. The client may answer
// that with a cancellation; the reply has its code all the same (RFC 7628
// section 3.2.3, RFC 3206 section 6).
func TestRefusedToken(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.Auth = auth.New(c.Store, auth.Config{OAuth: auth.OAuth{JWKS: "http://127.0.0.1:1/", Scopes: []string{"mail"}}, Log: slog.New(slog.DiscardHandler)})
	}).listen()
	empty := base64.StdEncoding.EncodeToString([]byte("n,,\x01auth=\x01\x01"))
	refusal := base64.StdEncoding.EncodeToString([]byte(`{"status":"invalid_token","scope":"mail"}`))
	for _, answer := range []string{"AQ==", "*"} {
		w.dial().script("C: AUTH OAUTHBEARER " + empty + "\nS: + " + refusal + "\nC: " + answer + "\nS: -ERR [AUTH]*")
	}
	w.dial().script("C: AUTH OAUTHBEARER\nS: + \nC: *\nS: -ERR authentication cancelled")
}
