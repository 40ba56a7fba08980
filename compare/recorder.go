package compare

import (
	"slices"
	"sync"
)

// origin says whose an event is.
type origin struct {
	protocol Protocol
	device   string
	conn     int
}

// recorder is where events get their numbers and times. Its methods may be called
// at once.
type recorder struct {
	clock   *Clock
	observe func(Event) // told of each event, in order; may be nil

	mu       sync.Mutex
	events   []Event
	scenario string
	label    string
	conns    int
	micros   int64
	full     bool // events were left out
}

// add records e as it happens now.
func (r *recorder) add(o origin, e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.events) >= MaxEvents {
		r.full = true
		return
	}
	r.micros = max(r.micros, r.clock.Elapsed().Microseconds())
	e.Seq, e.Micros, e.Scenario, e.Label = len(r.events)+1, r.micros, r.scenario, r.label
	e.Protocol, e.Device, e.Conn = o.protocol, o.device, o.conn
	r.events = append(r.events, e)
	if r.observe != nil {
		r.observe(e)
	}
}

// next numbers a new connection.
func (r *recorder) next() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns++
	return r.conns
}

// in names the scenario and label of the events to come.
func (r *recorder) in(scenario, label string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.scenario, r.label = scenario, label
}

// list gives what happened from event number from (0: the first) on. Events do
// not change once they are there: many viewers share them.
func (r *recorder) list(from int) []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clip(r.events[min(from, len(r.events)):])
}

// lost tells whether events had to be left out.
func (r *recorder) lost() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.full
}
