package sqlite

import (
	"testing"
	"time"

	"tandem/store"
	"tandem/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t testing.TB, dir string, now func() time.Time) store.Engine {
		e, err := Open(dir, Options{Now: now})
		if err != nil {
			t.Fatal(err)
		}
		return e
	})
}
