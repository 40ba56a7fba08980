package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// docsCommand writes the pages under docs/reference that are made from the
// program. It is for developers (make docs); a test compares the pages.
func docsCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:    "docs",
		Short:  "Write the generated pages of the reference",
		Hidden: true,
		Args:   args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			for name, text := range referencePages(cmd.Root()) {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
					return fmt.Errorf("write the reference: %w", err)
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "docs/reference", "the directory of the pages")
	return cmd
}

// referencePages are the generated pages by file name.
func referencePages(root *cobra.Command) map[string]string {
	return map[string]string{"configuration.md": configurationPage(), "commands.md": commandsPage(root), "imap.md": imapPage()}
}

const generated = "<!-- Generated from the program by make docs. -->\n\n"

// configurationPage has every key of the configuration.
func configurationPage() string {
	var b strings.Builder
	b.WriteString("# Configuration\n\n" + generated +
		"`tandem config init` prints a file with every key; `tandem config show --origin` prints the\n" +
		"settings in effect and where each comes from: a flag, else the environment, else the file\n" +
		"(`--config` or `TANDEM_CONFIG`), else the default. A variable with `_FILE` after its name names\n" +
		"a file that holds the value. Lists have commas between their items in variables. A key that does\n" +
		"not exist is an error. Relative paths in the file are relative to the file.\n\n" +
		"A listener exists only if the file names it; the defaults of the listeners hold without a file.\n" +
		"Times are written `90s`, `30m`, `12h` or `14d`. In `[limits]`, 0 means no limit.\n")
	c := defaults()
	c.Hostname, c.Data = "the host's own name", "$XDG_DATA_HOME/tandem"
	section := "-"
	for _, s := range settings(&c) {
		in, key := s.section()
		if in != section {
			title := "[" + in + "]"
			if in == "" {
				title = "At the top"
			}
			fmt.Fprintf(&b, "\n## %s\n\n| key | default | meaning |\n| --- | --- | --- |\n", title)
			section = in
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", key, s.text(), s.Doc)
	}
	b.WriteString("\nEach key's variable is `TANDEM_`, the section and the key in capitals, joined by `_`:\n" +
		"`TANDEM_HOSTNAME`, `TANDEM_LMTP_SOCKET_MODE`.\n")
	return b.String()
}

// commandsPage has every command with its flags.
func commandsPage(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString("# Commands\n\n" + generated +
		"All commands take `--config FILE` (or `TANDEM_CONFIG`) and `--data DIR`, and those that print\n" +
		"data `--json`. The administrative ones work while a server runs, which they ask over the control\n" +
		"socket in the data directory, and while none does, on the store itself.\n\n" +
		"| exit code | meaning |\n| --- | --- |\n" +
		"| 0 | done |\n| 1 | failed |\n| 2 | wrong usage or configuration |\n" +
		"| 3 | the store's schema is newer than the program |\n| 4 | another process uses the store |\n" +
		"| 75 | failed for now: try again |\n")
	describeCommand(&b, root)
	return b.String()
}

func describeCommand(b *strings.Builder, cmd *cobra.Command) {
	for _, child := range cmd.Commands() {
		if child.Hidden || child.Name() == "help" || child.Name() == "completion" {
			continue
		}
		if child.HasSubCommands() {
			describeCommand(b, child)
			continue
		}
		use := strings.TrimSuffix(child.UseLine(), " [flags]")
		text := child.Long
		if text == "" {
			text = child.Short + "."
		}
		fmt.Fprintf(b, "\n## %s\n\n```\n%s\n```\n\n%s\n", child.CommandPath(), use, text)
		var flags []string
		child.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			if f.Name == "help" {
				return
			}
			value, usage := pflag.UnquoteUsage(f)
			if value != "" && f.NoOptDefVal != "" {
				flags = append(flags, "`--"+f.Name+"[="+value+"]`: "+usage)
				return
			}
			flags = append(flags, strings.TrimSpace("`--"+f.Name+" "+value)+"`: "+usage)
		})
		if len(flags) > 0 {
			fmt.Fprintf(b, "\n- %s\n", strings.Join(flags, "\n- "))
		}
	}
}
