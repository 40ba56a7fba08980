package compare

import (
	"context"
	"errors"
	"fmt"
)

// fullInbox is how many messages a nearly empty INBOX is filled up to, when the
// run may write.
const fullInbox = 200

// fewMessages is how many make an INBOX nearly empty.
const fewMessages = 50

// fill puts messages into a nearly empty INBOX: a look at nothing shows nothing.
func (s *Stage) fill(ctx context.Context, upTo int) error {
	n, err := s.server.count(ctx)
	switch {
	case err != nil || n >= min(fewMessages, upTo):
		return err
	case !s.opts.Write && n == 0:
		return errors.New("INBOX is empty (--write lets the run put messages in)")
	case !s.opts.Write:
		return nil
	}
	_, err = s.deliverMany(ctx, upTo-n, 3000)
	return err
}

var firstLookScenario = scenario{
	Name: "first-look", Title: "Show the newest subjects on a new device",
	run: func(ctx context.Context, s *Stage) error {
		if err := s.fill(ctx, fullInbox); err != nil {
			return err
		}
		pop, err := s.NewPOP3(ctx, true, "")
		if err != nil {
			return err
		}
		if err := pop.Look(ctx, s.opts.Subjects); err != nil {
			return err
		}
		imap := s.NewIMAP()
		if err := imap.Look(ctx, s.opts.Subjects); err != nil {
			return err
		}
		return imap.Quit()
	},
	sentence: func(n numbers) string {
		pop, imap := n.of(POP3, ""), n.of(IMAP, "")
		first := func(t *Total) string {
			if t.FirstSubject == nil {
				return "never"
			}
			return "after " + span(*t.FirstSubject)
		}
		return fmt.Sprintf("POP3 shows the first subject %s, IMAP %s: IMAP asks for exactly the newest messages in %s and %s, POP3 has to list the whole maildrop and take whole headers, %s and %s.",
			first(pop), first(imap), count(int64(imap.Trips), "round trip"), octets(imap.Bytes()), count(int64(pop.Trips), "round trip"), octets(pop.Bytes()))
	},
}
