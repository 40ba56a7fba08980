// Package lmtpd takes mail in over LMTP (RFC 2033).
//
// START HERE. A Server serves connections of a mail transfer agent, each by one
// goroutine that owns a session. The session reads a line, finds its row in the
// command table and runs it; DATA and BDAT stream the message into the store's
// Ingest, and its end delivers to all recipients in one transaction, with one
// reply each. The nouns:
//
//   - session: one connection: its state, its buffers, its deadlines.
//   - command: a row of the table.
//   - envelope: the mail transaction in hand: sender, recipients, message.
//   - path: an address as given in MAIL or RCPT.
//   - recipient: an address that was accepted, with its account and mailbox.
//   - room: the places for large messages, which bound the memory they take.
//
// The files:
//
//	server.go     Config, Limits, Server
//	session.go    a connection's loop, waiting and its end
//	reply.go      replies, and what store errors become
//	command.go    the table; LHLO NOOP VRFY RSET QUIT
//	cmd_mail.go   MAIL RCPT
//	cmd_data.go   DATA BDAT
//	path.go       addresses and parameters
//	data.go       where the data end, and dots taken off
//	room.go       how many large messages come in at once
//	recipient.go  addresses to mailboxes
//	deliver.go    trace headers, junk, delivery, its replies
//
// Invariants:
//
//   - Nothing is answered 250 before it is on disk.
//   - Only CRLF "." CRLF ends the data, so that nothing inside a message can
//     pass for the next command.
//   - A large message never lies in memory whole, and no transaction of the store is
//     open while the client sends.
//   - A recipient sees of the others nothing: what is prefixed to a message
//     names this recipient alone.
package lmtpd
