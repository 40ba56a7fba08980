package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/pressly/goose/v3"

	"tandem/store"
)

// applicationID marks our files in their header: "tndm".
const applicationID = 0x746e646d

// bodyStride is how many row ids a body larger than one chunk takes: chunks
// of 256 KiB make 4 GiB.
const bodyStride = 1 << 14

// dsn is the data source name of a database file.
func dsn(path, params string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?_mutex=no&" + params
}

// migrate brings the store at path to the newest schema in files, making it
// if there is none. It works on a copy beside it and renames that over the
// store: a failure leaves the store as it was. It opens and closes its own
// connections; no other may be open.
func migrate(path string, files fs.FS, now time.Time) error {
	work := path + ".new"
	if err := removeDatabase(work); err != nil {
		return err
	}
	newest, err := newestMigration(files)
	if err != nil {
		return err
	}
	_, err = os.Stat(path)
	born := errors.Is(err, fs.ErrNotExist)
	switch {
	case born:
		err = createPrivate(work)
	case err == nil:
		var current bool
		if current, err = checkVersion(path, newest); err == nil && current {
			return nil
		}
		if err == nil {
			err = copyDatabase(path, work)
		}
	}
	if err == nil {
		err = migrateFile(work, files, born, now)
	}
	if err == nil && !born {
		err = leaveWAL(path)
	}
	if err == nil {
		err = replaceFile(work, path)
	}
	if err != nil {
		return errors.Join(err, removeDatabase(work))
	}
	return nil
}

func newestMigration(files fs.FS) (int64, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil || len(names) == 0 {
		return 0, errors.Join(errors.New("no migrations"), err)
	}
	return goose.NumericComponent(names[len(names)-1])
}

// checkVersion refuses a file that is not ours or is newer than newest, and
// reports whether it is current.
func checkVersion(path string, newest int64) (current bool, err error) {
	c, err := openConn(dsn(path, "mode=rw"))
	if err != nil {
		return false, fmt.Errorf("open %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, c.close()) }()
	id, err := c.integer("PRAGMA application_id")
	if err != nil {
		return false, classify("open "+path, err)
	}
	if id != applicationID {
		return false, store.Errorf(store.Invalid, "%s is not a tandem store (application id %#x)", path, id)
	}
	version, err := c.integer("SELECT max(version_id) FROM goose_db_version WHERE is_applied")
	if err != nil {
		return false, classify("read the schema version of "+path, err)
	}
	if version > newest {
		return false, store.Errorf(store.TooNew, "%s has schema %d, this program knows %d: use the newer program", path, version, newest)
	}
	return version == newest, nil
}

func copyDatabase(from, to string) (err error) {
	if err := createPrivate(to); err != nil {
		return err
	}
	c, err := openConn(dsn(from, "mode=rw"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	_, err = c.exec("VACUUM INTO ?", to)
	return err
}

// migrateFile applies the migrations to a file that is not in use, and checks
// what came out.
func migrateFile(path string, files fs.FS, born bool, now time.Time) (err error) {
	db, err := sql.Open("sqlite3", dsn(path, "mode=rw&_auto_vacuum=incremental&_sync=FULL"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files,
		goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	if _, err := p.Up(context.Background()); err != nil {
		return fmt.Errorf("migrate %s: %w", path, err)
	}
	if born {
		err = birth(db, now)
	}
	if err != nil {
		return err
	}
	var verdict string
	if err := db.QueryRow("PRAGMA integrity_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return store.Errorf(store.Corrupt, "%s after its migration: %s", path, verdict)
	}
	return nil
}

// birth writes what a store has from its first day. The UIDVALIDITY counter
// begins at the time, so that a store made anew does not repeat the values of
// an old one; from then on it only counts up.
func birth(db *sql.DB, now time.Time) error {
	if _, err := db.Exec(fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
		return err
	}
	_, err := db.Exec(`INSERT INTO store (key, value) VALUES
		('id', ?), ('uidvalidity', ?), ('account', 0), ('credential', 0), ('body', ?)`,
		randomText(storeIDAlphabet, 10), min(max(now.Unix(), 1), 1<<31), bodyStride)
	return err
}

const (
	storeIDAlphabet = "0123456789abcdefghijklmnopqrstuvwxyz"
	idAlphabet      = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
)

// randomText gives n random characters of an alphabet of at most 64.
func randomText(alphabet string, n int) string {
	out := make([]byte, 0, n)
	var buf [32]byte
	for len(out) < n {
		rand.Read(buf[:]) // never fails
		for _, b := range buf {
			if k := int(b & 63); k < len(alphabet) && len(out) < n {
				out = append(out, alphabet[k])
			}
		}
	}
	return string(out)
}

// leaveWAL writes a store's WAL into it and removes it: a WAL left behind
// would be applied to the file that takes its place.
func leaveWAL(path string) (err error) {
	c, err := openConn(dsn(path, "mode=rw&_busy_timeout=1000"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	mode, _, err := c.first("PRAGMA journal_mode = DELETE")
	if store.KindOf(classify(path, err)) == store.Busy || err == nil && mode.text(0) != "delete" {
		err = store.Errorf(store.InUse, "%s is in use by another program", path)
	}
	return err
}

func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func removeDatabase(path string) error {
	for _, suffix := range []string{"", "-journal", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// replaceFile renames from to to so that a power loss leaves the one or the
// other whole.
func replaceFile(from, to string) error {
	if err := syncPath(from); err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncPath(filepath.Dir(to))
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
