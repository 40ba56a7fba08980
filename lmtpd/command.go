package lmtpd

import (
	"strconv"
	"strings"
)

// command is a row of the table. The loop checks what it needs; run does the
// work and replies.
type command struct {
	name  string
	needs need
	run   func(s *session, text string)
}

// need is what must have come before a command.
type need int

const (
	nothing    need = iota
	greeting        // LHLO
	sender          // MAIL
	recipients      // RCPT that was accepted
)

// commands is the table.
func commands() []command {
	return []command{
		{"LHLO", nothing, cmdLhlo},
		{"MAIL", greeting, cmdMail},
		{"RCPT", sender, cmdRcpt},
		{"DATA", recipients, cmdData},
		{"BDAT", nothing, cmdBdat}, // looks itself: its octets must be read in any case
		{"RSET", nothing, cmdRset},
		{"NOOP", nothing, cmdNoop},
		{"VRFY", nothing, cmdVrfy},
		{"QUIT", nothing, cmdQuit},
	}
}

// obey runs one command line.
func (s *session) obey(line string) {
	name, text, _ := strings.Cut(line, " ")
	name = strings.ToUpper(name)
	first := !s.first
	s.first = true
	c, known := s.srv.commands[name]
	switch {
	case first && isHTTP(name, text):
		s.log.Warn("web client dropped")
		s.over = true
	case hasControl(line):
		s.badCommand(reply{500, "5.5.2", "command has control characters"})
	case name == "EHLO" || name == "HELO":
		// RFC 2033 section 4.1: not the SMTP greetings.
		s.badCommand(reply{500, "5.5.1", "this is LMTP, use LHLO"})
	case !known:
		s.badCommand(reply{500, "5.5.1", "unknown command"})
	default:
		if r, ok := s.ready(c.needs); !ok {
			s.tooEarly(r)
			return
		}
		c.run(s, strings.TrimSpace(text))
	}
}

// ready reports whether what a command needs has come; if not, r says so.
func (s *session) ready(n need) (r reply, ok bool) {
	switch {
	case n >= greeting && s.client == "":
		return reply{503, "5.5.1", "LHLO first"}, false
	case n >= sender && s.mail == nil:
		return reply{503, "5.5.1", "MAIL first"}, false
	case n >= recipients && len(s.mail.recipients) == 0:
		// RFC 2033 section 4.2: also when all of them were refused.
		return reply{503, "5.5.1", "no valid recipients"}, false
	}
	return reply{}, true
}

// tooEarly refuses a command whose predecessors have not come, or were refused.
// The latter is no fault of a client that sends them all at once (RFC 2920
// section 3.1), as MTAs do for each message.
func (s *session) tooEarly(r reply) {
	if s.client == "" {
		s.badCommand(r)
		return
	}
	s.reply(r)
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

func hasControl(line string) bool {
	for i := range len(line) {
		if line[i] < ' ' && line[i] != '\t' || line[i] == 0x7f {
			return true
		}
	}
	return false
}

// cmdLhlo: RFC 2033 section 4.1.
func cmdLhlo(s *session, text string) {
	name, _, _ := strings.Cut(text, " ")
	if name == "" || len(name) > 255 || strings.ContainsAny(name, "()<>\\\",;\t") || !(path{text: name}).ascii() {
		s.badCommand(reply{501, "5.5.4", "LHLO needs your name"})
		return
	}
	s.reset()
	s.client = name
	size := "SIZE"
	if max := s.srv.store.MessageSize(); max > 0 {
		size += " " + strconv.FormatInt(max, 10)
	}
	for _, line := range []string{s.srv.hostname, "PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", size} {
		s.out.WriteString("250-" + line + "\r\n")
	}
	s.out.WriteString("250 CHUNKING\r\n")
}

func cmdRset(s *session, _ string) {
	s.reset()
	s.reply(reply{250, "2.0.0", "forgotten"})
}

func cmdNoop(s *session, _ string) { s.reply(reply{250, "2.0.0", "nothing done"}) }

// cmdVrfy: RFC 5321 section 3.5.3.
func cmdVrfy(s *session, _ string) {
	s.reply(reply{252, "2.5.0", "not verified, RCPT will tell"})
}

func cmdQuit(s *session, _ string) {
	s.over = true
	s.reply(reply{221, "2.0.0", "goodbye"})
}
