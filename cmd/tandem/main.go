package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// version is set by the linker.
var version = "dev"

func main() { os.Exit(run()) }

// run is main with a result, so that deferred calls run and tests can call it.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	root := os.Geteuid() == 0
	cmd := newRoot(&app{in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv})
	err := cmd.ExecuteContext(ctx)
	if errors.Is(err, fs.ErrPermission) && root && os.Geteuid() != 0 {
		err = fmt.Errorf("%w (started by root, tandem works as the owner of the data directory)", err)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "tandem:", strings.TrimSpace(err.Error()))
	}
	return exitCode(err)
}

// app is what commands share: the streams, the environment, the global flags.
type app struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string

	configFile, data string
	json             bool
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:           "tandem",
		Short:         "Serve one store of mail over IMAP and POP3",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q (tandem --help lists them)", args[0])}
			}
			return cmd.Help()
		},
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w (%s --help lists the flags)", err, cmd.CommandPath())}
	})
	flags := root.PersistentFlags()
	flags.StringVar(&a.configFile, "config", "", "read settings from `FILE` (or TANDEM_CONFIG)")
	flags.StringVar(&a.data, "data", "", "keep the store in `DIR`")
	flags.BoolVar(&a.json, "json", false, "print data as JSON")
	root.AddCommand(
		serveCommand(a),
		demoCommand(a),
		accountCommand(a),
		appPasswordCommand(a),
		aclCommand(a),
		importCommand(a),
		exportCommand(a),
		sessionsCommand(a),
		undoCommand(a),
		undeleteCommand(a),
		logCommand(a),
		checkCommand(a),
		deliverCommand(a),
		compareCommand(a),
		pop3CheckCommand(a),
		configCommand(a),
		versionCommand(a),
		docsCommand(),
	)
	return root
}

// config reads the settings as the flags and the environment say.
func (a *app) config() (*loaded, error) { return loadConfig(a.configFile, a.data, a.getenv) }

// group is a command that only has subcommands.
func group(use, short string, children ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q (%s --help lists them)", args[0], cmd.CommandPath())}
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(children...)
	return cmd
}

// args checks the number of arguments; max < 0 means any.
func args(min, max int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < min || max >= 0 && len(args) > max {
			usage := cmd.UseLine()
			cmd.Flags().Visit(func(f *pflag.Flag) {
				if f.NoOptDefVal != "" && f.Value.Type() == "string" {
					usage += fmt.Sprintf("; --%s takes its value after =", f.Name)
				}
			})
			return usageError{fmt.Errorf("wrong number of arguments (usage: %s)", usage)}
		}
		return nil
	}
}
