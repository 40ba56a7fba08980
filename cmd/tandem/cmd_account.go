package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"tandem/auth"
	"tandem/store"
)

func accountCommand(a *app) *cobra.Command {
	return group("account", "Add, change and list accounts",
		accountAddCommand(a),
		accountImportCommand(a),
		accountListCommand(a),
		accountPasswdCommand(a),
		accountSwitchCommand(a, "disable", "Refuse an account's logins; its mail still arrives", false),
		accountSwitchCommand(a, "enable", "Take an account's logins again", true),
		accountRemoveCommand(a),
		accountPolicyCommand(a),
		accountQuotaCommand(a),
	)
}

// with reads the settings, opens the store or finds its server, and runs f.
func (a *app) with(ctx context.Context, absent whenAbsent, f func(*backend) error) error {
	l, err := a.config()
	if err != nil {
		return err
	}
	b, err := a.open(ctx, l, absent)
	if err != nil {
		return err
	}
	return errors.Join(f(b), b.Close())
}

func accountAddCommand(a *app) *cobra.Command {
	var stdin, admin bool
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Add an account",
		Long: "Add an account named alice or alice@example.org. Without --password-stdin the\n" +
			"password is asked for on a terminal; elsewhere one is made and printed once.",
		Args: args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := store.CanonicalAccountName(args[0]); err != nil {
				return usageError{fmt.Errorf("add the account: %w", err)}
			}
			password, made, err := a.newPassword(stdin)
			if err != nil {
				return err
			}
			l, err := a.config()
			if err != nil {
				return err
			}
			return a.with(cmd.Context(), makeOne, func(b *backend) error {
				req := createRequest{Accounts: []store.NewAccount{{Name: args[0], Hash: auth.HashPassword(password), Keys: l.Auth.scramKeys(password, nil), Admin: admin}}}
				res, err := call(cmd.Context(), b, accountCreate, req)
				if err != nil {
					return fmt.Errorf("add the account: %w", err)
				}
				return a.printAccount(res.Names[0], "added", password, made)
			})
		},
	}
	cmd.Flags().BoolVar(&stdin, "password-stdin", false, "read the password from standard input, its first line")
	cmd.Flags().BoolVar(&admin, "admin", false, "make it an administrator, who may set quotas over IMAP")
	return cmd
}

// scramKeys are what goes with the hash of a new password; nil: none. like has
// the salt of the account's other keys, nil if there are none.
func (c authConfig) scramKeys(password string, like *store.ScramKeys) *store.ScramKeys {
	if c.SCRAM == string(auth.SCRAMOff) {
		return nil
	}
	return auth.MoreScramKeys(password, like, c.SCRAMSHA1)
}

// printAccount tells what happened to an account, and the password when it was
// made here: nobody can ask for it again.
func (a *app) printAccount(name, what, password string, made bool) error {
	if !made {
		password = ""
	}
	if a.json {
		return a.printJSON(struct {
			Name     string `json:"name"`
			Password string `json:"password,omitempty"`
		}{name, password})
	}
	printf, result := printer(a.out)
	printf("account %s %s", name, what)
	if made {
		printf("password: %s", password)
	}
	return result()
}

// newPassword reads a password from the input, asks for it, or makes one.
func (a *app) newPassword(stdin bool) (password string, made bool, err error) {
	switch in, isFile := a.in.(*os.File); {
	case stdin:
		password, err = firstLine(a.in)
	case isFile && isTerminal(in):
		password, err = a.askPassword(in)
	default:
		return makePassword(), true, nil
	}
	if err == nil && password == "" {
		err = usageError{errors.New("set the password: it is empty")}
	}
	return password, false, err
}

// maxPasswordLine is above what auth takes.
const maxPasswordLine = 4096

func firstLine(in io.Reader) (string, error) {
	line, err := bufio.NewReaderSize(io.LimitReader(in, maxPasswordLine), maxPasswordLine).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

func (a *app) askPassword(in *os.File) (string, error) {
	var words [2]string
	for i, prompt := range []string{"Password: ", "The same again: "} {
		fmt.Fprint(a.err, prompt)
		b, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(a.err)
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		words[i] = string(b)
	}
	if words[0] != words[1] {
		return "", usageError{errors.New("set the password: the two are not the same")}
	}
	return words[0], nil
}

// makePassword makes one of 100 bits that can be read out over a telephone.
func makePassword() string {
	s := strings.ToLower(rand.Text())
	return s[:5] + "-" + s[5:10] + "-" + s[10:15] + "-" + s[15:20]
}

func accountListCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list [NAME...]",
		Short: "List the accounts, or those named",
		Args:  args(0, -1),
		RunE: func(cmd *cobra.Command, names []string) error {
			return a.with(cmd.Context(), fail, func(b *backend) error {
				list, err := call(cmd.Context(), b, accountList, done{})
				if err == nil && len(names) > 0 {
					list, err = named(list, names)
				}
				if err != nil {
					return fmt.Errorf("list the accounts: %w", err)
				}
				if a.json {
					return a.printJSON(list)
				}
				var rows [][]string
				for _, i := range list {
					state := "enabled"
					if !i.Enabled {
						state = "disabled"
					}
					rows = append(rows, []string{i.Name, state, string(i.POP3Delete), i.Created.Local().Format(time.DateOnly)})
				}
				return a.printTable([]string{"NAME", "STATE", "POP3 DELETE", "CREATED"}, rows)
			})
		},
	}
}

