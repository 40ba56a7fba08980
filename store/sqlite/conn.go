package sqlite

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	sqlite3 "github.com/mattn/go-sqlite3"

	"tandem/store"
)

// conn is one connection to the database, for one goroutine at a time. It
// speaks to the driver without database/sql and gives SQLite no context: a
// context that ends inside a transaction would roll all of it back.
type conn struct {
	c     *sqlite3.SQLiteConn
	stmts map[string]*sqlite3.SQLiteStmt // prepared and not running
}

func openConn(dsn string) (*conn, error) {
	c, err := (&sqlite3.SQLiteDriver{}).Open(dsn)
	if err != nil {
		return nil, err
	}
	return &conn{c: c.(*sqlite3.SQLiteConn), stmts: map[string]*sqlite3.SQLiteStmt{}}, nil
}

func (c *conn) close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	clear(c.stmts)
	return errors.Join(append(errs, c.c.Close())...)
}

// take gives a statement of the cache, or a new one; give puts it back. A
// statement is out of the cache while it runs, so nested use is safe.
func (c *conn) take(sql string) (*sqlite3.SQLiteStmt, error) {
	if s := c.stmts[sql]; s != nil {
		delete(c.stmts, sql)
		return s, nil
	}
	s, err := c.c.Prepare(sql)
	if err != nil {
		return nil, fmt.Errorf("%w in %q", err, sql)
	}
	return s.(*sqlite3.SQLiteStmt), nil
}

func (c *conn) give(sql string, s *sqlite3.SQLiteStmt) {
	if old := c.stmts[sql]; old != nil {
		s.Close()
		return
	}
	c.stmts[sql] = s
}

// exec runs a statement and gives the number of rows it changed.
func (c *conn) exec(sql string, args ...any) (int64, error) {
	s, err := c.take(sql)
	if err != nil {
		return 0, err
	}
	defer c.give(sql, s)
	res, err := s.Exec(values(args))
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// errStop ends a query early without an error.
var errStop = errors.New("stop")

// query runs a statement and calls each with every row, which is valid only
// during the call. The statement has ended when query returns.
func (c *conn) query(sql string, each func(r row) error, args ...any) error {
	s, err := c.take(sql)
	if err != nil {
		return err
	}
	defer c.give(sql, s)
	rows, err := s.Query(values(args))
	if err != nil {
		return err
	}
	defer rows.Close()
	r := make(row, len(rows.Columns()))
	for {
		switch err := rows.Next(r); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		switch err := each(r); {
		case err == errStop:
			return nil
		case err != nil:
			return err
		}
	}
}

// first gives the first row of a query; ok is false if there is none.
func (c *conn) first(sql string, args ...any) (found row, ok bool, err error) {
	err = c.query(sql, func(r row) error {
		found, ok = r, true
		return errStop
	}, args...)
	return found, ok, err
}

// integer gives the first column of the first row, 0 if there is no row.
func (c *conn) integer(sql string, args ...any) (int64, error) {
	r, ok, err := c.first(sql, args...)
	if err != nil || !ok {
		return 0, err
	}
	return r.int(0), nil
}

// exists reports whether a query gives a row.
func (c *conn) exists(sql string, args ...any) (bool, error) {
	_, ok, err := c.first(sql, args...)
	return ok, err
}

// inTransaction reports whether a transaction is open. After an error it may
// not be: SQLite rolls back by itself when the disk is full or fails.
func (c *conn) inTransaction() bool { return !c.c.AutoCommit() }

// row is one row of a query. A column of another type than asked for gives
// the zero value; STRICT tables keep that from happening.
type row []driver.Value

func (r row) int(i int) int64 {
	v, _ := r[i].(int64)
	return v
}

func (r row) text(i int) string {
	v, _ := r[i].(string)
	return v
}

// blob gives a copy made by the driver, which the caller may keep.
func (r row) blob(i int) []byte {
	v, _ := r[i].([]byte)
	return v
}

func (r row) null(i int) bool { return r[i] == nil }

func (r row) time(i int) time.Time {
	if r[i] == nil {
		return time.Time{}
	}
	return time.Unix(r.int(i), 0).UTC()
}

// values turns arguments into what the driver takes.
func values(args []any) []driver.Value {
	list := make([]driver.Value, len(args))
	for i, a := range args {
		list[i] = value(a)
	}
	return list
}

func value(a any) driver.Value {
	switch v := a.(type) {
	case int:
		return int64(v)
	case uint32:
		return int64(v)
	case store.AccountID:
		return int64(v)
	case store.MailboxID:
		return int64(v)
	case store.MessageID:
		return int64(v)
	case store.CredentialID:
		return int64(v)
	case store.BodyID:
		return int64(v)
	case store.UID:
		return int64(v)
	case store.ModSeq:
		return int64(min(v, math.MaxInt64)) // a client may name any
	case store.Flags:
		return int64(v)
	case store.SpecialUse:
		return string(v)
	case store.DeletePolicy:
		return string(v)
	case store.SeeRule:
		return string(v)
	case store.Scope:
		return int64(v)
	case time.Time:
		return v.Unix()
	}
	return a // the driver refuses what it does not know
}
