package pop3check

import (
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

func (s *fakeSession) obey(line string) {
	name, rest, given := strings.Cut(line, " ")
	name = strings.ToUpper(name)
	user := s.user
	s.user = ""
	named := (name == "USER" || name == "PASS") && s.fault != "names are in ASCII only"
	beyond := utf8.ValidString(line) && (s.utf8 || named)
	bad := strings.ContainsFunc(line, func(c rune) bool { return c < ' ' || c == 0x7f || c > '~' && !beyond })
	plain := slices.Contains([]string{"CAPA", "QUIT", "STAT", "NOOP", "RSET", "STLS", "UTF8"}, name)
	switch {
	case bad || len(line) > 510 && name != "AUTH" || plain && given:
		s.say("-ERR syntax")
	case name == "QUIT":
		s.quit()
	case name == "CAPA":
		s.capa()
	case name == "LANG":
		s.lang(rest)
	case !s.inside:
		s.authorize(name, rest, user)
	default:
		s.transact(name, rest)
	}
}

func (s *fakeSession) capa() {
	list := "TOP\r\nUIDL\r\nUSER\r\nSASL PLAIN\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nUTF8 USER\r\nLANG\r\nEXPIRE NEVER\r\nIMPLEMENTATION fake\r\n"
	if !s.inside && !s.secured || s.fault == "lists STLS inside TLS" {
		list += "STLS\r\n"
	}
	if s.fault == "no capabilities after login" && s.inside {
		s.say("-ERR unknown command")
		return
	}
	s.say("+OK")
	s.text([]byte(list))
}

func (s *fakeSession) authorize(name, rest, user string) {
	switch name {
	case "STLS":
		if s.secured && s.fault != "takes STLS inside TLS" {
			s.say("-ERR active already")
			return
		}
		s.startTLS()
	case "USER":
		if rest == "" || s.fault == "tells which users there are" && rest != fakeUser {
			s.say("-ERR no such user")
			return
		}
		s.user = rest
		s.say("+OK")
	case "PASS":
		if user == "" {
			s.say("-ERR USER first")
			return
		}
		s.login(user == fakeUser && rest == fakePassword)
	case "AUTH":
		s.auth(rest)
	case "UTF8":
		if s.utf8 = s.fault != "refuses UTF8"; s.utf8 {
			s.say("+OK")
			return
		}
		s.say("-ERR not now")
	default:
		s.say("-ERR log in first")
	}
}

func (s *fakeSession) lang(tag string) {
	switch {
	case tag == "" && s.fault == "lists no languages", tag == "*" && s.fault == "prefers no language":
		s.say("-ERR cannot say")
	case tag == "" && s.fault == "languages have no names":
		s.say("+OK")
		s.text([]byte("en\r\nde-AT\r\n"))
	case tag == "":
		s.say("+OK")
		s.text([]byte("en English\r\nde-AT Deutsch\r\n"))
	case tag == "*":
		s.say("+OK en at your service")
	case tag == "en" || tag == "de-AT" || s.fault == "LANG takes any tag":
		s.say("+OK %s here you are", strings.ToLower(tag))
	default:
		s.say("-ERR no such language")
	}
}

func (s *fakeSession) auth(rest string) {
	mechanism, response, given := strings.Cut(rest, " ")
	if !strings.EqualFold(mechanism, "PLAIN") {
		s.say("-ERR no such mechanism")
		return
	}
	if !given {
		s.say("+ ")
		s.out.Flush()
		line, err := s.in.ReadString('\n')
		if err != nil {
			s.over = true
			return
		}
		response = strings.TrimRight(line, "\r\n")
	}
	text, err := base64.StdEncoding.DecodeString(response)
	if err != nil || response == "*" {
		s.say("-ERR cancelled")
		return
	}
	words := strings.Split(string(text), "\x00")
	s.login(len(words) == 3 && (words[0] == "" || words[0] == fakeUser) && words[1] == fakeUser && words[2] == fakePassword)
}

func (s *fakeSession) login(right bool) {
	refusal := ""
	switch {
	case !right:
		refusal = "[AUTH] wrong name or password"
	case !s.lock():
		refusal = "[IN-USE] the maildrop is locked"
		switch s.fault {
		case "a lock is a wrong password":
			refusal = "[AUTH] locked"
		case "a lock is trouble":
			refusal = "[SYS/TEMP] locked"
		}
	}
	if refusal != "" {
		if s.fault == "no response codes" {
			_, refusal, _ = strings.Cut(refusal, "] ")
		}
		s.say("-ERR %s", refusal)
		return
	}
	s.inside, s.mails = true, s.list()
	s.mu.Lock()
	s.number = s.sessions
	s.mu.Unlock()
	s.say("+OK")
}

func (s *fakeSession) transact(name, rest string) {
	switch s.fault {
	case "new mail comes in at once":
		s.mails = s.list()
	case "renumbers when others delete":
		s.mails = slices.DeleteFunc(s.mails, func(m *fakeMail) bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return m.gone
		})
	}
	switch name {
	case "STAT":
		count, octets := 0, 0
		for _, m := range s.mails {
			if !s.marked[m] || s.fault == "counts marked messages" {
				count++
				octets += s.octets(m)
			}
		}
		s.say("+OK %d %d", count, octets)
	case "NOOP":
		s.say("+OK")
	case "RSET":
		if s.fault != "RSET does nothing" {
			clear(s.marked)
		}
		s.say("+OK")
	case "LIST":
		s.scan(rest, "lists marked messages", func(m *fakeMail) string { return strconv.Itoa(s.octets(m)) })
	case "UIDL":
		s.scan(rest, "gives marked messages unique ids", s.uidl)
	case "RETR", "TOP", "DELE":
		s.message(name, rest)
	default:
		s.say("-ERR unknown command")
	}
}

