package clienttest

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
)

// terminalMail has mutt or neomutt open a mailbox at a terminal with a
// configuration, type keys and leave; what they print is thrown away.
func terminalMail(t testing.TB, dir, name, config, mailbox, keys string) {
	t.Helper()
	push := write(t, filepath.Join(dir, "keys"), "source "+config, "set sort=mailbox-order", fmt.Sprintf("push %q", keys))
	mustProgram(t, dir, "script", "-qec", "TERM=xterm "+name+" -F "+push+" -f "+mailbox, "/dev/null")
}

// TestMuttPOP3 has mutt and neomutt copy a POP3 maildrop to a Maildir, and delete
// the last message in it.
func TestMuttPOP3(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"mutt", "neomutt"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			needs(t, name, name)
			needs(t, "script", "bsdutils")
			to, mails, dir := newTarget(t), samples(), t.TempDir()
			fill(t, to, "INBOX", mails)
			config := write(t, filepath.Join(dir, "muttrc"), // a folder that is missing would be asked for
				"set folder="+dir, "set pop_user="+to.User, fmt.Sprintf("set pop_pass=%q", to.Pass),
				"set certificate_file="+to.CA, "set mbox_type=Maildir delete=yes move=no pop_delete=yes",
				"set confirmappend=no confirmcreate=no wait_key=no sleep_time=0")
			terminalMail(t, dir, name, config, "pops://localhost:"+port(t, to.POP3S)+"/",
				"<tag-pattern>~A<enter><tag-prefix><copy-message>"+dir+"/saved<enter><untag-pattern>~A<enter>"+
					"<last-entry><delete-message><quit>")
			sameMail(t, unmarked(values(maildirFiles(t, filepath.Join(dir, "saved")))), mails)
			sameMail(t, mailboxMail(t, to, "INBOX"), mails[:len(mails)-1])
		})
	}
}

// TestMuttKeepsCache has mutt and neomutt open INBOX three times with a header
// cache and QRESYNC, mutt with COMPRESS too. In between others change flags,
// delete and append: the cache must follow.
func TestMuttKeepsCache(t *testing.T) {
	t.Parallel()
	for name, more := range map[string]string{"mutt": "set imap_deflate=yes", "neomutt": "set imap_rfc5161=yes"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			needs(t, name, name)
			needs(t, "script", "bsdutils")
			to, mails, dir := newTarget(t), samples(), t.TempDir()
			fill(t, to, "INBOX", mails[:6])
			config, prefix := muttConfig(t, dir, to)
			config = write(t, filepath.Join(dir, "cacherc"), "source "+config, "set imap_condstore=yes", "set imap_qresync=yes",
				"set header_cache="+dir+"/cache", more)
			save := func(pattern, where string) string {
				return "<tag-pattern>" + pattern + "<enter><tag-prefix><copy-message>" + dir + "/" + where + "<enter><untag-pattern>~A<enter>"
			}
			terminalMail(t, dir, name, config, prefix+"INBOX", save("~A", "first")+"<quit>")
			sameMail(t, unmarked(values(maildirFiles(t, filepath.Join(dir, "first")))), mails[:6])

			c := imapSession(t, to, nil)
			if _, err := c.Select("INBOX", nil).Wait(); err != nil {
				t.Fatal(err)
			}
			store := func(n uint32, flag imap.Flag) {
				add := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{flag}}
				if err := c.Store(imap.SeqSetNum(n), add, nil).Close(); err != nil {
					t.Fatal(err)
				}
			}
			store(2, imap.FlagFlagged)
			store(4, imap.FlagDeleted)
			if err := c.Expunge().Close(); err != nil {
				t.Fatal(err)
			}
			fill(t, to, "INBOX", mails[6:8])
			now := slices.Concat(mails[:3], mails[4:8])
			terminalMail(t, dir, name, config, prefix+"INBOX", save("~A", "second")+save("~F", "flagged")+"<first-entry><flag-message><quit>")
			sameMail(t, unmarked(values(maildirFiles(t, filepath.Join(dir, "second")))), now)
			sameMail(t, unmarked(values(maildirFiles(t, filepath.Join(dir, "flagged")))), mails[1:2])

			terminalMail(t, dir, name, config, prefix+"INBOX", save("~F", "again")+"<quit>")
			sameMail(t, unmarked(values(maildirFiles(t, filepath.Join(dir, "again")))), mails[:2])
		})
	}
}

// TestMuttCompresses looks whether the settings of TestMuttKeepsCache do what
// they should.
func TestMuttCompresses(t *testing.T) {
	t.Parallel()
	needs(t, "mutt", "mutt")
	needs(t, "script", "bsdutils")
	s := startServer(t, "[log]\nlevel = \"debug\"\n")
	to, dir := s.account(t, "alice"), t.TempDir()
	fill(t, to, "INBOX", samples()[:1])
	config, prefix := muttConfig(t, dir, to)
	config = write(t, filepath.Join(dir, "cacherc"), "source "+config, "set imap_condstore=yes", "set imap_qresync=yes", "set imap_deflate=yes")
	push := write(t, filepath.Join(dir, "keys"), "source "+config, `push "<quit>"`)
	debug := filepath.Join(dir, ".muttdebug0")
	mustProgram(t, dir, "script", "-qec", "TERM=xterm mutt -d 3 -F "+push+" -f "+prefix+"INBOX", "/dev/null")
	text := readFile(t, debug)
	for _, command := range []string{"COMPRESS DEFLATE", "ENABLE", "QRESYNC"} {
		if !strings.Contains(text, command) {
			t.Errorf("mutt did not send %s:\n%.3000s", command, text)
		}
	}
}
