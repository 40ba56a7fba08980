package sqlite

import (
	"context"
	"errors"
	"time"
)

const (
	walFrame    = 4096 + 24
	passiveAt   = 1000     // frames not yet in the database that start a checkpoint
	truncateAt  = 16 << 20 // bytes of WAL at which readers have to let go
	vacuumPages = 500      // returned to the file system in one step
	vacuumShare = 10       // percent of free pages that start it
)

// checkpoint moves the WAL into the database when there is enough of it. The
// writer has answered before: nobody waits for this. A failure is tried again
// after the next write and fails nothing.
func (e *Engine) checkpoint() {
	if e.Health() != nil {
		return
	}
	frames, done, err := e.walState("PRAGMA wal_checkpoint(NOOP)")
	if err == nil && frames-done >= passiveAt {
		frames, _, err = e.walState("PRAGMA wal_checkpoint(PASSIVE)")
	}
	if err == nil && frames*walFrame > truncateAt && !e.checking.Load() && time.Now().After(e.truncateAfter) {
		// Readers that follow one another without a gap keep the WAL from
		// starting over; alone, it is emptied.
		err = e.truncate()
	}
	if err != nil {
		e.opts.Logger.Warn("checkpoint failed, will be tried again", "err", err)
	}
}

// foreignWait is how long the WAL is left to grow when another process reads
// the database, a backup for example.
const foreignWait = 5 * time.Second

// truncate empties the WAL with no reader of ours at work. It does not wait for
// other processes: nobody could read meanwhile.
func (e *Engine) truncate() (err error) {
	e.gate.Lock()
	defer e.gate.Unlock()
	if err := e.w.pragmas("PRAGMA busy_timeout = 0"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.w.pragmas("PRAGMA busy_timeout = "+busyTimeout)) }()
	r, _, err := e.w.first("PRAGMA wal_checkpoint(TRUNCATE)")
	if err == nil && r.int(0) != 0 {
		e.truncateAfter = time.Now().Add(foreignWait)
		e.opts.Logger.Info("another process reads the store: its WAL grows meanwhile", "bytes", r.int(1)*walFrame)
	}
	return err
}

// walState runs a checkpoint pragma: frames in the WAL, and of them those in
// the database.
func (e *Engine) walState(pragma string) (frames, done int64, err error) {
	r, ok, err := e.w.first(pragma)
	if err != nil || !ok {
		return 0, 0, err
	}
	return r.int(1), r.int(2), nil
}

// checkpointAll empties the WAL at the end.
func (e *Engine) checkpointAll() {
	if e.Health() != nil {
		return
	}
	e.gate.Lock()
	defer e.gate.Unlock()
	if _, _, err := e.walState("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		e.opts.Logger.Warn("last checkpoint failed; the next start makes up for it", "err", err)
	}
}

// shrink returns some free pages to the file system when nothing else is to be
// done and many are free; more says that there are still many.
func (e *Engine) shrink() (more bool) {
	if e.Health() != nil {
		return false
	}
	free, err := e.w.integer("PRAGMA freelist_count")
	if err != nil {
		return false
	}
	all, err := e.w.integer("PRAGMA page_count")
	if err != nil || all == 0 || free*100/all <= vacuumShare || free < vacuumPages {
		return false
	}
	r := &request{ctx: context.Background(), why: "return free pages", done: make(chan struct{}), fn: func(t *tx) error {
		return t.pragmas("PRAGMA incremental_vacuum(500)")
	}}
	e.runGroup([]*request{r})
	e.checkpoint()
	if r.err != nil {
		e.opts.Logger.Warn("free pages could not be returned", "err", r.err)
	}
	return r.err == nil
}