func (s *fakeSession) uidl(m *fakeMail) string {
	if s.fault == "unique ids change" {
		return fmt.Sprintf("%s.%d", m.uidl, s.number)
	}
	return m.uidl
}

// octets is the size that LIST shows.
func (s *fakeSession) octets(m *fakeMail) int {
	size := len(m.text)
	switch s.fault {
	case "counts the stuffing":
		size += strings.Count(string(m.text), "\n.")
	case "counts line ends as one octet":
		size -= strings.Count(string(m.text), "\r\n")
	}
	return size
}

// find gives the message that an argument names.
func (s *fakeSession) find(arg string) *fakeMail {
	n, err := strconv.ParseUint(arg, 10, 64)
	if s.fault == "numbers wrap around" {
		var big uint32
		for _, c := range []byte(arg) {
			big = big*10 + uint32(c-'0')
		}
		n, err = uint64(big), nil
	}
	if err != nil || n < 1 || n > uint64(len(s.mails)) {
		return nil
	}
	return s.mails[n-1]
}

func (s *fakeSession) scan(arg, fault string, what func(*fakeMail) string) {
	if arg != "" {
		m := s.find(arg)
		if m == nil || s.marked[m] {
			s.say("-ERR no such message")
			return
		}
		s.say("+OK %s %s", arg, what(m))
		return
	}
	s.say("+OK")
	var text strings.Builder
	for i, m := range s.mails {
		if !s.marked[m] || s.fault == fault {
			fmt.Fprintf(&text, "%d %s\r\n", i+1, what(m))
		}
	}
	if s.fault == "lists backwards" {
		lines := strings.SplitAfter(text.String(), "\r\n")
		slices.Reverse(lines)
		s.text([]byte(strings.Join(lines, "")))
		return
	}
	s.text([]byte(text.String()))
}

func (s *fakeSession) message(name, rest string) {
	number, lines, given := strings.Cut(rest, " ")
	m := s.find(number)
	if m == nil || given != (name == "TOP") || s.marked[m] && s.fault != name+" takes marked messages" {
		s.say("-ERR no such message")
		return
	}
	switch name {
	case "DELE":
		s.marked[m] = true
		if s.fault == "renumbers after DELE" {
			s.mails = slices.DeleteFunc(slices.Clone(s.mails), func(x *fakeMail) bool { return x == m })
		}
		s.say("+OK")
	case "RETR":
		s.retr = append(s.retr, m)
		s.say("+OK")
		s.text(m.text)
	case "TOP":
		s.top(m, lines)
	}
}

func (s *fakeSession) top(m *fakeMail, arg string) {
	n, err := strconv.ParseUint(arg, 10, 62)
	if err != nil {
		s.say("-ERR lines")
		return
	}
	s.say("+OK")
	header, body := split(m.text)
	switch {
	case n == 0 && s.fault == "TOP n 0 is all":
		s.text(m.text)
		return
	case s.fault == "TOP counts the blank line" && n > 0:
		n--
	}
	for line := range strings.Lines(string(body)) {
		if n == 0 {
			break
		}
		n--
		header = append(header[:len(header):len(header)], line...)
	}
	s.text(header)
}

func (s *fakeSession) quit() {
	s.over = s.fault != "goes on after QUIT"
	if !s.inside {
		s.say("+OK")
		return
	}
	s.mu.Lock()
	forbidden := s.forbidden && len(s.marked) > 0
	s.mu.Unlock()
	switch {
	case forbidden && s.fault == "+OK to QUIT whatever happens":
		s.say("+OK")
	case forbidden:
		s.say("-ERR cannot delete")
	case s.fault == "answers QUIT before the work":
		s.say("+OK")
		s.out.Flush()
		s.unlock()
		// The client does not wait: the connection stays open meanwhile.
		_ = s.conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		_, _ = io.Copy(io.Discard, s.in)
		s.remove(s.deletions())
		s.inside = false
		return
	case s.fault == "removes one message too many" && len(s.marked) > 0:
		s.remove(append(s.deletions(), s.mails[0]))
		s.say("+OK")
	default:
		s.remove(s.deletions())
		s.markRead()
		s.say("+OK")
	}
	clear(s.marked)
	s.retr = nil
	if s.over {
		s.inside = false
		s.unlock()
	}
}
