package main

import (
	"github.com/spf13/cobra"
)

func serveCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Serve mail until told to stop",
		Long: "Serve IMAP, POP3 and LMTP in the foreground, logging to standard error. \"ready\" is\n" +
			"logged once every listener is bound. TERM ends it within 15 seconds; HUP reads the\n" +
			"certificate and the log level again.",
		Args: args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := a.config()
			if err != nil {
				return err
			}
			limitMemory(a.getenv)
			spaceCollections(a.getenv)
			log, level := newLog(a.err, l.Log.Level)
			s, err := startServer(cmd.Context(), l, log, level)
			if err != nil {
				return err
			}
			return s.serve(cmd.Context())
		},
	}
}
