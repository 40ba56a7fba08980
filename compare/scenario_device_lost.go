package compare

import (
	"context"
	"fmt"
)

var deviceLostScenario = scenario{
	Name: "device-lost", Title: "Lose the device", Writes: true,
	run: func(ctx context.Context, s *Stage) error {
		type setting struct {
			label, policy string
			leave         bool
		}
		settings := []setting{{labelLeave, "", true}, {labelDelete, "", false}}
		if s.target.Devices != nil {
			settings = []setting{{labelLeave, "", true}, {labelDelete, "expunge", false}, {labelTrash, "trash", false}}
		}
		for _, set := range settings {
			s.label(set.label)
			if err := losePOP3(ctx, s, set.leave, set.policy); err != nil {
				return err
			}
		}
		s.label("")
		return loseIMAP(ctx, s)
	},
	sentence: func(n numbers) string {
		text := fmt.Sprintf("Gone with the POP3 device: %s if it deleted what it downloaded, %d if it left a copy on the server",
			count(n.fact(POP3, labelDelete, FactLost), "message"), n.fact(POP3, labelLeave, FactLost))
		if n.has(POP3, labelTrash) {
			text += fmt.Sprintf(" or the server puts into Trash what is deleted (%d)", n.fact(POP3, labelTrash, FactLost))
		}
		return text + fmt.Sprintf(", its sent mail in any case; gone with the IMAP device: %d.", n.fact(IMAP, "", FactLost))
	},
}

func losePOP3(ctx context.Context, s *Stage, leave bool, policy string) error {
	if _, err := s.fresh(ctx, 6); err != nil {
		return err
	}
	d, err := s.NewPOP3(ctx, leave, policy)
	if err != nil {
		return err
	}
	if err := d.Sync(ctx); err != nil {
		return err
	}
	if err := d.Send(1500); err != nil {
		return err
	}
	return s.loss(ctx, &d.device)
}

func loseIMAP(ctx context.Context, s *Stage) error {
	keys, err := s.fresh(ctx, 6)
	if err != nil {
		return err
	}
	d := s.NewIMAP()
	if err := d.Sync(ctx); err != nil {
		return err
	}
	if err := d.Read(ctx, keys[0]); err != nil {
		return err
	}
	if err := d.Send(ctx, 1500); err != nil {
		return err
	}
	if err := d.Quit(); err != nil {
		return err
	}
	return s.loss(ctx, &d.device)
}

// loss takes the device away and counts what was on it and is nowhere else.
func (s *Stage) loss(ctx context.Context, d *device) error {
	d.Lose()
	h, err := s.Look(ctx)
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for i := range h.Mail {
		there[h.Mail[i].Key] = true
	}
	s.fact(d.protocol, FactOnServer, h.OwnBytes, "bytes")
	s.fact(d.protocol, FactLost, d.disk.count(func(m *stored) bool { return !there[m.Key] }), "messages")
	return nil
}
