package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func logCommand(a *app) *cobra.Command {
	req := storyRequest{}
	cmd := &cobra.Command{
		Use:   "log ACCOUNT MESSAGE",
		Short: "Tell what happened to a message",
		Long: "Tell who delivered, downloaded, read, flagged, moved or deleted a message, when, over\n" +
			"which protocol, with which password and from where. MESSAGE is its Message-ID, EMAILID,\n" +
			"UIDL, or UID in --mailbox; messages that were expunged are known as long as they can\n" +
			"be brought back. [retention] journal says how far back it goes.",
		Args: args(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Account, req.Message = args[0], args[1]
			return a.with(cmd.Context(), fail, func(b *backend) error {
				list, err := call(cmd.Context(), b, messageStory, req)
				if err != nil {
					return fmt.Errorf("tell what happened: %w", err)
				}
				if a.json {
					return a.printJSON(list)
				}
				for _, s := range list {
					if err := a.printStory(req.Account, s); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&req.Mailbox, "mailbox", "INBOX", "the mailbox that a UID is in, or was, by `NAME`")
	return cmd
}

func (a *app) printStory(owner string, s storyInfo) error {
	printf, result := printer(a.out)
	printf("%s: %s", oneLine(s.From), oneLine(s.Subject))
	var places []string
	for _, p := range s.Places {
		if !p.Gone {
			places = append(places, fmt.Sprintf("%s (UID %d)", orDash(p.Mailbox), p.UID))
		}
	}
	if len(places) == 0 {
		places = []string{"expunged"}
	}
	printf("EMAILID %s, %d octets, now: %s", s.EmailID, s.Size, strings.Join(places, ", "))
	if !s.Whole {
		printf("the journal does not go back to its arrival")
	}
	if err := result(); err != nil {
		return err
	}
	rows := make([][]string, len(s.Events))
	for i, e := range s.Events {
		where := fmt.Sprintf("%s %d", orDash(e.Mailbox), e.UID)
		if e.ToUID != 0 {
			where += fmt.Sprintf(" -> %s %d", orDash(e.ToMailbox), e.ToUID)
		}
		what := string(e.Act)
		if e.Detail != "" {
			what += " " + oneLine(e.Detail)
		}
		rows[i] = []string{clock(e.Time), what, where, e.Protocol, device(owner, e.Account, e.Device), orDash(e.Address)}
	}
	return a.printTable([]string{"TIME", "WHAT", "WHERE", "PROTOCOL", "DEVICE", "ADDRESS"}, rows)
}
