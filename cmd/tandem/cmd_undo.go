package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"
)

func undoCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "undo [ACCOUNT] SESSION",
		Short: "Take back what a POP3 session deleted",
		Long: "Take back all deletions of one POP3 session, as tandem sessions names it. Messages\n" +
			"come back from Trash, or from what is kept of expunged mail, with the flags, dates\n" +
			"and UIDLs that they had, so that other devices do not download them again; under\n" +
			"keep and shared the device sees them again. What was filed in another mailbox\n" +
			"meanwhile stays there. A second time there is nothing left to take back.",
		Args: args(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			req := undoRequest{Session: args[len(args)-1]}
			if len(args) == 2 {
				req.Account = args[0]
			}
			return a.with(cmd.Context(), fail, func(b *backend) error {
				res, err := call(cmd.Context(), b, sessionUndo, req)
				if err != nil {
					return fmt.Errorf("undo the session: %w", err)
				}
				if a.json {
					return a.printJSON(res)
				}
				return a.printUndo(res)
			})
		},
	}
}

func (a *app) printUndo(res undoResult) error {
	printf, result := printer(a.out)
	printf("the session deleted %s from %s of %s (%s)", messages(res.Deleted), res.Mailbox, res.Account, res.Policy)
	if res.Restored > 0 {
		printf("%s brought back, with the UIDs %s", messages(res.Restored), res.UIDs)
	}
	if res.Shown > 0 {
		printf("%s shown to the device again", messages(res.Shown))
	}
	if res.Already > 0 {
		printf("%s brought back before", messages(res.Already))
	}
	for _, mailbox := range slices.Sorted(maps.Keys(res.Filed)) {
		printf("%s left in %s, filed there since", messages(res.Filed[mailbox]), mailbox)
	}
	if res.Lost > 0 {
		printf("%s no longer kept, or expunged otherwise (tandem undelete has what is kept)", messages(res.Lost))
	}
	if res.Restored+res.Shown == 0 {
		printf("nothing left to take back")
	}
	return result()
}

// messages counts messages in words.
func messages(n int) string {
	if n == 1 {
		return "1 message"
	}
	return fmt.Sprintf("%d messages", n)
}
