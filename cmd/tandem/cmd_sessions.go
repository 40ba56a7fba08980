package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"
)

func sessionsCommand(a *app) *cobra.Command {
	var since string
	cmd := &cobra.Command{
		Use:   "sessions ACCOUNT",
		Short: "List what IMAP and POP3 sessions did",
		Long: "List the sessions over IMAP and POP3 that read, moved, deleted or changed mail of an\n" +
			"account, and those that are open now, the latest first. --json has each act with its\n" +
			"UIDs. tandem undo takes back what a POP3 session deleted.",
		Args: args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := parseSince(since, time.Now())
			if err != nil {
				return usageError{fmt.Errorf("list the sessions: --since: %w", err)}
			}
			return a.with(cmd.Context(), fail, func(b *backend) error {
				list, err := call(cmd.Context(), b, sessionList, sessionsRequest{args[0], at})
				if err != nil {
					return fmt.Errorf("list the sessions: %w", err)
				}
				if a.json {
					return a.printJSON(list)
				}
				return a.printSessions(args[0], list)
			})
		},
	}
	cmd.Flags().StringVar(&since, "since", "7d", "what they did since a `TIME`: a date, or a span such as 2h or 3d")
	return cmd
}

func (a *app) printSessions(owner string, list []sessionInfo) error {
	rows := make([][]string, len(list))
	for i, s := range list {
		last := "-"
		if s.Last != nil {
			last = clock(*s.Last)
		}
		rows[i] = []string{s.Session, s.Protocol, device(owner, s.Account, s.Device), orDash(s.Address), clock(s.Began), last,
			strconv.Itoa(s.Fetched), strconv.Itoa(s.Moved), strconv.Itoa(s.Deleted), sessionNote(s)}
	}
	return a.printTable([]string{"SESSION", "PROTOCOL", "DEVICE", "ADDRESS", "BEGAN", "LAST", "FETCHED", "MOVED", "DELETED", "NOTE"}, rows)
}

func sessionNote(s sessionInfo) string {
	var notes []string
	if s.Open {
		notes = append(notes, "open")
	}
	if s.Policy != "" {
		notes = append(notes, string(s.Policy))
	}
	if s.Undone {
		notes = append(notes, "undone")
	}
	return orDash(strings.Join(notes, ", "))
}

// device names a credential, with its account when that is not the owner of the
// mail.
func device(owner, account, label string) string {
	switch {
	case account == "":
		return "-"
	case label == "":
		label = "password"
	}
	if !strings.EqualFold(owner, account) {
		return account + "/" + label
	}
	return label
}

// clock is a time as people read it, here.
func clock(t time.Time) string { return t.Local().Format(time.DateTime) }

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// oneLine makes text of strangers fit for a table.
func oneLine(s string) string {
	return orDash(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s))
}
