package pop3d

import (
	"bufio"
	"errors"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// lineMax is the length of a command line with its CRLF. RFC 2449 section 4
	// asks for 255 octets.
	lineMax = 512
	// drainMax is how much of an overlong line is skipped before giving up.
	drainMax = 64 << 10
)

var (
	errLong    = errors.New("line too long")
	errEndless = errors.New("endless line")
)

// readLine reads a line, without its end. What is longer than a line may be
// here is skipped and comes back as nil.
func (s *session) readLine() ([]byte, error) {
	s.asked = time.Now()
	limit := lineMax
	if s.state() == inAuthorization {
		// AUTH may bring an initial response; obey looks at the other commands.
		limit = max(limit, s.srv.limits.SASLLine)
		if s.srv.limits.SASLLine == 0 {
			limit = drainMax
		}
	}
	line, err := scanLine(s.in, limit)
	if errors.Is(err, errLong) {
		return nil, nil
	}
	return line, err
}

// scanLine reads up to the next LF and gives the line without LF or CRLF. The
// line is good until the next read. A line longer than limit octets, its end
// included, is skipped: errLong, or errEndless when no end is in sight.
func scanLine(r *bufio.Reader, limit int) ([]byte, error) {
	part, err := r.ReadSlice('\n')
	line := part
	for n := len(part); errors.Is(err, bufio.ErrBufferFull); n += len(part) {
		if n > max(limit, drainMax) {
			return nil, errEndless
		}
		if n <= limit {
			line = append([]byte(nil), line...)
		}
		part, err = r.ReadSlice('\n')
		if n+len(part) <= limit {
			line = append(line, part...)
		} else {
			line = nil
		}
	}
	if err != nil {
		return nil, err
	}
	if line == nil || len(line) > limit {
		return nil, errLong
	}
	line = line[:len(line)-1]
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line, nil
}

// parseLine splits a line into the command's name, in capitals, and the text
// after the first space. problem, for the client, says that the line has octets
// that no command has: RFC 1939 section 3 knows printable ASCII only, RFC 6856
// lets in UTF-8 with USER and PASS (section 2.2) and, once the client has said
// UTF8, everywhere (section 2.1).
func parseLine(line []byte, beyond bool) (name, text, problem string) {
	name, text, _ = strings.Cut(string(line), " ")
	name = strings.ToUpper(name)
	beyond = beyond || name == "USER" || name == "PASS"
	ascii := true
	for _, c := range line {
		if c < ' ' || c == 0x7f {
			return name, text, "command has control characters"
		}
		ascii = ascii && c < 0x80
	}
	switch {
	case !ascii && !beyond:
		problem = "command has octets beyond ASCII; say UTF8 first"
	case !ascii && !utf8.Valid(line):
		problem = "command is not in UTF-8"
	}
	return name, text, problem
}

// isHTTP reports whether a first line is that of a web client, or of somebody
// who makes one send commands here.
func isHTTP(name, text string) bool {
	switch name {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT":
		return text != ""
	}
	return false
}

// arguments are a command's, as its row wants them.
type arguments struct {
	text   string
	number int  // of a message, from 1; 0 when none was given
	lines  int  // TOP's
	given  bool // text is not empty
}

// argsKind says what arguments a command has.
type argsKind int

const (
	noArgs       argsKind = iota
	anyText               // at least one character
	maybeText             // any, or nothing
	oneNumber             // of a message
	maybeNumber           // of a message, or nothing
	numberAndTop          // of a message, and a number of lines
)

// parseArgs checks text against kind. problem is for the client, "" if none.
func parseArgs(kind argsKind, text string) (a arguments, problem string) {
	if kind == anyText || kind == maybeText {
		a.text, a.given = text, text != ""
		if !a.given && kind == anyText {
			return a, "argument missing"
		}
		return a, ""
	}
	words := strings.Fields(text)
	low, high := 0, 0
	switch kind {
	case oneNumber:
		low, high = 1, 1
	case maybeNumber:
		high = 1
	case numberAndTop:
		low, high = 2, 2
	}
	switch {
	case len(words) < low:
		return a, "argument missing"
	case len(words) > high:
		return a, "too many arguments"
	case len(words) == 0:
		return a, ""
	}
	a.given = true
	var ok bool
	if a.number, ok = parseNumber(words[0]); !ok || a.number == 0 {
		return a, "message number must be a number from 1 on"
	}
	if kind == numberAndTop {
		if a.lines, ok = parseNumber(words[1]); !ok {
			return a, "number of lines must be a number from 0 on"
		}
	}
	return a, ""
}

// maxNumber is what larger numbers count as: there are no maildrops of that
// size and no messages of so many lines.
const maxNumber = 1<<31 - 1

func parseNumber(s string) (int, bool) {
	n := 0
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = min(n*10+int(c-'0'), maxNumber)
	}
	return n, s != ""
}
