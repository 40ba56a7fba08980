package main

import (
	"encoding/json"

	"github.com/spf13/cobra"
)

func configCommand(a *app) *cobra.Command {
	var origin bool
	show := &cobra.Command{
		Use:   "show",
		Short: "Print every setting as it is in effect",
		Args:  args(0, 0),
		RunE: func(*cobra.Command, []string) error {
			l, err := a.config()
			if err != nil {
				return err
			}
			if a.json {
				return a.showJSON(l, origin)
			}
			return a.printConfig(&l.config, func(s setting) string {
				if origin {
					return l.Origin[s.Key]
				}
				return ""
			})
		},
	}
	show.Flags().BoolVar(&origin, "origin", false, "say where each value comes from")
	initial := &cobra.Command{
		Use:   "init",
		Short: "Print a configuration file with every key, its default and its meaning",
		Args:  args(0, 0),
		RunE: func(*cobra.Command, []string) error {
			c := defaults()
			return a.printConfig(&c, func(s setting) string { return s.Doc })
		},
	}
	return group("config", "Show settings, or print a file to start from", initial, show)
}

// printConfig prints c as a TOML file; a note goes before its setting as a comment.
func (a *app) printConfig(c *config, note func(setting) string) error {
	printf, result := printer(a.out)
	section := ""
	for _, s := range settings(c) {
		in, key := s.section()
		if in != section {
			printf("\n[%s]", in)
			section = in
		}
		if text := note(s); text != "" {
			printf("# %s", text)
		}
		printf("%s = %s", key, s.text())
	}
	return result()
}

// showJSON prints the settings as an object by key, with origins as objects of
// value and origin.
func (a *app) showJSON(l *loaded, origin bool) error {
	out := map[string]any{}
	for _, s := range settings(&l.config) {
		value, err := json.Marshal(s.value.Interface())
		if err != nil {
			return err
		}
		if origin {
			out[s.Key] = map[string]any{"value": json.RawMessage(value), "origin": l.Origin[s.Key]}
			continue
		}
		out[s.Key] = json.RawMessage(value)
	}
	return a.printJSON(out)
}
