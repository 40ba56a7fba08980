package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"tandem/store"
)

func accountQuotaCommand(a *app) *cobra.Command {
	var storage, messages, mailboxes string
	cmd := &cobra.Command{
		Use:   "quota NAME",
		Short: "Show or set how much an account may hold",
		Long: "Show what an account holds and may hold, or set its limits: those given change,\n" +
			"the others stay. 0 is no limit, default the one of [quota] in the configuration.\n" +
			"SIZE is in octets, or has K, M, G or T after it (1K is 1024) and is rounded up to\n" +
			"whole K. Each copy of a message counts.",
		Args: args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var u store.AccountUpdate
			for _, f := range []struct {
				flag, text string
				parse      func(string) (int64, error)
				to         **int64
			}{
				{"storage", storage, parseSize, &u.MaxStorage},
				{"messages", messages, parseCount, &u.MaxMessages},
				{"mailboxes", mailboxes, parseCount, &u.MaxMailboxes},
			} {
				if !cmd.Flags().Changed(f.flag) {
					continue
				}
				n, err := f.parse(f.text)
				if err != nil {
					return usageError{fmt.Errorf("set the quota: --%s: %w", f.flag, err)}
				}
				*f.to = &n
			}
			return a.update(cmd, args[0], u, func(i accountInfo) error { return a.printQuota(i) })
		},
	}
	cmd.Flags().StringVar(&storage, "storage", "", "`SIZE` of all messages")
	cmd.Flags().StringVar(&messages, "messages", "", "`NUMBER` of messages")
	cmd.Flags().StringVar(&mailboxes, "mailboxes", "", "`NUMBER` of mailboxes")
	return cmd
}

func (a *app) printQuota(i accountInfo) error {
	if a.json {
		return a.printJSON(i)
	}
	limit := func(n int64) string {
		if n == 0 {
			return "none"
		}
		return strconv.FormatInt(n, 10)
	}
	return a.printTable([]string{"RESOURCE", "USED", "LIMIT"}, [][]string{
		{"storage", strconv.FormatInt(i.Used.Storage, 10), limit(i.Quota.Storage)},
		{"messages", strconv.FormatInt(i.Used.Messages, 10), limit(i.Quota.Messages)},
		{"mailboxes", strconv.FormatInt(i.Used.Mailboxes, 10), limit(i.Quota.Mailboxes)},
	})
}

// parseCount reads a limit.
func parseCount(s string) (int64, error) {
	if s == "default" {
		return store.QuotaDefault, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is no number (write 1000, 0 for no limit, or default)", s)
	}
	return n, nil
}

// parseSize reads a limit in octets, with or without a unit.
func parseSize(s string) (int64, error) {
	digits, shift := s, 0
	if s != "" {
		if i := strings.IndexByte("KMGT", s[len(s)-1]&^0x20); i >= 0 && s != "default" {
			digits, shift = s[:len(s)-1], 10*(i+1)
		}
	}
	n, err := parseCount(digits)
	if err != nil || n > math.MaxInt64>>(shift+1) || n < 0 && shift > 0 {
		return 0, fmt.Errorf("%q is no size (write 500M, 2G, 0 for no limit, or default)", s)
	}
	if n < 0 {
		return n, nil
	}
	return wholeKiB(n << shift), nil
}

// wholeKiB rounds up to the unit in which IMAP tells of storage (RFC 9208
// section 5.1), so that what is told is what holds.
func wholeKiB(n int64) int64 {
	const unit = 1 << 10
	return (min(n, math.MaxInt64-unit) + unit - 1) / unit * unit
}
