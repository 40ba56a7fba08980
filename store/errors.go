package store

import (
	"errors"
	"fmt"
)

// Kind is one of a closed list of reasons why a verb failed. Each front end
// maps the whole list in one table.
type Kind uint8

// The kinds.
const (
	Internal    Kind = iota // our fault: a bug or an unexpected engine error
	NotFound                // no such account, mailbox or message
	Exists                  // the name is taken
	Invalid                 // an argument can never be right, such as a bad mailbox name
	Forbidden               // the actor has no right to this, or the object does not allow it
	Limit                   // a configured limit: keywords, mailboxes, name length, searches
	OverQuota               // the owner's quota
	TooBig                  // the message exceeds the message size
	Unavailable             // free space is below the reserve; reading goes on
	ReadOnly                // a write failed on disk: the store takes no writes until reopened
	Busy                    // temporary: queue full, database locked, shutting down
	Corrupt                 // stored bytes do not match their digest
	Expunged                // the message is gone and its bytes are no longer kept
	InUse                   // another process or session holds it
	TooNew                  // the store's schema is newer than this program

	kindCount // the number of kinds, for tests that walk the list
)

var kindNames = [kindCount]string{"internal error", "not found", "exists already", "invalid", "not allowed",
	"limit reached", "over quota", "too big", "temporarily unavailable", "store is read-only", "busy", "damaged", "expunged", "in use", "schema too new"}

func (k Kind) String() string { return kindNames[k] }

// Kinds lists every kind, so that each protocol's table can be tested whole.
func Kinds() []Kind {
	list := make([]Kind, kindCount)
	for i := range list {
		list[i] = Kind(i)
	}
	return list
}

// Error is what verbs return. Its text is for a person and holds no secrets.
type Error struct {
	Kind Kind
	err  error
}

func (e *Error) Error() string { return e.err.Error() }

// Unwrap gives the cause, or nil.
func (e *Error) Unwrap() error { return errors.Unwrap(e.err) }

// Errorf makes an error of a kind, worded as by fmt.Errorf.
func Errorf(kind Kind, format string, args ...any) error {
	return &Error{Kind: kind, err: fmt.Errorf(format, args...)}
}

// KindOf gives the kind of err: Internal for errors that are not ours (and for
// nil, so look at err first).
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}
