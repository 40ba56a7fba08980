package sqlite

import (
	"errors"
	"syscall"

	sqlite3 "github.com/mattn/go-sqlite3"

	"tandem/store"
)

// classify gives an error its kind. Errors of store keep theirs.
func classify(what string, err error) error {
	if err == nil {
		return nil
	}
	var known *store.Error
	if errors.As(err, &known) {
		return err
	}
	kind := store.Internal
	var s sqlite3.Error
	if errors.As(err, &s) {
		kind = kindOf(s)
	}
	return store.Errorf(kind, "%s: %w", what, err)
}

func kindOf(e sqlite3.Error) store.Kind {
	switch e.Code {
	case sqlite3.ErrFull:
		return store.Unavailable
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return store.Busy
	case sqlite3.ErrCorrupt, sqlite3.ErrNotADB:
		return store.Corrupt
	case sqlite3.ErrReadonly:
		return store.ReadOnly
	case sqlite3.ErrIoErr:
		if writeFailed(e) {
			return store.ReadOnly
		}
		if e.SystemErrno == syscall.EDQUOT || e.ExtendedCode == sqlite3.ErrIoErrSHMSize {
			return store.Unavailable
		}
	}
	return store.Internal
}

// writeFailed tells failures of writing and syncing from those of reading.
// After one of them nobody knows what is on disk: the kernel drops dirty
// pages that it could not write and calls the next sync a success.
func writeFailed(err error) bool {
	var e sqlite3.Error
	if !errors.As(err, &e) || e.Code != sqlite3.ErrIoErr {
		return false
	}
	switch e.ExtendedCode {
	case sqlite3.ErrIoErrWrite:
		return e.SystemErrno != syscall.EDQUOT // the disk is full for us alone
	case sqlite3.ErrIoErrFsync, sqlite3.ErrIoErrDirFsync, sqlite3.ErrIoErrTruncate:
		return true
	}
	return e.ExtendedCode <= sqlite3.ErrNoExtended(sqlite3.ErrIoErr) // no detail: assume the worst
}

// ioFailed reports any failure of the disk.
func ioFailed(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) && e.Code == sqlite3.ErrIoErr && kindOf(e) != store.Unavailable
}

func diskFull(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) && kindOf(e) == store.Unavailable
}

// fail takes the store out of writing until it is opened again.
func (e *Engine) fail(err error) {
	broken := store.Errorf(store.ReadOnly, "a write failed and the store takes no more until the server is started again: %w", err)
	if e.broken.CompareAndSwap(nil, &broken) {
		e.opts.Logger.Error("the store is read-only from now on", "err", err)
	}
}

// Health is nil while the engine takes writes.
func (e *Engine) Health() error {
	if err := e.broken.Load(); err != nil {
		return *err
	}
	return nil
}
