package mbox

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// maxFromLine is how much of a From line is looked at; what follows is skipped.
const maxFromLine = 4096

var (
	fromPrefix = []byte("From ")
	months     = [...]string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}
	weekdays   = [...]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	// The zones of RFC 5322 section 4.3, in minutes east of UTC; any other name means UTC.
	zones = map[string]int{
		"EST": -300, "EDT": -240, "CST": -360, "CDT": -300,
		"MST": -420, "MDT": -360, "PST": -480, "PDT": -420,
		"BST": 60, "CET": 60, "CEST": 120, "MET": 60, "MEST": 120, "EET": 120, "EEST": 180,
	}
)

// From is what a From line says.
type From struct {
	Sender string    // as written, may be empty
	Date   time.Time // zero when there is none that can be read; UTC unless the line has a zone
}

// parseFrom reads a line that starts with "From ", without its line end.
func parseFrom(line []byte) From {
	fields := strings.Fields(string(bytes.TrimPrefix(line, fromPrefix)))
	for i := range fields {
		if t, ok := parseDate(fields[i:]); ok {
			return From{Sender: strings.Join(fields[:i], " "), Date: t}
		}
	}
	return From{Sender: strings.Join(fields, " ")}
}

// parseDate reads the asctime form and its relatives: "Mon Jan  2 15:04:05 2006"
// with a zone before or after the year or none, and "Mon, 2 Jan 2006 15:04:05 +0000".
func parseDate(f []string) (time.Time, bool) {
	if len(f) < 5 || indexName(weekdays[:], strings.TrimSuffix(f[0], ",")) < 0 {
		return time.Time{}, false
	}
	f = f[1:]
	month, day := indexName(months[:], f[0]), f[1]
	if month < 0 {
		month, day = indexName(months[:], f[1]), f[0]
	}
	d, err := strconv.Atoi(day)
	if month < 0 || err != nil {
		return time.Time{}, false
	}
	year, clock, zone := 0, -1, time.UTC
	for _, word := range f[2:min(len(f), 5)] {
		if c, ok := parseClock(word); ok && clock < 0 {
			clock = c
		} else if y, ok := parseYear(word); ok && year == 0 {
			year = y
		} else if z, ok := parseZone(word); ok {
			zone = z
		}
	}
	if year == 0 || clock < 0 {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month+1), d, 0, 0, clock, 0, zone)
	if y, m, dd := t.Date(); y != year || m != time.Month(month+1) || dd != d {
		return time.Time{}, false // 31 February, a 61st second at midnight
	}
	return t, true
}

func indexName(names []string, s string) int {
	for i, name := range names {
		if strings.EqualFold(name, s) {
			return i
		}
	}
	return -1
}

// parseClock reads hh:mm or hh:mm:ss as seconds of the day.
func parseClock(s string) (int, bool) {
	parts := strings.Split(s, ":")
	if len(parts) != 2 && len(parts) != 3 {
		return 0, false
	}
	seconds := 0
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 8)
		if err != nil || len(part) > 2 || n > [...]uint64{23, 59, 60}[i] {
			return 0, false
		}
		seconds = seconds*60 + int(n)
	}
	if len(parts) == 2 {
		seconds *= 60
	}
	return seconds, true
}

func parseYear(s string) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 16)
	return int(n), err == nil && len(s) == 4 && n >= 1900
}

// parseZone reads +hhmm or a name.
func parseZone(s string) (*time.Location, bool) {
	if len(s) == 5 && (s[0] == '+' || s[0] == '-') {
		n, err := strconv.ParseUint(s[1:], 10, 16)
		minutes := int(n/100*60 + n%100)
		if err != nil || n%100 > 59 || minutes > 24*60 {
			return nil, false
		}
		if s[0] == '-' {
			minutes = -minutes
		}
		return time.FixedZone("", minutes*60), true
	}
	if minutes, ok := zones[strings.ToUpper(s)]; ok {
		return time.FixedZone(strings.ToUpper(s), minutes*60), true
	}
	return time.UTC, s != ""
}
