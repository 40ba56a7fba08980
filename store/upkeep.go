package store

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

// upkeep writes what was gathered and forgets what is kept no longer, until
// Close.
func (s *Store) upkeep() {
	tick := time.NewTicker(s.opts.UpkeepEvery)
	defer tick.Stop()
	prune := time.NewTicker(s.opts.PruneEvery)
	defer prune.Stop()
	var inVain time.Time // the last time that there was nothing left to forget
	due := aging{}
	if err := s.engine.ShowExpunged(s.ctx, s.opts.ShowExpunged); err != nil && s.ctx.Err() == nil {
		s.opts.Logger.Warn("Recently Deleted is not up to date", "err", err)
	}
	for {
		var err error
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
			s.flushReads()
			err = s.flush(s.ctx)
		case <-prune.C:
			err = errors.Join(s.empty(s.ctx, due), s.prune())
		case <-s.short:
			if time.Since(inVain) < vainWait {
				continue
			}
			var room bool
			if room, err = s.makeRoom(); !room {
				inVain = time.Now()
			}
		}
		if err != nil && s.ctx.Err() == nil {
			s.opts.Logger.Warn("store upkeep failed", "err", err)
		}
	}
}

// prune forgets expunged mail and rows of the journal that are older than the
// settings keep them.
func (s *Store) prune() error {
	now := s.opts.Now()
	return errors.Join(s.releaseMail(s.ctx),
		s.engine.Prune(s.ctx, now.Add(-s.opts.KeepExpunged), s.pinned()),
		s.engine.PruneJournal(s.ctx, now.Add(-s.opts.KeepJournal)))
}

const (
	roomSteps = 14               // in which makeRoom gives up what KeepExpunged keeps
	vainWait  = 10 * time.Second // until it tries again after it could not help
)

// watchRoom hands err on and, when it says that the disk is short of space, has
// upkeep make room. The verb that met it fails nevertheless: its client tries
// again.
func (s *Store) watchRoom(err error) error {
	if err != nil && KindOf(err) == Unavailable {
		select {
		case s.short <- struct{}{}:
		default: // told already
		}
	}
	return err
}

// makeRoom forgets expunged mail before its time, the oldest first, until there
// is room for new mail. What an open session has not been told of stays.
func (s *Store) makeRoom() (room bool, err error) {
	now := s.opts.Now()
	if s.engine.Room(s.ctx) == nil {
		return true, nil
	}
	s.opts.Logger.Warn("the disk is nearly full: expunged mail is forgotten before its time")
	for left := roomSteps - 1; left >= 0; left-- {
		keep := s.opts.KeepExpunged * time.Duration(left) / roomSteps
		if err := s.engine.Prune(s.ctx, now.Add(-keep), s.pinned()); err != nil {
			return false, err
		}
		if err = s.engine.Room(s.ctx); err == nil {
			s.opts.Logger.Warn("there is room again", "expunged_mail_kept", keep.Round(time.Second))
			return true, nil
		}
	}
	return false, err
}

// flush writes last uses, what devices listed, and \Recent marks, which no session waits for. Marks
// count from memory until they are saved.
func (s *Store) flush(ctx context.Context) error {
	s.usesMu.Lock()
	uses := make([]CredentialUse, 0, len(s.uses))
	for _, u := range s.uses {
		uses = append(uses, u)
	}
	clear(s.uses)
	s.usesMu.Unlock()
	s.mu.Lock()
	recent := maps.Clone(s.recent)
	s.mu.Unlock()

	err := s.flushListings(ctx)
	if len(uses) > 0 {
		err = errors.Join(err, s.engine.NoteCredentialUses(ctx, uses))
	}
	if len(recent) == 0 {
		return err
	}
	if saveErr := s.engine.SaveRecent(ctx, recent); saveErr != nil {
		return errors.Join(err, saveErr)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.recent, func(id MailboxID, from UID) bool { return recent[id] == from })
	return err
}

// flushReads journals what open sessions have read.
func (s *Store) flushReads() {
	var open []*View
	s.mu.Lock()
	for _, x := range s.mailboxes {
		x.mu.RLock()
		open = slices.AppendSeq(open, maps.Keys(x.views))
		x.mu.RUnlock()
	}
	s.mu.Unlock()
	for _, v := range open {
		v.journalReads(0)
	}
}

// pinned gives, for each mailbox that is open, the modseq up to which every
// session has been told of expunges.
func (s *Store) pinned() map[MailboxID]ModSeq {
	s.mu.Lock()
	defer s.mu.Unlock()
	pins := map[MailboxID]ModSeq{}
	for id, x := range s.mailboxes {
		if told, open := x.toldByAll(); open {
			pins[id] = told
		}
	}
	return pins
}
