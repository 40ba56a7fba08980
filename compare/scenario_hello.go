package compare

import (
	"context"
	"fmt"
)

var helloScenario = scenario{
	Name: "hello", Title: "Connect and log in",
	run: func(ctx context.Context, s *Stage) error {
		pop, err := s.NewPOP3(ctx, true, "")
		if err != nil {
			return err
		}
		if err := pop.Hello(ctx); err != nil {
			return err
		}
		return s.NewIMAP().Hello(ctx)
	},
	sentence: func(n numbers) string {
		pop, imap := n.of(POP3, ""), n.of(IMAP, "")
		return fmt.Sprintf("Up to the login the two hardly differ: %s and %s for POP3, %s and %s for IMAP, whose server says more about what it can do.",
			count(int64(pop.Trips), "round trip"), octets(pop.Bytes()), count(int64(imap.Trips), "round trip"), octets(imap.Bytes()))
	},
}
