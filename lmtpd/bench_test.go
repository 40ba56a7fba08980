package lmtpd

import (
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// BenchmarkDeliver sends 4 KiB messages over some connections at once, each
// with its own envelope and reply waited for.
func BenchmarkDeliver(b *testing.B) {
	text := note + strings.Repeat(strings.Repeat("x", 62)+"\r\n", 63)
	for _, conns := range []int{1, 16} {
		b.Run(strconv.Itoa(conns), func(b *testing.B) {
			w := newWorld(b).listen()
			var left atomic.Int64
			left.Store(int64(b.N))
			var clients []*client
			for range conns {
				clients = append(clients, w.hello())
			}
			b.SetBytes(int64(len(text)))
			b.ResetTimer()
			var all sync.WaitGroup
			for i, c := range clients {
				to := []string{"alice", "bob", "carol@example.net", "dave+work"}[i%4]
				all.Go(func() {
					for left.Add(-1) >= 0 {
						c.send("MAIL FROM:<s@example.com>\r\nRCPT TO:<" + to + ">\r\nDATA\r\n")
						for range 3 {
							if line, err := c.line(); err != nil || line[0] > '3' {
								b.Errorf("%q, %v", line, err)
								return
							}
						}
						c.send(strings.ReplaceAll(text, "\n.", "\n..") + ".\r\n")
						if line, err := c.line(); err != nil || line[0] != '2' {
							b.Errorf("%q, %v", line, err)
							return
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}
