package clienttest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// popDevice is a POP3 client with a password of its own.
type popDevice struct {
	program, debianPackage string
	deletes                bool // what it fetched
	to                     target
	dir                    string
	fetch                  func(t *testing.T, d *popDevice)
	mail                   func(t *testing.T, d *popDevice) [][]byte // all that came
}

// TestClientsShareAccount has six POP3 clients and an mbsync work on one account
// at the same time, while mail comes in. Half of the POP3 clients delete what they
// have, which the policy "shared" turns into a deletion for themselves. Each gets
// each message once; INBOX keeps them all, until the others' passwords are revoked.
func TestClientsShareAccount(t *testing.T) {
	t.Parallel()
	needs(t, "mbsync", "isync")
	s, mails := startServer(t, ""), samples()
	to := s.account(t, "alice")
	devices := popDevices()
	for _, d := range devices {
		needs(t, d.program, d.debianPackage)
		d.dir = t.TempDir()
		d.to = to
		d.to.Pass = appPassword(t, s, "alice", d.program)
	}
	fill(t, to, "INBOX", mails[:5])

	syncDir := t.TempDir()
	config := mbsyncConfig(t, syncDir, to, "SSLType IMAPS", "Port "+port(t, to.IMAPS))
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() { // ends when stop is closed
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				mbsync(t, syncDir, config)
			}
		}
	}()

	var arriving sync.WaitGroup
	arriving.Go(func() { fill(t, to, "INBOX", mails[5:]) })
	everyone(t, devices)
	arriving.Wait()
	everyone(t, devices)
	everyone(t, devices) // nothing new: nothing comes twice
	close(stop)
	<-stopped

	for _, d := range devices {
		t.Run(d.program, func(t *testing.T) { sameMail(t, d.mail(t, d), mails) })
	}
	mbsync(t, syncDir, config)
	inbox := filepath.Join(syncDir, "mail", "INBOX")
	sameMail(t, unmarked(values(maildirFiles(t, inbox))), mails)
	sameMail(t, mailboxMail(t, to, "INBOX"), mails)

	for _, d := range devices {
		if !d.deletes {
			s.mustRun(t, "app-password", "revoke", "alice", d.program)
		}
	}
	eventually(t, func() error {
		if left := mailboxMail(t, to, "INBOX"); len(left) > 0 {
			return fmt.Errorf("%d messages are in INBOX after the last device has them", len(left))
		}
		return nil
	})
	sameMail(t, mailboxMail(t, to, "Trash"), mails)
	mbsync(t, syncDir, config)
	if here := maildirFiles(t, inbox); len(here) > 0 {
		t.Errorf("mbsync keeps %d messages that left INBOX", len(here))
	}
}

// everyone has all devices fetch their mail at the same time.
func everyone(t *testing.T, devices []*popDevice) {
	t.Helper()
	var all sync.WaitGroup
	for _, d := range devices {
		all.Go(func() { d.fetch(t, d) })
	}
	all.Wait()
}

// appPassword adds a password for POP3 whose deletions are "shared".
func appPassword(t testing.TB, s *server, account, label string) string {
	t.Helper()
	out := s.mustRun(t, "app-password", "add", account, label, "--scope", "pop3", "--pop3-delete", "shared", "--json")
	var made struct{ Password string }
	if err := json.Unmarshal([]byte(out), &made); err != nil || made.Password == "" {
		t.Fatalf("app-password add: %v: %s", err, out)
	}
	return made.Password
}

func popDevices() []*popDevice {
	saved := func(t *testing.T, d *popDevice) [][]byte { return unmarked(savedMail(t, d.dir)) }
	return []*popDevice{
		{program: "fetchmail", debianPackage: "fetchmail", deletes: true, mail: saved, fetch: func(t *testing.T, d *popDevice) {
			fetchmail(t, d.dir, fetchmailConfig(t, d.dir, d.to, "protocol POP3 service "+port(t, d.to.POP3S), "ssl nokeep fetchall"))
		}},
		{program: "getmail", debianPackage: "getmail6", deletes: true, mail: saved, fetch: func(t *testing.T, d *popDevice) {
			getmail(t, d.dir, d.to, "SimplePOP3SSLRetriever", port(t, d.to.POP3S), "delete = true")
		}},
		{program: "mpop", debianPackage: "mpop", deletes: true, fetch: func(t *testing.T, d *popDevice) {
			mpop(t, d.dir, d.to, port(t, d.to.POP3S), "off", "off")
		}, mail: func(t *testing.T, d *popDevice) [][]byte {
			return values(maildirFiles(t, filepath.Join(d.dir, "mail")))
		}},
		{program: "neomutt", debianPackage: "neomutt", fetch: neomuttFetch, mail: func(t *testing.T, d *popDevice) [][]byte {
			return unmarked(values(maildirFiles(t, filepath.Join(d.dir, "saved"))))
		}},
		{program: "curl", debianPackage: "curl", fetch: curlFetch, mail: readAll},
		{program: "python3", debianPackage: "python3", fetch: poplibFetch, mail: readAll},
	}
}

// neomuttFetch copies the whole maildrop to an empty Maildir.
func neomuttFetch(t *testing.T, d *popDevice) {
	mustProgram(t, d.dir, "rm", "-rf", d.dir+"/saved")
	config := write(t, filepath.Join(d.dir, "muttrc"),
		"set folder="+d.dir, "set pop_user="+d.to.User, fmt.Sprintf("set pop_pass=%q", d.to.Pass),
		"set certificate_file="+d.to.CA, "set mbox_type=Maildir delete=no move=no",
		"set confirmappend=no confirmcreate=no wait_key=no sleep_time=0")
	terminalMail(t, d.dir, "neomutt", config, "pops://localhost:"+port(t, d.to.POP3S)+"/",
		"<tag-pattern>~A<enter><tag-prefix><copy-message>"+d.dir+"/saved<enter><quit>")
}

// curlFetch and poplibFetch write the whole maildrop to a file that readAll reads.
func curlFetch(t *testing.T, d *popDevice) {
	url := "pop3s://localhost:" + port(t, d.to.POP3S) + "/"
	var lines []string
	for n := range bytes.Count(curl(t, d.dir, d.to, url), []byte("\n")) {
		lines = append(lines, base64.StdEncoding.EncodeToString(curl(t, d.dir, d.to, fmt.Sprintf("%s%d", url, n+1))))
	}
	write(t, filepath.Join(d.dir, "all"), lines...)
}

func poplibFetch(t *testing.T, d *popDevice) {
	input, err := json.Marshal(d.to)
	if err != nil {
		t.Error(err)
		return
	}
	cmd := exec.CommandContext(t.Context(), "python3", filepath.Join("testdata", "pop3_fetch.py"))
	cmd.Stdin = bytes.NewReader(input)
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("pop3_fetch.py: %v", err)
	}
	write(t, filepath.Join(d.dir, "all"), strings.TrimSuffix(string(out), "\n"))
}

func readAll(t *testing.T, d *popDevice) (mails [][]byte) {
	for line := range strings.FieldsSeq(readFile(t, filepath.Join(d.dir, "all"))) {
		text, err := base64.StdEncoding.DecodeString(line)
		if err != nil {
			t.Fatal(err)
		}
		mails = append(mails, text)
	}
	return mails
}
