package auth

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	failureMemory = 15 * time.Minute // without a new failure, until an address is forgotten
	failureTable  = 20_000           // sources remembered
	lastWrong     = 10               // wrong passwords remembered of each source
	wideShare     = 4                // failures in an IPv6 /48 that count as one
)

// penalties by the number of failures before this one, on top of the 1-2 s
// that every failure waits; the last one stays.
var penalties = [...]time.Duration{0, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second}

func penalty(failures int) time.Duration { return penalties[min(failures, len(penalties)-1)] }

// source is whom a failure is counted against: a network, and on addresses
// where many people share one (webmail, this host) also the name tried.
type source struct {
	net   netip.Prefix
	login string
}

// limiter makes failing logins wait. It never refuses one, and a right password
// does not ask it.
type limiter struct {
	trusted []netip.Prefix
	pending int // failing replies of one source that wait at once; 0 is no limit
	key     macKey

	mu      sync.Mutex
	sources map[source]*failures
}

type failures struct {
	count int
	last  time.Time
	wrong []mac // of the last wrong login and password pairs

	lanes   chan struct{} // its capacity is limiter.pending: replies waiting; nil without a limit
	waiting int           // in or before lanes; keeps the entry in the table
}

func newLimiter(trusted []netip.Prefix, pending int) *limiter {
	return &limiter{trusted: trusted, pending: pending, key: newMACKey(), sources: map[source]*failures{}}
}

// sourcesOf returns the narrow source of an attempt and, for IPv6, the wide one.
func (l *limiter) sourcesOf(addr netip.Addr, login string) (narrow source, wide *source) {
	addr = addr.Unmap().WithZone("")
	if l.shared(addr) {
		p := netip.Prefix{}
		if addr.IsValid() {
			p = netip.PrefixFrom(addr, addr.BitLen())
		}
		return source{p, strings.ToLower(login)}, nil
	}
	if addr.Is4() {
		return source{net: netip.PrefixFrom(addr, 32)}, nil
	}
	p64, _ := addr.Prefix(64) // cannot fail for IPv6
	p48, _ := addr.Prefix(48)
	return source{net: p64}, &source{net: p48}
}

// shared reports whether addr is this host (also over a unix socket) or one
// that the operator trusts.
func (l *limiter) shared(addr netip.Addr) bool {
	if !addr.IsValid() || addr.IsLoopback() {
		return true
	}
	return slices.ContainsFunc(l.trusted, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// success forgets the failures of where the right password came from. Those of
// a whole /48 fade by time only: its other networks are other people.
func (l *limiter) success(addr netip.Addr, login string) {
	narrow, _ := l.sourcesOf(addr, login)
	l.mu.Lock()
	defer l.mu.Unlock()
	if f := l.sources[narrow]; f != nil {
		f.count, f.wrong = 0, nil
		if f.waiting == 0 {
			delete(l.sources, narrow)
		}
	}
}

// failure counts a failed login and waits before its reply may go: at most
// l.pending replies of a source wait at once, the others queue behind them. It
// returns early when ctx ends.
func (l *limiter) failure(ctx context.Context, addr netip.Addr, login, password string) {
	narrow, wide := l.sourcesOf(addr, login)
	f, wait := l.count(narrow, wide, l.key.sum(strings.ToLower(login), password))
	defer func() {
		l.mu.Lock()
		f.waiting--
		l.mu.Unlock()
	}()
	if f.lanes != nil {
		select {
		case f.lanes <- struct{}{}:
			defer func() { <-f.lanes }()
		case <-ctx.Done():
			return
		}
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// count notes the failure and says how long it waits.
func (l *limiter) count(narrow source, wide *source, wrong mac) (*failures, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	f := l.entry(narrow, now)
	f.waiting++
	wait := penalty(f.count)
	again := slices.Contains(f.wrong, wrong)
	if wide != nil {
		w := l.entry(*wide, now)
		wait = max(wait, penalty(w.count/wideShare))
		if !again {
			w.count++
		}
	}
	if !again {
		f.count++
		f.wrong = append(f.wrong, wrong)
		f.wrong = f.wrong[max(0, len(f.wrong)-lastWrong):]
	}
	return f, wait + time.Second + rand.N(time.Second)
}

// entry returns the failures of s, new ones if there are none or they are old,
// noted as failing now.
func (l *limiter) entry(s source, now time.Time) *failures {
	f := l.sources[s]
	if f == nil {
		if len(l.sources) >= failureTable {
			l.evict()
		}
		f = &failures{}
		if l.pending > 0 {
			f.lanes = make(chan struct{}, l.pending)
		}
		l.sources[s] = f
	} else if now.Sub(f.last) > failureMemory {
		f.count, f.wrong = 0, nil
	}
	f.last = now
	return f
}

// evict drops the oldest of a few entries picked at random: nearly the oldest
// of all, without a second structure to keep in order.
func (l *limiter) evict() {
	var oldest source
	var found *failures
	n := 0
	for s, f := range l.sources {
		if f.waiting == 0 && (found == nil || f.last.Before(found.last)) {
			oldest, found = s, f
		}
		if n++; n == 16 {
			break
		}
	}
	if found != nil {
		delete(l.sources, oldest)
	}
}
