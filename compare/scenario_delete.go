package compare

import (
	"context"
	"fmt"
	"strings"
)

// labelAny is the label where the server has no policies to choose from.
const labelAny = "as the server does"

var deleteScenario = scenario{
	Name: "delete", Title: "Delete two of five messages", Writes: true,
	run: func(ctx context.Context, s *Stage) error {
		policies := []string{""}
		if s.target.Devices != nil {
			policies = s.target.Devices.Policies()
		}
		for _, policy := range policies {
			s.label(policy)
			if policy == "" {
				s.label(labelAny)
			}
			if err := deletePOP3(ctx, s, policy); err != nil {
				return err
			}
		}
		for _, forGood := range []bool{false, true} {
			s.label(map[bool]string{false: "into Trash", true: "for good"}[forGood])
			if err := deleteIMAP(ctx, s, forGood); err != nil {
				return err
			}
		}
		return nil
	},
	sentence: func(n numbers) string {
		var list []string
		for i := range n {
			if n[i].Protocol == POP3 {
				left, _ := n[i].Fact(FactServerLeft)
				trash, _ := n[i].Fact(FactInTrash)
				second, _ := n[i].Fact(FactSecondLeft)
				list = append(list, fmt.Sprintf("%s: INBOX keeps %d, Trash %d, another POP3 device sees %d", n[i].Label, left, trash, second))
			}
		}
		return fmt.Sprintf("What a POP3 client's deleting does is for the server to say (%s); over IMAP it is the same for all devices, with %d left for the second and %s in Trash to take back.",
			strings.Join(list, "; "), n.fact(IMAP, "into Trash", FactSecondLeft), count(n.fact(IMAP, "into Trash", FactInTrash), "message"))
	},
}

func deletePOP3(ctx context.Context, s *Stage, policy string) error {
	if _, err := s.fresh(ctx, 0); err != nil {
		return err
	}
	first, err := s.NewPOP3(ctx, true, policy)
	if err != nil {
		return err
	}
	second, err := s.NewPOP3(ctx, true, policy)
	if err != nil {
		return err
	}
	keys, err := s.deliverMany(ctx, 5, 2500)
	if err != nil {
		return err
	}
	if err := first.Sync(ctx); err != nil {
		return err
	}
	if err := first.Delete(ctx, keys[:2]...); err != nil {
		return err
	}
	if err := s.left(ctx, POP3); err != nil {
		return err
	}
	if err := second.Sync(ctx); err != nil {
		return err
	}
	s.fact(POP3, FactSecondLeft, int64(len(second.disk.mail)), "messages")
	if policy != "shared" {
		return nil
	}
	if err := second.Delete(ctx, keys[:2]...); err != nil {
		return err
	}
	h, err := s.Look(ctx)
	if err == nil {
		s.Note("After the second device has deleted them too, INBOX has %d of the 5.", h.inFolder("INBOX"))
	}
	return err
}

// left records what the server has of the scenario's messages.
func (s *Stage) left(ctx context.Context, p Protocol) error {
	h, err := s.Look(ctx)
	if err != nil {
		return err
	}
	s.fact(p, FactOnServer, h.OwnBytes, "bytes")
	s.fact(p, FactServerLeft, h.inFolder("INBOX"), "messages")
	s.fact(p, FactInTrash, int64(h.Own)-h.inFolder("INBOX"), "messages")
	return nil
}

func deleteIMAP(ctx context.Context, s *Stage, forGood bool) error {
	keys, err := s.fresh(ctx, 5)
	if err != nil {
		return err
	}
	first := s.NewIMAP()
	if err := first.Sync(ctx); err != nil {
		return err
	}
	for _, key := range keys[:2] {
		if err := first.Delete(ctx, key, forGood); err != nil {
			return err
		}
	}
	if err := first.Quit(); err != nil {
		return err
	}
	if err := s.left(ctx, IMAP); err != nil {
		return err
	}
	second := s.NewIMAP()
	if err := second.Sync(ctx); err != nil {
		return err
	}
	s.fact(IMAP, FactSecondLeft, int64(len(second.disk.mail)), "messages")
	return second.Quit()
}
