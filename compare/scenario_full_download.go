package compare

import (
	"context"
	"fmt"
)

var fullDownloadScenario = scenario{
	Name: "full-download", Title: "Download everything",
	run: func(ctx context.Context, s *Stage) error {
		if err := s.fill(ctx, fullInbox); err != nil {
			return err
		}
		pop, err := s.NewPOP3(ctx, true, "")
		if err != nil {
			return err
		}
		if err := pop.Sync(ctx); err != nil {
			return err
		}
		s.fact(POP3, FactReadable, pop.disk.count(readable), "messages")
		imap := s.NewIMAP()
		if err := imap.Download(ctx); err != nil {
			return err
		}
		s.fact(IMAP, FactReadable, imap.disk.count(readable), "messages")
		return imap.Quit()
	},
	sentence: func(n numbers) string {
		pop, imap := n.of(POP3, ""), n.of(IMAP, "")
		verdict := "whoever wants everything on one computer pays about the same with either"
		switch more, less := max(pop.Bytes(), imap.Bytes()), min(pop.Bytes(), imap.Bytes()); {
		case pop.Trips > 3*imap.Trips:
			verdict = "this server does not let POP3 send ahead, which is what costs the round trips"
		case more > less+less/4 && more == imap.Bytes():
			verdict = "for so little mail what IMAP says beside it counts"
		case more > less+less/4:
			verdict = "for so little mail what POP3 says beside it counts"
		}
		return fmt.Sprintf("For %s POP3 took %s in %s, IMAP %s in %s: %s.",
			count(n.fact(POP3, "", FactReadable), "message"), octets(pop.Bytes()), count(int64(pop.Trips), "round trip"),
			octets(imap.Bytes()), count(int64(imap.Trips), "round trip"), verdict)
	},
}
