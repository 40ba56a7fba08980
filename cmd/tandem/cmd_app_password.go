package main

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tandem/auth"
	"tandem/store"
)

func appPasswordCommand(a *app) *cobra.Command {
	return group("app-password", "Give each program or device a password of its own",
		appPasswordAddCommand(a),
		appPasswordListCommand(a),
		appPasswordSetCommand(a),
		appPasswordRevokeCommand(a),
	)
}

// policyFlags are the options that say what a credential, or an account, means
// by POP3.
type policyFlags struct{ del, see, mark string }

func (p *policyFlags) register(f *pflag.FlagSet) {
	f.StringVar(&p.del, "pop3-delete", "", "what deleting over POP3 means: trash, expunge, keep or shared")
	f.StringVar(&p.see, "pop3-see", "", "which mail POP3 shows: all, since-now, days=N or newest=N")
	f.StringVar(&p.mark, "pop3-mark-seen", "", "whether what POP3 downloads is marked as read: `yes|no`, yes without a value")
	f.Lookup("pop3-mark-seen").NoOptDefVal = string(store.SwitchYes)
}

// inherit is the value of an option that takes a policy back.
const inherit = "account"

// filled refuses options with nothing in them, as a script's unset variable makes.
func filled(f *pflag.FlagSet) (err error) {
	f.Visit(func(option *pflag.Flag) {
		if option.Value.String() == "" {
			err = usageError{fmt.Errorf("--%s is empty", option.Name)}
		}
	})
	return err
}

// read gives what was said; nil for nothing. What says that the account's policy
// holds is "".
func (p *policyFlags) read(f *pflag.FlagSet) (del *store.DeletePolicy, see *store.SeeRule, mark *store.Switch, err error) {
	if err := filled(f); err != nil {
		return nil, nil, nil, err
	}
	word := func(s string) string {
		if s == inherit {
			return ""
		}
		return s
	}
	if p.del != "" {
		d := store.DeletePolicy(word(p.del))
		if del = &d; d != "" && !d.Valid() {
			err = usageError{fmt.Errorf("set the policy: %q is none (trash, expunge, keep or shared)", p.del)}
		}
	}
	if p.see != "" {
		s := store.SeeRule(word(p.see))
		if see = &s; s != "" && !s.Valid() {
			err = usageError{fmt.Errorf("set the policy: %q is no rule (all, since-now, days=N or newest=N)", p.see)}
		}
	}
	if p.mark != "" {
		m := store.Switch(word(p.mark))
		if mark = &m; m != "" && m != store.SwitchYes && m != store.SwitchNo {
			err = usageError{fmt.Errorf("set the policy: %q is neither yes nor no", p.mark)}
		}
	}
	return del, see, mark, err
}

// passwordFlags are all options of an app password.
type passwordFlags struct {
	policyFlags
	scope, expires string
}

func (p *passwordFlags) register(f *pflag.FlagSet, scope string) {
	f.StringVar(&p.scope, "scope", scope, "what it is good for, of imap, pop3, smtp and web")
	f.StringVar(&p.expires, "expires", "", "when it ends: 2027-01-31, or a time span from now such as 90d; never")
	p.policyFlags.register(f)
}

// read gives what was said.
func (p *passwordFlags) read(f *pflag.FlagSet, now time.Time) (u store.CredentialUpdate, err error) {
	if u.POP3Delete, u.POP3See, u.POP3MarkSeen, err = p.policyFlags.read(f); err != nil {
		return u, err
	}
	if p.scope != "" {
		scope := parseScope(p.scope)
		if u.Scope = &scope; scope == 0 {
			return u, usageError{fmt.Errorf("set the scope: %q is none (some of %s)", p.scope, strings.Join(scopes(), ","))}
		}
	}
	if p.expires != "" {
		at, err := parseEnd(p.expires, now)
		if u.Expires = &at; err != nil {
			return u, usageError{fmt.Errorf("set the end: %w", err)}
		}
	}
	return u, nil
}

// parseEnd reads a date (its beginning, here), a time (RFC 3339), a span from
// now, or never.
func parseEnd(text string, now time.Time) (time.Time, error) {
	if text == "never" {
		return time.Time{}, nil
	}
	at, err := time.ParseInLocation(time.DateOnly, text, time.Local)
	if err != nil {
		at, err = time.Parse(time.RFC3339, text)
	}
	if err != nil {
		var span duration
		if span.UnmarshalText([]byte(text)) != nil || span == 0 {
			return time.Time{}, fmt.Errorf("%q is neither a date nor a time span (write 2027-01-31, 90d or never)", text)
		}
		return now.Add(time.Duration(span)), nil
	}
	if !at.After(now) {
		return time.Time{}, fmt.Errorf("%s is past", text)
	}
	return at, nil
}

