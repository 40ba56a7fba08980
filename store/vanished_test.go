package store

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestUIDSetArithmetic compares intersection and difference with what counting
// single UIDs gives.
func TestUIDSetArithmetic(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	draw := func() (s UIDSet) {
		for uid := UID(1); uid < 40; uid++ {
			if rnd.IntN(2) == 0 {
				s.Add(uid)
			}
		}
		return s
	}
	has := func(s UIDSet, uid UID) bool {
		return slices.ContainsFunc(s, func(r UIDRange) bool { return r.Start <= uid && uid <= r.Stop })
	}
	for range 2000 {
		a, b := draw(), draw()
		var both, left UIDSet
		for uid := UID(1); uid < 40; uid++ {
			if has(a, uid) && has(b, uid) {
				both.Add(uid)
			}
			if has(a, uid) && !has(b, uid) {
				left.Add(uid)
			}
		}
		if got := Intersection(a, b); !slices.Equal(got, both) {
			t.Fatalf("%v and %v have %v in common, not %v", a, b, both, got)
		}
		if got := Difference(a, b); !slices.Equal(got, left) {
			t.Fatalf("%v without %v is %v, not %v", a, b, left, got)
		}
	}
}
