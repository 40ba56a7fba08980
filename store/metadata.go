package store

import (
	"context"
	"strings"
)

// The bounds of metadata. They are one account's quota of it.
const (
	MetadataValue = 64 << 10 // octets of one value
	MetadataTotal = 1 << 20  // octets of names and values of all that an account owns
	metadataName  = 255
)

// MetadataEntry is an annotation (RFC 5464). Its name is in small letters and
// begins with /private/, for the actor's own eyes, or with /shared/.
type MetadataEntry struct {
	Name  string
	Value []byte
	Unset bool // there is none, or none is to be
}

// CanonicalMetadataName gives an entry's name as stored: letters in small.
// Invalid when it can never be one (RFC 5464 section 3.2).
func CanonicalMetadataName(name string) (string, error) {
	name = strings.ToLower(name)
	bad := len(name) > metadataName || strings.HasSuffix(name, "/") || strings.Contains(name, "//") ||
		!strings.HasPrefix(name, "/private/") && !strings.HasPrefix(name, "/shared/")
	for i := range len(name) {
		bad = bad || name[i] < ' ' || name[i] > '~' || name[i] == '*' || name[i] == '%'
	}
	if bad {
		return "", Errorf(Invalid, "metadata entry %q: want /private/... or /shared/...", name)
	}
	return name, nil
}

// isShared reports whether an entry is for all who may see its mailbox.
func isShared(name string) bool { return strings.HasPrefix(name, "/shared/") }

// Metadata gives all annotations of a mailbox, or with 0 of the server, that the
// actor may see: private ones first, each by name.
func (s *Store) Metadata(ctx context.Context, by Actor, at MailboxID) ([]MetadataEntry, error) {
	return s.engine.Metadata(ctx, by, at)
}

// SetMetadata sets and removes annotations, all or none. Shared ones of the
// server are the administrators' (Forbidden). TooBig for a value above
// MetadataValue, Limit above MetadataTotal.
func (s *Store) SetMetadata(ctx context.Context, by Actor, at MailboxID, list []MetadataEntry) error {
	for i := range list {
		name, err := CanonicalMetadataName(list[i].Name)
		if err != nil {
			return err
		}
		if len(list[i].Value) > MetadataValue {
			return Errorf(TooBig, "a value of metadata has at most %d octets", MetadataValue)
		}
		list[i].Name = name
	}
	return s.engine.SetMetadata(ctx, by, at, list)
}
