package main

import (
	"errors"

	"tandem/store"
)

// The exit codes, part of the command line's contract.
const (
	exitOK        = 0
	exitFailure   = 1
	exitUsage     = 2
	exitTooNew    = 3
	exitInUse     = 4
	exitTemporary = 75 // EX_TEMPFAIL of sysexits.h: a mail server tries again
)

// usageError is a mistake in the command line or the configuration.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// temporaryError is a failure that may pass.
type temporaryError struct{ error }

func (e temporaryError) Unwrap() error { return e.error }

// exitCode gives the code for the error a command ended with.
func exitCode(err error) int {
	var usage usageError
	var temporary temporaryError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &temporary):
		return exitTemporary
	}
	var e *store.Error
	if errors.As(err, &e) {
		switch e.Kind {
		case store.TooNew:
			return exitTooNew
		case store.InUse:
			return exitInUse
		case store.Busy, store.Unavailable:
			return exitTemporary
		}
	}
	return exitFailure
}
