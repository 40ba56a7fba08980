package clienttest

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"testing"
)

// target is what a client needs to know of an account.
type target struct {
	IMAP  string `json:"imap"` // host:port, as all addresses
	IMAPS string `json:"imaps"`
	POP3  string `json:"pop3"`
	POP3S string `json:"pop3s"`
	LMTP  string `json:"lmtp"`
	User  string `json:"user"`
	Pass  string `json:"pass"`
	Rcpt  string `json:"rcpt"` // the account's address for LMTP
	CA    string `json:"ca"`   // file with the certificate to trust
}

// elsewhere counts the accounts used up on another server.
var elsewhere atomic.Int64

// newTarget returns an empty account for a client job: on a server of its own,
// or on the server that CLIENTTEST_TARGET describes as JSON, where %d in user
// and rcpt stands for a number that counts up. That tells a fault of a job from
// a fault of tandem.
func newTarget(t testing.TB) target {
	t.Helper()
	text := os.Getenv("CLIENTTEST_TARGET")
	if text == "" {
		return startServer(t, "").account(t, "alice")
	}
	var other target
	if err := json.Unmarshal([]byte(text), &other); err != nil {
		t.Fatalf("CLIENTTEST_TARGET: %v", err)
	}
	n := elsewhere.Add(1)
	other.User = fmt.Sprintf(other.User, n)
	other.Rcpt = fmt.Sprintf(other.Rcpt, n)
	return other
}

// port is the port of a host:port.
func port(t testing.TB, addr string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return port
}
