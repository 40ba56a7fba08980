// Package pop3d serves mail over POP3 (RFC 1939).
//
// START HERE. A Server serves connections, each by one goroutine that owns a
// session. The session reads a line, finds its row in the command table, lets
// the loop decide whether the command is legal now and its arguments well
// formed, and runs it. The nouns:
//
//   - session: one connection: its state, its buffers, its deadlines.
//   - command: a row of the table: name, states, arguments, what runs.
//   - maildrop: the messages as they were at login, numbered from 1, and the
//     marks that DELE puts on them.
//   - lease: the right to a maildrop view, which is a mailbox as one credential
//     sees it; an idle holder gives way to a new login.
//
// The files:
//
//	server.go       Config, Limits, Server
//	session.go      a connection's loop, waiting and its end
//	line.go         bytes to command lines and arguments
//	reply.go        status lines, response codes, what store errors become
//	command.go      the table
//	cmd_auth.go     USER PASS AUTH STLS, and entering the maildrop
//	cmd_list.go     STAT LIST UIDL
//	cmd_retr.go     RETR TOP
//	cmd_mark.go     DELE RSET NOOP CAPA QUIT
//	cmd_utf8.go     UTF8
//	cmd_lang.go     LANG, and replies in other languages
//	mailbox.go      which mailbox is the maildrop
//	maildrop.go     the messages of a session
//	lease.go        who may have a maildrop view
//	stuff.go        dot-stuffing, and where TOP ends
//
// Invariants:
//
//   - Numbers, sizes, UIDLs and the set of messages are fixed at login.
//   - Marks live in memory. Only a QUIT that arrived in the TRANSACTION state
//     changes mail, with one verb of the store, and is answered after its commit.
//   - A lease that was lost never comes back: its session runs no more commands.
//   - Replies are flushed before the goroutine waits for input, and only then
//     (or when the buffer is full).
//   - Passwords and SASL data are not logged.
package pop3d
