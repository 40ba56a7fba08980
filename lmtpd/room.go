package lmtpd

import (
	"context"
	"time"

	"tandem/store"
)

const (
	largeMessage = 32 << 10    // octets; larger ones need a place in the room
	roomWait     = time.Minute // for a place; clients wait three for their data to be taken
)

// room has places for the large messages that are being received. Each takes
// some 2 MB of memory until it is stored, however slowly it comes.
type room struct{ places chan struct{} } // nil: no limit

func newRoom(places int) *room {
	r := &room{}
	if places > 0 {
		r.places = make(chan struct{}, places)
	}
	return r
}

// enter takes a place, and waits a while for one. Busy when there is none, or
// when ctx ends.
func (r *room) enter(ctx context.Context) error {
	if r.places == nil {
		return nil
	}
	timer := time.NewTimer(roomWait)
	defer timer.Stop()
	select {
	case r.places <- struct{}{}:
		return nil
	case <-timer.C:
	case <-ctx.Done():
	}
	return store.Errorf(store.Busy, "too many large messages at once (%d)", cap(r.places))
}

// leave gives a place back that enter gave.
func (r *room) leave() {
	if r.places != nil {
		<-r.places
	}
}
