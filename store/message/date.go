package message

import (
	"strings"
	"time"
)

// ParseDate reads a Date field as RFC 5322 section 3.3 and its obsolete forms
// have it, and what else is found in mail: comments anywhere, any order of
// day, month name and year, no seconds, no or named zones, asctime, ISO 8601.
// Without a zone it is UTC.
func ParseDate(raw string) (time.Time, bool) {
	d := dateReader{day: -1, month: -1, year: -1, hour: -1}
	if len(raw) > 512 {
		raw = raw[:512]
	}
	s := stripComments(raw)
	words := strings.FieldsFunc(s, func(r rune) bool {
		return r == ' ' || r == '\t' || r == '\r' || r == '\n' || r == ','
	})
	for _, w := range words {
		d.word(w)
	}
	return d.time()
}

type dateReader struct {
	day, month, year  int // -1: not read yet
	hour, min, sec    int // hour is -1 before the time is read
	zone              int // minutes
	zoneSet, pm, noon bool
	bad               bool
}

func stripComments(s string) string {
	if !strings.ContainsRune(s, '(') {
		return s
	}
	out := make([]byte, 0, len(s))
	depth := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '(':
			depth++
		case c == ')':
			if depth > 0 {
				depth--
			}
		case depth == 0:
			out = append(out, c)
		}
	}
	return string(out)
}

