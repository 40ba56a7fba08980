package pop3d

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"tandem/store"
)

var view = leaseKey{mailbox: 7, credential: 1}

func newLeases() *leases { return &leases{held: map[leaseKey]*lease{}} }

func mustAcquire(t *testing.T, l *leases, key leaseKey, interrupt func()) *lease {
	t.Helper()
	got, err := l.acquire(t.Context(), key, interrupt)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestLeaseInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLeases()
		holder := mustAcquire(t, l, view, func() { t.Error("interrupted") })
		mustAcquire(t, l, leaseKey{7, 2}, nil) // another device of the same account
		mustAcquire(t, l, leaseKey{8, 1}, nil) // another maildrop

		for _, resting := range []bool{false, true} {
			if resting {
				holder.rest()
			}
			begun := time.Now()
			_, err := l.acquire(t.Context(), view, nil)
			if store.KindOf(err) != store.InUse || time.Since(begun) != leaseWait {
				t.Errorf("resting %v: got %v after %v, want InUse after 5 s", resting, err, time.Since(begun))
			}
		}
		if !holder.resume() {
			t.Error("the holder lost its lease")
		}
	})
}

func TestLeaseWaitsForRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLeases()
		holder := mustAcquire(t, l, view, nil)
		time.AfterFunc(3*time.Second, holder.release)
		begun := time.Now()
		mustAcquire(t, l, view, nil)
		if d := time.Since(begun); d != 3*time.Second {
			t.Errorf("waited %v, want 3 s", d)
		}
		holder.release() // again: must not take the new holder's
		if _, err := l.acquire(t.Context(), view, nil); store.KindOf(err) != store.InUse {
			t.Errorf("got %v, want InUse", err)
		}
	})
}

func TestLeaseIdleHolderYields(t *testing.T) {
	for _, idle := range []time.Duration{26 * time.Second, 30 * time.Second, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			l := newLeases()
			interrupted := false
			holder := mustAcquire(t, l, view, func() { interrupted = true })
			holder.rest()
			time.Sleep(idle)
			begun := time.Now()
			mustAcquire(t, l, view, nil)
			if d, want := time.Since(begun), max(0, leaseIdle-idle); d != want {
				t.Errorf("idle for %v: waited %v, want %v", idle, d, want)
			}
			if !interrupted || holder.resume() {
				t.Error("the holder still has its lease")
			}
		})
	}
}

// A holder whose client takes an hour over a reply is not idle.
func TestLeaseBusyHolderStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLeases()
		holder := mustAcquire(t, l, view, func() { t.Error("interrupted") })
		holder.rest()
		holder.resume()
		time.Sleep(time.Hour)
		if _, err := l.acquire(t.Context(), view, nil); store.KindOf(err) != store.InUse {
			t.Errorf("got %v, want InUse", err)
		}
	})
}

func TestLeaseWaitEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLeases()
		mustAcquire(t, l, view, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := l.acquire(ctx, view, nil); err != context.DeadlineExceeded {
			t.Errorf("got %v", err)
		}
	})
}
