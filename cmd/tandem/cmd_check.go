package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func checkCommand(a *app) *cobra.Command {
	var repair bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check the store: counters, references, message bytes",
		Long: "Check the whole store and print each finding on a line. Exit code 1 when there are\n" +
			"findings and --repair is not given.",
		Args: args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), fail, func(b *backend) error {
				res, err := call(cmd.Context(), b, storeCheck, checkRequest{repair})
				if err != nil {
					return fmt.Errorf("check the store: %w", err)
				}
				if a.json {
					err = a.printJSON(res)
				} else {
					err = a.printFindings(res.Findings)
				}
				if err == nil && len(res.Findings) > 0 && !repair {
					err = fmt.Errorf("check the store: %d findings (tandem check --repair mends what can be mended)", len(res.Findings))
				}
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&repair, "repair", false, "mend what can be mended")
	return cmd
}

func (a *app) printFindings(findings []string) error {
	printf, result := printer(a.out)
	for _, f := range findings {
		printf("%s", f)
	}
	if len(findings) == 0 {
		printf("the store is sound")
	}
	return result()
}
