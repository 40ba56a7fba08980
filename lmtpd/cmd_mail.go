package lmtpd

import (
	"strconv"
	"strings"

	"tandem/store"
)

// envelope is the mail transaction in hand.
type envelope struct {
	from       path
	utf8       bool // SMTPUTF8 was given
	recipients []recipient

	begun  bool          // data came
	held   []byte        // the first of them, until ingest is opened
	ingest *store.Ingest // they go there
	chunks bool          // they come by BDAT
	octets int64         // received
	max    int64         // octets of a message, 0: any
	room   *room         // holds a place when it is not nil
	failed error         // why the message cannot be taken, once that is known
}

// cmdMail: RFC 5321 section 4.1.1.2.
func cmdMail(s *session, text string) {
	if s.mail != nil {
		s.badCommand(reply{503, "5.5.1", "MAIL was given already"})
		return
	}
	from, params, ok := parsePath(text, "FROM:")
	if !ok {
		s.badCommand(reply{501, "5.1.7", "want MAIL FROM:<address>"})
		return
	}
	e := &envelope{from: from}
	for _, p := range params {
		if r, ok := s.mailParam(e, p); !ok {
			s.reply(r)
			return
		}
	}
	if !e.utf8 && !from.ascii() {
		// RFC 6531 section 3.5
		s.reply(reply{553, "5.6.7", "an address that is not ASCII needs SMTPUTF8"})
		return
	}
	s.mail = e
	s.reply(reply{250, "2.1.0", "sender ok"})
}

// mailParam takes one parameter of MAIL; if it cannot, r says why.
func (s *session) mailParam(e *envelope, param string) (r reply, ok bool) {
	name, value, _ := strings.Cut(param, "=")
	switch strings.ToUpper(name) {
	case "SIZE": // RFC 1870 section 6
		return s.checkSize(value)
	case "BODY": // RFC 6152 section 2
		if !strings.EqualFold(value, "7BIT") && !strings.EqualFold(value, "8BITMIME") {
			return reply{501, "5.5.4", "BODY is 7BIT or 8BITMIME"}, false
		}
		return r, true
	case "SMTPUTF8": // RFC 6531 section 3.4
		if value != "" {
			return reply{501, "5.5.4", "SMTPUTF8 has no value"}, false
		}
		e.utf8 = true
		return r, true
	}
	return reply{555, "5.5.4", "parameter not supported"}, false // RFC 5321 section 4.1.1.11
}

func (s *session) checkSize(value string) (r reply, ok bool) {
	if value == "" || len(value) > 20 || strings.Trim(value, "0123456789") != "" {
		return reply{501, "5.5.4", "SIZE is a number of up to 20 digits"}, false
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if max := s.srv.store.MessageSize(); max > 0 && (err != nil || n > max) {
		s.log.Info("message too big", "size", value, "limit", max)
		return failures[store.TooBig], false
	}
	return r, true
}

// cmdRcpt: RFC 5321 section 4.1.1.3.
func cmdRcpt(s *session, text string) {
	to, params, ok := parsePath(text, "TO:")
	switch {
	case !ok || to.text == "":
		// Not a bad command: the client has the address from somebody else.
		s.reply(reply{501, "5.1.3", "want RCPT TO:<address>"})
		return
	case len(params) > 0:
		s.reply(reply{555, "5.5.4", "parameter not supported"})
		return
	case s.mail.begun:
		s.badCommand(reply{503, "5.5.1", "data are being sent already"})
		return
	case !s.mail.utf8 && !to.ascii():
		s.reply(reply{550, "5.6.7", "an address that is not ASCII needs SMTPUTF8"})
		return
	}
	if max := s.srv.limits.Recipients; max > 0 && len(s.mail.recipients) >= max {
		if !s.many {
			s.log.Info("too many recipients", "limit", max)
			s.many = true
		}
		s.reply(reply{452, "4.5.3", "too many recipients"}) // RFC 5321 section 4.5.3.1.10
		return
	}
	r, err := s.resolve(to)
	switch {
	case store.KindOf(err) == store.NotFound && err != nil:
		s.log.Info("recipient refused", "to", logged(to.text), "why", "unknown")
		s.reply(reply{550, "5.1.1", "no such user here"})
	case err != nil:
		s.log.Error("recipient not resolved", "to", logged(to.text), "err", err)
		s.reply(failureOf(err))
	case !r.account.Enabled:
		s.log.Info("recipient refused", "to", logged(to.text), "why", "disabled")
		s.reply(reply{550, "5.2.1", "mailbox is disabled"})
	default:
		s.mail.recipients = append(s.mail.recipients, r)
		s.reply(reply{250, "2.1.5", "recipient ok"})
	}
}
