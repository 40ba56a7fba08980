// Package dovecot serves Dovecot's authentication client protocol, so that an
// MTA checks submission logins against tandem's accounts: Postfix with
// smtpd_sasl_type = dovecot, Exim with its dovecot authenticator, and others.
//
// START HERE. Serve is one connection of an MTA's process: a handshake, then
// requests (AUTH, CONT), each answered by CONT, OK or FAIL under its id, in any
// order. The protocol is line based, with tabs between the fields of a line; it
// is described in Dovecot's documentation ("Dovecot Authentication Protocol",
// version 1.2 here).
//
// The files:
//
//	serve.go  the connection: handshake, requests, replies
//	line.go   lines into fields and back
//
// Invariants: lines, requests under way and idle time are bounded; a line that
// is not understood ends the connection. An identity is asked for with scope
// smtp. Replies come within 8 s, since Postfix waits 10 s for one.
package dovecot
