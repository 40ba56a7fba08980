package wire

import (
	"strings"
	"time"
)

// months are the names of date-month in order.
const months = "JanFebMarAprMayJunJulAugSepOctNovDec"

func monthOf(name string) (time.Month, bool) {
	if len(name) != 3 {
		return 0, false
	}
	for m := range 12 {
		if strings.EqualFold(name, months[3*m:3*m+3]) {
			return time.Month(m + 1), true
		}
	}
	return 0, false
}

// Date expects a date such as 1-Feb-1994, quoted or not (RFC 3501 section 9,
// date). It comes back as midnight UTC: a day, not a moment.
func (d *Decoder) Date() time.Time {
	quoted := d.TryByte('"')
	day := d.decimal(1, 2)
	d.Byte('-')
	t := d.restOfDate(day)
	if quoted {
		d.Byte('"')
	}
	return t
}

// DateTime expects a date-time such as " 1-Feb-1994 12:34:56 +0100" with its
// quotes (RFC 3501 section 9, date-time).
func (d *Decoder) DateTime() time.Time {
	d.Byte('"')
	d.TrySP() // date-day-fixed
	day := d.decimal(1, 2)
	d.Byte('-')
	date := d.restOfDate(day)
	d.SP()
	hour := d.decimal(2, 2)
	d.Byte(':')
	minute := d.decimal(2, 2)
	d.Byte(':')
	second := d.decimal(2, 2)
	d.SP()
	east := d.TryByte('+')
	if !east {
		d.Byte('-')
	}
	zone := d.decimal(4, 4)
	d.Byte('"')
	if hour > 23 || minute > 59 || second > 60 || zone%100 > 59 || zone > 2400 {
		d.Fail("A time is out of range")
	}
	if d.err != nil {
		return time.Time{}
	}
	offset := (zone/100*60 + zone%100) * 60
	if !east {
		offset = -offset
	}
	return time.Date(date.Year(), date.Month(), date.Day(), hour, minute, second, 0,
		time.FixedZone("", offset))
}

// restOfDate reads month and year after "day-".
func (d *Decoder) restOfDate(day int) time.Time {
	name := d.word(classKeyword, "a month")
	// The class of names takes the hyphens too: Feb-1994 is one word.
	if d.err != nil {
		return time.Time{}
	}
	mon, year, ok := strings.Cut(name, "-")
	month, known := monthOf(mon)
	if !ok || !known || len(year) != 4 {
		d.Fail("A date is not day-month-year, such as 1-Feb-1994")
		return time.Time{}
	}
	y, _ := parseYear(year)
	t := time.Date(y, month, day, 0, 0, 0, 0, time.UTC)
	if y < 0 || day < 1 || t.Month() != month {
		d.Fail("There is no such date")
		return time.Time{}
	}
	return t
}

func parseYear(s string) (int, bool) {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return -1, false
		}
	}
	n, ok := parseInt([]byte(s))
	return int(n), ok
}

// decimal expects between least and most digits.
func (d *Decoder) decimal(least, most int) int {
	n, count := 0, 0
	for count < most {
		b, ok := d.peek()
		if !ok || !isDigit(b) {
			break
		}
		n = n*10 + int(b-'0')
		d.advance(b)
		count++
	}
	if count < least {
		d.expected("a digit")
	}
	return n
}
