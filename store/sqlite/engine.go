package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	sqlite3 "github.com/mattn/go-sqlite3"

	"tandem/migrations"
	"tandem/store"
)

// The files in the data directory that are ours.
const (
	databaseName = "tandem.db"
	lockName     = "tandem.lock"
	spareName    = "spare"
)

// minVersion is 3.51.3: versions before may damage a WAL database.
const minVersion = 3051003

// busyTimeout is how many milliseconds SQLite waits for another process.
const busyTimeout = "10000"

// Options are an engine's settings; zero values mean the defaults given.
type Options struct {
	Logger *slog.Logger     // default: none
	Now    func() time.Time // default: time.Now
	// FreeSpace gives the free bytes of the file system; default: statfs.
	FreeSpace func() (int64, error)
	// Reserve is how many bytes must stay free for new mail to be taken;
	// default: 64 MB or 5 % of the file system if that is less.
	Reserve int64
	// QueueWait is how long a verb waits for a place among the waiting ones
	// before it fails as Busy; default 10 s.
	QueueWait time.Duration
	// Quota has the limits of accounts that have none of their own.
	Quota store.Resources

	migrations fs.FS // tests have other ones
}

// Engine is the SQLite engine: one file, one writer goroutine that is the only
// publisher, several readers.
type Engine struct {
	opts    Options
	dir     string
	path    string
	storeID string
	lock    *os.File

	readers chan *conn
	opened  int          // how many readers there are
	gate    sync.RWMutex // shared by read batches; taken alone to shrink the WAL

	queue   chan *request
	closing chan struct{} // closed by Close: no new requests
	stopped chan struct{} // closed when the writer goroutine has ended
	started bool
	closed  sync.Once
	sending sync.RWMutex // shared while a request enters queue

	broken   atomic.Pointer[error] // set once a write has failed
	checking atomic.Bool           // Check reads outside the gate
	showing  atomic.Bool           // what is expunged is shown in Recently Deleted
	space    spaceProbe

	devicesMu sync.Mutex
	devices   map[store.MailboxID]string // of maildrops, when Release last looked

	// The writer goroutine's own.
	w             *conn
	publish       func([]store.Change)
	commit        func(*conn) error // tests put faults here
	truncateAfter time.Time         // no attempt to empty the WAL before
}

var _ store.Engine = (*Engine)(nil)

// Open opens the store in dir, making dir and store when absent and bringing
// an older schema up to date. InUse if another process has it open, TooNew if
// a newer program made it.
func Open(dir string, opts Options) (*Engine, error) {
	setDefaults(&opts)
	if _, number, _ := sqlite3.Version(); number < minVersion {
		return nil, store.Errorf(store.Internal, "SQLite %d is too old: want %d", number, minVersion)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	e := &Engine{opts: opts, dir: dir, path: filepath.Join(dir, databaseName), lock: lock,
		queue: make(chan *request, maxWaiting), closing: make(chan struct{}), stopped: make(chan struct{}),
		commit: func(c *conn) error { _, err := c.exec("COMMIT"); return err }}
	if err := e.open(); err != nil {
		return nil, errors.Join(err, e.closeFiles())
	}
	return e, nil
}

func setDefaults(o *Options) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.QueueWait == 0 {
		o.QueueWait = 10 * time.Second
	}
	if o.migrations == nil {
		o.migrations = migrations.SQLite()
	}
}

// lockDir takes the lock that keeps two processes from one store. The kernel
// frees it when the process ends, however it ends.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, store.Errorf(store.InUse, "the store in %s is in use by another process", dir)
		}
		return nil, err
	}
	return f, nil
}

func (e *Engine) open() error {
	if err := migrate(e.path, e.opts.migrations, e.opts.Now()); err != nil {
		return classify("open the store", err)
	}
	if err := e.openWriter(); err != nil {
		return classify("open the store", err)
	}
	if err := e.dropStaged(); err != nil {
		return classify("free bodies left over", err)
	}
	n := 2 * runtime.NumCPU()
	e.readers = make(chan *conn, n)
	for range n {
		c, err := openConn(dsn(e.path, "mode=rw&_query_only=1&_busy_timeout="+busyTimeout))
		if err != nil {
			return classify("open the store for reading", err)
		}
		e.readers <- c
		e.opened++
		if err := c.pragmas("PRAGMA temp_store = MEMORY", "PRAGMA trusted_schema = OFF", "PRAGMA cell_size_check = ON"); err != nil {
			return classify("open the store for reading", err)
		}
	}
	e.space.init(e)
	return nil
}

