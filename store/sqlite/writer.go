package sqlite

import (
	"context"
	"runtime/debug"
	"time"

	"tandem/store"
)

const (
	maxWaiting  = 1024    // requests in the queue
	groupMax    = 64      // requests in one transaction
	groupBytes  = 4 << 20 // of payload in one transaction
	bulkRows    = 1000    // a verb on more rows gets a transaction of its own
	idleAfter   = time.Second
	bytesPerRow = 64 // what a request without a payload counts as
)

// request is one verb on its way through the writer. fn may run twice, each
// time on a fresh tx, and must change nothing that the first run would leave
// behind: results are set anew by each run.
type request struct {
	ctx   context.Context
	why   string
	bytes int  // payload
	bulk  bool // alone in its transaction
	fn    func(*tx) error

	done    chan struct{} // closed when err is final
	err     error
	changes []store.Change
}

// write runs fn in a write transaction, together with whatever else waits.
// ctx counts until the request joins a group; then the caller waits for the
// outcome. The transaction is on disk and published when write returns nil.
func (e *Engine) write(ctx context.Context, why string, bytes int, fn func(*tx) error) error {
	return e.submit(&request{ctx: ctx, why: why, bytes: bytes, fn: fn, done: make(chan struct{})})
}

// writeBulk is write for a verb on rows many rows.
func (e *Engine) writeBulk(ctx context.Context, why string, rows int, fn func(*tx) error) error {
	return e.submit(&request{ctx: ctx, why: why, bytes: rows * bytesPerRow, bulk: rows > bulkRows, fn: fn, done: make(chan struct{})})
}

func (e *Engine) submit(r *request) error {
	if err := e.enqueue(r); err != nil {
		return err
	}
	<-r.done
	return r.err
}

func (e *Engine) enqueue(r *request) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	e.sending.RLock()
	defer e.sending.RUnlock()
	select {
	case <-e.closing:
		return store.Errorf(store.Busy, "%s: the store is closing", r.why)
	default:
	}
	select {
	case e.queue <- r:
		return nil
	default:
	}
	wait := time.NewTimer(e.opts.QueueWait)
	defer wait.Stop()
	select {
	case e.queue <- r:
		return nil
	case <-wait.C:
		return store.Errorf(store.Busy, "%s: too many changes are waiting to be written", r.why)
	case <-r.ctx.Done():
		return r.ctx.Err()
	case <-e.closing:
		return store.Errorf(store.Busy, "%s: the store is closing", r.why)
	}
}

// writeLoop is the writer goroutine. It takes whatever waits, without a timer,
// into one transaction.
func (e *Engine) writeLoop() {
	defer close(e.stopped)
	idle := time.NewTimer(idleAfter)
	defer idle.Stop()
	for {
		select {
		case r, ok := <-e.queue:
			if !ok {
				e.checkpointAll()
				return
			}
			small, bulk := e.gather(r)
			e.runGroup(small)
			for _, r := range bulk {
				e.runGroup([]*request{r})
			}
			e.checkpoint()
		case <-idle.C:
			if !e.shrink() {
				continue // until the next request
			}
		}
		idle.Reset(idleAfter)
	}
}

// gather takes what waits behind r, up to the bounds of a group; bulk requests
// come after the small ones.
func (e *Engine) gather(r *request) (small, bulk []*request) {
	bytes := 0
	for {
		if r.bulk {
			bulk = append(bulk, r)
		} else {
			small = append(small, r)
		}
		bytes += r.bytes + bytesPerRow
		if len(small)+len(bulk) >= groupMax || bytes >= groupBytes {
			return small, bulk
		}
		select {
		case next, ok := <-e.queue:
			if !ok {
				return small, bulk
			}
			r = next
		default:
			return small, bulk
		}
	}
}

