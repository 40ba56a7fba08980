package compare

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Link is a line between a device and the server.
type Link struct {
	Name    string        `json:"name,omitempty"`    // "" when it was given by its numbers
	Latency time.Duration `json:"latency,omitempty"` // nanoseconds of a round trip
	Rate    int64         `json:"rate,omitempty"`    // bits a second in each direction; 0: no limit
}

// Links are the lines that have a name, the best first.
func Links() []Link {
	return []Link{
		{"none", 0, 0},
		{"lan", time.Millisecond, 1_000_000_000},
		{"dsl", 30 * time.Millisecond, 16_000_000},
		{"mobile", 80 * time.Millisecond, 5_000_000},
		{"bad", 600 * time.Millisecond, 128_000},
	}
}

// The bounds of a link that is given by its numbers.
const (
	maxLatency = 10 * time.Second
	minRate    = 1000
	maxRate    = 100_000_000_000
)

// ParseLink reads the name of one of Links, or numbers as in
// "latency=80ms,rate=2mbit". "" is "none".
func ParseLink(s string) (Link, error) {
	var names []string
	for _, l := range Links() {
		if s == l.Name || s == "" {
			return l, nil
		}
		names = append(names, l.Name)
	}
	var l Link
	for part := range strings.SplitSeq(s, ",") {
		key, value, _ := strings.Cut(part, "=")
		var err error
		switch key {
		case "latency":
			l.Latency, err = parseLatency(value)
		case "rate":
			l.Rate, err = parseRate(value)
		default:
			err = fmt.Errorf("%q is none of %s, nor numbers like latency=80ms,rate=2mbit", s, strings.Join(names, ", "))
		}
		if err != nil {
			return Link{}, fmt.Errorf("read the link: %w", err)
		}
	}
	return l, nil
}

func parseLatency(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || d > maxLatency {
		return 0, fmt.Errorf("%q is no latency (write 80ms; at most %v)", s, maxLatency)
	}
	return d, nil
}

func parseRate(s string) (int64, error) {
	digits, unit := s, int64(1)
	for _, u := range []struct {
		name string
		bits int64
	}{{"kbit", 1_000}, {"mbit", 1_000_000}, {"gbit", 1_000_000_000}, {"bit", 1}} {
		if rest, ok := strings.CutSuffix(strings.ToLower(s), u.name); ok {
			digits, unit = rest, u.bits
			break
		}
	}
	n, err := strconv.ParseFloat(digits, 64)
	if err == nil && !(n*float64(unit) >= minRate && n*float64(unit) <= maxRate) {
		err = errors.New("out of range")
	}
	if err != nil {
		return 0, fmt.Errorf("%q is no rate (write 2mbit; from 1kbit to 100gbit)", s)
	}
	return int64(n * float64(unit)), nil
}

// String gives the link as ParseLink reads it.
func (l Link) String() string {
	if l.Name != "" {
		return l.Name
	}
	s := "latency=" + l.Latency.String()
	if l.Rate > 0 {
		s += ",rate=" + strconv.FormatInt(l.Rate, 10) + "bit"
	}
	return s
}

// transfer is how long n octets take, once they flow.
func (l Link) transfer(n int) time.Duration {
	if l.Rate == 0 {
		return 0
	}
	return time.Duration(int64(n) * 8 * int64(time.Second) / l.Rate)
}
