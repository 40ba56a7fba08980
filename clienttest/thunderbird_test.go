package clienttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// thunderbird is a running Thunderbird without a window, with one POP3 account
// whose mail is in a Maildir.
type thunderbird struct {
	*marionette
	dir string
}

// preferences are those of a profile with a POP3 account, and of a program that
// asks nobody anything.
func (to target) preferences(t testing.TB, marionettePort string) []string {
	prefs := map[string]any{
		"marionette.port":                            json.Number(marionettePort),
		"mail.accountmanager.accounts":               "account1,account2",
		"mail.accountmanager.defaultaccount":         "account1",
		"mail.accountmanager.localfoldersserver":     "server2",
		"mail.account.account1.identities":           "id1",
		"mail.account.account1.server":               "server1",
		"mail.account.account2.server":               "server2",
		"mail.identity.id1.useremail":                to.Rcpt,
		"mail.identity.id1.valid":                    true,
		"mail.server.server1.type":                   "pop3",
		"mail.server.server1.hostname":               "localhost",
		"mail.server.server1.port":                   json.Number(port(t, to.POP3S)),
		"mail.server.server1.userName":               to.User,
		"mail.server.server1.socketType":             3, // TLS
		"mail.server.server1.authMethod":             3, // a password
		"mail.server.server1.leave_on_server":        true,
		"mail.server.server1.check_new_mail":         false,
		"mail.server.server1.login_at_startup":       false,
		"mail.server.server1.storeContractID":        "@mozilla.org/msgstore/maildirstore;1",
		"mail.server.server1.directory-rel":          "[ProfD]Mail/localhost",
		"mail.server.server2.type":                   "none",
		"mail.server.server2.hostname":               "Local Folders",
		"mail.server.server2.userName":               "nobody",
		"mail.server.server2.directory-rel":          "[ProfD]Mail/Local Folders",
		"mail.rights.version":                        1,
		"mail.spotlight.firstRunDone":                true,
		"mailnews.start_page.enabled":                false,
		"app.donation.eoy.version.viewed":            999,
		"app.update.enabled":                         false,
		"datareporting.policy.dataSubmissionEnabled": false,
		"network.captive-portal-service.enabled":     false,
		"network.connectivity-service.enabled":       false,
		"services.settings.server":                   "data:,#remote-settings-dummy/v1",
		"extensions.blocklist.enabled":               false,
		"extensions.systemAddon.update.enabled":      false,
		"toolkit.telemetry.server":                   "",
	}
	var lines []string
	for name, value := range prefs {
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("user_pref(%q, %s);", name, text))
	}
	return lines
}

// startThunderbird starts it with a new profile and gives it certificate and
// password.
func startThunderbird(t testing.TB, to target) *thunderbird {
	t.Helper()
	dir := t.TempDir()
	addr := freePorts(t, 1)[0]
	write(t, filepath.Join(dir, "profile", "user.js"), to.preferences(t, port(t, addr))...)
	cmd := exec.Command("thunderbird", "--headless", "--marionette", "--remote-allow-system-access",
		"--profile", filepath.Join(dir, "profile"), "--no-remote")
	cmd.Env = append(os.Environ(), "HOME="+dir, "MOZ_HEADLESS=1", "LC_ALL=C.UTF-8")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // and its children
		cmd.Wait()
	})
	b := &thunderbird{dialMarionette(t, addr), dir}
	ca := regexp.MustCompile(`(?s)-----BEGIN CERTIFICATE-----(.*?)-----END`).FindStringSubmatch(readFile(t, to.CA))
	if ca == nil {
		t.Fatalf("no certificate in %s", to.CA)
	}
	b.run(t, nil, `
		const db = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB);
		db.addCertFromBase64(args[0], "C,,");
		const login = Cc["@mozilla.org/login-manager/loginInfo;1"].createInstance(Ci.nsILoginInfo);
		login.init("mailbox://localhost", null, "mailbox://localhost", args[1], args[2], "", "");
		await Services.logins.addLoginAsync(login);`,
		strings.Join(strings.Fields(ca[1]), ""), to.User, to.Pass)
	return b
}

// getMail is the button "Get Messages", with or without "Leave messages on server".
func (b *thunderbird) getMail(t testing.TB, leave bool) {
	t.Helper()
	var code int
	b.run(t, &code, `
		const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
		const server = MailServices.accounts.allServers.find(s => s.type == "pop3");
		server.QueryInterface(Ci.nsIPop3IncomingServer).leaveMessagesOnServer = args[0];
		const inbox = server.rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox);
		return await new Promise(resolve => MailServices.pop3.GetNewMail(null, {
			QueryInterface: ChromeUtils.generateQI(["nsIUrlListener"]),
			OnStartRunningUrl() {},
			OnStopRunningUrl(url, code) { resolve(code); },
		}, inbox, server));`, leave)
	if code != 0 {
		t.Fatalf("Thunderbird's fetching ended with %#x", code)
	}
}

// thunderbirdLines are what it puts before messages.
var thunderbirdLines = regexp.MustCompile(`^(X-(Account-Key|UIDL|Mozilla-[A-Za-z0-9]+):[^\n]*\n)+`)

// inbox gives the messages that it has.
func (b *thunderbird) inbox(t testing.TB) (mails [][]byte) {
	t.Helper()
	for _, text := range maildirFiles(t, filepath.Join(b.dir, "profile", "Mail", "localhost", "Inbox")) {
		mails = append(mails, thunderbirdLines.ReplaceAll(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), nil))
	}
	return mails
}

// TestThunderbirdPOP3 has Thunderbird fetch mail and leave it, fetch what is new,
// and then leave nothing.
func TestThunderbirdPOP3(t *testing.T) {
	t.Parallel()
	needs(t, "thunderbird", "thunderbird")
	to, mails := newTarget(t), samples()
	fill(t, to, "INBOX", mails[:6])
	b := startThunderbird(t, to)
	b.getMail(t, true)
	sameMail(t, b.inbox(t), mails[:6])
	fill(t, to, "INBOX", mails[6:])
	b.getMail(t, true)
	sameMail(t, b.inbox(t), mails)
	b.getMail(t, true)
	sameMail(t, b.inbox(t), mails)
	sameMail(t, mailboxMail(t, to, "INBOX"), mails)
	b.getMail(t, false)
	sameMail(t, b.inbox(t), mails)
	sameMail(t, mailboxMail(t, to, "INBOX"), nil)
}
