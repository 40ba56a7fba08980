package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
)

func importCommand(a *app) *cobra.Command {
	var account, mailbox string
	cmd := &cobra.Command{
		Use:   "import --account NAME [--mailbox MBOX] PATH...",
		Short: "Bring in mail from mbox files, Maildirs and single messages",
		Long: "Bring in mail from PATHs: mbox files (mboxrd), Maildirs (Maildir++ folders, flags,\n" +
			"keywords, subscriptions), single messages, directories of .eml and .mbox files, or -\n" +
			"for standard input; files may be compressed with gzip. No byte of a message changes.\n" +
			"What was brought in once is skipped the next time, also when it was deleted since, so\n" +
			"an import can be stopped and run again.",
		Args: args(1, -1),
		RunE: func(cmd *cobra.Command, paths []string) error {
			if account == "" {
				return usageError{errors.New("import: no account (name it with --account)")}
			}
			return a.with(cmd.Context(), fail, func(b *backend) error {
				return a.runImport(cmd.Context(), b, account, mailbox, paths)
			})
		},
	}
	cmd.Flags().StringVar(&account, "account", "", "the account that gets the mail")
	cmd.Flags().StringVar(&mailbox, "mailbox", "INBOX", "the mailbox; that of a Maildir's own cur and new")
	return cmd
}

func (a *app) runImport(ctx context.Context, b *backend, account, mailbox string, paths []string) error {
	sink, err := b.startImport(ctx, importRequest{Account: account})
	if err != nil {
		return fmt.Errorf("import: %w", err)
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
		return fmt.Errorf("import: %w", err)
	}
	if err != nil {
		return fmt.Errorf("import: %w (%d messages imported; run it again to go on)", err, res.Imported)
	}
	if a.json {
		return a.printJSON(res)
	}
	_, err = fmt.Fprintf(a.out, "%d messages imported, %d skipped that were imported before\n", res.Imported, res.Skipped)
	return err
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
