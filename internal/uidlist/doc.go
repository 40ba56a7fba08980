// Package uidlist reads the POP3 UIDLs that another server has given to mail,
// and finds out which messages they belong to.
//
// START HERE. A Message is one as a server has it: its UIDL, its size, and a
// Print of its header. Match pairs those of the old server with those here. The
// old server's come from the files of a Maildir, which name each message file
// (ReadDovecot, ReadCourier), or from the running server (Server.Read).
//
// Files:
//
//	match.go    Message, Match
//	print.go    Print and Scan: size and header of a message's bytes
//	dovecot.go  dovecot-uidlist; format.go has pop3_uidl_format
//	courier.go  courierpop3dsizelist
//	pop3.go     a POP3 client that reads UIDLs, sizes and headers; wire.go its lines
//
// Invariants: files and servers are strangers, so lines, lists and headers have
// bounds and nothing they say makes it panic; a size alone never makes a pair.
package uidlist
