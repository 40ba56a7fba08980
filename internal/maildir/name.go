package maildir

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Flags are the flags of a message, as a file name has them.
type Flags struct {
	Seen, Answered, Flagged, Deleted, Draft, Passed bool
	// Keywords are the letters a to z, sorted, each once. What they mean is in
	// the folder's dovecot-keywords.
	Keywords string
}

// Name is a file name taken apart.
type Name struct {
	Key   string // what stays the same while flags change
	Flags Flags
	Time  time.Time // of delivery, in UTC; zero when the name does not tell
}

// earliest is the first second a name's number is taken for a time of delivery:
// 1 January 1980. Lower ones are counters of programs that number their files.
const earliest = 315532800

// latest is 1 January 2100.
const latest = 4102444800

// ParseName takes any file name of cur or new apart.
func ParseName(name string) Name {
	key, info := name, ""
	for _, sep := range []string{":2,", ";2,"} {
		if i := strings.LastIndex(name, sep); i >= 0 {
			key, info = name[:i], name[i+len(sep):]
			break
		}
	}
	return Name{Key: key, Flags: parseFlags(info), Time: parseTime(key)}
}

func parseFlags(info string) Flags {
	var f Flags
	var letters []byte
	for _, c := range []byte(info) {
		switch c {
		case 'S':
			f.Seen = true
		case 'R':
			f.Answered = true
		case 'F':
			f.Flagged = true
		case 'T':
			f.Deleted = true
		case 'D':
			f.Draft = true
		case 'P':
			f.Passed = true
		default:
			if 'a' <= c && c <= 'z' {
				letters = append(letters, c)
			}
		}
	}
	slices.Sort(letters)
	f.Keywords = string(slices.Compact(letters))
	return f
}

// String gives the letters in the order the form wants: that of ASCII.
func (f Flags) String() string {
	var b strings.Builder
	for _, flag := range []struct {
		set    bool
		letter byte
	}{{f.Draft, 'D'}, {f.Flagged, 'F'}, {f.Passed, 'P'}, {f.Answered, 'R'}, {f.Seen, 'S'}, {f.Deleted, 'T'}} {
		if flag.set {
			b.WriteByte(flag.letter)
		}
	}
	return b.String() + f.Keywords
}

// parseTime reads the seconds that a key starts with.
func parseTime(key string) time.Time {
	end := strings.IndexAny(key, "._,")
	if end < 0 {
		return time.Time{}
	}
	n, err := strconv.ParseInt(key[:end], 10, 64)
	if err != nil || n < earliest || n >= latest {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}
