package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tandem/compare"
)

// compareFlags are the options of tandem compare.
type compareFlags struct {
	scenarios                       []string
	account                         string
	imap, pop3, user                string
	stdin, write, insecure, waitOut bool
	security, ca                    string
	link                            string
	poll                            time.Duration
	messages                        int
	seed                            uint64
	md                              bool
	html, save, replay              string
}

func compareCommand(a *app) *cobra.Command {
	var f compareFlags
	cmd := &cobra.Command{
		Use:   "compare (--account NAME | --imap HOST:PORT --pop3 HOST:PORT --user USER | --replay FILE)",
		Short: "Do the same over IMAP and over POP3, and count what it costs",
		Long: "Do everyday things with real clients of both protocols, and count round trips and\n" +
			"bytes, what is stored where, what a second device sees and what a lost one takes along.\n" +
			"With --account on a copy of the account's newest messages, in an account that the\n" +
			"running server makes for it and removes afterwards; the account itself is only read.\n" +
			"Against another server the password comes from TANDEM_PASSWORD or --password-stdin;\n" +
			"there scenarios that put messages in run only with --write, and only those messages\n" +
			"are changed or deleted, and removed at the end.\n\n" +
			"Scenarios:\n" + scenarioList(),
		Args: args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			events, err := a.compare(cmd.Context(), &f)
			if err != nil {
				return err
			}
			return a.tellCompared(&f, events)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.scenarios, "scenario", []string{"all"}, "`NAME` of a scenario; several with commas between; all")
	flags.StringVar(&f.account, "account", "", "`NAME` of an account of this server")
	flags.StringVar(&f.imap, "imap", "", "`HOST:PORT` of a server's IMAP")
	flags.StringVar(&f.pop3, "pop3", "", "`HOST:PORT` of a server's POP3")
	flags.StringVar(&f.user, "user", "", "`NAME` to log in with there")
	flags.BoolVar(&f.stdin, "password-stdin", false, "read the password from standard input, its first line")
	flags.BoolVar(&f.write, "write", false, "let scenarios put messages of their own into that account")
	flags.StringVar(&f.security, "security", "auto", "tls, starttls, none, or auto: by the port and by what the server offers")
	flags.StringVar(&f.ca, "ca", "", "trust the certificate authorities in `FILE` (PEM)")
	flags.BoolVar(&f.insecure, "insecure", false, "do not check the server's certificate")
	flags.StringVar(&f.link, "link", "none", "the line between: lan, dsl, mobile, bad, or as in latency=80ms,rate=2mbit")
	flags.BoolVar(&f.waitOut, "wait", false, "wait out the link's time instead of adding it")
	flags.DurationVar(&f.poll, "poll", 5*time.Minute, "`TIME` between two looks of a POP3 device")
	flags.IntVar(&f.messages, "messages", 200, "at most so many messages of the account")
	flags.Uint64Var(&f.seed, "seed", 1, "`NUMBER` that made-up messages are made from")
	flags.BoolVar(&f.md, "md", false, "print Markdown")
	flags.StringVar(&f.html, "html", "", "write a report with the transcripts to `FILE`")
	flags.StringVar(&f.save, "save", "", "write the run to `FILE`, to be shown again")
	flags.StringVar(&f.replay, "replay", "", "show a saved run from `FILE` again")
	return cmd
}

// scenarioList is for the help.
func scenarioList() string {
	var b strings.Builder
	for _, s := range compare.Scenarios() {
		needs := ""
		if s.Writes {
			needs = " (puts messages in)"
		}
		fmt.Fprintf(&b, "  %-14s %s%s\n", s.Name, s.Title, needs)
	}
	return strings.TrimRight(b.String(), "\n")
}

