package compare

import (
	"context"
	"fmt"
	"time"
)

// A year of a quiet account.
const (
	months       = 12
	monthlyMail  = 20
	monthlyReads = 8
	month        = 30 * 24 * time.Hour
)

var storageScenario = scenario{
	Name: "storage", Title: "Live through a year of mail", Writes: true,
	run: func(ctx context.Context, s *Stage) error {
		s.brief = true
		policy := ""
		if s.target.Devices != nil {
			policy = "expunge"
		}
		for _, leave := range []bool{true, false} {
			s.label(map[bool]string{true: labelLeave, false: labelDelete}[leave])
			if _, err := s.fresh(ctx, 0); err != nil {
				return err
			}
			d, err := s.NewPOP3(ctx, leave, map[bool]string{true: "", false: policy}[leave])
			if err != nil {
				return err
			}
			if err := year(ctx, s, &d.device, func([]string) error { return d.Sync(ctx) }); err != nil {
				return err
			}
		}
		s.label("")
		if _, err := s.fresh(ctx, 0); err != nil {
			return err
		}
		d := s.NewIMAP()
		return year(ctx, s, &d.device, func(keys []string) error {
			if err := d.Sync(ctx); err != nil {
				return err
			}
			for _, key := range keys[:monthlyReads] {
				if err := d.Read(ctx, key); err != nil {
					return err
				}
			}
			return d.Quit()
		})
	},
	sentence: func(n numbers) string {
		all := n.fact(POP3, labelLeave, FactOnServer)
		return fmt.Sprintf("A year of %d messages, %s: POP3 that deletes leaves %s on the server and puts all of it on the one device; left on the server it fills both; over IMAP the server holds it and the device %s.",
			months*monthlyMail, octets(all), octets(n.fact(POP3, labelDelete, FactOnServer)), octets(n.of(IMAP, "").onDevice()))
	},
}

// year lets mail come month by month; each time the device does sync.
func year(ctx context.Context, s *Stage, d *device, sync func(keys []string) error) error {
	for range months {
		keys, err := s.monthOfMail(ctx)
		if err != nil {
			return err
		}
		if err := sync(keys); err != nil {
			return err
		}
		if err := s.stored(ctx, d.protocol); err != nil {
			return err
		}
		s.Pass(month, "until the next month")
	}
	return nil
}

// monthOfMail puts a month's messages in: every fifth has an attachment.
func (s *Stage) monthOfMail(ctx context.Context) ([]string, error) {
	var keys []string
	for i := range monthlyMail {
		attached := 0
		if i%5 == 4 {
			attached = 40_000
		}
		key, err := s.deliver(ctx, s.writer.letter(2500+500*(i%4), attached, s.opts.Clock.Elapsed()))
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}
