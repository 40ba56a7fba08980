package imapd

import (
	"crypto/tls"
	"encoding/base64"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xdg-go/scram"

	"tandem/auth"
	"tandem/store"
)

// withScram makes a server that offers SCRAM; all accounts have keys.
func withScram(t *testing.T, cfg auth.Config) *testServer {
	t.Helper()
	cfg.Log = slog.New(slog.DiscardHandler)
	ts := startServer(t, func(c *Config) {
		c.Auth = auth.New(c.Store, cfg)
		c.Limits.BadStranger = 100
	})
	accounts, err := ts.store.Accounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range accounts {
		p := &store.NewPassword{Hash: auth.HashPassword("secret"), Keys: auth.MakeScramKeys("secret", cfg.SCRAMSHA1)}
		if err := ts.store.UpdateAccount(t.Context(), a.ID, store.AccountUpdate{Password: p}); err != nil {
			t.Fatal(err)
		}
	}
	return ts
}

// scram runs AUTHENTICATE with a library's client and gives the tagged answer.
func (c *client) scram(mech string, talk *scram.ClientConversation) string {
	c.t.Helper()
	c.send("s AUTHENTICATE " + mech)
	challenge := ""
	for {
		line := c.line()
		text, more := strings.CutPrefix(line, "+ ")
		if !more {
			return line
		}
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			c.t.Fatal(err)
		}
		if challenge = string(b); talk.Done() {
			c.t.Fatalf("%q after the end", challenge)
		}
		answer, err := talk.Step(challenge)
		if err != nil {
			c.t.Fatal(err)
		}
		c.send(base64.StdEncoding.EncodeToString([]byte(answer)))
	}
}

func scramClient(t *testing.T, password string) *scram.Client {
	t.Helper()
	c, err := scram.SHA256.NewClient("alice", password, "")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestScram(t *testing.T) {
	ts := withScram(t, auth.Config{SCRAM: auth.SCRAMAuto, SCRAMSHA1: true})
	c := ts.dial(t)
	greeting := c.line()
	if !strings.Contains(greeting, " AUTH=SCRAM-SHA-256 ") || !strings.Contains(greeting, " AUTH=SCRAM-SHA-1 ") || strings.Contains(greeting, "-PLUS") {
		t.Errorf("greeting %s", greeting)
	}
	if got := c.scram("SCRAM-SHA-256", scramClient(t, "wrong").NewConversation()); !strings.HasPrefix(got, "s NO [AUTHENTICATIONFAILED]") {
		t.Errorf("wrong password: %s", got)
	}
	talk := scramClient(t, "secret").NewConversation()
	if got := c.scram("SCRAM-SHA-256", talk); !strings.HasPrefix(got, "s OK [CAPABILITY ") || !talk.Valid() || strings.Contains(got, "AUTH=") {
		t.Errorf("right password: %s", got)
	}
	c.send("l SELECT INBOX")
	c.skipTo("l OK")
}

func TestScramPlus(t *testing.T) {
	ts := withScram(t, auth.Config{SCRAM: auth.SCRAMAuto, Plaintext: auth.PlaintextNever})
	c := ts.dial(t)
	c.expect("* OK ...")
	c.send("a STARTTLS")
	c.expect("a OK ...")
	c.startTLS()
	c.send("b CAPABILITY")
	if line := c.expect("* CAPABILITY ..."); !strings.Contains(line, " AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256 ") {
		t.Errorf("after STARTTLS: %s", line)
	}
	c.expect("b OK ...")
	state := c.conn.(*tls.Conn).ConnectionState()
	data, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
	if err != nil {
		t.Fatal(err)
	}
	bound := scram.ChannelBinding{Type: scram.ChannelBindingTLSExporter, Data: data}
	other := scram.ChannelBinding{Type: scram.ChannelBindingTLSExporter, Data: make([]byte, 32)}
	alice := scramClient(t, "secret")
	for _, refused := range []struct {
		mech string
		talk *scram.ClientConversation
		want string
	}{
		{"SCRAM-SHA-256-PLUS", alice.NewConversationWithChannelBinding(other), "s NO [AUTHENTICATIONFAILED]"},
		{"SCRAM-SHA-256", alice.NewConversationAdvertisingChannelBinding(), "s NO [AUTHENTICATIONFAILED]"},
		{"SCRAM-SHA-256-PLUS", alice.NewConversation(), "s BAD"},
	} {
		if got := c.scram(refused.mech, refused.talk); !strings.HasPrefix(got, refused.want) {
			t.Errorf("%s: %s", refused.mech, got)
		}
	}
	if got := c.scram("SCRAM-SHA-256-PLUS", alice.NewConversationWithChannelBinding(bound)); !strings.HasPrefix(got, "s OK") {
		t.Errorf("bound: %s", got)
	}
}

// transcriptServer is the server for a transcript: that of sasl.txt has every
// mechanism.
func transcriptServer(t *testing.T, file string) *testServer {
	t.Helper()
	switch filepath.Base(file) {
	case "messagelimit.txt":
		return startServer(t, func(cfg *Config) { cfg.Limits.Messages = 3 })
	case "savelimit.txt":
		return startServer(t, func(cfg *Config) { cfg.Limits.Saved = 2 })
	case "metadata.txt":
		return startServer(t, func(cfg *Config) { cfg.AdminContact = "mailto:postmaster@example.org" })
	case "strict_headers.txt":
		return startServer(t, func(cfg *Config) { cfg.StrictHeaders = true })
	case "sasl.txt":
	default:
		return startServer(t, nil)
	}
	return withScram(t, auth.Config{SCRAM: auth.SCRAMAuto, SCRAMSHA1: true, OAuth: auth.OAuth{JWKS: "http://127.0.0.1:1/"}})
}
