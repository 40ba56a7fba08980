package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"tandem/migrations"
	"tandem/store"
)

// withNext gives our migrations and one more.
func withNext(t *testing.T, sql string) fs.FS {
	t.Helper()
	files := fstest.MapFS{"9999_next.sql": {Data: []byte("-- +goose Up\n" + sql)}}
	ours, err := fs.Glob(migrations.SQLite(), "*.sql")
	for _, name := range ours {
		data, readErr := fs.ReadFile(migrations.SQLite(), name)
		files[name] = &fstest.MapFile{Data: data}
		err = errors.Join(err, readErr)
	}
	if err != nil {
		t.Fatal(err)
	}
	return files
}

const goodNext = "CREATE TABLE extra (id INTEGER PRIMARY KEY);\nALTER TABLE mailbox ADD COLUMN colour TEXT;\n"

func wantOpenKind(t *testing.T, dir string, opts Options, kind store.Kind) {
	t.Helper()
	e, err := Open(dir, opts)
	if err == nil {
		e.Close()
		t.Fatalf("the store was opened, want an error of kind %q", kind)
	}
	if store.KindOf(err) != kind {
		t.Fatalf("error %q, want kind %q", err, kind)
	}
}

func TestMigrationKeepsAllAndOlderProgramsRefuse(t *testing.T) {
	dir := t.TempDir()
	b := openBox(t, dir, Options{})
	id := b.StoreID()
	b.mustPut("before")
	b.must(b.Close())
	newer := Options{migrations: withNext(t, goodNext)}
	b = openBox(t, dir, newer)
	b.sql("INSERT INTO extra VALUES (1)")
	b.mustPut("after")
	if b.messages() != 2 || b.StoreID() != id {
		t.Fatalf("%d messages in store %s, want 2 in %s", b.messages(), b.StoreID(), id)
	}
	if mode := b.integer("PRAGMA auto_vacuum"); mode != 2 {
		t.Fatalf("auto_vacuum %d", mode)
	}
	b.wantClean()
	b.must(b.Close())
	wantOpenKind(t, dir, Options{}, store.TooNew)
	openBox(t, dir, newer)
}

func TestAFailedMigrationLeavesTheStoreAsItWas(t *testing.T) {
	dir := t.TempDir()
	b := openBox(t, dir, Options{})
	b.mustPut("kept")
	b.must(b.Close())
	wantOpenKind(t, dir, Options{migrations: withNext(t, "CREATE TABLE half (id INTEGER);\nCREATE TABLE oops (;\n")}, store.Internal)
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		if strings.Contains(f.Name(), ".new") {
			t.Errorf("%s was left behind", f.Name())
		}
	}
	b = openBox(t, dir, Options{})
	if b.messages() != 1 {
		t.Fatalf("%d messages, want 1", b.messages())
	}
	if b.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'half'") != 0 {
		t.Fatal("half of the migration is there")
	}
}

// A store that was not closed has mail in its WAL.
func TestMigrationTakesTheWALAlong(t *testing.T) {
	b := openBox(t, t.TempDir(), Options{})
	b.mustPut("in the WAL")
	copied := t.TempDir()
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(filepath.Join(b.dir, databaseName+suffix))
		b.must(errors.Join(err, os.WriteFile(filepath.Join(copied, databaseName+suffix), data, 0o600)))
	}
	b.must(os.WriteFile(filepath.Join(copied, databaseName+".new"), []byte("left by a crash"), 0o600))
	c := openBox(t, copied, Options{migrations: withNext(t, goodNext)})
	if c.messages() != 1 {
		t.Fatalf("%d messages, want 1", c.messages())
	}
	c.wantClean()
}

// Somebody who reads the store with another program would be left with a file
// that is no longer the store.
func TestMigrationRefusesAStoreInUse(t *testing.T) {
	dir := t.TempDir()
	b := openBox(t, dir, Options{})
	b.mustPut("kept")
	b.must(b.Close())
	other, err := openConn(dsn(filepath.Join(dir, databaseName), "mode=rw"))
	b.must(err)
	defer other.close()
	if _, err := other.integer("SELECT count(*) FROM entry"); err != nil {
		t.Fatal(err)
	}
	wantOpenKind(t, dir, Options{migrations: withNext(t, goodNext)}, store.InUse)
	if b = openBox(t, dir, Options{}); b.messages() != 1 {
		t.Fatalf("%d messages, want 1", b.messages())
	}
}

func TestOpenRefusesWhatIsNotOurs(t *testing.T) {
	dir := t.TempDir()
	b := openBox(t, dir, Options{})
	wantOpenKind(t, dir, Options{}, store.InUse)
	b.must(b.Close())
	other := t.TempDir()
	c, err := openConn(dsn(filepath.Join(other, databaseName), "mode=rwc"))
	b.must(err)
	b.must(c.pragmas("CREATE TABLE x (y)"))
	b.must(c.close())
	wantOpenKind(t, other, Options{}, store.Invalid)
	garbage := t.TempDir()
	b.must(os.WriteFile(filepath.Join(garbage, databaseName), []byte(strings.Repeat("garbage!", 1000)), 0o600))
	wantOpenKind(t, garbage, Options{}, store.Corrupt)
	b.must(os.WriteFile(filepath.Join(garbage, "file"), nil, 0o600))
	wantOpenKind(t, filepath.Join(garbage, "file"), Options{}, store.Internal)
}

func TestStoresAreMadePrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b?c%41", "data")
	b := openBox(t, dir, Options{})
	b.mustPut("x")
	for name, want := range map[string]fs.FileMode{".": 0o700, databaseName: 0o600, databaseName + "-wal": 0o600, databaseName + "-shm": 0o600, lockName: 0o600, spareName: 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		b.must(err)
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
}

func TestStoresDiffer(t *testing.T) {
	one, two := openBox(t, t.TempDir(), Options{}), openBox(t, t.TempDir(), Options{})
	if one.StoreID() == two.StoreID() {
		t.Fatal("two stores have one id")
	}
}