// compare runs what the flags say and gives the events.
func (a *app) compare(ctx context.Context, f *compareFlags) ([]compare.Event, error) {
	names, err := f.names()
	if err != nil {
		return nil, err
	}
	opts := compare.Options{Seed: f.seed, Write: f.write, Poll: f.poll, Messages: f.messages, Clock: compare.NewClock()}
	if f.waitOut {
		opts.Clock = compare.NewWaitingClock()
	}
	if opts.Link, err = compare.ParseLink(f.link); err != nil {
		return nil, usageError{fmt.Errorf("compare: %w", err)}
	}
	switch {
	case f.replay != "":
		return replayed(f.replay)
	case f.account != "":
		return a.compareAccount(ctx, f, names, opts)
	}
	target, err := a.otherServer(f)
	if err != nil {
		return nil, err
	}
	return a.stage(ctx, target, opts, names)
}

// names are the scenarios to run, checked like the other flags.
func (f *compareFlags) names() ([]string, error) {
	other := f.imap != "" || f.pop3 != "" || f.user != ""
	ways := 0
	for _, given := range []bool{f.account != "", other, f.replay != ""} {
		if given {
			ways++
		}
	}
	switch {
	case ways != 1:
		return nil, usageError{errors.New("compare: name either --account, or --imap, --pop3 and --user, or --replay")}
	case f.poll < time.Minute || f.poll > 30*time.Minute:
		return nil, usageError{fmt.Errorf("compare: --poll %v is out of range (1m to 30m)", f.poll)}
	case f.messages < 1 || f.messages > 1000:
		return nil, usageError{fmt.Errorf("compare: --messages %d is out of range (1 to 1000)", f.messages)}
	case !slices.Contains([]compare.Security{compare.Auto, compare.Implicit, compare.StartTLS, compare.Plain}, compare.Security(f.security)):
		return nil, usageError{fmt.Errorf("compare: --security %q is none (auto, tls, starttls or none)", f.security)}
	}
	all := compare.ScenarioNames()
	if slices.Contains(f.scenarios, "all") {
		return all, nil
	}
	for _, name := range f.scenarios {
		if !slices.Contains(all, name) {
			return nil, usageError{fmt.Errorf("compare: no scenario %q (there are %s, all)", name, strings.Join(all, ", "))}
		}
	}
	return f.scenarios, nil
}

func replayed(path string) ([]compare.Event, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	defer in.Close()
	events, err := compare.Load(in)
	if err != nil {
		return nil, fmt.Errorf("compare: %s: %w", path, err)
	}
	return events, nil
}

// compareAccount runs on a copy of an account's mail, at the server that holds
// the store.
func (a *app) compareAccount(ctx context.Context, f *compareFlags, names []string, opts compare.Options) (events []compare.Event, err error) {
	l, err := a.config()
	if err != nil {
		return nil, err
	}
	opts.Write = true
	err = a.with(ctx, fail, func(b *backend) error {
		s, err := a.leaseAccount(ctx, l, b, compareRequest{f.account, f.messages})
		if err != nil {
			return fmt.Errorf("compare: %w", err)
		}
		target, err := s.target(compare.Security(f.security))
		if err == nil {
			target.Name = fmt.Sprintf("tandem %s, on a copy of %s of %s", version, messages(s.Copied), f.account)
			events, err = a.stage(ctx, target, opts, names)
		}
		// Also when ctx has ended.
		done, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		return errors.Join(err, s.release(done))
	})
	return events, err
}

// target is how the temporary account is reached: over TLS as devices do, unless
// that is not wanted.
func (s *lease) target(security compare.Security) (compare.Target, error) {
	service := func(plain, private string) *compare.Service {
		// The server named the addresses over its control socket, and the password
		// opens nothing but the copy: its certificate need not be checked.
		config := &tls.Config{InsecureSkipVerify: true}
		switch {
		case private != "" && (security == compare.Auto || security == compare.Implicit):
			return &compare.Service{Address: private, Security: compare.Implicit, TLS: config}
		case plain != "" && security != compare.Implicit:
			return &compare.Service{Address: plain, Security: cmp.Or(security, compare.Auto), TLS: config}
		}
		return nil
	}
	t := compare.Target{IMAP: service(s.IMAP, s.IMAPS), POP3: service(s.POP3, s.POP3S), Login: s.Login, Devices: leasedDevices{s}}
	if t.IMAP == nil && t.POP3 == nil {
		return t, errors.New("compare: the server does not listen for that (--security)")
	}
	return t, nil
}

