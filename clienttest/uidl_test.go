package clienttest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// leaver is a mail program that leaves mail on its POP3 server and knows by the
// UIDLs what it has. fetch gives all that it has got so far.
type leaver struct {
	name  string
	fetch func(t testing.TB, dir string, to target) [][]byte
}

func leavers() []leaver {
	return []leaver{
		{"mpop", func(t testing.TB, dir string, to target) [][]byte {
			box := makeMaildir(t, filepath.Join(dir, "mail"))
			config := write(t, filepath.Join(dir, "mpoprc"), "account default", "host localhost", "port "+port(t, to.POP3),
				"user "+to.User, "password "+to.Pass, "auth user", "tls off", "received_header off",
				"uidls_file "+filepath.Join(dir, "uidls"), "delivery maildir "+box, "keep on")
			mustProgram(t, dir, "mpop", "-C", config)
			return values(maildirFiles(t, box))
		}},
		{"fetchmail", func(t testing.TB, dir string, to target) [][]byte {
			config := write(t, filepath.Join(dir, "fetchmailrc"), "set idfile "+filepath.Join(dir, "ids"),
				"set pidfile "+filepath.Join(dir, "pid"), "set invisible",
				"poll localhost protocol POP3 uidl auth password service "+port(t, to.POP3),
				fmt.Sprintf("  user %q password %q no rewrite keep sslproto ''", to.User, to.Pass),
				fmt.Sprintf("  mda %q", saveCommand(t, dir)))
			fetchmail(t, dir, config)
			return savedMail(t, dir)
		}},
		{"getmail", func(t testing.TB, dir string, to target) [][]byte {
			// Its file of UIDLs is named after the port too: the new server has the old one's.
			old, err := filepath.Glob(filepath.Join(dir, "oldmail-localhost-*-"+to.User))
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range old {
				if err := os.Rename(name, filepath.Join(dir, "oldmail-localhost-"+port(t, to.POP3)+"-"+to.User)); err != nil {
					t.Fatal(err)
				}
			}
			getmail(t, dir, to, "SimplePOP3Retriever", port(t, to.POP3), "read_all = false")
			return unmarked(savedMail(t, dir))
		}},
	}
}

// TestUIDLsFromDovecot moves a maildrop from a real Dovecot to tandem. Programs
// that have everything get from tandem only what is new.
func TestUIDLsFromDovecot(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		settings []string
		args     []string // of tandem import
		running  bool     // the UIDLs come from the server, the mail was there before
	}{
		"default":  {},
		"format":   {settings: []string{"pop3_uidl_format = %v.%u"}, args: []string{"--uidl-format", "%v.%u"}},
		"filename": {settings: []string{"pop3_uidl_format = %Mf"}, args: []string{"--uidl-format", "%Mf"}},
		"saved":    {settings: []string{"pop3_save_uidl = yes", "pop3_uidl_format = %g-%u"}},
		"X-UIDL":   {settings: []string{"pop3_reuse_xuidl = yes"}, args: []string{"--uidl-reuse-field"}},
		"running":  {settings: []string{"pop3_uidl_format = %g"}, running: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mails := samples()
			mails = append(mails, mails[0]) // twice the same
			mails = append(mails, message("x", "With a field", "text\n", "X-UIDL: field.1"))
			d := startDovecot(t, mails, test.settings...)
			dirs := map[string]string{}
			programs := leavers()
			if test.settings != nil && !test.running {
				programs = programs[:1]
			}
			for _, l := range programs {
				needs(t, l.name, map[string]string{"getmail": "getmail6"}[l.name])
				dirs[l.name] = t.TempDir()
				sameMail(t, l.fetch(t, dirs[l.name], d.target), mails)
			}
			s := startServer(t, "")
			to := s.account(t, "alice")
			out := ""
			if test.running {
				fill(t, to, "INBOX", mails)
				out = s.importUIDLs(t, d.Pass, "pop3://alice@"+d.POP3)
				d.stop(t)
			} else {
				d.stop(t)
				out = s.importUIDLs(t, "", d.maildir, append(test.args, d.maildir)...)
			}
			if !strings.Contains(out, fmt.Sprintf("%8d kept", len(mails))) || !strings.Contains(out, "  0 changed") || !strings.Contains(out, "  0 missing") {
				t.Errorf("the report says\n%s", out)
			}
			more := message("new", "After the switch", "text\n")
			fill(t, to, "INBOX", [][]byte{more})
			for _, l := range programs {
				sameMail(t, l.fetch(t, dirs[l.name], to), append(mails[:len(mails):len(mails)], more))
			}
		})
	}
}

// importUIDLs runs the verb with the old server's password on standard input.
func (s *server) importUIDLs(t testing.TB, password, from string, args ...string) string {
	t.Helper()
	args = append([]string{"import", "--account", "alice", "--uidl-from", from}, args...)
	if password != "" {
		args = append(args, "--uidl-password-stdin")
	}
	out, err := s.runWith([]byte(password+"\n"), args...)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return out
}
