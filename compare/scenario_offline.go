package compare

import (
	"context"
	"fmt"
)

// The ways an IMAP device is set up, as labels.
const (
	labelAsRead  = "keep what was read"
	labelOffline = "keep a copy of all"
)

var offlineScenario = scenario{
	Name: "offline", Title: "Pull the cable", Writes: true,
	run: func(ctx context.Context, s *Stage) error {
		keys, err := s.fresh(ctx, 6)
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
		pop.Pull()
		s.fact(POP3, FactReadable, pop.disk.count(readable), "messages")
		if err := s.stored(ctx, POP3); err != nil {
			return err
		}
		for _, label := range []string{labelAsRead, labelOffline} {
			s.label(label)
			if err := offlineIMAP(ctx, s, keys, label == labelOffline); err != nil {
				return err
			}
		}
		return nil
	},
	sentence: func(n numbers) string {
		return fmt.Sprintf("Without a connection the POP3 device still reads all %d messages; the IMAP device only the %d it has opened before, unless it was told to keep a copy of all: then %d, for %s of its disk.",
			n.fact(POP3, "", FactReadable), n.fact(IMAP, labelAsRead, FactReadable), n.fact(IMAP, labelOffline, FactReadable), octets(n.of(IMAP, labelOffline).onDevice()))
	},
}

func offlineIMAP(ctx context.Context, s *Stage, keys []string, all bool) error {
	d := s.NewIMAP()
	if all {
		if err := d.Download(ctx); err != nil {
			return err
		}
	} else {
		if err := d.Sync(ctx); err != nil {
			return err
		}
		for _, key := range keys[:2] {
			if err := d.Read(ctx, key); err != nil {
				return err
			}
		}
	}
	d.Pull()
	s.fact(IMAP, FactReadable, d.disk.count(readable), "messages")
	return s.stored(ctx, IMAP)
}
