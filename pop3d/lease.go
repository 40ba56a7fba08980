package pop3d

import (
	"context"
	"sync"
	"time"

	"tandem/store"
)

const (
	leaseIdle = 30 * time.Second // a holder silent for this long gives way
	leaseWait = 5 * time.Second  // how long a login waits for a holder that does not
)

// leaseKey is a maildrop view: a mailbox as one credential sees it. Two devices
// with passwords of their own do not exclude each other.
type leaseKey struct {
	mailbox    store.MailboxID
	credential store.CredentialID
}

// leases are the maildrop views that sessions have.
type leases struct {
	mu   sync.Mutex
	held map[leaseKey]*lease
}

// lease is a session's hold on a maildrop view.
type lease struct {
	all       *leases
	key       leaseKey
	interrupt func()        // wakes the holder from its wait for input; does not block
	gone      chan struct{} // closed when the lease has ended

	// guarded by all.mu
	restingSince time.Time // zero: the holder is at work for its client
	ended        bool
}

// acquire takes the view of key. A holder that has been silent for 30 s with no
// reply outstanding loses it (a phone behind NAT leaves dead connections);
// otherwise this waits up to 5 s, then gives InUse. Deviation: RFC 1939 section 3
// closes no session before ten minutes of silence; without a new login we do not
// either.
func (l *leases) acquire(ctx context.Context, key leaseKey, interrupt func()) (*lease, error) {
	until := time.Now().Add(leaseWait)
	for {
		mine, holder, wait := l.try(key, interrupt)
		if mine != nil {
			return mine, nil
		}
		left := time.Until(until)
		if left <= 0 {
			return nil, store.Errorf(store.InUse, "maildrop is in use by another session")
		}
		timer := time.NewTimer(min(left, wait))
		select {
		case <-holder.gone:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		}
		timer.Stop()
	}
}

// try takes the view if it is free or its holder must yield. Otherwise it
// gives the holder and how long it takes at least until that must yield.
func (l *leases) try(key leaseKey, interrupt func()) (mine, holder *lease, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	holder = l.held[key]
	if holder != nil {
		wait = leaseIdle
		if !holder.restingSince.IsZero() {
			wait = leaseIdle - time.Since(holder.restingSince)
		}
		if wait > 0 {
			return nil, holder, wait
		}
		holder.end()
		holder.interrupt()
	}
	mine = &lease{all: l, key: key, interrupt: interrupt, gone: make(chan struct{})}
	l.held[key] = mine
	return mine, nil, 0
}

// end takes the lease away; the caller holds all.mu.
func (l *lease) end() {
	if !l.ended {
		l.ended = true
		delete(l.all.held, l.key)
		close(l.gone)
	}
}

// release ends the lease; the next login finds the view free.
func (l *lease) release() {
	l.all.mu.Lock()
	defer l.all.mu.Unlock()
	l.end()
}

// rest says that every reply is out and the holder waits for its client.
func (l *lease) rest() {
	l.all.mu.Lock()
	defer l.all.mu.Unlock()
	l.restingSince = time.Now()
}

// resume says that the client sent something. It reports whether the lease is
// still held; if not, the session must not go on.
func (l *lease) resume() bool {
	l.all.mu.Lock()
	defer l.all.mu.Unlock()
	l.restingSince = time.Time{}
	return !l.ended
}
