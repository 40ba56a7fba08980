package imapd

import (
	"context"

	"tandem/imapd/internal/wire"
)

// states is a set of session states (RFC 3501 section 3).
type states uint8

// The states of a session, and the sets of them that commands are legal in.
const (
	stranger states = 1 << iota // not authenticated
	user                        // authenticated
	selected
	ended // logout

	loggedIn = user | selected
	anyState = stranger | user | selected
)

// flags are what the loop must know about a command.
type flags uint8

const (
	// usesNumbers: arguments or answers of the command name sequence numbers,
	// so no EXPUNGE may go out with its answer (RFC 3501 section 7.4.1).
	usesNumbers flags = 1 << iota
	// namesNumbers: arguments are sequence numbers, though an EXPUNGE may go
	// out. Neither such a command nor one that usesNumbers is taken after
	// ENABLE UIDONLY.
	namesNumbers
	// noSync: changes of the mailbox are not told with the answer, because
	// the command tells them itself or leaves the mailbox.
	noSync
	// readsOn: run reads from the line itself, to its end (APPEND streams
	// messages). parse reads only what comes before.
	readsOn
	// secret: the command carries a password and is refused, unread, on
	// connections that must not carry one.
	secret
)

// command is one row of the table of commands. Make it with row.
type command struct {
	name   string // "FETCH", "UID FETCH"
	states states
	flags  flags

	// prepare reads the arguments and gives the work to be done with them.
	prepare func(s *session, d *wire.Decoder) work
}

// work is a command that has been read and found legal. The context ends when
// the server has stopped waiting for commands in hand.
type work func(ctx context.Context) error

// row makes a command of a function that reads its arguments and one that
// does its work. parse reads from the space after the name up to, not
// including, the line end; its errors stay in the decoder. run sends untagged
// answers to s.enc; its error becomes the tagged answer. See s.ok for an OK
// that says more than "completed".
func row[A any](name string, in states, f flags, parse func(*session, *wire.Decoder) A, run func(*session, context.Context, A) error) command {
	return command{name: name, states: in, flags: f,
		prepare: func(s *session, d *wire.Decoder) work {
			args := parse(s, d)
			return func(ctx context.Context) error { return run(s, ctx, args) }
		}}
}

// none is the type of the arguments of commands that have none.
type none struct{}

// noArgs is their parse.
func noArgs(*session, *wire.Decoder) none { return none{} }
