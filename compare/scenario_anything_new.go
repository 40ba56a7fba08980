package compare

import (
	"context"
	"fmt"
	"time"
)

// The hour of the scenario: one message comes in it.
const (
	watchedHour  = time.Hour
	arrivesAfter = 17 * time.Minute
	// renewIdle is how often a client asks again to be told (RFC 2177 section 3).
	renewIdle = 29 * time.Minute
)

var anythingNewScenario = scenario{
	Name: "anything-new", Title: "Wait an hour for one message", Writes: true,
	run: func(ctx context.Context, s *Stage) error {
		if err := pollHour(ctx, s); err != nil {
			return err
		}
		if err := s.server.clean(ctx); err != nil {
			return err
		}
		return idleHour(ctx, s)
	},
	sentence: func(n numbers) string {
		return fmt.Sprintf("In an hour POP3 asked %s and %s for one message and knew of it %s after it came; IMAP kept one connection open, used %s and knew after %s.",
			count(n.fact(POP3, "", FactPolls), "time"), octets(n.of(POP3, "").Bytes()), span(n.fact(POP3, "", FactDelay)),
			octets(n.of(IMAP, "").Bytes()), span(n.fact(IMAP, "", FactDelay)))
	},
}

// arrive lets a message come and gives the time on the run's clock, which is
// never 0.
func (s *Stage) arrive(ctx context.Context) (time.Duration, error) {
	s.rec.add(origin{}, Event{Kind: KindMark, Text: MarkArrived})
	at := s.opts.Clock.Elapsed()
	_, err := s.Deliver(ctx, 2000)
	return at, err
}

// pollHour looks for new mail again and again.
func pollHour(ctx context.Context, s *Stage) error {
	d, err := s.NewPOP3(ctx, true, "")
	if err != nil {
		return err
	}
	var arrived time.Duration // on the run's clock; 0: not yet
	polls := int64(0)
	for at := time.Duration(0); at <= watchedHour; at += s.opts.Poll {
		if arrived == 0 && at > arrivesAfter {
			s.Pass(s.opts.Poll-(at-arrivesAfter), "until a message comes")
			if arrived, err = s.arrive(ctx); err != nil {
				return err
			}
			s.Pass(at-arrivesAfter, "until the device looks again")
		} else if at > 0 {
			s.Pass(s.opts.Poll, "until the device looks again")
		}
		known := len(d.disk.mail)
		if err := d.Sync(ctx); err != nil {
			return err
		}
		polls++
		if len(d.disk.mail) > known {
			d.mark(MarkNoticed)
			s.fact(POP3, FactDelay, (s.opts.Clock.Elapsed() - arrived).Microseconds(), "microseconds")
		}
	}
	s.fact(POP3, FactPolls, polls, "sessions")
	return nil
}

// idleHour waits to be told.
func idleHour(ctx context.Context, s *Stage) error {
	d := s.NewIMAP()
	if err := d.Sync(ctx); err != nil {
		return err
	}
	if err := d.Watch(ctx); err != nil {
		return err
	}
	s.Pass(arrivesAfter, "until a message comes")
	arrived, err := s.arrive(ctx)
	if err != nil {
		return err
	}
	if err := d.Await(); err != nil {
		return err
	}
	s.fact(IMAP, FactDelay, (s.opts.Clock.Elapsed() - arrived).Microseconds(), "microseconds")
	if err := d.Unwatch(); err != nil {
		return err
	}
	if err := d.Sync(ctx); err != nil { // the same as the other device: it gets the message
		return err
	}
	if err := d.Download(ctx); err != nil {
		return err
	}
	for at := arrivesAfter; at < watchedHour; at += renewIdle {
		if err := d.Watch(ctx); err != nil {
			return err
		}
		s.Pass(min(renewIdle, watchedHour-at), "until the hour is over, or it is time to ask again")
		if err := d.Unwatch(); err != nil {
			return err
		}
	}
	s.fact(IMAP, FactPolls, 1, "sessions")
	return d.Quit()
}
