package imapd

import (
	"slices"
	"testing"
)

// TestPartialRange compares cutting with counting.
func TestPartialRange(t *testing.T) {
	for n := range 7 {
		for a := uint32(1); a <= 8; a++ {
			for b := uint32(1); b <= 8; b++ {
				for _, last := range []bool{false, true} {
					from, to := partialRange{a, b, last}.cut(n)
					if from < 0 || to > n || from > to {
						t.Fatalf("%d:%d (%v) of %d gives %d to %d", a, b, last, n, from, to)
					}
					for i := range n {
						place := uint32(i + 1)
						if last {
							place = uint32(n - i)
						}
						if want := place >= min(a, b) && place <= max(a, b); want != (i >= from && i < to) {
							t.Fatalf("%d:%d (%v) of %d gives %d to %d", a, b, last, n, from, to)
						}
					}
				}
			}
		}
	}
}

// TestListingPart compares parts of runs with parts of the numbers.
func TestListingPart(t *testing.T) {
	numbers := []uint32{7, 8, 9, 3, 2, 1, 2, 40, 41}
	var l listing
	for _, n := range numbers {
		l.add(n)
	}
	for from := range len(numbers) + 1 {
		for to := from; to <= len(numbers); to++ {
			var got []uint32
			for _, r := range l.part(from, to) {
				for n := r.Start; n <= r.Stop; n++ {
					got = append(got, n)
				}
			}
			if !slices.Equal(got, numbers[from:to]) {
				t.Errorf("%d to %d gives %v", from, to, got)
			}
		}
	}
}
