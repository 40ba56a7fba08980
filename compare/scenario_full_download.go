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
		if err := imap.Sync(ctx); err != nil {
			return err
		}
		if err := imap.Download(ctx); err != nil {
			return err
		}
		s.fact(IMAP, FactReadable, imap.disk.count(readable), "messages")
		return imap.Quit()
	},
	sentence: func(n numbers) string {
		pop, imap := n.of(POP3, ""), n.of(IMAP, "")
		verdict := "whoever wants everything on one computer pays the same with either"
		if pop.Trips > 3*imap.Trips {
			verdict = "this server does not let POP3 send ahead, which is what costs the round trips"
		}
		return fmt.Sprintf("For %s POP3 took %s in %s, IMAP %s in %s: %s.",
			count(n.fact(POP3, "", FactReadable), "message"), octets(pop.Bytes()), count(int64(pop.Trips), "round trip"),
			octets(imap.Bytes()), count(int64(imap.Trips), "round trip"), verdict)
	},
}
