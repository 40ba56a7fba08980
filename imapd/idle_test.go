package imapd

import (
	"bufio"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tandem/auth"
	"tandem/store"
	"tandem/store/sqlite"
)

// TestIdleKeepsAlive: a silent IDLE says something every two minutes, and ends
// after half an hour.
func TestIdleKeepsAlive(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		engine, err := sqlite.Open(dir, sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		st := store.Open(engine, store.Options{})
		defer func() { _ = st.Close() }()
		if err := st.CreateAccounts(t.Context(), []store.NewAccount{{Name: "alice", Hash: "{PLAIN}secret", KeepScheme: true}}, false); err != nil {
			t.Fatal(err)
		}
		client, server := net.Pipe()
		srv := New(Config{Store: st, Auth: auth.New(st, auth.Config{Log: slog.New(slog.DiscardHandler)}), Hostname: "h"})
		done := make(chan struct{})
		go func() {
			defer close(done)
			srv.Serve(t.Context(), server)
		}()
		in := bufio.NewReader(client)
		until := func(part string) time.Duration {
			start := time.Now()
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(line, part) {
					return time.Since(start)
				}
			}
		}
		until("ready")
		for _, step := range []struct{ line, answer string }{
			{"1 LOGIN alice secret", "1 OK"}, {"2 SELECT INBOX", "2 OK"}, {"3 IDLE", "+ "},
		} {
			if _, err := client.Write([]byte(step.line + "\r\n")); err != nil {
				t.Fatal(err)
			}
			until(step.answer)
		}
		for range 3 {
			if took := until("* OK Still here"); took != keepAlive {
				t.Errorf("the line came after %v", took)
			}
		}
		if took := until("* BYE"); took > 25*time.Minute || took < 23*time.Minute {
			t.Errorf("BYE came %v after the third line", took)
		}
		<-done
	})
}
