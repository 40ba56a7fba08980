package clienttest

import (
	"path/filepath"
	"testing"
)

// mpop runs the program, which pipelines; mail goes to the Maildir dir/mail.
func mpop(t testing.TB, dir string, to target, port, starttls, keep string) {
	t.Helper()
	makeMaildir(t, filepath.Join(dir, "mail"))
	config := write(t, filepath.Join(dir, "mpoprc"),
		"account default", "host localhost", "port "+port,
		"user "+to.User, "password "+to.Pass, "auth plain",
		"tls on", "tls_starttls "+starttls, "tls_trust_file "+to.CA,
		"pipelining on", "received_header off",
		"uidls_file "+filepath.Join(dir, "uidls"),
		"delivery maildir "+dir+"/mail", "keep "+keep)
	mustProgram(t, dir, "mpop", "-C", config)
}

func TestMpop(t *testing.T) {
	t.Parallel()
	needs(t, "mpop", "mpop")
	to, mails, dir := newTarget(t), samples(), t.TempDir()
	box := filepath.Join(dir, "mail")
	fill(t, to, "INBOX", mails[:6])

	// keep: the file of UIDLs tells what came before.
	mpop(t, dir, to, port(t, to.POP3S), "off", "on")
	sameMail(t, values(maildirFiles(t, box)), mails[:6])
	fill(t, to, "INBOX", mails[6:])
	mpop(t, dir, to, port(t, to.POP3), "on", "on")
	sameMail(t, values(maildirFiles(t, box)), mails)
	sameMail(t, mailboxMail(t, to, "INBOX"), mails)

	// keep off, with the same file: nothing comes again, all goes.
	mpop(t, dir, to, port(t, to.POP3S), "off", "off")
	sameMail(t, values(maildirFiles(t, box)), mails)
	sameMail(t, mailboxMail(t, to, "INBOX"), nil)
}
