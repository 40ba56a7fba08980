// Package imapd serves IMAP: bytes in, mail operations out, bytes back.
//
// START HERE: [New] makes a [Server]; its Serve takes one accepted connection
// to its end, in one goroutine that owns the session, the decoder, the encoder
// and the view of the selected mailbox, so that there is no mutex here.
//
// A command is a row (command.go): its name, the states it is legal in, flags
// and two functions, one that reads its arguments and one that does the work.
// The loop (session.go) looks the row up, checks the state, lets it parse to
// the end of the line, runs it, tells what changed in the selected mailbox
// meanwhile and sends the tagged answer. So a handler only does its work and
// returns an error, whose type says whose fault it is (errors.go):
//
//	*wire.Error   the client's: BAD
//	no(...)       the user's: NO with a response code
//	*store.Error  by its kind, one table: NO or BAD
//	others        ours: NO [SERVERBUG], logged
//
// An extension is one value in one file (extension.go). If it needs an "if" in
// another file, a joint is missing: add the joint.
//
// File map
//
//	server.go      Config, Server, Serve
//	session.go     the loop; who is logged in; tagged answers
//	stream.go      the connection: deadlines, flushing, draining
//	command.go     rows, states, flags
//	extension.go   what extensions can add; the registry
//	capability.go  what is advertised in which state
//	errors.go      errors to answers
//	flags.go       flags as sent to flags as stored
//	mailbox_filter.go  the mailboxes that NOTIFY and ESEARCH name
//	namespaces.go  from a name to a mailbox, one's own or another's
//	listtree.go    the names that LIST and LSUB can show
//	cmd_*.go       one command each
//	ext_*.go       one extension each (ext_imap4rev1.go is RFC 3501 itself)
//	imapurl.go     URLs of messages, for CATENATE
//	view.go        the selected mailbox: sets of numbers to UIDs, pages, flags
//	sync.go        telling changes, and when each may be told
//	notify_tell.go what NOTIFY asked for, told between commands
//	notify_names.go  the same of names: what is told, and what the client knows
//	fetch_*.go     FETCH: the table of items, sections, reading and answering
//	search_*.go    SEARCH: the table of keys, the tree of criteria, the levels
//	               of reading at which each is decided, the workers; what was
//	               found, as the return options and "$" go by it; results kept
//	               up to date
//	sort_*.go      SORT: one string of bytes to sort a message by
//	thread_*.go    THREAD: parents from references, threads from parents
//	internal/wire  the grammar as bytes
//	internal/inflate  compressed input (COMPRESS)
//
// Invariants: no command touches the store before its state was checked and
// its line was read to the end (APPEND alone looks its mailbox up before it
// asks for the message); nothing is written to a connection inside a
// store transaction; a sequence number never changes its meaning between two
// commands unless an EXPUNGE was sent.
package imapd
