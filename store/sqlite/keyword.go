package sqlite

import (
	"strings"

	"tandem/store"
)

func keywordsOf(c *conn, id store.AccountID) (list []string, err error) {
	err = c.query("SELECT name FROM keyword WHERE account = ? ORDER BY n", func(r row) error {
		list = append(list, r.text(0))
		return nil
	}, id)
	return list, err
}

// keywords gives the flags that names stand for. Unknown ones are made when
// create is set, all or none, else passed over. Keywords differ without regard
// to case (RFC 3501 section 9). all is the account's whole list if it grew.
func (t *tx) keywords(id store.AccountID, names []string, create bool, limit int) (set store.FlagSet, all []string, err error) {
	var missing []string
	for _, name := range names {
		r, ok, err := t.first("SELECT n FROM keyword WHERE account = ? AND name = ?", id, name)
		switch {
		case err != nil:
			return set, nil, err
		case ok:
			set = set.With(int(r.int(0)), true)
		case create && !containsFold(missing, name):
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return set, nil, nil
	}
	next, err := t.integer("SELECT count(*) FROM keyword WHERE account = ?", id)
	if err != nil {
		return set, nil, err
	}
	if limit > 0 && int(next)+len(missing) > limit {
		return set, nil, store.Errorf(store.Limit, "the account has %d keywords, the most it may have is %d", next, limit)
	}
	for i, name := range missing {
		n := int(next) + i
		if _, err := t.exec("INSERT INTO keyword (account, n, name) VALUES (?, ?, ?)", id, n, name); err != nil {
			return set, nil, err
		}
		set = set.With(n, true)
	}
	all, err = keywordsOf(t.conn, id)
	return set, all, err
}

func containsFold(list []string, s string) bool {
	for _, have := range list {
		if strings.EqualFold(have, s) {
			return true
		}
	}
	return false
}
