package clienttest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// dovecot is a throw-away Dovecot with one account, to move away from.
type dovecot struct {
	target
	dir     string
	maildir string
	cmd     *exec.Cmd
}

// startDovecot starts one with POP3 over a Maildir that holds mails, with
// further settings. It skips the test where there is none of version 2.3.
func startDovecot(t testing.TB, mails [][]byte, settings ...string) *dovecot {
	t.Helper()
	needs(t, "dovecot", "dovecot-pop3d")
	if out, _ := exec.Command("dovecot", "--version").Output(); !strings.HasPrefix(string(out), "2.3.") {
		t.Skipf("the test has a configuration for Dovecot 2.3, this is %s", out)
	}
	// Not t.TempDir: the mail user must get in, and sockets need short names.
	dir, err := os.MkdirTemp("/tmp", "dovecot")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	d := &dovecot{dir: dir, maildir: filepath.Join(dir, "Maildir"), target: target{POP3: freePorts(t, 1)[0], User: "alice", Pass: password}}
	uid, gid, who := dovecotUser(t)
	users := write(t, filepath.Join(dir, "users"), "alice:{PLAIN}"+d.Pass)
	for _, sub := range []string{"cur", "new", "tmp"} {
		if err := os.MkdirAll(filepath.Join(d.maildir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for i, m := range mails {
		d.deliver(t, i, m)
	}
	err = filepath.WalkDir(d.maildir, func(path string, _ os.DirEntry, err error) error {
		if err == nil {
			err = os.Chown(path, uid, gid)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	config := write(t, filepath.Join(dir, "dovecot.conf"), append([]string{
		"base_dir = " + dir + "/run", "state_dir = " + dir + "/run", "log_path = " + dir + "/log",
		"protocols = pop3", "listen = 127.0.0.1", "ssl = no", "disable_plaintext_auth = no", "first_valid_uid = 1",
		"mail_location = maildir:" + d.maildir, who,
		"service anvil {\n chroot =\n}", "service imap-login {\n chroot =\n}",
		"service pop3-login {\n chroot =\n inet_listener pop3 {\n  port = " + port(t, d.POP3) + "\n }\n inet_listener pop3s {\n  port = 0\n }\n}",
		"passdb {\n driver = passwd-file\n args = " + users + "\n}",
		fmt.Sprintf("userdb {\n driver = static\n args = uid=%d gid=%d home=%s\n}", uid, gid, dir),
	}, settings...)...)
	for _, name := range []string{config, users} {
		if err := os.Chmod(name, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	d.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), "dovecot", "-F", "-c", config)
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.stop(t) })
	eventually(t, func() error {
		conn, err := net.Dial("tcp", d.POP3)
		if err == nil {
			conn.Close()
			return nil
		}
		log, _ := os.ReadFile(dir + "/log")
		return fmt.Errorf("%w; its log:\n%s", err, log)
	})
	return d
}

// dovecotUser says who reads the mail, and, without root, who does the rest.
func dovecotUser(t testing.TB) (uid, gid int, settings string) {
	t.Helper()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		return os.Getuid(), os.Getgid(), "default_internal_user = " + me.Username + "\ndefault_login_user = " + me.Username + "\ndefault_internal_group = " + me.Gid
	}
	mail, err := user.Lookup("mail")
	if err != nil {
		t.Skipf("there is no user mail: %v", err)
	}
	uid, err1 := strconv.Atoi(mail.Uid)
	gid, err2 := strconv.Atoi(mail.Gid)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	return uid, gid, ""
}

// deliver puts message number n into the Maildir.
func (d *dovecot) deliver(t testing.TB, n int, mail []byte) {
	t.Helper()
	path := filepath.Join(d.maildir, "cur", fmt.Sprintf("%d.M%dP1.host:2,", 1_700_000_000+n, n))
	if err := os.WriteFile(path, lf(mail), 0o600); err != nil {
		t.Fatal(err)
	}
}

// stop ends it.
func (d *dovecot) stop(t testing.TB) {
	t.Helper()
	if d.cmd == nil {
		return
	}
	d.cmd.Process.Signal(syscall.SIGTERM)
	d.cmd.Wait()
	d.cmd = nil
}
