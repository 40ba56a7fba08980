package imapd

import (
	"strings"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// maxKeyword is the longest keyword (limits.md).
const maxKeyword = 100

// systemFlag gives the bit of a system flag (RFC 3501 section 2.3.2), in any
// case of letters.
func systemFlag(name string) (bit store.Flags, ok bool) {
	switch strings.ToLower(name) {
	case `\seen`:
		return store.FlagSeen, true
	case `\answered`:
		return store.FlagAnswered, true
	case `\flagged`:
		return store.FlagFlagged, true
	case `\deleted`:
		return store.FlagDeleted, true
	case `\draft`:
		return store.FlagDraft, true
	case `\recent`:
		return 0, true // clients cannot change it; it is overlooked
	}
	return 0, false
}

// splitFlags turns flags as sent into the store's: bits and keywords. A system
// flag that there is not makes the command bad.
func splitFlags(d *wire.Decoder, list []string) (bits store.Flags, keywords []string) {
	for _, name := range list {
		if !strings.HasPrefix(name, `\`) {
			keywords = append(keywords, name)
			continue
		}
		bit, ok := systemFlag(name)
		if !ok {
			d.Fail("Unknown system flag %s", name)
		}
		bits |= bit
	}
	return bits, keywords
}

// checkKeywords refuses keywords that are too long.
func checkKeywords(keywords []string) error {
	for _, k := range keywords {
		if len(k) > maxKeyword {
			return no("LIMIT", "A keyword is longer than %d bytes", maxKeyword)
		}
	}
	return nil
}
