package store

import (
	"context"
	"strings"
	"sync"
)

// ScramKeys let a password be proved without being sent (RFC 5802 section 3).
// Salt and Iterations are the account's, the same for each of its credentials.
type ScramKeys struct {
	Salt       []byte
	Iterations int
	SHA256     []byte // StoredKey and ServerKey, 64 bytes in all; nil: none
	SHA1       []byte // the same, 40 bytes; nil: none
}

// ScramState is what all accounts together have.
type ScramState struct {
	Secret []byte // 32 bytes of this store's, for salts of names that nobody has

	// Whether each credential of every enabled account has keys.
	SHA256, SHA1 bool
}

// scramCache holds the state until accounts change: every connection asks.
type scramCache struct {
	mu      sync.Mutex
	changes int // counts forget, so that a state read before it is not kept
	known   bool
	state   ScramState
}

// Scram gives the state of all accounts.
func (s *Store) Scram(ctx context.Context) (ScramState, error) {
	c := &s.scram
	c.mu.Lock()
	state, known, changes := c.state, c.known, c.changes
	c.mu.Unlock()
	if known {
		return state, nil
	}
	state, err := s.engine.Scram(ctx)
	if err != nil {
		return ScramState{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changes == changes {
		c.known, c.state = true, state
	}
	return state, nil
}

// forget follows every change of accounts and credentials.
func (c *scramCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known = false
	c.changes++
}

// SetScramKeys gives a credential keys, if its hash is still hash. Keys under
// another salt than the account's are dropped while other credentials have
// theirs under it.
func (s *Store) SetScramKeys(ctx context.Context, id CredentialID, hash string, keys ScramKeys) error {
	defer s.accountsChanged()
	return s.engine.SetScramKeys(ctx, id, hash, keys)
}

// FoldLogin gives the login names that mean the same account, or would if there
// were one, one form: lower case, without a domain of ours.
func (s *Store) FoldLogin(login string) string {
	login = strings.ToLower(strings.TrimSpace(login))
	if local, domain, at := strings.Cut(login, "@"); at && s.OwnDomain(domain) {
		return local
	}
	return login
}
