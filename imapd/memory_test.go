package imapd

import (
	"bytes"
	"net"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
	"time"
)

// inUse is what the process holds in heap and stacks, in bytes.
func inUse() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// settled is inUse after everything that can be freed was.
func settled() int64 {
	runtime.GC()
	debug.FreeOSMemory()
	return inUse()
}

// listener is a client that counts what it is told while it idles.
type listener struct {
	conn     net.Conn
	expunges int
	isIdle   bool
	idling   chan struct{} // closed when IDLE has begun
	told     chan struct{} // closed when all expunges were told
}

// listen reads until it has been told of n expunges.
func (l *listener) listen(t *testing.T, n int) {
	buf := make([]byte, 512)
	for l.expunges < n {
		k, err := l.conn.Read(buf)
		if err != nil {
			t.Errorf("after %d expunges: %v", l.expunges, err)
			break
		}
		if bytes.Contains(buf[:k], []byte("+ idling")) {
			close(l.idling)
			l.isIdle = true
		} else if l.isIdle {
			l.expunges += bytes.Count(buf[:k], []byte("P")) // one in each EXPUNGE, cut or not
		}
	}
	close(l.told)
}

// TestMemoryOfManySessions: 1,000 sessions have a mailbox of 100,000 messages
// selected and idle in it while one expunges all. No session may hold a list of
// them.
func TestMemoryOfManySessions(t *testing.T) {
	if testing.Short() || underRace {
		t.Skip("takes some seconds, and measures memory")
	}
	const sessions, messages, budget = 1000, 100_000, 30 << 20
	ts := startServer(t, nil)
	fill(t, ts.store, "alice", messages)
	actor := ts.login(t, "alice")
	_ = actor.conn.SetDeadline(time.Now().Add(2 * time.Minute))
	actor.send("1 SELECT INBOX")
	drain(t, actor.conn, "1 OK")
	actor.send("2 STORE 1:* +FLAGS.SILENT (\\Deleted)")
	drain(t, actor.conn, "2 OK")
	// What is held counts, not what waits to be freed.
	defer debug.SetGCPercent(debug.SetGCPercent(5))
	all := make([]*listener, sessions)
	servers := make([]net.Conn, sessions)
	for i := range all {
		all[i] = &listener{idling: make(chan struct{}), told: make(chan struct{})}
		all[i].conn, servers[i] = net.Pipe()
		_ = all[i].conn.SetDeadline(time.Now().Add(2 * time.Minute))
		go all[i].listen(t, messages)
	}
	rest := settled() // with the other ends, which are no part of the server

	var served sync.WaitGroup
	for i, l := range all {
		served.Go(func() {
			ts.Serve(t.Context(), servers[i])
			_ = servers[i].Close()
		})
		for _, line := range []string{"1 LOGIN alice secret", "2 SELECT INBOX", "3 IDLE"} {
			if _, err := l.conn.Write([]byte(line + "\r\n")); err != nil {
				t.Fatal(err)
			}
		}
		<-l.idling
	}
	idle := settled()
	t.Logf("at rest %d MB; %d idle sessions: %d KB each", rest>>20, sessions, (idle-rest)/sessions>>10)

	peak, stop := watchPeak()
	actor.send("3 EXPUNGE")
	drain(t, actor.conn, "3 OK")
	for _, l := range all {
		<-l.told
	}
	close(stop)
	over := <-peak - rest
	t.Logf("peak %d MB over rest", over>>20)
	if over > budget {
		t.Errorf("%d sessions took %d MB over rest, more than %d", sessions, over>>20, budget>>20)
	}
	for _, l := range all {
		_ = l.conn.Close()
	}
	served.Wait()
}

// watchPeak samples inUse until stop is closed, then gives the highest.
func watchPeak() (peak chan int64, stop chan struct{}) {
	peak, stop = make(chan int64, 1), make(chan struct{})
	go func() {
		var most int64
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				most = max(most, inUse())
			case <-stop:
				peak <- max(most, inUse())
				return
			}
		}
	}()
	return peak, stop
}
