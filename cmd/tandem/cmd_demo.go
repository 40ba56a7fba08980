package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"tandem/auth"
	"tandem/store"
)

func demoCommand(a *app) *cobra.Command {
	var keep string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run a throw-away server with sample mail",
		Long: "Run a server on loopback with two accounts and sample mail, and print commands to\n" +
			"try. When it ends, everything is removed, unless --keep names a directory to keep.",
		Args: args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGHUP) // a closed terminal
			defer stop()
			dir := keep
			if dir == "" {
				var err error
				if dir, err = os.MkdirTemp("", "tandem-demo-"); err != nil {
					return fmt.Errorf("make a directory for the demo: %w", err)
				}
				defer os.RemoveAll(dir)
			}
			return a.demo(ctx, dir, keep != "")
		},
	}
	cmd.Flags().StringVar(&keep, "keep", "", "keep the store in `DIR`, and use it again the next time")
	return cmd
}

// demoUser is an account of the demo with its password.
type demoUser struct{ name, password string }

func (a *app) demo(ctx context.Context, dir string, kept bool) error {
	s, err := startDemo(ctx, a.err, dir)
	if err != nil {
		return err
	}
	users := []demoUser{{"alice", makePassword()}, {"bob", makePassword()}}
	if err := fillDemo(ctx, s.store, users); err != nil {
		return errors.Join(fmt.Errorf("fill the demo: %w", err), s.store.Close())
	}
	if err := a.printDemo(s, users, kept); err != nil {
		return errors.Join(err, s.store.Close())
	}
	if isTerminal(a.out) {
		openBrowser(comparePage(s))
	}
	return s.serve(ctx)
}

// comparePage is the address of the page that shows both protocols.
func comparePage(s *server) string { return fmt.Sprintf("http://%s/compare/", s.addr("web")) }

// openBrowser shows a page where there is a desktop to show it on; the address
// is printed in any case.
func openBrowser(address string) {
	if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return
	}
	cmd := exec.Command("xdg-open", address)
	if cmd.Start() == nil {
		go func() { _ = cmd.Wait() }() // it ends once the browser has the address
	}
}

// startDemo starts the server; again when another program was quicker to take a
// port that was free.
func startDemo(ctx context.Context, logTo io.Writer, dir string) (*server, error) {
	log, level := newLog(logTo, "warn")
	for tries := 1; ; tries++ {
		l, err := demoConfig(dir)
		if err != nil {
			return nil, err
		}
		s, err := startServer(ctx, l, log, level)
		if tries == 5 || !errors.Is(err, syscall.EADDRINUSE) {
			return s, err
		}
	}
}

// demoConfig is the defaults with the store in dir, on the default ports where
// they are free and on any others else.
func demoConfig(dir string) (*loaded, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	l := &loaded{config: defaults()}
	l.Data = dir
	for _, list := range [][]string{l.IMAP.Listen, l.IMAP.ListenTLS, l.POP3.Listen, l.POP3.ListenTLS, l.LMTP.Listen, l.Web.Listen} {
		probe, err := net.Listen("tcp", list[0])
		if err != nil {
			list[0] = "127.0.0.1:0"
			continue
		}
		probe.Close()
	}
	return l, nil
}

// fillDemo makes the accounts and their mail; what is there from an earlier demo
// stays, with new passwords.
func fillDemo(ctx context.Context, s *store.Store, users []demoUser) error {
	req := createRequest{Replace: true}
	for _, u := range users {
		req.Accounts = append(req.Accounts, store.NewAccount{Name: u.name, Hash: auth.HashPassword(u.password), Keys: auth.MakeScramKeys(u.password, false)})
	}
	if _, err := accountCreate.run(ctx, s, req); err != nil {
		return err
	}
	for _, u := range users {
		sink, err := newImport(ctx, s, importRequest{Account: u.name})
		if err != nil {
			return err
		}
		err = addSamples(sink, u.name)
		if _, finishErr := sink.finish(); err == nil {
			err = finishErr
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// printDemo says how to look at it. Each command stands alone on its line.
func (a *app) printDemo(s *server, users []demoUser, kept bool) error {
	imaps, pop3s, lmtp := s.addr("imaps").String(), s.addr("pop3s").String(), s.addr("lmtp").String()
	alice := users[0]
	login := fmt.Sprintf("--user '%s:%s'", alice.name, alice.password)
	printf, result := printer(a.out)
	printf("tandem %s is running with sample mail. Ctrl-C ends it%s.", version, map[bool]string{false: " and removes everything", true: "; " + s.config.Data + " stays"}[kept])
	printf("")
	printf("Accounts")
	for _, u := range users {
		printf("  %-6s password %s", u.name, u.password)
	}
	printf("")
	printf("IMAP and POP3 side by side, in a browser: %s", comparePage(s))
	printf("")
	printf("The same message, over IMAP and over POP3:")
	printf("")
	printf("curl -s -k %s 'imaps://%s/INBOX;MAILINDEX=1'", login, imaps)
	printf("curl -s -k %s 'pop3s://%s/1'", login, pop3s)
	printf("")
	printf("All mailboxes over IMAP, all messages over POP3:")
	printf("")
	printf("curl -s -k %s 'imaps://%s/'", login, imaps)
	printf("curl -s -k %s 'pop3s://%s/'", login, pop3s)
	printf("")
	printf("The certificate is signed by an authority of its own; to check it:")
	printf("")
	printf("curl -s --cacert '%s' %s 'imaps://%s/INBOX;MAILINDEX=1'", s.certs.CAFile(), login, localhost(imaps))
	printf("")
	printf("In mutt:")
	printf("")
	printf("mutt -n -F /dev/null -e 'set certificate_file=%s' -e 'set folder=imaps://%s@%s/ spoolfile=+INBOX' -e 'set imap_pass=%s'", s.certs.CAFile(), alice.name, localhost(imaps), alice.password)
	printf("")
	printf("In Thunderbird: Account Settings, Add Mail Account, Configure manually:")
	printf("  IMAP   localhost  port %s  SSL/TLS   Normal password   user name %s", portOf(imaps), alice.name)
	printf("  POP3   localhost  port %s  SSL/TLS   Normal password   user name %s", portOf(pop3s), alice.name)
	printf("  Without TLS, from this machine only: IMAP port %s, POP3 port %s", portOf(s.addr("imap").String()), portOf(s.addr("pop3").String()))
	printf("")
	printf("One more message, over LMTP:")
	printf("")
	printf("printf 'Subject: One more\\n\\nHello.\\n' | TANDEM_LMTP_LISTEN=%s '%s' deliver --to %s", lmtp, program(), alice.name)
	return result()
}

// localhost gives addr by the name that the local certificate has.
func localhost(addr string) string { return strings.Replace(addr, "127.0.0.1", "localhost", 1) }

// program is how to call this program again.
func program() string {
	path, err := os.Executable()
	if err != nil {
		return "tandem"
	}
	return path
}

func portOf(addr string) string {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return port
}
