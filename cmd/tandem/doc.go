// Command tandem is a mail access server: IMAP and POP3 over one store, with
// mail arriving over LMTP.
//
// START HERE. This package has no mail logic: it reads the configuration, wires
// the packages together, and is the command line. The nouns:
//
//   - config: all settings, each with its default, its environment variable and
//     where its value came from (config.go, config_load.go, cmd_config.go).
//   - verb: one administrative act over an open store, as a function (verb.go,
//     verb_import.go, verb_export.go, verb_recover.go, verb_uidl.go,
//     verb_app_password.go, verb_acl.go).
//   - backend: where verbs run (backend.go). That is the store itself when no server
//     holds it, else the server, over its control socket (control.go); import and
//     export stream their messages through it (frame.go).
//   - cmd_*.go: a command each; tables and JSON in output.go, the generated pages
//     in cmd_docs.go, docs_imap.go and docs_imap_words.go. What tandem import reads is in source.go, where it
//     takes UIDLs from in uidl_source.go and what it does with them in
//     uidl_ledger.go; the demo's mail is in samples.go and samples/.
//   - temporary account: one that a comparison has while it lasts (temporary.go;
//     verb_compare.go for tandem compare, which reaches it over the control socket).
//   - server: the store, the listeners and the front ends of one process
//     (server.go; collect.go for its garbage).
//   - exit codes (exit.go): 0 ok, 1 failure, 2 usage or configuration, 3 the
//     store's schema is newer, 4 the store is in use, 75 temporary failure.
//
// Invariants: every verb has one implementation; errors read "what failed: why
// (what to do)"; what is printed as a table has --json.
package main
