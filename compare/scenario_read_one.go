package compare

import (
	"context"
	"fmt"
)

// attachedSize is the attachment of the message that is read, in octets.
const attachedSize = 1_500_000

var readOneScenario = scenario{
	Name: "read-one", Title: "Read the text beside a large attachment", Writes: true,
	run: func(ctx context.Context, s *Stage) error {
		l := s.writer.letter(900, attachedSize, 0)
		key, err := s.deliver(ctx, l)
		if err != nil {
			return err
		}
		pop, err := s.NewPOP3(ctx, true, "")
		if err != nil {
			return err
		}
		if err := pop.Sync(ctx); err != nil {
			return err
		}
		if err := pop.Read(ctx, key); err != nil {
			return err
		}
		imap := s.NewIMAP()
		if err := imap.Sync(ctx); err != nil {
			return err
		}
		if err := imap.Read(ctx, key); err != nil {
			return err
		}
		for _, p := range []Protocol{POP3, IMAP} {
			s.fact(p, FactWholeMessage, int64(len(l.text)), "bytes")
			if err := s.stored(ctx, p); err != nil {
				return err
			}
		}
		return imap.Quit()
	},
	sentence: func(n numbers) string {
		pop, imap := n.of(POP3, ""), n.of(IMAP, "")
		return fmt.Sprintf("To read a short text beside an attachment POP3 had to download the whole message, %s in %s; IMAP took the text and left the attachment on the server, %s in %s.",
			octets(pop.Down), span(pop.Micros), octets(imap.Down), span(imap.Micros))
	},
}
