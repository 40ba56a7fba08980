package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"tandem/store"
)

func TestExitCodes(t *testing.T) {
	for want, errs := range map[int][]error{
		exitOK:        {nil},
		exitFailure:   {errors.New("x"), context.Canceled, store.Errorf(store.NotFound, "x"), store.Errorf(store.Corrupt, "x")},
		exitUsage:     {usageError{errors.New("x")}},
		exitTooNew:    {store.Errorf(store.TooNew, "x")},
		exitInUse:     {fmt.Errorf("open: %w", store.Errorf(store.InUse, "x"))},
		exitTemporary: {temporaryError{errors.New("x")}, store.Errorf(store.Busy, "x"), fmt.Errorf("import: %w", store.Errorf(store.Unavailable, "x"))},
	} {
		for _, err := range errs {
			if got := exitCode(err); got != want {
				t.Errorf("%v: exit code %d, want %d", err, got, want)
			}
		}
	}
}