func appPasswordAddCommand(a *app) *cobra.Command {
	var flags passwordFlags
	cmd := &cobra.Command{
		Use:   "add ACCOUNT LABEL",
		Short: "Make a password for a program or device, and print it once",
		Long: "Make a password for one program or device, and print it once. Each has a view of\n" +
			"its own over POP3: what it deletes under keep or shared is gone for it alone. Under\n" +
			"shared a message leaves INBOX for Trash once every POP3 device of the account has\n" +
			"deleted it. Policies that are not given are the account's (tandem account policy).",
		Args: args(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			u, err := flags.read(cmd.Flags(), time.Now())
			if err != nil {
				return err
			}
			n := store.NewCredential{Label: args[1], Scope: *u.Scope, POP3Delete: deref(u.POP3Delete), POP3See: deref(u.POP3See),
				POP3MarkSeen: deref(u.POP3MarkSeen), Expires: deref(u.Expires)}
			if n.Scope&store.ScopePOP3 == 0 && (n.POP3Delete != "" || n.POP3See != "" || n.POP3MarkSeen != "") {
				return usageError{errors.New("add the app password: it has policies for POP3, which is not in its scope")}
			}
			l, err := a.config()
			if err != nil {
				return err
			}
			req := passwordAddRequest{Account: args[0], Password: n, SCRAM: l.Auth.SCRAM != string(auth.SCRAMOff), SCRAMSHA1: l.Auth.SCRAMSHA1}
			return a.with(cmd.Context(), fail, func(b *backend) error {
				res, err := call(cmd.Context(), b, passwordAdd, req)
				if err != nil {
					return fmt.Errorf("add the app password: %w", err)
				}
				if a.json {
					return a.printJSON(res)
				}
				printf, result := printer(a.out)
				printf("app password %s of %s added", res.Label, args[0])
				printf("password: %s", res.Password)
				return result()
			})
		},
	}
	flags.register(cmd.Flags(), "imap,pop3,smtp")
	return cmd
}

// deref gives what p points to, or nothing.
func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func appPasswordListCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list ACCOUNT",
		Short: "List an account's app passwords, with their policies and last use",
		Args:  args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), fail, func(b *backend) error {
				list, err := call(cmd.Context(), b, passwordList, passwordRequest{Account: args[0]})
				if err != nil {
					return fmt.Errorf("list the app passwords: %w", err)
				}
				if a.json {
					return a.printJSON(list)
				}
				var rows [][]string
				for _, p := range list {
					rows = append(rows, []string{p.Label, strings.Join(p.Scope, ","), cmp.Or(string(p.POP3Delete), inherit),
						cmp.Or(string(p.POP3See), inherit), cmp.Or(string(p.POP3MarkSeen), inherit), day(p.Expires), minute(p.LastUsed),
						cmp.Or(p.LastAddr, "-"), cmp.Or(p.LastClient, "-")})
				}
				return a.printTable([]string{"LABEL", "SCOPE", "POP3 DELETE", "POP3 SEE", "MARK SEEN", "EXPIRES", "LAST USED", "ADDRESS", "CLIENT"}, rows)
			})
		},
	}
}

func day(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return t.Local().Format(time.DateOnly)
}

func minute(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04")
}

func appPasswordSetCommand(a *app) *cobra.Command {
	var flags passwordFlags
	cmd := &cobra.Command{
		Use:   "set ACCOUNT LABEL",
		Short: "Change what an app password is good for, its end and its policies",
		Long: "Change what an app password is good for, its end, and its policies: what is given.\n" +
			"The word account takes a policy back, and the account's holds again.",
		Args: args(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			u, err := flags.read(cmd.Flags(), time.Now())
			if err == nil && u == (store.CredentialUpdate{}) {
				err = usageError{errors.New("change the app password: nothing is given to be changed")}
			}
			if err != nil {
				return err
			}
			return a.onPassword(cmd, args, "changed", "change the app password", func(b *backend, r passwordRequest) error {
				_, err := call(cmd.Context(), b, passwordSet, passwordSetRequest{r, u})
				return err
			})
		},
	}
	flags.register(cmd.Flags(), "")
	return cmd
}

func appPasswordRevokeCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke ACCOUNT LABEL",
		Short: "End an app password, and the sessions that use it",
		Long: "End an app password, and the sessions that use it. What it alone held back in INBOX\n" +
			"under shared goes to Trash. Its label is free again.",
		Args: args(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onPassword(cmd, args, "revoked", "revoke the app password", func(b *backend, r passwordRequest) error {
				_, err := call(cmd.Context(), b, passwordRevoke, r)
				return err
			})
		},
	}
}

// onPassword does something to an app password and tells about it.
func (a *app) onPassword(cmd *cobra.Command, args []string, done, what string, do func(*backend, passwordRequest) error) error {
	return a.with(cmd.Context(), fail, func(b *backend) error {
		if err := do(b, passwordRequest{args[0], args[1]}); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if a.json {
			return a.printJSON(struct {
				Label string `json:"label"`
			}{args[1]})
		}
		printf, result := printer(a.out)
		printf("app password %s of %s %s", args[1], args[0], done)
		return result()
	})
}