// otherServer is any server, named by the flags.
func (a *app) otherServer(f *compareFlags) (t compare.Target, err error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: f.insecure}
	if f.ca != "" {
		text, err := os.ReadFile(f.ca)
		if err != nil {
			return t, usageError{fmt.Errorf("compare: read the authorities: %w", err)}
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return t, usageError{fmt.Errorf("compare: %s has no certificate in PEM", f.ca)}
		}
	}
	if f.user == "" {
		return t, usageError{errors.New("compare: no user (name one with --user)")}
	}
	t.Login = compare.Login{User: f.user, Password: a.getenv("TANDEM_PASSWORD")}
	if f.stdin {
		if t.Login.Password, err = firstLine(a.in); err != nil {
			return t, err
		}
	}
	if t.Login.Password == "" {
		return t, usageError{errors.New("compare: no password (put it into TANDEM_PASSWORD, or use --password-stdin)")}
	}
	var names []string
	for _, s := range []struct {
		address string
		to      **compare.Service
	}{{f.imap, &t.IMAP}, {f.pop3, &t.POP3}} {
		if s.address == "" {
			continue
		}
		if _, _, err := net.SplitHostPort(s.address); err != nil {
			return t, usageError{fmt.Errorf("compare: %q is no HOST:PORT", s.address)}
		}
		*s.to = &compare.Service{Address: s.address, Security: compare.Security(f.security), TLS: config}
		names = append(names, s.address)
	}
	t.Name = strings.Join(names, " and ")
	return t, nil
}

// stage runs scenarios, and tells a terminal which.
func (a *app) stage(ctx context.Context, t compare.Target, opts compare.Options, names []string) ([]compare.Event, error) {
	s := compare.NewStage(t, opts)
	var failed error
	for _, name := range names {
		if isTerminal(a.err) {
			fmt.Fprintf(a.err, "\r\033[K%s ...", name)
		}
		if failed = s.Run(ctx, name); failed != nil {
			break
		}
	}
	if isTerminal(a.err) {
		fmt.Fprint(a.err, "\r\033[K")
	}
	done, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if err := errors.Join(failed, s.Close(done)); err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	return s.Events(0), nil
}

// tellCompared prints and writes a run. The error says that nothing of it could
// run.
func (a *app) tellCompared(f *compareFlags, events []compare.Event) error {
	for _, file := range []struct {
		path  string
		write func(*os.File) error
	}{
		{f.html, func(to *os.File) error { return compare.HTML(to, events) }},
		{f.save, func(to *os.File) error { return compare.Save(to, events) }},
	} {
		if file.path == "" {
			continue
		}
		if err := writeTo(file.path, file.write); err != nil {
			return fmt.Errorf("compare: %w", err)
		}
	}
	results := compare.Results(events)
	var err error
	switch {
	case a.json:
		err = a.printJSON(map[string]any{"scenarios": results})
	case f.md:
		err = compare.Markdown(a.out, events)
	default:
		err = a.printCompared(events, results)
	}
	if err != nil {
		return err
	}
	if len(results) > 0 && !slices.ContainsFunc(results, func(r compare.Result) bool { return r.Skipped == "" }) {
		return errors.New("compare: no scenario could run (each says why)")
	}
	return nil
}

// writeTo makes a file, for its owner alone: it has the account's subjects in it.
func writeTo(path string, write func(*os.File) error) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

func (a *app) printCompared(events []compare.Event, results []compare.Result) error {
	printf, result := printer(a.out)
	printf("%s", compare.About(events))
	printf("")
	if err := errors.Join(result(), a.printTable(compare.Columns(), compare.Rows(results))); err != nil {
		return err
	}
	for i := range results {
		printf("")
		if results[i].Skipped != "" {
			printf("%s: not run: %s", results[i].Name, results[i].Skipped)
		} else {
			printf("%s: %s", results[i].Name, results[i].Sentence)
		}
	}
	return result()
}
