package main

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// TestCollectionsKeepHeadroom: garbage may gather while little is alive, and
// may not once much is.
func TestCollectionsKeepHeadroom(t *testing.T) {
	runtime.GC()
	if got := gcPercent(); got <= 100 {
		t.Errorf("with a small heap the percentage is %d", got)
	}
	live := make([]byte, 4*headroom)
	runtime.GC()
	if got := gcPercent(); got != 100 {
		t.Errorf("with %d MB alive the percentage is %d, want 100", len(live)>>20, got)
	}
	runtime.KeepAlive(live)
}

// TestCollectionsAdapt: the percentage follows the heap without being asked.
func TestCollectionsAdapt(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	live := make([]byte, 4*headroom)
	armCollection(1000)
	deadline := time.Now().Add(10 * time.Second)
	for {
		runtime.GC()
		if got := debug.SetGCPercent(-1); got == 100 {
			break
		} else {
			debug.SetGCPercent(got)
		}
		if time.Now().After(deadline) {
			t.Fatal("the percentage was not set anew after collections")
		}
	}
	runtime.KeepAlive(live)
}
