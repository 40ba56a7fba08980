// Package wire is the IMAP grammar as bytes: it reads tokens and writes them,
// and knows no command.
//
// START HERE: a [Decoder] reads one command at a time from a bufio.Reader.
// The session calls Begin, then Tag and Keyword, then hands the decoder to the
// command, which asks for what the grammar says comes next:
//
//	d.SP()
//	from := d.Mailbox()
//	d.SP()
//	to := d.Mailbox()
//	return d.EOL()
//
// Methods named after a token expect it and return its value; methods that
// start with Try ask for it and say whether it was there. The first error is
// kept and makes every later call a no-op (Try methods then return false, so
// that loops end), which is why only EOL's result needs to be looked at. A
// [*Error] is the client's fault and becomes BAD; any other error comes from
// the connection. After each command, good or bad, the session calls Skip:
// it throws away what is left of the command, literals included, so that no
// byte of it is ever run as another command.
//
// An [Encoder] is the way back: append-style over one buffer.
//
// File map
//
//	limits.go   how much a client may send
//	decoder.go  bytes, position, errors, Skip
//	token.go    atoms, strings, numbers, lists, flags, mailbox names
//	literal.go  {n}, {n+}, ~{n} and streamed messages
//	date.go     date and date-time
//	section.go  BODY[1.2.HEADER.FIELDS (...)]<0.2048>
//	set.go      number sets as merged ranges; setparse.go the form with '*'
//	utf7.go     modified UTF-7 (RFC 3501 section 5.1.3)
//	match.go    LIST patterns
//	encoder.go  tokens out
//
// Invariants: nothing is allocated for a client before the limit that governs
// it was checked; no function here panics or loops longer than its input; a
// number set is never enumerated number by number.
package wire
