// Package store is what mail is in tandem. START HERE.
//
// Nouns, in mail.go: an Account owns Mailboxes; a Mailbox holds Entries; an
// Entry is (mailbox, UID) and points to a Message, with what may change: flags,
// modseq, dates of saving. A Message is what never changes: its bytes, size,
// INTERNALDATE, EMAILID, THREADID, structure. Bodies are bytes, which several
// messages may share.
//
// The front ends call Store and View; a database implements Engine, whole mail
// operations each in one transaction. Between the two lies what needs no
// database: the shared in-memory index of each mailbox in use, the sessions'
// views of it, and the stream that takes a message in.
//
// File map:
//
//	mail.go     the nouns
//	account.go  accounts, credentials, login names and addresses
//	device.go   app passwords, and what POP3 devices see and delete
//	quota.go    what an account holds and may hold
//	scram.go    keys for SCRAM logins
//	metadata.go annotations of mailboxes and of the server
//	mailbox.go  mailbox names and verbs
//	acl.go      who may do what with the mailboxes of others; rights.go: in a view
//	message.go  verbs on messages, reading of bytes; replace.go: two in one
//	ingest.go   a stream of bytes becomes a Body
//	index.go    the in-memory index: loaded once, kept current by publish
//	view.go     a session's view: three numbers instead of a list of UIDs
//	vanished.go what a session that comes back has to hear is gone
//	sessions.go who is logged in
//	sessions_past.go  what sessions did; story.go: what happened to a message
//	recover.go  bringing back what was deleted
//	watch.go    a session's watch over a whole account; watch_shared.go: over
//	            what others share with it
//	store.go    Open, Hub (publish and wake)
//	retention.go  emptying Trash and Junk
//	upkeep.go   what happens in the background: flushing, pruning, making room
//	engine.go   the Engine interface and its rules
//	errors.go   the closed list of error kinds
//
// Invariants: rows are the truth, the index mirrors them in commit order; a
// wake-up carries no data; nothing is told before its commit is on disk; UID,
// UIDVALIDITY, modseq and ids come from counters in rows and never go back. A
// UIDL belongs to the message, so it survives moves, undo and restore.
package store
