package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// headroom is how much garbage may gather before a collection while the live
// heap is small; beyond that size the runtime's own rule (double) holds. A
// server at work keeps some 8 MB alive and would else collect dozens of times
// a second while it streams message bytes: a third of its processor time.
const headroom = 16 << 20

// spaceCollections sets the garbage collector's percentage anew after each
// collection so that headroom is kept, unless GOGC is set.
func spaceCollections(getenv func(string) string) {
	if getenv("GOGC") == "" {
		armCollection(gcPercent())
	}
}

// armCollection sets the percentage and has itself called after the next
// collection, by way of the finalizer of an object that nothing refers to.
func armCollection(percent int) {
	debug.SetGCPercent(percent)
	type sentinel struct{ _ *byte }
	runtime.SetFinalizer(&sentinel{}, func(*sentinel) {
		armCollection(gcPercent())
	})
}

// gcPercent is the percentage that leaves headroom above the live heap.
func gcPercent() int {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	return int(max(100, headroom*100/max(live[0].Value.Uint64(), 1<<20)))
}