// openWriter opens the one connection that writes. FULL is what keeps
// acknowledged mail at power loss, so it is looked at, not assumed.
func (e *Engine) openWriter() error {
	c, err := openConn(dsn(e.path, "mode=rw&_journal_mode=WAL&_synchronous=FULL&_busy_timeout="+busyTimeout))
	if err != nil {
		return err
	}
	e.w = c
	err = c.pragmas("PRAGMA wal_autocheckpoint = 0", fmt.Sprintf("PRAGMA journal_size_limit = %d", truncateAt), "PRAGMA cache_size = -16000", "PRAGMA temp_store = MEMORY",
		"PRAGMA trusted_schema = OFF", "PRAGMA cell_size_check = ON")
	if err != nil {
		return err
	}
	if sync, err := c.integer("PRAGMA synchronous"); err != nil || sync != 2 {
		return errors.Join(err, store.Errorf(store.Internal, "synchronous is %d, want FULL", sync))
	}
	if mode, _, err := c.first("PRAGMA journal_mode"); err != nil || mode.text(0) != "wal" {
		return errors.Join(err, store.Errorf(store.Internal, "the journal mode is not WAL"))
	}
	id, _, err := c.first("SELECT value FROM store WHERE key = 'id'")
	if err != nil {
		return err
	}
	e.storeID = id.text(0)
	return nil
}

// pragmas runs statements to their end; some give rows.
func (c *conn) pragmas(list ...string) error {
	for _, sql := range list {
		if err := c.query(sql, func(row) error { return nil }); err != nil {
			return err
		}
	}
	return nil
}

// StoreID is the store's random id.
func (e *Engine) StoreID() string { return e.storeID }

// Start gives the engine its publisher and begins to take writes.
func (e *Engine) Start(publish func([]store.Change)) {
	e.publish = publish
	e.started = true
	go e.writeLoop() // ends with Close
}

// Close ends the writer once what waits is written, writes the WAL into the
// database and frees the lock.
func (e *Engine) Close() (err error) {
	e.closed.Do(func() {
		close(e.closing)
		if e.started {
			e.sending.Lock() // whoever was entering has seen closing or is in
			close(e.queue)
			e.sending.Unlock()
			<-e.stopped
		}
		err = e.closeFiles()
	})
	return err
}

func (e *Engine) closeFiles() error {
	var errs []error
	for range e.opened { // a batch of reading gives its reader back soon
		errs = append(errs, (<-e.readers).close())
	}
	if e.w != nil {
		errs = append(errs, e.w.close())
	}
	return errors.Join(append(errs, e.lock.Close())...)
}

// read runs one batch of reading on a reader of the pool, under the shared
// gate. fn must be short: no caller's code runs in it.
func (e *Engine) read(ctx context.Context, what string, fn func(c *conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var c *conn
	select {
	case c = <-e.readers:
	case <-ctx.Done():
		return ctx.Err()
	case <-e.closing:
		return store.Errorf(store.Busy, "%s: the store is closing", what)
	}
	e.gate.RLock()
	defer func() {
		e.gate.RUnlock()
		e.readers <- c
	}()
	return classify(what, fn(c))
}

// readOnce is read with all of fn in one read transaction: it sees one state
// of the store.
func (e *Engine) readOnce(ctx context.Context, what string, fn func(c *conn) error) error {
	return e.read(ctx, what, func(c *conn) error {
		if _, err := c.exec("BEGIN"); err != nil {
			return err
		}
		defer func() {
			if c.inTransaction() { // nothing was written: ending it is all
				c.exec("ROLLBACK")
			}
		}()
		return fn(c)
	})
}
