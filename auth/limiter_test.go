package auth

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// slow returns an Authenticator whose failures wait, with alice and her
// password "right".
func slow(cfg Config) *Authenticator {
	b := newBook()
	b.add("alice", quick("right")).KeepScheme = true
	b.add("bob", quick("right")).KeepScheme = true
	cfg.FailedLoginDelay, cfg.FailedLoginsPending = true, 4
	cfg.Log = slog.New(slog.DiscardHandler)
	return New(b, cfg)
}

// try logs in and returns how long the reply took.
func try(t *testing.T, a *Authenticator, remote, login, password string, want error) time.Duration {
	t.Helper()
	at := attempt(login, password)
	at.Remote = netip.MustParseAddr(remote)
	start := time.Now()
	if _, err := a.Verify(context.Background(), at); err != want {
		t.Errorf("%s %s: %v, want %v", remote, login, err, want)
	}
	return time.Since(start)
}

// within checks took against the 1-2 s of every failure plus more seconds.
func within(t *testing.T, what string, took time.Duration, more int) {
	t.Helper()
	least := time.Duration(1+more) * time.Second
	if took < least || took >= least+time.Second {
		t.Errorf("%s took %v, want %v and less than a second more", what, took, least)
	}
}

func wrong(i int) string { return fmt.Sprint("wrong", i) }

func TestFailuresWaitLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := slow(Config{})
		for i, more := range []int{0, 2, 4, 8, 15, 15} {
			within(t, fmt.Sprint("failure ", i), try(t, a, "192.0.2.1", "alice", wrong(i), ErrFailed), more)
		}
		within(t, "another address", try(t, a, "192.0.2.2", "alice", "wrong", ErrFailed), 0)
		if took := try(t, a, "192.0.2.1", "alice", "right", nil); took != 0 {
			t.Errorf("the right password waited %v", took)
		}
		within(t, "failure after a success", try(t, a, "192.0.2.1", "alice", "wrong", ErrFailed), 0)
	})
}

func TestSameWrongPasswordCountsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := slow(Config{})
		within(t, "first", try(t, a, "192.0.2.1", "alice", "old", ErrFailed), 0)
		for range 5 {
			within(t, "again", try(t, a, "192.0.2.1", "alice", "old", ErrFailed), 2)
		}
		within(t, "another", try(t, a, "192.0.2.1", "alice", "new", ErrFailed), 2)
		within(t, "a third", try(t, a, "192.0.2.1", "alice", "newer", ErrFailed), 4)
	})
}

func TestUnknownNamesWaitLikewise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := slow(Config{})
		within(t, "unknown", try(t, a, "192.0.2.1", "nobody", "wrong", ErrFailed), 0)
		within(t, "known", try(t, a, "192.0.2.1", "alice", "wrong", ErrFailed), 2)
	})
}

func TestSharedAddressesCountByName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := slow(Config{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
		for _, remote := range []string{"127.0.0.1", "::1", "10.1.2.3", "::ffff:10.1.2.4"} {
			for i := range 3 {
				try(t, a, remote, "alice", wrong(i), ErrFailed)
			}
			within(t, remote+", another user", try(t, a, remote, "bob", "wrong", ErrFailed), 0)
			if took := try(t, a, remote, "bob", "right", nil); took != 0 {
				t.Errorf("%s: the right password waited %v", remote, took)
			}
			within(t, remote+", the first user", try(t, a, remote, "Alice", "wrong", ErrFailed), 8)
		}
	})
}

func TestIPv6CountsByNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := slow(Config{})
		within(t, "first", try(t, a, "2001:db8:1:1::1", "alice", "a", ErrFailed), 0)
		within(t, "same /64", try(t, a, "2001:db8:1:1::2", "alice", "b", ErrFailed), 2)
		within(t, "same /48", try(t, a, "2001:db8:1:2::1", "alice", "c", ErrFailed), 0)
		try(t, a, "2001:db8:1:3::1", "alice", "d", ErrFailed)
		within(t, "same /48 after four", try(t, a, "2001:db8:1:4::1", "alice", "e", ErrFailed), 2)
		within(t, "another /48", try(t, a, "2001:db8:2:1::1", "alice", "f", ErrFailed), 0)
	})
}

func TestFailuresAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := slow(Config{})
		for i := range 3 {
			try(t, a, "192.0.2.1", "alice", wrong(i), ErrFailed)
		}
		time.Sleep(failureMemory + time.Second) // of the bubble's clock
		within(t, "much later", try(t, a, "192.0.2.1", "alice", "wrong", ErrFailed), 0)
	})
}

func TestFourRepliesWaitAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := slow(Config{})
		start := time.Now()
		var mu sync.Mutex
		var ends []time.Duration
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				try(t, a, "192.0.2.1", "alice", wrong(i), ErrFailed)
				mu.Lock()
				defer mu.Unlock()
				ends = append(ends, time.Since(start))
			})
		}
		synctest.Wait()
		if took := try(t, a, "192.0.2.1", "alice", "right", nil); took != 0 {
			t.Errorf("the right password waited %v among wrong ones", took)
		}
		wg.Wait()
		// Eight one after the other wait 0+2+4+8+4*15 s and 1-2 s each: over
		// four lanes no schedule is done before a quarter of that.
		if last := ends[len(ends)-1]; last < 20*time.Second {
			t.Errorf("eight guesses side by side were answered within %v", last)
		}
		if n := len(a.limiter.sources); n != 1 {
			t.Errorf("%d sources", n)
		}
	})
}

func TestImpatientCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := slow(Config{})
		for i := range 5 {
			try(t, a, "192.0.2.1", "alice", wrong(i), ErrFailed)
		}
		at := attempt("alice", "wrong")
		at.Remote, at.MaxDelay = netip.MustParseAddr("192.0.2.1"), 8*time.Second
		start := time.Now()
		if _, err := a.Verify(t.Context(), at); err != ErrFailed || time.Since(start) != 8*time.Second {
			t.Errorf("MaxDelay: %v after %v", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		at.MaxDelay, start = 0, time.Now()
		if _, err := a.Verify(ctx, at); err != ErrFailed || time.Since(start) != time.Second/2 {
			t.Errorf("cancelled: %v after %v", err, time.Since(start))
		}
	})
}

func TestLimiterTableIsBounded(t *testing.T) {
	l := newLimiter(nil, 4)
	addr := netip.MustParseAddr("10.0.0.1")
	for range failureTable + 1000 {
		narrow, _ := l.sourcesOf(addr, "")
		f, _ := l.count(narrow, nil, mac{})
		f.waiting--
		addr = addr.Next()
	}
	if n := len(l.sources); n > failureTable {
		t.Errorf("%d sources", n)
	}
}

func TestDelayCanBeOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		a := New(b, Config{Log: slog.New(slog.DiscardHandler)})
		for i := range 5 {
			if took := try(t, a, "192.0.2.1", "alice", wrong(i), ErrFailed); took != 0 {
				t.Errorf("waited %v", took)
			}
		}
	})
}
