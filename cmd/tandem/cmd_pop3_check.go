package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"

	"tandem/pop3d/pop3check"
)

// pop3CheckFlags is the command line of pop3-check.
type pop3CheckFlags struct {
	user, password, ca, lmtp, rcpt, imap string
	stdin, tls, starttls, imapTLS        bool
	insecure                             bool
	timeout                              time.Duration
}

func pop3CheckCommand(a *app) *cobra.Command {
	var f pop3CheckFlags
	cmd := &cobra.Command{
		Use:   "pop3-check HOST:PORT --user NAME",
		Short: "Test how well a POP3 server, of whatever make, keeps to the standards",
		Long: "Log in to a POP3 server and check it against RFC 1939, 2449, 2595, 3206, 5034, 6856 and\n" +
			"8314. It needs an account that nobody else uses meanwhile, and a way to put test mail into\n" +
			"it: --imap (which shows more and cleans up in every mailbox) or --lmtp. Without one many\n" +
			"checks are skipped. Only the test mail is retrieved and deleted, and nothing of it stays,\n" +
			"but what the server itself keeps of deleted mail when --imap is not given.\n" +
			"Exit code 1 when a check fails. The password is read from standard input with\n" +
			"--password-stdin, or from TANDEM_PASSWORD.",
		Args: args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := a.pop3CheckConfig(args[0], f)
			if err != nil {
				return err
			}
			return a.pop3Check(cmd.Context(), cfg)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.user, "user", "", "the account's `NAME`")
	flags.StringVar(&f.password, "password", "", "its password (others on the machine may see it)")
	flags.BoolVar(&f.stdin, "password-stdin", false, "read the password from standard input")
	flags.BoolVar(&f.tls, "tls", false, "TLS from the first byte")
	flags.BoolVar(&f.starttls, "starttls", false, "STLS before each login")
	flags.BoolVar(&f.insecure, "insecure", false, "take any certificate")
	flags.StringVar(&f.ca, "ca", "", "trust the certificates in `FILE`")
	flags.StringVar(&f.imap, "imap", "", "put test mail in by IMAP at `HOST:PORT`")
	flags.BoolVar(&f.imapTLS, "imap-tls", false, "TLS from the first byte there (port 993 has it anyway)")
	flags.StringVar(&f.lmtp, "lmtp", "", "put test mail in by LMTP at `HOST:PORT`")
	flags.StringVar(&f.rcpt, "rcpt", "", "the account's `ADDRESS` for LMTP (NAME@localhost)")
	flags.DurationVar(&f.timeout, "timeout", 30*time.Second, "how long to wait for an answer")
	return cmd
}

// pop3CheckConfig makes of the flags what the checks need.
func (a *app) pop3CheckConfig(addr string, f pop3CheckFlags) (pop3check.Config, error) {
	cfg := pop3check.Config{
		Addr: addr, User: f.user, LMTP: f.lmtp, Recipient: f.rcpt, IMAP: f.imap, IMAPTLS: f.imapTLS, Timeout: f.timeout,
	}
	for _, address := range []string{addr, f.imap, f.lmtp} {
		if _, port, err := net.SplitHostPort(address); address != "" && err != nil {
			return cfg, usageError{fmt.Errorf("pop3-check: %w (write HOST:PORT)", err)}
		} else if address == f.imap && port == "993" {
			cfg.IMAPTLS = true
		}
	}
	switch {
	case f.user == "":
		return cfg, usageError{errors.New("pop3-check: no account (name it with --user)")}
	case f.tls && f.starttls:
		return cfg, usageError{errors.New("pop3-check: --tls and --starttls exclude each other")}
	case f.tls:
		cfg.Security = pop3check.Implicit
	case f.starttls:
		cfg.Security = pop3check.STLS
	}
	var err error
	if cfg.Password, err = a.checkPassword(f); err != nil {
		return cfg, err
	}
	cfg.TLS, err = trustFile(f.ca, f.insecure)
	return cfg, err
}

// checkPassword gives the password from where the user has put it.
func (a *app) checkPassword(f pop3CheckFlags) (string, error) {
	switch {
	case f.stdin:
		return firstLine(a.in)
	case f.password != "":
		return f.password, nil
	}
	if password := a.getenv("TANDEM_PASSWORD"); password != "" {
		return password, nil
	}
	return "", usageError{errors.New("pop3-check: no password (use --password-stdin or TANDEM_PASSWORD)")}
}

// trustFile is a TLS configuration that trusts the certificates in a file beside
// the system's, or any.
func trustFile(file string, insecure bool) (*tls.Config, error) {
	cfg := &tls.Config{InsecureSkipVerify: insecure}
	if file == "" {
		return cfg, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, usageError{fmt.Errorf("read certificates: %w", err)}
	}
	if cfg.RootCAs, err = x509.SystemCertPool(); err != nil {
		cfg.RootCAs = x509.NewCertPool()
	}
	if !cfg.RootCAs.AppendCertsFromPEM(pem) {
		return nil, usageError{fmt.Errorf("read certificates: none in %s", file)}
	}
	return cfg, nil
}

// pop3Check runs the checks and prints them as they come, or as JSON at the end.
func (a *app) pop3Check(ctx context.Context, cfg pop3check.Config) error {
	tell := func(r pop3check.Result) {
		fmt.Fprintf(a.out, "%-4s  %-34s  RFC %s\n", r.Verdict, r.Name, r.RFC)
		if r.Verdict == pop3check.Fail {
			fmt.Fprintf(a.out, "      %s\n", r.Note)
		}
	}
	if a.json {
		tell = nil
	}
	results, err := pop3check.Run(ctx, cfg, tell)
	count := map[pop3check.Verdict]int{}
	for _, r := range results {
		count[r.Verdict]++
	}
	if a.json {
		if results == nil {
			results = []pop3check.Result{}
		}
		err = errors.Join(err, a.printJSON(map[string]any{"checks": results}))
	} else if len(results) > 0 {
		fmt.Fprintf(a.out, "%d checks: %d pass, %d fail, %d skip\n",
			len(results), count[pop3check.Pass], count[pop3check.Fail], count[pop3check.Skip])
	}
	if err != nil {
		return fmt.Errorf("pop3-check %s: %w", cfg.Addr, err)
	}
	if n := count[pop3check.Fail]; n > 0 {
		return fmt.Errorf("pop3-check %s: %d of %d checks failed", cfg.Addr, n, len(results))
	}
	return nil
}
