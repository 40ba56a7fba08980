package compare

import (
	"context"
	"fmt"
)

// The ways a POP3 device is set up, as labels.
const (
	labelLeave  = "leave on server"
	labelDelete = "delete after download"
	labelTrash  = "delete into Trash"
)

// fresh begins anew: no devices, and of the scenario's messages n new ones.
func (s *Stage) fresh(ctx context.Context, n int) ([]string, error) {
	s.hangUp()
	if err := s.revoke(ctx); err != nil {
		return nil, err
	}
	if err := s.server.clean(ctx); err != nil {
		return nil, err
	}
	return s.deliverMany(ctx, n, 2500)
}

// tripFolder is what a folder for filed mail is called.
const tripFolder = "Trip to Rome"

var secondDeviceScenario = scenario{
	Name: "second-device", Title: "Take up a second device", Writes: true,
	run: func(ctx context.Context, s *Stage) error {
		for _, label := range []string{labelLeave, labelDelete} {
			s.label(label)
			if err := secondPOP3(ctx, s, label == labelLeave); err != nil {
				return err
			}
		}
		s.label("")
		return secondIMAP(ctx, s)
	},
	sentence: func(n numbers) string {
		return fmt.Sprintf("Of 6 messages and one sent, the second POP3 device sees %d, or %d if the first deletes what it downloads, and nothing of what was read, flagged, filed or sent; the second IMAP device sees all %d with %s kept, and %d of the sent mail.",
			n.fact(POP3, labelLeave, FactSecondSees), n.fact(POP3, labelDelete, FactSecondSees),
			n.fact(IMAP, "", FactSecondSees), count(n.fact(IMAP, "", FactSecondState), "mark"), n.fact(IMAP, "", FactSecondSent))
	},
}

// firstDevice is what the first device does with the messages, over either
// protocol.
type firstDevice interface {
	read(ctx context.Context, key string) error
	flag(ctx context.Context, key string) error
	file(ctx context.Context, key string) error
	send(ctx context.Context) error
}

func (d *POP3Device) read(ctx context.Context, key string) error { return d.Read(ctx, key) }
func (d *POP3Device) flag(_ context.Context, key string) error   { return d.Flag(key) }
func (d *POP3Device) file(_ context.Context, key string) error   { return d.File(key, tripFolder) }
func (d *POP3Device) send(context.Context) error                 { return d.Send(1500) }

func (d *IMAPDevice) read(ctx context.Context, key string) error { return d.Read(ctx, key) }
func (d *IMAPDevice) flag(ctx context.Context, key string) error { return d.Flag(ctx, key) }
func (d *IMAPDevice) file(ctx context.Context, key string) error { return d.File(ctx, key, tripFolder) }
func (d *IMAPDevice) send(ctx context.Context) error             { return d.Send(ctx, 1500) }

// live reads two messages, flags one, files one and sends one.
func live(ctx context.Context, d firstDevice, keys []string) error {
	for _, key := range keys[:2] {
		if err := d.read(ctx, key); err != nil {
			return err
		}
	}
	if err := d.flag(ctx, keys[2]); err != nil {
		return err
	}
	if err := d.file(ctx, keys[3]); err != nil {
		return err
	}
	return d.send(ctx)
}

// seen records what a second device knows of the mail of the first.
func seen(s *Stage, p Protocol, first, second *disk) {
	var state int64
	for _, m := range first.mail {
		other := second.find(m.Key)
		if other == nil || m.sent {
			continue
		}
		for _, kept := range []bool{m.Seen && other.Seen, m.Flagged && other.Flagged, m.Folder != "INBOX" && m.Folder == other.Folder} {
			if kept {
				state++
			}
		}
	}
	sent := func(m *stored) bool { there := first.find(m.Key); return there != nil && there.sent }
	s.fact(p, FactSecondSees, second.count(func(m *stored) bool { return !sent(m) }), "messages")
	s.fact(p, FactSecondState, state, "marks")
	s.fact(p, FactFolders, int64(len(second.folders)), "folders")
	s.fact(p, FactSecondSent, second.count(sent), "messages")
}

func secondPOP3(ctx context.Context, s *Stage, leave bool) error {
	keys, err := s.fresh(ctx, 6)
	if err != nil {
		return err
	}
	first, err := s.NewPOP3(ctx, leave, "")
	if err != nil {
		return err
	}
	if err := first.Sync(ctx); err != nil {
		return err
	}
	if err := live(ctx, first, keys); err != nil {
		return err
	}
	second, err := s.NewPOP3(ctx, true, "")
	if err != nil {
		return err
	}
	if err := second.Sync(ctx); err != nil {
		return err
	}
	seen(s, POP3, &first.disk, &second.disk)
	return s.stored(ctx, POP3)
}

func secondIMAP(ctx context.Context, s *Stage) error {
	keys, err := s.fresh(ctx, 6)
	if err != nil {
		return err
	}
	first := s.NewIMAP()
	if err := first.Sync(ctx); err != nil {
		return err
	}
	if err := live(ctx, first, keys); err != nil {
		return err
	}
	if err := first.Quit(); err != nil {
		return err
	}
	second := s.NewIMAP()
	if err := second.Sync(ctx); err != nil {
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
}
