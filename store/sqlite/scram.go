package sqlite

import (
	"context"
	"math"

	"tandem/store"
)

// Scram gives the store's secret and whether every enabled account has keys.
func (e *Engine) Scram(ctx context.Context) (state store.ScramState, err error) {
	err = e.read(ctx, "look for SCRAM keys", func(c *conn) error {
		const lacking = "NOT EXISTS (SELECT 1 FROM credential c JOIN account a ON a.id = c.account WHERE a.enabled AND c.revoked IS NULL AND ifnull(c.expires, ?1) > ?2 AND c."
		r, _, err := c.first(`SELECT (SELECT value FROM store WHERE key = 'scram_secret'), `+
			lacking+`scram_sha256 IS NULL), `+lacking+`scram_sha1 IS NULL)`, int64(math.MaxInt64), e.opts.Now())
		if err == nil {
			state = store.ScramState{Secret: r.blob(0), SHA256: r.int(1) != 0, SHA1: r.int(2) != 0}
		}
		return err
	})
	return state, err
}

// SetScramKeys gives a credential keys if its hash is still hash.
func (e *Engine) SetScramKeys(ctx context.Context, id store.CredentialID, hash string, keys store.ScramKeys) error {
	return e.write(ctx, "keep SCRAM keys", 0, func(t *tx) error {
		r, ok, err := t.first("SELECT account FROM credential WHERE id = ? AND hash = ?", id, hash)
		if err != nil || !ok {
			return err
		}
		return t.putScramKeys(store.AccountID(r.int(0)), id, &keys)
	})
}

// putScramKeys replaces a credential's keys, nil for none. The first keys of an
// account choose its salt; others must lie under it and are left out if not.
func (t *tx) putScramKeys(account store.AccountID, id store.CredentialID, keys *store.ScramKeys) error {
	if keys == nil {
		_, err := t.exec("UPDATE credential SET scram_sha256 = NULL, scram_sha1 = NULL WHERE id = ?", id)
		return err
	}
	_, err := t.exec(`UPDATE account SET scram_salt = ?1, scram_iterations = ?2 WHERE id = ?3 AND NOT EXISTS
		(SELECT 1 FROM credential WHERE account = ?3 AND id <> ?4 AND revoked IS NULL AND (scram_sha256 IS NOT NULL OR scram_sha1 IS NOT NULL))`,
		keys.Salt, keys.Iterations, account, id)
	if err != nil {
		return err
	}
	_, err = t.exec(`UPDATE credential SET (scram_sha256, scram_sha1) =
			(SELECT iif(same, ?1, NULL), iif(same, ?2, NULL) FROM
				(SELECT scram_salt = ?3 AND scram_iterations = ?4 AS same FROM account WHERE id = ?5))
		WHERE id = ?6`, keys.SHA256, keys.SHA1, keys.Salt, keys.Iterations, account, id)
	return err
}

// scramKeysOf reads scram_salt, scram_iterations, scram_sha256 and scram_sha1
// from column i on.
func scramKeysOf(r row, i int) *store.ScramKeys {
	if r.null(i) {
		return nil
	}
	return &store.ScramKeys{Salt: r.blob(i), Iterations: int(r.int(i + 1)), SHA256: r.blob(i + 2), SHA1: r.blob(i + 3)}
}
