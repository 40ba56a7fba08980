package clienttest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestMbsyncScram logs in with Cyrus SASL's SCRAM. mbsync takes the strongest
// mechanism that is offered: an account that was imported without keys must not
// be locked out.
func TestMbsyncScram(t *testing.T) {
	t.Parallel()
	needs(t, "mbsync", "isync")
	if found, _ := filepath.Glob("/usr/lib/*/sasl2/libscram.so"); len(found) == 0 {
		t.Skip("no SCRAM for Cyrus SASL (Debian: libsasl2-modules)")
	}
	s := startServer(t, "")
	alice := s.account(t, "alice")
	sync := func(to target) string {
		t.Helper()
		dir := t.TempDir()
		config := mbsyncConfig(t, dir, to, "SSLType IMAPS", "Port "+port(t, to.IMAPS))
		text, err := os.ReadFile(config)
		if err != nil {
			t.Fatal(err)
		}
		write(t, config, strings.Replace(string(text), "AuthMechs LOGIN", "AuthMechs *", 1))
		return mustProgram(t, dir, "mbsync", "-Dn", "-c", config, "all")
	}
	const scram = "AUTHENTICATE SCRAM-SHA-256"
	if out := sync(alice); !strings.Contains(out, scram) {
		t.Errorf("no SCRAM although all have keys:\n%s", out)
	}
	if out := sync(newDevice(t, s, alice, "laptop", new(atomic.Int64)).to); !strings.Contains(out, scram) {
		t.Errorf("no SCRAM with an app password:\n%s", out)
	}
	if out, err := s.runWith([]byte(password+"\n"), "account", "passwd", "alice", "--password-stdin"); err != nil {
		t.Fatalf("account passwd: %v\n%s", err, out)
	}
	if out := sync(alice); !strings.Contains(out, scram) {
		t.Errorf("no SCRAM with a password set beside an app password:\n%s", out)
	}
	bob := alice
	bob.User = "bob"
	passwd := write(t, filepath.Join(t.TempDir(), "passwd"), fmt.Sprintf("bob:{SHA256.HEX}%x", sha256.Sum256([]byte(password))))
	s.mustRun(t, "account", "import", passwd)
	for _, to := range []target{alice, bob} {
		if out := sync(to); strings.Contains(out, scram) {
			t.Errorf("SCRAM for %s although bob has no keys:\n%s", to.User, out)
		}
	}
	// Bob's login has made his.
	eventually(t, func() error {
		if out := sync(bob); !strings.Contains(out, scram) {
			return fmt.Errorf("no SCRAM after bob's login:\n%s", out)
		}
		return nil
	})
}

// TestCurlOAuth logs in with access tokens that the provider vouches for.
func TestCurlOAuth(t *testing.T) {
	t.Parallel()
	needs(t, "curl", "curl")
	good := strings.Repeat("long", 1000) // as some providers' tokens are
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := `{"active": false}`
		if user, secret, _ := r.BasicAuth(); user == "tandem" && secret == "hush" && r.FormValue("token") == good {
			answer = `{"active": true, "scope": "openid mail", "email": "alice@example.org"}`
		}
		io.WriteString(w, answer)
	}))
	defer provider.Close()
	dir := t.TempDir()
	secret := write(t, filepath.Join(dir, "secret"), "hush")
	s := startServer(t, fmt.Sprintf("[auth.oauth]\nintrospection_url = %q\nclient_id = \"tandem\"\nclient_secret_file = %q\nscopes = [\"mail\"]\n", provider.URL, secret))
	to := s.account(t, "alice")
	fill(t, to, "INBOX", samples()[:2])
	for _, mechanism := range []string{"OAUTHBEARER", "XOAUTH2"} {
		for _, url := range []string{"imaps://localhost:" + port(t, to.IMAPS) + "/", "pop3s://localhost:" + port(t, to.POP3S) + "/"} {
			args := []string{"--silent", "--show-error", "--max-time", "60", "--cacert", to.CA, "--user", "alice", "--login-options", "AUTH=" + mechanism, url}
			out := mustProgram(t, dir, "curl", append(args, "--oauth2-bearer", good)...)
			if !strings.Contains(out, "INBOX") && !strings.HasPrefix(out, "1 ") {
				t.Errorf("%s to %s: %q", mechanism, url, out)
			}
			if out, code := program(t, dir, "curl", append(args, "--oauth2-bearer", "bad")...); code != 67 { // login denied
				t.Errorf("%s to %s with a bad token: exit code %d, %q", mechanism, url, code, out)
			}
		}
	}
}

// TestCurlExternal logs in with a client certificate.
func TestCurlExternal(t *testing.T) {
	t.Parallel()
	needs(t, "curl", "curl")
	dir := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	// One certificate is the authority and the client.
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		Subject: pkix.Name{CommonName: "somebody"}, EmailAddresses: []string{"alice@example.org"},
		IsCA: true, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, leaf, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert := write(t, filepath.Join(dir, "cert.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	private := write(t, filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	s := startServer(t, fmt.Sprintf("[tls]\nclient_ca = %q\n", cert))
	to := s.account(t, "alice")
	s.account(t, "bob")
	args := []string{"--silent", "--show-error", "--max-time", "60", "--cacert", to.CA, "--login-options", "AUTH=EXTERNAL"}
	shown := append(args, "--cert", cert, "--key", private)
	imaps, imap := "imaps://localhost:"+port(t, to.IMAPS)+"/", "imap://localhost:"+port(t, to.IMAP)+"/"
	for _, urls := range [][]string{{imaps}, {"--ssl-reqd", imap}, {"pop3s://localhost:" + port(t, to.POP3S) + "/"}} {
		mustProgram(t, dir, "curl", append(append(shown[:len(shown):len(shown)], "--user", "alice:"), urls...)...)
	}
	if out, code := program(t, dir, "curl", append(shown[:len(shown):len(shown)], "--user", "bob:", imaps)...); code != 67 {
		t.Errorf("alice's certificate for bob: exit code %d, %q", code, out)
	}
	if out, code := program(t, dir, "curl", append(args[:len(args):len(args)], "--user", "alice:", imaps)...); code != 67 {
		t.Errorf("no certificate: exit code %d, %q", code, out)
	}
	fill(t, to, "INBOX", samples()[:1]) // with the password and no certificate
}
