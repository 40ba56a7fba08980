// Command tandem is a mail access server: IMAP and POP3 over one store, with
// mail arriving over LMTP.
//
// START HERE. This package has no mail logic: it reads the configuration, wires
// the packages together, and is the command line. The nouns:
//
//   - config: all settings, each with its default, its environment variable and
//     where its value came from (config.go, config_load.go, config_cmd.go).
//   - verb: one administrative act over an open store, as a function (verb_*.go).
//     The command line runs it on the store itself when no server holds it, else
//     asks the server over the control socket (control.go, control_client.go),
//     which runs the same function.
//   - cmd_*.go: a cobra command each.
//   - server: the store, the listeners and the front ends of one process
//     (server.go).
//   - exit codes (exit.go): 0 ok, 1 failure, 2 usage or configuration, 3 the
//     store's schema is newer, 4 the store is in use, 75 temporary failure.
//
// Invariants: every verb has one implementation; errors read "what failed: why
// (what to do)"; what is printed as a table has --json.
package main
