package compare

import (
	"context"
	"sync"
	"time"
)

// Clock is the time of a run: what really passes, the time that the link takes
// and the hours that a scenario skips. Its methods may be called at once.
type Clock struct {
	mu    sync.Mutex
	begin time.Time
	real  func() time.Duration // what really passed since begin
	wait  bool                 // wait out what the link takes
	extra time.Duration        // added to real
}

// NewClock gives a clock that adds the link's time to what really passes without
// waiting for it: a run over a bad link is as quick as any and shows the same.
func NewClock() *Clock {
	begin := time.Now()
	return &Clock{begin: begin, real: func() time.Duration { return time.Since(begin) }}
}

// NewWaitingClock gives a clock that waits out the link's time, for somebody who
// watches. What scenarios skip is skipped all the same.
func NewWaitingClock() *Clock {
	c := NewClock()
	c.wait = true
	return c
}

// NewFakeClock gives a clock on which only the link and what is skipped take
// time, for tests.
func NewFakeClock(begin time.Time) *Clock {
	return &Clock{begin: begin, real: func() time.Duration { return 0 }}
}

// Begin is the date and time at which the run began.
func (c *Clock) Begin() time.Time { return c.begin }

// Elapsed is the run's time.
func (c *Clock) Elapsed() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.real() + c.extra
}

// Skip lets d pass at once.
func (c *Clock) Skip(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.extra += d
}

// spend lets the link's time pass.
func (c *Clock) spend(ctx context.Context, d time.Duration) {
	if !c.wait {
		c.Skip(d)
		return
	}
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// does says what the clock counts, for who reads the result.
func (c *Clock) does() string {
	if c.wait {
		return "measured, the link's time waited out"
	}
	return "measured, the link's time added"
}
