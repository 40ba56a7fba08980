package auth

import (
	"fmt"
	"strings"
	"testing"

	"github.com/xdg-go/scram"
)

func TestSplitLogin(t *testing.T) {
	for login, want := range map[string]string{
		"alice":                       "[]",
		"alice+":                      "[]",
		"+Scans":                      "[]",
		"alice+Scans/2026":            "[{alice Scans/2026}]",
		"alice@example.org+Scans":     "[{alice@example.org Scans}]",
		"alice+Scans@example.org":     "[{alice Scans@example.org} {alice@example.org Scans}]",
		"alice+a+b":                   "[{alice a+b}]",
		"alice@example.org+list@home": "[{alice@example.org list@home}]",
	} {
		if got := fmt.Sprint(splitLogin(login)); got != want {
			t.Errorf("%s: %s, want %s", login, got, want)
		}
	}
}

// A login may name a mailbox with every mechanism, unless it is somebody's name
// as it stands; where logins name no mailboxes it is a name and no more.
func TestLoginsThatNameMailboxes(t *testing.T) {
	b := newBook()
	withKeys(b, "alice", "pencil")
	withKeys(b, "alice+work", "other")
	a, _ := open(t, b, Config{SCRAM: SCRAMOn})
	at := attempt("", "")
	at.Mailboxes = true
	for login, want := range map[string]Identity{
		"alice+Lists/Go": {Name: "alice", Mailbox: "Lists/Go"}, "alice": {Name: "alice"}, "alice+work": {Name: "alice+work"},
	} {
		password := map[string]string{"alice": "pencil", "alice+work": "other"}[want.Name]
		for _, mech := range []string{"", "SCRAM-SHA-256"} {
			id, err := Identity{}, error(nil)
			if mech == "" {
				named := at
				named.Login, named.Password = login, password
				id, err = a.Verify(t.Context(), named)
			} else {
				id, err = converse(t.Context(), a, mech, at, client(t, scram.SHA256, login, password).NewConversation())
			}
			if err != nil || id.Name != want.Name || id.Mailbox != want.Mailbox {
				t.Errorf("%s %s: %+v, %v", mech, login, id, err)
			}
		}
	}
	if id, err := a.Verify(t.Context(), attempt("alice+Lists/Go", "pencil")); err != ErrFailed {
		t.Errorf("without mailboxes: %+v, %v", id, err)
	}
}

// The salt of a name with a mailbox does not tell whether there is such a name.
func TestSaltsWithMailboxes(t *testing.T) {
	b := newBook()
	withKeys(b, "alice", "right")
	a, _ := open(t, b, Config{SCRAM: SCRAMOn})
	salt := func(login string) string {
		at := attempt("", "")
		at.Mailboxes = true
		x, err := a.Start(t.Context(), "SCRAM-SHA-256", at)
		if err != nil {
			t.Fatal(err)
		}
		challenge, _, err := x.Next([]byte("n,,n=" + login + ",r=abc"))
		if err != nil {
			t.Fatal(err)
		}
		_, salt, _ := strings.Cut(string(challenge), ",")
		return salt
	}
	for _, name := range []string{"alice", "nobody"} {
		if one, two := salt(name+"+a"), salt(name+"+b"); one != two || one != salt(name) {
			t.Errorf("%s: %s with one mailbox, %s with another", name, one, two)
		}
	}
}
