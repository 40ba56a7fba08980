package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"tandem/internal/uidlist"
)

func importCommand(a *app) *cobra.Command {
	var account, mailbox string
	var uidls uidlFlags
	cmd := &cobra.Command{
		Use:   "import --account NAME [--mailbox MBOX] [--uidl-from SOURCE] [PATH...]",
		Short: "Bring in mail from mbox files, Maildirs and single messages",
		Long: "Bring in mail from PATHs: mbox files (mboxrd), Maildirs (Maildir++ folders, flags,\n" +
			"keywords, subscriptions), single messages, directories of .eml and .mbox files, or -\n" +
			"for standard input; files may be compressed with gzip. No byte of a message changes.\n" +
			"What was brought in once is skipped the next time, also when it was deleted since, so\n" +
			"an import can be stopped and run again.\n\n" +
			"--uidl-from keeps POP3 clients from downloading again what they have: the messages\n" +
			"of the mailbox, just imported or there before, get the UIDLs that another server has\n" +
			"given them. SOURCE is that server's Maildir, with Dovecot's dovecot-uidlist or\n" +
			"Courier's courierpop3dsizelist in it; or the server itself, which must still have the\n" +
			"mail: pop3s://USER@HOST:PORT or pop3://USER@HOST:PORT (with STLS unless it is this\n" +
			"machine), its password in TANDEM_UIDL_PASSWORD; or x-uidl, the X-UIDL fields of the\n" +
			"messages. It prints how many are the same. A message that a POP3 client has seen\n" +
			"here already keeps the UIDL it had then.",
		Args: args(0, -1),
		RunE: func(cmd *cobra.Command, paths []string) error {
			if account == "" {
				return usageError{errors.New("import: no account (name it with --account)")}
			}
			if len(paths) == 0 && uidls.from == "" {
				return usageError{errors.New("import: nothing to import (name a PATH, or a SOURCE with --uidl-from)")}
			}
			if err := uidls.check(); err != nil {
				return err
			}
			// The old server's UIDLs come first: when they cannot be read nothing is
			// imported that a client might see under others. It may take minutes,
			// for which no connection to our server waits.
			old, err := a.oldMessages(cmd.Context(), &uidls)
			if err != nil {
				return fmt.Errorf("import: read UIDLs: %w", err)
			}
			return a.with(cmd.Context(), fail, func(b *backend) error {
				return a.runImport(cmd.Context(), b, account, mailbox, paths, uidls.from, old)
			})
		},
	}
	cmd.Flags().StringVar(&account, "account", "", "the account that gets the mail")
	cmd.Flags().StringVar(&mailbox, "mailbox", "INBOX", "the mailbox; that of a Maildir's own cur and new")
	cmd.Flags().StringVar(&uidls.from, "uidl-from", "", "take the UIDLs of POP3 from `SOURCE`")
	cmd.Flags().StringVar(&uidls.format, "uidl-format", uidlist.DefaultFormat, "the pop3_uidl_format of the Dovecot that had the Maildir")
	cmd.Flags().BoolVar(&uidls.reuse, "uidl-reuse-field", false, "X-UIDL fields go before the format, as with Dovecot's pop3_reuse_xuidl")
	cmd.Flags().BoolVar(&uidls.stdin, "uidl-password-stdin", false, "read the POP3 server's password from standard input")
	cmd.Flags().StringVar(&uidls.ca, "uidl-ca", "", "trust the certificates in `FILE` for the POP3 server")
	cmd.Flags().BoolVar(&uidls.insecure, "uidl-insecure", false, "trust any certificate of the POP3 server")
	return cmd
}

// runImport brings in mail and then, unless uidlsFrom is "", the UIDLs of old.
func (a *app) runImport(ctx context.Context, b *backend, account, mailbox string, paths []string, uidlsFrom string, old []uidlist.Message) error {
	res, err := a.importMail(ctx, b, account, mailbox, paths)
	if err != nil {
		return err
	}
	if uidlsFrom != "" {
		if res.UIDLs, err = b.keepUIDLs(ctx, uidlsFrom, account, mailbox, old); err != nil {
			return fmt.Errorf("import: set UIDLs: %w", err)
		}
	}
	if a.json {
		return a.printJSON(res)
	}
	if len(paths) > 0 {
		_, err = fmt.Fprintf(a.out, "%d messages imported, %d skipped that were imported before\n", res.Imported, res.Skipped)
	}
	if err == nil && res.UIDLs != nil {
		err = a.printUIDLs(res.UIDLs)
	}
	return err
}

// importMail brings in what paths have.
func (a *app) importMail(ctx context.Context, b *backend, account, mailbox string, paths []string) (importResult, error) {
	if len(paths) == 0 {
		return importResult{}, nil
	}
	sink, err := b.startImport(ctx, importRequest{Account: account})
	if err != nil {
		return importResult{}, fmt.Errorf("import: %w", err)
	}
	bar := a.progress(sizeOf(paths), "importing")
	reader := &sourceReader{sink: sink, stdin: a.in, mailbox: mailbox, progress: func(n int64) { bar.Add64(n) }}
	for _, path := range paths {
		if err = reader.read(path); err == nil {
			err = ctx.Err()
		}
		if err != nil {
			break
		}
	}
	res, finishErr := sink.finish() // what was read before a failure stays, the ledger knows it
	bar.Finish()
	if err == nil {
		err = finishErr
	}
	for _, note := range append(reader.notes, res.Notes...) {
		fmt.Fprintln(a.err, "note:", note)
	}
	if err != nil && res.Imported == 0 {
		return res, fmt.Errorf("import: %w", err)
	}
	if err != nil {
		return res, fmt.Errorf("import: %w (%d messages imported; run it again to go on)", err, res.Imported)
	}
	return res, nil
}

// progress is a bar on a terminal and nothing elsewhere; size 0 is unknown.
func (a *app) progress(size int64, what string) *progressbar.ProgressBar {
	if !isTerminal(a.err) {
		return progressbar.DefaultBytesSilent(size, what)
	}
	if size == 0 {
		size = -1
	}
	return progressbar.NewOptions64(size, progressbar.OptionSetWriter(a.err), progressbar.OptionSetDescription(what),
		progressbar.OptionShowBytes(true), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100e6))
}