// word takes one word for what it looks like; what looks like nothing, such
// as the day of the week, is passed over.
func (d *dateReader) word(w string) {
	c := w[0]
	colon, dash := strings.IndexByte(w, ':'), strings.IndexByte(w, '-')
	switch {
	case isDigit(c) && dash > 0 && (colon < 0 || dash < colon):
		d.dashed(w)
	case isDigit(c) && colon > 0:
		d.clock(w)
	case isDigit(c) && strings.Count(w, ".") == 2 && d.hour < 0 && d.day >= 0:
		d.clock(strings.ReplaceAll(w, ".", ":"))
	case isDigit(c):
		d.number(strings.TrimRight(w, "."))
	case c == '+' || c == '-':
		d.offset(w)
	default:
		d.name(w)
	}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// digits reads a number of up to 6 digits and gives what follows it.
func digits(s string) (v, n int, rest string) {
	for n < len(s) && n < 6 && isDigit(s[n]) {
		v = v*10 + int(s[n]-'0')
		n++
	}
	return v, n, s[n:]
}

// clock reads hh:mm[:ss[.fraction]] with a zone or AM/PM stuck to it.
func (d *dateReader) clock(w string) {
	if d.hour >= 0 {
		return
	}
	hour, n, rest := digits(w)
	if n == 0 || rest == "" || rest[0] != ':' {
		d.bad = true
		return
	}
	d.hour = hour
	d.min, _, rest = digits(rest[1:])
	if rest != "" && rest[0] == ':' {
		d.sec, _, rest = digits(rest[1:])
	}
	if rest != "" && rest[0] == '.' {
		rest = strings.TrimLeft(rest[1:], "0123456789")
	}
	if rest != "" {
		d.word(rest)
	}
}

// dashed reads 2002-08-22, 2002-08-22T11:36:16Z and 22-Aug-2002.
func (d *dateReader) dashed(w string) {
	first, n, rest := digits(w)
	if rest == "" || rest[0] != '-' {
		return
	}
	rest = rest[1:]
	if n < 4 {
		d.number(w[:n])
		month, year, ok := strings.Cut(rest, "-")
		if ok && month != "" && year != "" {
			if isDigit(month[0]) {
				m, _, _ := digits(month)
				d.month = m - 1
			} else {
				d.name(month)
			}
			d.number(year)
		}
		return
	}
	month, _, rest := digits(rest)
	if rest == "" || rest[0] != '-' {
		return
	}
	day, _, rest := digits(rest[1:])
	d.year, d.month, d.day = first, month-1, day
	if len(rest) > 1 && (rest[0] == 'T' || rest[0] == 't') && isDigit(rest[1]) {
		d.clock(rest[1:])
	}
}

// number is a day, then a year. Two digits: RFC 5322 section 4.3.
func (d *dateReader) number(w string) {
	v, n, rest := digits(w)
	if rest != "" && strings.Contains("st nd rd th", rest) {
		rest = ""
	}
	if rest != "" {
		return
	}
	switch {
	case d.day < 0 && n <= 2:
		d.day = v
	case d.year >= 0:
	case n == 4 || n == 5:
		d.year = v
	case n == 3:
		d.year = 1900 + v
	case n == 2 && v < 50:
		d.year = 2000 + v
	case n == 2:
		d.year = 1900 + v
	}
}

// offset reads +hhmm, +hh:mm and +hh.
func (d *dateReader) offset(w string) {
	if d.zoneSet || d.hour < 0 {
		return
	}
	h, n, rest := digits(w[1:])
	m := 0
	switch {
	case n == 4:
		h, m = h/100, h%100
	case n == 3:
		h, m = h/100, h%100
	case n > 0 && n <= 2 && strings.HasPrefix(rest, ":"):
		m, _, _ = digits(rest[1:])
	case n == 0 || n > 4:
		return
	}
	if h > 24 || m > 59 {
		return
	}
	d.zone, d.zoneSet = h*60+m, true
	if w[0] == '-' {
		d.zone = -d.zone
	}
}

const monthNames = "janfebmaraprmayjunjulaugsepoctnovdec"

// name reads month names, zones and AM/PM.
func (d *dateReader) name(w string) {
	if len(w) > 16 {
		return
	}
	w = strings.ToLower(strings.TrimRight(w, "."))
	switch {
	case w == "am" || w == "pm":
		d.noon, d.pm = true, w == "pm"
		return
	case len(w) >= 3 && d.month < 0:
		if i := strings.Index(monthNames, w[:3]); i >= 0 && i%3 == 0 {
			d.month = i / 3
			return
		}
	}
	if d.hour < 0 || d.zoneSet {
		return
	}
	if hours, ok := zoneHours(w); ok {
		d.zone, d.zoneSet = hours*60, true
		return
	}
	if i := strings.IndexAny(w, "+-"); i > 0 { // GMT+0200
		d.offset(w[i:])
	}
}

// zoneHours knows the names of RFC 5322 section 4.3 and a few of Europe. A
// single letter counts as +0000, as that section says.
func zoneHours(w string) (int, bool) {
	switch w {
	case "gmt", "ut", "utc", "wet":
		return 0, true
	case "edt":
		return -4, true
	case "est", "cdt":
		return -5, true
	case "cst", "mdt":
		return -6, true
	case "mst", "pdt":
		return -7, true
	case "pst":
		return -8, true
	case "bst", "cet", "met":
		return 1, true
	case "cest", "mest", "eet":
		return 2, true
	case "jst":
		return 9, true
	}
	return 0, len(w) == 1
}

// time puts the pieces together; a day that its month has not is refused.
func (d *dateReader) time() (time.Time, bool) {
	if d.bad || d.day < 1 || d.day > 31 || d.month < 0 || d.month > 11 || d.year < 1 || d.year > 9999 {
		return time.Time{}, false
	}
	if d.hour < 0 {
		d.hour = 0
	}
	if d.noon {
		d.hour %= 12
		if d.pm {
			d.hour += 12
		}
	}
	if d.hour > 24 || d.min > 59 || d.sec > 61 {
		return time.Time{}, false
	}
	loc := time.UTC
	if d.zone != 0 {
		loc = time.FixedZone("", d.zone*60)
	}
	month := time.Month(d.month + 1)
	t := time.Date(d.year, month, d.day, 0, 0, 0, 0, loc)
	if t.Day() != d.day {
		return time.Time{}, false
	}
	return time.Date(d.year, month, d.day, d.hour, d.min, d.sec, 0, loc), true
}
