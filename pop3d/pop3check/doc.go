// Package pop3check tests whether a POP3 server keeps to the standards: RFC 1939,
// 2449, 2595, 3206, 5034, 6856 and 8314. It needs an account of its own, and LMTP
// or IMAP to put test mail into it.
//
// START HERE. Run logs in as a client, again and again, and goes through the
// table of checks. The nouns:
//
//   - check: a row of the table: name, the section it rests on, and a function.
//   - test: a check under way. It keeps the first thing that went wrong; after
//     that all its methods do nothing, so that checks read as dialogues.
//   - session: a POP3 connection that sees the server's bytes as they are.
//   - sample: a test message with something in it that servers get wrong.
//   - mailSide: the other door of the account, which puts mail in.
//
// The files:
//
//	check.go       Config, Result, the table, Run
//	test.go        test: logging in, putting mail, failing and skipping
//	session.go     session: lines, replies, multi-line replies
//	mail.go        samples, finding them in the maildrop, removing them
//	lmtp.go        mail by LMTP
//	imap.go        mail by IMAP, and the checks' look at it from there
//
//	connection.go  greeting, lines, states
//	login.go       USER and PASS
//	sasl.go        AUTH
//	tls.go         STLS and TLS
//	capa.go        CAPA
//	list.go        STAT, LIST, UIDL
//	input.go       arguments that are wrong
//	retr.go        RETR and sizes
//	top.go         TOP
//	update.go      DELE, RSET, QUIT and ends without it
//	lock.go        two sessions at once
//	pipelining.go  commands that do not wait
//	utf8.go        UTF8 and LANG
//	wire.go        what holds for every reply of the whole run
//
// Invariants:
//
//   - Only messages that Run put in are retrieved or deleted; they are removed at
//     the end.
//   - Nothing of the server is believed: replies are bounded in size and time.
//   - The package imports nothing of the server that it came with.
package pop3check
