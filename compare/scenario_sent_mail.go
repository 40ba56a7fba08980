package compare

import (
	"context"
	"fmt"
)

var sentMailScenario = scenario{
	Name: "sent-mail", Title: "Look for sent mail on the other device", Writes: true,
	run: func(ctx context.Context, s *Stage) error {
		var pop [2]*POP3Device
		for i := range pop {
			var err error
			if pop[i], err = s.NewPOP3(ctx, true, ""); err != nil {
				return err
			}
		}
		if err := pop[0].Send(1500); err != nil {
			return err
		}
		if err := pop[1].Sync(ctx); err != nil {
			return err
		}
		seen(s, POP3, &pop[0].disk, &pop[1].disk)
		if err := s.stored(ctx, POP3); err != nil {
			return err
		}
		first, second := s.NewIMAP(), s.NewIMAP()
		if err := first.Send(ctx, 1500); err != nil {
			return err
		}
		if err := first.Quit(); err != nil {
			return err
		}
		if err := second.Browse(ctx); err != nil {
			return err
		}
		seen(s, IMAP, &first.disk, &second.disk)
		if err := second.Quit(); err != nil {
			return err
		}
		return s.stored(ctx, IMAP)
	},
	sentence: func(n numbers) string {
		return fmt.Sprintf("Mail sent from the first POP3 device stays there, the second sees %d of it; the IMAP device sends a second copy to the server's Sent folder, %s up, and the second device sees %d.",
			n.fact(POP3, "", FactSecondSent), octets(n.of(IMAP, "").Up), n.fact(IMAP, "", FactSecondSent))
	},
}
