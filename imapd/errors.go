package imapd

import (
	"context"
	"errors"
	"fmt"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// refusal is the user's fault, or nobody's: NO with a response code (RFC 3501
// section 7.1, RFC 5530).
type refusal struct {
	code string // without brackets, "" for none
	text string
}

func (r *refusal) Error() string { return r.text }

// no refuses a command. code is a response code without its brackets, or "".
func no(code, format string, args ...any) error {
	return &refusal{code, fmt.Sprintf(format, args...)}
}

// bad says that a command, though it could be read, is not legal.
func bad(format string, args ...any) error {
	return &wire.Error{Reason: fmt.Sprintf(format, args...)}
}

// misuse is a command that is not legal, for a reason that has a response
// code: BAD.
type misuse struct {
	code string // without brackets
	text string
}

func (m *misuse) Error() string { return m.text }

// goodbye ends the connection with BYE, instead of a tagged answer or, with
// refused set, after a tagged NO.
type goodbye struct {
	code    string
	text    string
	refused bool
}

func (g *goodbye) Error() string { return g.text }

// answer is a tagged or untagged status response.
type answer struct {
	word string // OK, NO, BAD
	code string // without brackets, "" for none
	text string
}

// storeAnswer maps every kind of store error (RFC 5530 has the codes; TOOBIG
// is RFC 4469 section 4.2). ours marks faults that are logged and whose text
// is not shown.
func storeAnswer(kind store.Kind) (code string, ours bool) {
	switch kind {
	case store.NotFound:
		return "NONEXISTENT", false
	case store.Exists:
		return "ALREADYEXISTS", false
	case store.Invalid:
		return "CANNOT", false
	case store.Forbidden:
		return "NOPERM", false
	case store.Limit:
		return "LIMIT", false
	case store.OverQuota:
		return "OVERQUOTA", false
	case store.TooBig:
		return "TOOBIG", false
	case store.Unavailable, store.Busy:
		return "UNAVAILABLE", false
	case store.Expunged:
		return "EXPUNGEISSUED", false
	case store.InUse:
		return "INUSE", false
	default: // Internal, ReadOnly, Corrupt, TooNew
		return "SERVERBUG", true
	}
}

// answerTo gives the answer to a command that failed. Errors of ours are to be
// logged; only their kind is told.
func answerTo(err error) (a answer, ours bool) {
	var syntax *wire.Error
	var misused *misuse
	var refused *refusal
	var stored *store.Error
	switch {
	case errors.As(err, &syntax):
		return answer{"BAD", syntax.Code, syntax.Reason}, false
	case errors.As(err, &misused):
		return answer{"BAD", misused.code, misused.text}, false
	case errors.As(err, &refused):
		return answer{"NO", refused.code, refused.text}, false
	case errors.As(err, &stored):
		code, ours := storeAnswer(stored.Kind)
		if ours {
			return answer{"NO", code, "The server cannot do this now: " + stored.Kind.String()}, true
		}
		return answer{"NO", code, capital(stored.Error())}, false
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return answer{"NO", "UNAVAILABLE", "The server is shutting down"}, false
	default:
		return answer{"NO", "SERVERBUG", "Internal error; the server's log says more"}, true
	}
}

// capital makes the text of an error a sentence for people.
func capital(s string) string {
	if s != "" && s[0] >= 'a' && s[0] <= 'z' {
		return string(s[0]-'a'+'A') + s[1:]
	}
	return s
}
