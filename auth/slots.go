package auth

import (
	"context"
	"sync/atomic"
)

// slots lets a few through at a time, since each hash takes a core and
// megabytes for some 40 ms.
type slots struct {
	free    chan struct{}
	most    int32 // waiting; 0 is no limit
	waiting atomic.Int32
}

func newSlots(n, waiting int) *slots {
	return &slots{free: make(chan struct{}, n), most: int32(waiting)}
}

// acquire waits for a slot. ErrBusy says that the queue is full, or that ctx
// ended first.
func (s *slots) acquire(ctx context.Context) error {
	select {
	case s.free <- struct{}{}:
		return nil
	default:
	}
	n := s.waiting.Add(1)
	defer s.waiting.Add(-1)
	if s.most > 0 && n > s.most {
		return ErrBusy
	}
	select {
	case s.free <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ErrBusy
	}
}

func (s *slots) release() { <-s.free }
