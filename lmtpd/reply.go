package lmtpd

import (
	"context"
	"errors"
	"strconv"

	"tandem/store"
)

// reply is one reply line with its enhanced code (RFC 2034).
type reply struct {
	code     int
	enhanced string // "" for replies that have none
	text     string
}

func (s *session) reply(r reply) {
	b := strconv.AppendInt(s.out.AvailableBuffer(), int64(r.code), 10)
	b = append(b, ' ')
	if r.enhanced != "" {
		b = append(b, r.enhanced...)
		b = append(b, ' ')
	}
	b = append(b, r.text...)
	s.out.Write(append(b, "\r\n"...))
}

// logged bounds what a client can put into one value of the log; the handler
// quotes it.
func logged(p string) string { return p[:min(len(p), 256)] }

// badCommand refuses what is no command, or not one now, and ends the session
// after too many.
func (s *session) badCommand(r reply) {
	s.reply(r)
	s.bad++
	if limit := s.srv.limits.BadCommands; limit > 0 && s.bad >= limit {
		s.log.Warn("too many bad commands", "limit", limit)
		s.reply(reply{421, "4.7.0", "too many bad commands"})
		s.over = true
	}
}

// failures gives what each kind of store error becomes. What may pass by
// itself, or by an administrator's doing, is temporary: the sender keeps the
// mail.
var failures = map[store.Kind]reply{
	store.Internal:    {451, "4.3.0", "internal error"},
	store.NotFound:    {451, "4.2.1", "mailbox has gone meanwhile, try again"},
	store.Exists:      {451, "4.3.0", "try again later"},
	store.Invalid:     {554, "5.6.0", "message cannot be stored"},
	store.Forbidden:   {550, "5.7.1", "not allowed"},
	store.Limit:       {452, "4.3.1", "a limit was reached"},
	store.OverQuota:   {452, "4.2.2", "mailbox is full"},
	store.TooBig:      {552, "5.3.4", "message is too big"},
	store.Unavailable: {452, "4.3.1", "not enough space"},
	store.ReadOnly:    {451, "4.3.0", "the store takes no mail now"},
	store.Busy:        {451, "4.3.0", "busy, try again later"},
	store.Corrupt:     {451, "4.3.0", "the store is damaged"},
	store.Expunged:    {451, "4.3.0", "try again later"},
	store.InUse:       {451, "4.3.0", "in use, try again later"},
	store.TooNew:      {451, "4.3.0", "the store is of a newer version"},
}

// failureOf gives what err becomes.
func failureOf(err error) reply {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return reply{451, "4.3.0", "try again later"}
	}
	return failures[store.KindOf(err)]
}

// refusalOf is failureOf for the delivery to a recipient.
func (s *session) refusalOf(err error) reply {
	if store.KindOf(err) == store.OverQuota {
		return s.srv.full
	}
	return failureOf(err)
}
