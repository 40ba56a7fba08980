package auth

import (
	"slices"

	"github.com/xdg-go/stringprep"
)

// prepare gives a name or password the form in which SASLprep (RFC 4013)
// compares it: composed characters, plain spaces. It is taken as a query, which
// may have characters that are younger than that RFC (RFC 3454 section 7). What
// SASLprep refuses, or leaves nothing of, stays.
//
// Deviation: RFC 6856 section 2.2 and RFC 4616 section 2 have that fail. It
// refuses some mixtures of scripts too, and who has such a password must be able
// to log in.
func prepare(s string) string {
	profile := stringprep.SASLprep
	profile.Prohibits = slices.Clone(profile.Prohibits[1:]) // the first are the unassigned characters
	if p, err := profile.Prepare(s); err == nil && p != "" {
		return p
	}
	return s
}

// forms gives what a password may have been stored as: what the client sent and,
// when that is something else, its prepared form.
func forms(password string) []string {
	if len(password) > maxPassword {
		return []string{password}
	}
	list := []string{password}
	if p := prepare(password); p != password {
		list = append(list, p)
	}
	return list
}