// runGroup runs requests in one transaction, publishes and answers. When the
// whole transaction is lost without a fault of the disk, each request gets
// another try in a transaction of its own.
func (e *Engine) runGroup(group []*request) {
	group = e.stillWanted(group)
	if len(group) == 0 {
		return
	}
	err := e.transact(group)
	if diskFull(err) && e.space.full() {
		err = e.transact(group) // there is room now, for what needs little
	}
	if err != nil {
		if len(group) > 1 && e.Health() == nil && store.KindOf(err) != store.Busy {
			for _, r := range group {
				e.runGroup([]*request{r})
			}
			return
		}
		for _, r := range group {
			r.err, r.changes = err, nil
		}
	}
	var all []store.Change
	for _, r := range group {
		all = append(all, r.changes...)
	}
	if len(all) > 0 && e.publish != nil {
		e.publish(all)
	}
	for _, r := range group {
		close(r.done)
	}
}

// stillWanted answers requests whose callers have gone and, once a write has
// failed, all.
func (e *Engine) stillWanted(group []*request) []*request {
	kept := group[:0]
	for _, r := range group {
		if r.err = e.Health(); r.err == nil {
			r.err = r.ctx.Err()
		}
		if r.err != nil {
			close(r.done)
			continue
		}
		kept = append(kept, r)
	}
	return kept
}

// transact runs a group in one transaction. An error means that nothing of it
// was saved; the errors of single requests are in the requests.
func (e *Engine) transact(group []*request) error {
	why := group[0].why
	if _, err := e.w.exec("BEGIN IMMEDIATE"); err != nil {
		return classify(why, err)
	}
	saved := false
	for _, r := range group {
		err := e.runOne(r, len(group) > 1)
		if !e.w.inTransaction() { // SQLite has rolled back all of it
			return err
		}
		if diskFull(err) {
			return e.rollback(why, err)
		}
		r.err = err
		if err == nil {
			saved = true
		} else {
			r.changes = nil
		}
	}
	if !saved {
		return e.rollback(why, nil)
	}
	if err := e.commit(e.w); err != nil {
		if ioFailed(err) {
			e.fail(err)
			err = store.Errorf(store.ReadOnly, "%s: %w", why, err)
		}
		return e.rollback(why, err)
	}
	return nil
}

// rollback ends the transaction if it is still open and gives cause its kind.
func (e *Engine) rollback(why string, cause error) error {
	if e.w.inTransaction() {
		if _, err := e.w.exec("ROLLBACK"); err != nil && cause == nil {
			cause = err
		}
	}
	return classify(why, cause)
}

// runOne runs one request; with others in the transaction, in a savepoint.
func (e *Engine) runOne(r *request, savepoint bool) error {
	if savepoint {
		if _, err := e.w.exec("SAVEPOINT one"); err != nil {
			return err
		}
	}
	t := newTx(e)
	err := classify(r.why, protect(e, r, t))
	switch {
	case err == nil && !savepoint:
		r.changes = t.changes
		return nil
	case err == nil:
		r.changes = t.changes
		_, err = e.w.exec("RELEASE one")
		if err == nil {
			return nil
		}
		e.rollback(r.why, nil)
	case writeFailed(err):
		e.fail(err)
		e.rollback(r.why, nil)
	case savepoint && e.w.inTransaction():
		_, rerr := e.w.exec("ROLLBACK TO one")
		if rerr == nil {
			_, rerr = e.w.exec("RELEASE one")
		}
		if rerr != nil {
			e.rollback(r.why, nil)
		}
	}
	return classify(r.why, err)
}

// protect runs a request's function; a panic is that request's error.
func protect(e *Engine, r *request, t *tx) (err error) {
	defer func() {
		if v := recover(); v != nil {
			e.opts.Logger.Error("panic in a write", "verb", r.why, "panic", v, "stack", string(debug.Stack()))
			err = store.Errorf(store.Internal, "%s: panic: %v", r.why, v)
		}
	}()
	if err := r.fn(t); err != nil {
		return err
	}
	return t.flush()
}
