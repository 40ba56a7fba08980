package store

import (
	"context"
	"errors"
	"time"
)

// ageRule says which entries are expunged when they have lain in a mailbox for
// long.
type ageRule struct {
	use  SpecialUse
	mark Flags // only those that have it
	keep time.Duration
}

func (o *Options) ageRules() []ageRule {
	return []ageRule{{UseTrash, FlagPOP3Trashed, o.POP3Trash}, {UseTrash, 0, o.KeepTrash}, {UseJunk, 0, o.KeepJunk}}
}

// KeptDays is for how many days mail is sure to stay in a mailbox that is for use;
// 0: nothing there is expunged for its age.
func (s *Store) KeptDays(use SpecialUse) (days int) {
	for _, rule := range s.opts.ageRules() {
		if n := max(1, int(rule.keep/(24*time.Hour))); rule.use == use && rule.keep > 0 && (days == 0 || n < days) {
			days = n
		}
	}
	return days
}

// aging is upkeep's memory of when it has to look at a mailbox again. No entry
// gets a SAVEDATE of the past there, so that what comes meanwhile is not due
// before.
type aging map[agingKey]time.Time

type agingKey struct {
	rule    ageRule
	mailbox MailboxID
}

// empty expunges what has lain in the mailboxes for \Trash and \Junk for as long
// as the settings keep it there, by its SAVEDATE. It can be undeleted.
func (s *Store) empty(ctx context.Context, due aging) error {
	var errs []error
	for _, rule := range s.opts.ageRules() {
		if rule.keep <= 0 {
			continue
		}
		ids, err := s.engine.MailboxesFor(ctx, rule.use)
		errs = append(errs, err)
		for _, id := range ids {
			errs = append(errs, s.emptyOne(ctx, due, agingKey{rule, id}))
		}
	}
	return errors.Join(errs...)
}

func (s *Store) emptyOne(ctx context.Context, due aging, k agingKey) error {
	now, keep := s.opts.Now(), k.rule.keep
	if wait := due[k].Sub(now); wait > 0 && wait <= keep { // more: the clock has gone back
		return nil
	}
	oldest, err := s.engine.ExpungeOld(ctx, k.mailbox, k.rule.mark, now.Add(-keep))
	if err != nil {
		return err
	}
	due[k] = now.Add(keep)
	if !oldest.IsZero() && oldest.Before(now) {
		due[k] = oldest.Add(keep)
	}
	return nil
}
