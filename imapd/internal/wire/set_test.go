package wire

import (
	"math/rand/v2"
	"testing"
)

func TestSetResolve(t *testing.T) {
	tests := []struct {
		set  Set
		max  uint32
		want string
	}{
		{Set{From: star}, 10, "10"},
		{Set{From: star}, 0, ""},
		{Set{From: 3}, 10, "3:10"},
		{Set{From: 30}, 10, "10"},
		{Set{Nums: Of(1, 2), From: 3}, 10, "1:10"},
		{Set{Nums: Of(1, 1<<32-1)}, 10, "1:4294967295"},
		{Set{From: 5}, 1<<32 - 1, "5:4294967295"},
	}
	for _, tt := range tests {
		if got := tt.set.Resolve(tt.max).String(); got != tt.want {
			t.Errorf("%+v of %d is %q, want %q", tt.set, tt.max, got, tt.want)
		}
	}
}

func TestSetEdges(t *testing.T) {
	var s NumSet
	for _, n := range []uint32{1<<32 - 2, 1<<32 - 1, 1, 2, 5, 3} {
		s.Add(n)
	}
	if got := s.String(); got != "1:3,5,4294967294:4294967295" {
		t.Errorf("set is %s", got)
	}
	if s.Count() != 6 || s.Max() != 1<<32-1 || s.Contains(4) || !s.Contains(1<<32-1) {
		t.Errorf("count %d, max %d", s.Count(), s.Max())
	}
	if all := Of(1, 1<<32-1); all.Intersect(s).String() != s.String() || all.Count() != 1<<32-1 {
		t.Error("the set of everything is not that")
	}
	if Of(5, 4) != nil {
		t.Error("a range backwards is not empty")
	}
}

// TestSetAgainstMap compares the set with a plain map.
func TestSetAgainstMap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	random := func() (NumSet, map[uint32]bool) {
		var s NumSet
		m := map[uint32]bool{}
		for range r.IntN(20) {
			a := 1 + r.Uint32N(60)
			b := a + r.Uint32N(5)
			s.AddRange(a, b)
			for n := a; n <= b; n++ {
				m[n] = true
			}
		}
		return s, m
	}
	for range 2000 {
		a, am := random()
		b, bm := random()
		both, either := a.Intersect(b), a.Union(b)
		for n := uint32(0); n < 70; n++ {
			if a.Contains(n) != am[n] || both.Contains(n) != (am[n] && bm[n]) || either.Contains(n) != (am[n] || bm[n]) {
				t.Fatalf("%v and %v differ from the model at %d", a, b, n)
			}
		}
		if a.Count() != uint64(len(am)) {
			t.Fatalf("%v counts %d, want %d", a, a.Count(), len(am))
		}
		for i := 1; i < len(either); i++ {
			if either[i].Start <= either[i-1].Stop+1 {
				t.Fatalf("%v is not merged", either)
			}
		}
	}
}

// FuzzSet: a set reads back what it writes, and holds what was sent.
func FuzzSet(f *testing.F) {
	f.Add("1:*,5,10:7")
	f.Add("4294967295:1,*:*,2")
	f.Fuzz(func(t *testing.T, in string) {
		d, _ := decode(t, in+"\r\n", UserLimits(0))
		s := d.Set()
		if d.EOL() != nil || s.Nums == nil {
			return
		}
		again, _ := decode(t, s.Nums.String()+"\r\n", UserLimits(0))
		if got := again.Set(); again.EOL() != nil || got.Nums.String() != s.Nums.String() {
			t.Fatalf("%q became %v and then %v", in, s.Nums, got.Nums)
		}
		n := s.Resolve(1000)
		for i := 1; i < len(n); i++ {
			if n[i].Start <= n[i-1].Stop || n[i].Start-1 == n[i-1].Stop {
				t.Fatalf("%v is not merged", n)
			}
		}
	})
}
