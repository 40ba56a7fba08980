package dovecot

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"tandem/auth"
)

func TestAccessTokens(t *testing.T) {
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := `{"active": false}`
		if r.FormValue("token") == "good" {
			answer = `{"active": true, "email": "alice@example.org"}`
		}
		io.WriteString(w, answer)
	}))
	defer provider.Close()
	c := connect(t, auth.Config{OAuth: auth.OAuth{Introspection: provider.URL}, SCRAM: auth.SCRAMOn, ClientCerts: true})
	c.want("VERSION\t1\t2")
	for _, m := range []string{"OAUTHBEARER", "XOAUTH2", "PLAIN", "LOGIN"} { // no SCRAM: whether it is offered may change
		c.want("MECH\t" + m + "\tplaintext")
	}
	for c.line() != "DONE" {
	}
	c.say("VERSION\t1\t0")
	c.say("CPID\t4711")
	c.say("AUTH\t1\tXOAUTH2\t" + params + "\tresp=" + b64("user=alice\x01auth=Bearer good\x01\x01"))
	c.want("OK\t1\tuser=alice")
	c.say("AUTH\t2\tOAUTHBEARER\t" + params)
	c.want("CONT\t2\t")
	c.say("CONT\t2\t" + b64("n,,\x01auth=Bearer bad\x01\x01"))
	c.want("CONT\t2\t" + b64(`{"status":"invalid_token"}`))
	c.say("CONT\t2\tAQ==")
	c.want("FAIL\t2")
	c.say("AUTH\t3\tSCRAM-SHA-256\t" + params)
	c.want("FAIL\t3\treason=unsupported authentication mechanism")
}
