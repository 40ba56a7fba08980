package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"
)

func undeleteCommand(a *app) *cobra.Command {
	var req undeleteRequest
	var since string
	cmd := &cobra.Command{
		Use:   "undelete ACCOUNT",
		Short: "Bring back expunged mail",
		Long: "Bring back what was expunged over IMAP or POP3, or with its mailbox, into the mailbox\n" +
			"it was in, which is made again if it is gone. [retention] expunged says how long that\n" +
			"can be done. Messages come back with their flags but \\Deleted, their dates and UIDLs.\n" +
			"Without flags everything comes back: see --dry-run first. What was moved, or copied to\n" +
			"another mailbox before it was expunged, is left where it is.",
		Args: args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Account = args[0]
			if since != "" {
				at, err := parseSince(since, time.Now())
				if err != nil {
					return usageError{fmt.Errorf("undelete: --since: %w", err)}
				}
				req.Since = at
			}
			return a.with(cmd.Context(), fail, func(b *backend) error {
				res, err := call(cmd.Context(), b, mailUndelete, req)
				if err != nil {
					return fmt.Errorf("undelete: %w", err)
				}
				if a.json {
					return a.printJSON(res)
				}
				return a.printUndelete(req, res)
			})
		},
	}
	cmd.Flags().StringVar(&since, "since", "", "only what was expunged since a `TIME`: a date, or a span such as 2h or 3d")
	cmd.Flags().StringVar(&req.Mailbox, "mailbox", "", "only what was in the mailbox `NAME`")
	cmd.Flags().StringVar(&req.From, "from", "", "only with `TEXT` in From")
	cmd.Flags().StringVar(&req.Subject, "subject", "", "only with `TEXT` in Subject")
	cmd.Flags().BoolVar(&req.Copies, "copies", false, "also what is in another mailbox, to which it was copied")
	cmd.Flags().BoolVar(&req.DryRun, "dry-run", false, "list it, and bring nothing back")
	return cmd
}

// parseSince reads a date (its beginning, here), a time (RFC 3339) or a span
// before now.
func parseSince(text string, now time.Time) (time.Time, error) {
	if at, err := time.ParseInLocation(time.DateOnly, text, time.Local); err == nil {
		return at, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	var span duration
	if span.UnmarshalText([]byte(text)) != nil {
		return time.Time{}, fmt.Errorf("%q is neither a date nor a time span (write 2027-01-31, 2h or 3d)", text)
	}
	return now.Add(-time.Duration(span)), nil
}

func (a *app) printUndelete(req undeleteRequest, res undeleteResult) error {
	if req.DryRun {
		rows := make([][]string, len(res.Messages))
		for i, m := range res.Messages {
			rows[i] = []string{clock(m.Expunged), orDash(m.Mailbox), strconv.Itoa(int(m.UID)), oneLine(m.From), oneLine(m.Subject)}
		}
		return a.printTable([]string{"EXPUNGED", "MAILBOX", "UID", "FROM", "SUBJECT"}, rows)
	}
	printf, result := printer(a.out)
	printf("%s brought back", messages(res.Restored))
	if res.Elsewhere > 0 {
		printf("%s left where they were copied to (--copies brings them back as well)", messages(res.Elsewhere))
	}
	return result()
}
