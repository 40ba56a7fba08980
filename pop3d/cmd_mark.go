package pop3d

import (
	"strconv"
	"strings"

	"tandem/store"
)

// cmdDele: RFC 1939 section 5. The mark lives until QUIT.
func cmdDele(s *session, a arguments) {
	if _, problem := s.drop.find(a.number); problem != "" {
		s.refuse("", problem)
		return
	}
	s.drop.delete(a.number)
	s.ok("marked as deleted")
}

// cmdRset: RFC 1939 section 5.
func cmdRset(s *session, _ arguments) {
	s.drop.reset()
	s.ok("no message is marked")
}

func cmdNoop(s *session, _ arguments) { s.ok("") }

// cmdQuit enters the UPDATE state (RFC 1939 section 6), or just ends. It is
// answered once the deletions are on disk; when they cannot be, none is done.
func cmdQuit(s *session, _ arguments) {
	s.over = true
	if s.drop == nil {
		s.ok("goodbye")
		return
	}
	set := s.drop.deleted()
	seen := s.drop.seen()
	res := store.QuitResult{Policy: s.drop.device.Delete}
	if update := len(set) > 0 || len(seen) > 0; update || s.drop.view.NewlyListed() {
		var err error
		res, err = s.drop.view.Quit(s.work, store.Quit{Deleted: set, Seen: seen, Policy: s.drop.device.Delete,
			Visible: len(s.drop.messages), Brake: s.srv.brake})
		gone := store.KindOf(err) == store.NotFound // the mailbox, and with it what was to be deleted
		if err != nil && update && !gone {
			s.fail("QUIT", err)
			return
		}
	}
	if res.Bulk {
		s.log.Warn("a device that never deleted before deleted most of its maildrop", "account", s.account.Name,
			"device", s.drop.device.Label, "deleted", set.Len(), "of", len(s.drop.messages),
			"policy", string(s.drop.device.Delete), "carried_out", string(res.Policy))
	}
	s.log.Info("session ended", "why", "QUIT", "retrieved", s.sent.messages, "octets", s.sent.octets,
		"deleted", set.Len(), "policy", string(res.Policy))
	s.ok("goodbye")
}

// cmdCapa: RFC 2449 section 5.
func cmdCapa(s *session, _ arguments) {
	s.ok("capabilities follow")
	for _, c := range s.capabilities() {
		s.out.WriteString(c)
		s.out.WriteString("\r\n")
	}
	s.out.WriteString(".\r\n")
}

// capabilities lists what this session can do in its state.
func (s *session) capabilities() []string {
	list := []string{"TOP", "UIDL", "PIPELINING", "RESP-CODES", "AUTH-RESP-CODE", "LANG"}
	if s.srv.auth.PasswordsAllowed(s.private, s.remote) {
		list = append(list, "USER", "UTF8 USER") // RFC 6856 section 2.2
	} else {
		list = append(list, "UTF8")
	}
	if m := s.srv.auth.Mechanisms(s.attempt()); len(m) > 0 {
		list = append(list, "SASL "+strings.Join(m, " ")) // RFC 5034 section 3
	}
	if s.srv.tls != nil && !s.private && s.drop == nil {
		list = append(list, "STLS") // RFC 2595 section 4
	}
	return append(list, "LOGIN-DELAY 0", "EXPIRE "+s.expiry(), "IMPLEMENTATION tandem")
}

// expiry says after how many days mail that no client deleted leaves the
// maildrop (RFC 2449 section 6.7): under the rule days=N after N, and where Trash
// or Junk is the maildrop when that is emptied; else never. To a stranger it is the
// least that a user may have for INBOX, when it differs by user.
func (s *session) expiry() string {
	if s.drop != nil {
		days := s.drop.device.See.Days()
		if s.kept > 0 && (days == 0 || s.kept < days) {
			days = s.kept
		}
		if days > 0 {
			return strconv.Itoa(days)
		}
		return "NEVER"
	}
	days, err := s.srv.store.LeastDays(s.work)
	switch {
	case err != nil:
		s.log.Error("cannot find out what EXPIRE is", "err", err)
		return "NEVER USER"
	case days > 0:
		return strconv.Itoa(days) + " USER"
	}
	return "NEVER"
}
