package auth

import (
	"context"
	"sync/atomic"
)

// maxWaiting is how many logins may wait for their turn to be hashed. More
// would not be served before they give up.
const maxWaiting = 256

// slots lets a few through at a time, since each hash takes a core and
// megabytes for some 40 ms.
type slots struct {
	free    chan struct{}
	waiting atomic.Int32
}

func newSlots(n int) *slots { return &slots{free: make(chan struct{}, n)} }

// acquire waits for a slot. ErrBusy says that the queue is full, or that ctx
// ended first.
func (s *slots) acquire(ctx context.Context) error {
	select {
	case s.free <- struct{}{}:
		return nil
	default:
	}
	if s.waiting.Add(1) > maxWaiting {
		s.waiting.Add(-1)
		return ErrBusy
	}
	defer s.waiting.Add(-1)
	select {
	case s.free <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ErrBusy
	}
}

func (s *slots) release() { <-s.free }
