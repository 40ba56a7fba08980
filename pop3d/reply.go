package pop3d

import (
	"context"
	"errors"
	"log/slog"
	"strconv"

	"tandem/store"
)

// Response codes of RFC 2449 section 8.1.2 and RFC 3206 sections 4 and 5.
const (
	codeTemp  = "SYS/TEMP"
	codePerm  = "SYS/PERM"
	codeInUse = "IN-USE"
	codeAuth  = "AUTH"
)

// failure is how an error is told to a client.
type failure struct{ code, text string }

// failures gives what each kind of store error becomes.
var failures = map[store.Kind]failure{
	store.Internal:    {codeTemp, "internal error"},
	store.NotFound:    {codePerm, "no such mailbox"},
	store.Exists:      {codePerm, "already there"},
	store.Invalid:     {codePerm, "not valid"},
	store.Forbidden:   {codePerm, "not allowed"},
	store.Limit:       {codeTemp, "a limit was reached"},
	store.OverQuota:   {codePerm, "over quota"},
	store.TooBig:      {codePerm, "message too big"},
	store.Unavailable: {codeTemp, "not enough space, try again later"},
	store.ReadOnly:    {codeTemp, "the store takes no changes now"},
	store.Busy:        {codeTemp, "busy, try again later"},
	store.Corrupt:     {codePerm, "the stored message is damaged"},
	store.Expunged:    {codePerm, "message is gone"},
	store.InUse:       {codeInUse, "maildrop is in use by another session"},
	store.TooNew:      {codePerm, "store is of a newer version"},
}

// failureOf gives what err becomes.
func failureOf(err error) failure {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return failure{codeTemp, "try again later"}
	}
	return failures[store.KindOf(err)]
}

// ok sends a positive status line.
func (s *session) ok(text string) {
	s.out.WriteString("+OK")
	if text != "" {
		s.out.WriteString(" ")
		s.out.WriteString(s.say(text))
	}
	s.out.WriteString("\r\n")
}

// okCount sends a positive status line with a number of something.
func (s *session) okCount(n int64, what string) {
	b := strconv.AppendInt(append(s.out.AvailableBuffer(), "+OK "...), n, 10)
	b = append(append(b, ' '), s.say(what)...)
	s.out.Write(append(b, "\r\n"...))
}

// refuse sends a negative status line, with a response code unless it is "".
func (s *session) refuse(code, text string) {
	s.out.WriteString("-ERR ")
	if code != "" {
		s.out.WriteString("[" + code + "] ")
	}
	s.out.WriteString(s.say(text))
	s.out.WriteString("\r\n")
}

// fail logs err and tells the client.
func (s *session) fail(what string, err error) {
	f := failureOf(err)
	level := slog.LevelError
	switch store.KindOf(err) {
	case store.Expunged, store.InUse, store.NotFound: // others were at it: no fault
		level = slog.LevelInfo
	}
	s.log.Log(s.work, level, what+" failed", "err", err)
	s.refuse(f.code, f.text)
}

// badCommand refuses what is no command, or not one now, and ends the session
// after too many.
func (s *session) badCommand(text string) {
	s.user = ""
	limit := s.srv.limits.BadCommands
	if s.drop == nil {
		limit = s.srv.limits.BadCommandsBefore
	}
	s.bad++
	if limit > 0 && s.bad >= limit {
		s.log.Warn("too many bad commands", "limit", limit)
		s.refuse("", s.say(text)+"; "+s.say("too many bad commands, goodbye"))
		s.over = true
		return
	}
	s.refuse("", text)
}

// badArguments refuses arguments. After login that is no bad command: clients
// may try numbers.
func (s *session) badArguments(text string) {
	if s.drop == nil {
		s.badCommand(text)
		return
	}
	s.refuse("", text)
}
