package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"tandem/store"
)

func aclCommand(a *app) *cobra.Command {
	return group("acl", "Show and set who may use the mailboxes of others",
		aclListCommand(a),
		aclSetCommand(a),
	)
}

func aclListCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list ACCOUNT MAILBOX",
		Short: "Show who has which rights on a mailbox",
		Long: "Show who has which rights on a mailbox, its owner first. Rights after a name that\n" +
			"begins with - are taken away from what the others give.",
		Args: args(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.acl(cmd.Context(), aclRequest{Account: args[0], Mailbox: args[1]})
		},
	}
}

func aclSetCommand(a *app) *cobra.Command {
	var add, remove bool
	req := aclRequest{}
	cmd := &cobra.Command{
		Use:   "set ACCOUNT MAILBOX WHO RIGHTS",
		Short: "Give rights on a mailbox, or take them back",
		Long: "Give WHO exactly RIGHTS on a mailbox of ACCOUNT, or with --add or --remove these\n" +
			"beside or less than those there were. WHO is an account or anyone. RIGHTS are letters:\n" +
			"l to see it, r to read, s, t and w to change \\Seen, \\Deleted and other flags, i to put\n" +
			"mail in, e to expunge, k to make mailboxes below, x to delete it, a to give rights;\n" +
			"an empty word takes all back. Mailboxes made below get the same rights. A mailbox of\n" +
			"the account that [imap] shared_account names is in everybody's Shared/.",
		Args: args(4, 4),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := store.ParseRights(args[3]); err != nil {
				return usageError{fmt.Errorf("set the ACL: %w", err)}
			}
			if add && remove {
				return usageError{fmt.Errorf("set the ACL: --add and --remove exclude each other")}
			}
			req.Account, req.Mailbox, req.Identifier, req.Rights = args[0], args[1], args[2], args[3]
			switch {
			case add:
				req.Op = store.ACLAdd
			case remove:
				req.Op = store.ACLRemove
			}
			return a.acl(cmd.Context(), req)
		},
	}
	cmd.Flags().BoolVar(&add, "add", false, "add the rights to those there are")
	cmd.Flags().BoolVar(&remove, "remove", false, "take the rights from those there are")
	cmd.Flags().BoolVar(&req.Make, "make", false, "make the mailbox when it is missing")
	return cmd
}

// acl runs a request and prints the ACL.
func (a *app) acl(ctx context.Context, req aclRequest) error {
	return a.with(ctx, fail, func(b *backend) error {
		list, err := call(ctx, b, aclChange, req)
		if err != nil {
			return fmt.Errorf("the ACL of %s: %w", req.Mailbox, err)
		}
		if a.json {
			return a.printJSON(list)
		}
		var rows [][]string
		for _, e := range list {
			rows = append(rows, []string{e.Identifier, e.Rights})
		}
		return a.printTable([]string{"WHO", "RIGHTS"}, rows)
	})
}
