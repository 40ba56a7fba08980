package webd

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tandem/store"
)

// TestStoreErrors: every kind of store error has a page with a fitting status,
// and nothing is told about faults of ours.
func TestStoreErrors(t *testing.T) {
	s := New(Config{Hostname: "mail.example.org", Logger: slog.New(slog.DiscardHandler)})
	defer s.Close()
	status := map[store.Kind]int{
		store.NotFound: 404, store.Forbidden: 404, store.Expunged: 404,
		store.Exists: 422, store.Invalid: 422, store.Limit: 422, store.OverQuota: 422, store.TooBig: 422,
		store.Unavailable: 503, store.Busy: 503, store.InUse: 503, store.ReadOnly: 503,
		store.Internal: 500, store.Corrupt: 500, store.TooNew: 500,
	}
	for _, kind := range store.Kinds() {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/account", nil)
		s.fail(w, r, fmt.Errorf("while testing: %w", store.Errorf(kind, "some detail")))
		if w.Code != status[kind] {
			t.Errorf("%v: status %d, want %d", kind, w.Code, status[kind])
		}
		ours := kind == store.Internal || kind == store.Corrupt || kind == store.TooNew || kind == store.ReadOnly
		if told := strings.Contains(w.Body.String(), "detail"); told == ours {
			t.Errorf("%v: the page tells the detail: %v", kind, told)
		}
	}
}
