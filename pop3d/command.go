package pop3d

import "strings"

// states is a set of the states of RFC 1939 section 3. UPDATE has no commands.
type states uint8

const (
	inAuthorization states = 1 << iota
	inTransaction

	always = inAuthorization | inTransaction
)

// command is a row of the table: the loop checks state and arguments, run does
// the work and writes the reply.
type command struct {
	name   string
	states states
	args   argsKind
	run    func(*session, arguments)
}

// commands is the table.
func commands() []command {
	return []command{
		{"USER", inAuthorization, anyText, cmdUser},
		{"PASS", inAuthorization, anyText, cmdPass},
		{"AUTH", inAuthorization, anyText, cmdAuth},
		{"STLS", inAuthorization, noArgs, cmdStls},
		{"UTF8", inAuthorization, noArgs, cmdUtf8},
		{"LANG", always, maybeText, cmdLang},
		{"CAPA", always, noArgs, cmdCapa},
		{"QUIT", always, noArgs, cmdQuit},

		{"STAT", inTransaction, noArgs, cmdStat},
		{"LIST", inTransaction, maybeNumber, cmdList},
		{"UIDL", inTransaction, maybeNumber, cmdUidl},
		{"RETR", inTransaction, oneNumber, cmdRetr},
		{"TOP", inTransaction, numberAndTop, cmdTop},
		{"DELE", inTransaction, oneNumber, cmdDele},
		{"RSET", inTransaction, noArgs, cmdRset},
		{"NOOP", inTransaction, noArgs, cmdNoop},
	}
}

// obey runs one command line; nil is one that was too long.
func (s *session) obey(line []byte) {
	first := !s.first
	s.first = true
	if line == nil {
		s.tooLong()
		return
	}
	name, text, problem := parseLine(line, s.utf8)
	c, known := s.srv.commands[name]
	switch {
	case first && isHTTP(name, text):
		s.log.Warn("web client dropped")
		s.over = true
		return
	case problem != "":
		s.badCommand(problem)
		return
	case !known:
		s.badCommand("unknown command")
		return
	case len(line) > lineMax-len("\r\n") && name != "AUTH":
		s.tooLong()
		return
	case c.states&s.state() == 0 && s.drop == nil:
		s.badCommand("log in first")
		return
	case c.states&s.state() == 0:
		s.badCommand("logged in already")
		return
	}
	if name != "PASS" { // a password may begin and end with spaces
		text = strings.Trim(text, " ")
	}
	args, problem := parseArgs(c.args, text)
	if problem != "" {
		s.badArguments(name + ": " + s.say(problem))
		return
	}
	if s.drop != nil {
		s.bad = 0
	}
	user := s.user
	s.user = ""
	if name == "PASS" {
		s.user = user // RFC 1939 section 7: PASS comes right after USER
	}
	c.run(s, args)
}

func (s *session) tooLong() {
	if !s.long {
		s.log.Info("command line too long", "limit", lineMax)
		s.long = true
	}
	s.badCommand("command line too long")
}
