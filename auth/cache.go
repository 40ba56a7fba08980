package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"

	"tandem/store"
)

const (
	cacheTime = time.Hour
	cacheSize = 20_000 // credentials
)

type mac [sha256.Size]byte

// macKey makes MACs of secrets, so that memory holds nothing that could be
// tried against passwords without the key of this process.
type macKey [32]byte

func newMACKey() macKey {
	var k macKey
	rand.Read(k[:]) // never fails
	return k
}

// sum is unambiguous: every field is preceded by its length.
func (k *macKey) sum(fields ...string) mac {
	h := hmac.New(sha256.New, k[:])
	for _, f := range fields {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(f)))
		h.Write(n[:])
		h.Write([]byte(f))
	}
	return mac(h.Sum(nil))
}

// cache remembers the last right password of each credential, so that a client
// which logs in every minute costs no hash each time. The stored hash is part
// of what is compared: a changed password is a miss.
type cache struct {
	key macKey

	mu      sync.Mutex
	entries map[store.CredentialID]cacheEntry
}

type cacheEntry struct {
	sum   mac
	until time.Time
}

func newCache() *cache {
	return &cache{key: newMACKey(), entries: map[store.CredentialID]cacheEntry{}}
}

func (c *cache) has(id store.CredentialID, hash, password string) bool {
	c.mu.Lock()
	e, ok := c.entries[id]
	c.mu.Unlock()
	if !ok || time.Now().After(e.until) {
		return false
	}
	sum := c.key.sum(hash, password)
	return hmac.Equal(sum[:], e.sum[:])
}

func (c *cache) add(id store.CredentialID, hash, password string) {
	e := cacheEntry{c.key.sum(hash, password), time.Now().Add(cacheTime)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.entries[id]; !ok && len(c.entries) >= cacheSize {
		for old := range c.entries { // any one: it will cost its owner one hash
			delete(c.entries, old)
			break
		}
	}
	c.entries[id] = e
}
