// Package sqlite is the SQLite engine behind store: all of a store's mail in
// one file.
//
// START HERE. The nouns:
//
//   - Engine: implements store.Engine. One goroutine of it, the writer, owns
//     the only connection that writes and is the only publisher.
//   - request: one verb on its way through the writer. Whatever waits goes
//     into one transaction, a savepoint each.
//   - tx: one request's view of that transaction, with the rows of accounts
//     and mailboxes it has read and changed.
//   - conn: a connection, through the driver and without database/sql.
//   - batch: one call of Engine.read: bounded, under the shared gate, over
//     before anybody else's code runs.
//
// The files:
//
//	engine.go      Options, Open, Close, read batches
//	migrate.go     making a store, bringing its schema up to date
//	conn.go        conn
//	writer.go      the queue, groups, one transaction
//	tx.go          tx: counters, modseqs, what is published
//	checkpoint.go  the WAL and free pages
//	space.go       the reserve of free space and the spare file
//	faults.go      errors of SQLite to kinds; read-only after a failed write
//	device.go      app passwords; release.go: which POP3 devices mail waits for
//	account.go scram.go keyword.go mailbox.go metadata.go quota.go   their verbs
//	insert.go body.go thread.go uidl.go   taking messages in; downgrade.go is for readers without UTF-8
//	flags.go copy.go across.go expunge.go replace.go quit.go   changing what mailboxes hold
//	acl.go         who may do what, asked by every verb
//	index.go read.go   reading mailboxes and messages
//	undo.go undo_find.go undelete.go revive.go   bringing back what was deleted
//	recently.go    the mailboxes that show what was expunged
//	age.go         expunging what is old
//	prune.go       forgetting what was expunged
//	check.go checkrefs.go checkbytes.go   verifying and mending rows, what they say of each other, and bytes
//	salvage.go     reading what is left of a damaged mailbox
//	journal.go     one row for each verb; story.go reads them
//	uidset.go      sets of UIDs in rows
//
// Invariants:
//
//   - Commit, publish, answer: in this order, on the writer goroutine.
//   - A request's function may run twice and leaves nothing outside its tx but
//     results that each run sets anew. No context reaches SQLite.
//   - After a failed write or sync nothing is written until the store is opened
//     again.
//   - No file of the database is opened with package os while a connection is:
//     closing it would drop the process's locks on it.
//   - A message's rows never change. Copying, flagging and expunging touch
//     entries and tombstones only.
package sqlite