// named gives the accounts with these names, in their order.
func named(list []accountInfo, names []string) ([]accountInfo, error) {
	var found []accountInfo
	for _, name := range names {
		i := slices.IndexFunc(list, func(a accountInfo) bool { return strings.EqualFold(a.Name, name) })
		if i < 0 {
			return nil, fmt.Errorf("no account %s", name)
		}
		found = append(found, list[i])
	}
	return found, nil
}

// update runs an account update and tells about it.
func (a *app) update(cmd *cobra.Command, name string, u store.AccountUpdate, then func(accountInfo) error) error {
	return a.with(cmd.Context(), fail, func(b *backend) error {
		info, err := call(cmd.Context(), b, accountUpdate, updateRequest{name, u})
		if err != nil {
			return fmt.Errorf("change the account: %w", err)
		}
		return then(info)
	})
}

func accountPasswdCommand(a *app) *cobra.Command {
	var stdin bool
	cmd := &cobra.Command{
		Use:   "passwd NAME",
		Short: "Set an account's password",
		Long:  "Set an account's password, read or made as in tandem account add.",
		Args:  args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			password, made, err := a.newPassword(stdin)
			if err != nil {
				return err
			}
			l, err := a.config()
			if err != nil {
				return err
			}
			return a.with(cmd.Context(), fail, func(b *backend) error {
				like, err := call(cmd.Context(), b, accountSalt, removeRequest{args[0]})
				if err != nil {
					return fmt.Errorf("change the account: %w", err)
				}
				p := &store.NewPassword{Hash: auth.HashPassword(password), Keys: l.Auth.scramKeys(password, like)}
				info, err := call(cmd.Context(), b, accountUpdate, updateRequest{args[0], store.AccountUpdate{Password: p}})
				if err != nil {
					return fmt.Errorf("change the account: %w", err)
				}
				return a.printAccount(info.Name, "has a new password", password, made)
			})
		},
	}
	cmd.Flags().BoolVar(&stdin, "password-stdin", false, "read the password from standard input, its first line")
	return cmd
}

func accountSwitchCommand(a *app, use, short string, on bool) *cobra.Command {
	return &cobra.Command{
		Use:   use + " NAME",
		Short: short,
		Args:  args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.update(cmd, args[0], store.AccountUpdate{Enabled: &on}, func(i accountInfo) error {
				return a.printAccount(i.Name, use+"d", "", false)
			})
		},
	}
}

func accountRemoveCommand(a *app) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "remove NAME",
		Short: "Remove an account with all its mail",
		Args:  args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if in, isFile := a.in.(*os.File); !yes && isFile && isTerminal(in) && isTerminal(a.err) {
				fmt.Fprintf(a.err, "Remove %s with all mail? Type the name again: ", args[0])
				if again, err := firstLine(in); err != nil || again != args[0] {
					return errors.Join(errors.New("remove the account: not confirmed"), err)
				}
			}
			return a.with(cmd.Context(), fail, func(b *backend) error {
				if _, err := call(cmd.Context(), b, accountRemove, removeRequest{args[0]}); err != nil {
					return fmt.Errorf("remove the account: %w", err)
				}
				return a.printAccount(args[0], "removed", "", false)
			})
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func accountPolicyCommand(a *app) *cobra.Command {
	var flags policyFlags
	cmd := &cobra.Command{
		Use:   "policy NAME",
		Short: "Show or set what POP3 clients see and what their deleting means",
		Long: "Show an account's policies for POP3, or set them. They hold for every client whose\n" +
			"password has none of its own (tandem app-password). What a client deletes goes into\n" +
			"the Trash mailbox (trash, the default), is gone (expunge), stays in INBOX and is\n" +
			"hidden from that client (keep), or stays until each of the account's POP3 clients\n" +
			"has deleted it, and then goes into Trash (shared).",
		Args: args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			del, see, mark, err := flags.read(cmd.Flags())
			if err == nil && (flags.del == inherit || flags.see == inherit || flags.mark == inherit) {
				err = usageError{errors.New("set the policy: an account has no other one to follow")}
			}
			if err != nil {
				return err
			}
			u := store.AccountUpdate{POP3Delete: del, POP3See: see}
			if mark != nil {
				yes := *mark == store.SwitchYes
				u.POP3MarkSeen = &yes
			}
			return a.update(cmd, args[0], u, func(i accountInfo) error {
				if a.json {
					return a.printJSON(i)
				}
				seen := store.SwitchNo
				if i.POP3MarkSeen {
					seen = store.SwitchYes
				}
				return a.printTable([]string{"NAME", "POP3 DELETE", "POP3 SEE", "MARK SEEN"},
					[][]string{{i.Name, string(i.POP3Delete), string(i.POP3See), string(seen)}})
			})
		},
	}
	flags.register(cmd.Flags())
	return cmd
}
