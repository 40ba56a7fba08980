package imapd

import (
	"log/slog"
	"strings"
	"testing"

	"tandem/auth"
	"tandem/store"
)

// TestQuotaWarnings: the log tells once of each level that an account rises
// above.
func TestQuotaWarnings(t *testing.T) {
	var log errorLog
	st := openStore(t, store.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	ts := startServer(t, func(cfg *Config) {
		cfg.Store, cfg.Auth = st, auth.New(st, auth.Config{Log: slog.New(slog.DiscardHandler)})
	})
	alice, err := st.Account(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	limit := int64(20)
	if err := st.UpdateAccount(t.Context(), alice.ID, store.AccountUpdate{MaxMessages: &limit}); err != nil {
		t.Fatal(err)
	}
	c := ts.login(t, "alice")
	for n := 1; n <= 20; n++ {
		c.raw("a APPEND INBOX {4+}\r\na: b\r\n")
		c.expect("a OK ...")
		want := 0
		if n >= 16 {
			want++
		}
		if n >= 19 {
			want++
		}
		if got := strings.Count(log.String(), "account=alice resource=messages"); got != want {
			t.Fatalf("%d warnings after %d messages, want %d:\n%s", got, n, want, log.String())
		}
	}
	for _, words := range []string{"percent=80 used=16 limit=20", "percent=95 used=19 limit=20"} {
		if !strings.Contains(log.String(), words) {
			t.Errorf("no %q in the log:\n%s", words, log.String())
		}
	}
}
