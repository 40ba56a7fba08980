package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// The parameters of hashes made here: about 40 ms and 19 MiB each.
const (
	hashTime    = 2
	hashMemory  = 19 * 1024 // KiB
	hashThreads = 1
	hashSalt    = 16 // bytes
	hashKey     = 32 // bytes
)

// maxHash bounds the length of a stored hash, and with it the work of parsing
// one.
const maxHash = 1024

var errHashFormat = errors.New("malformed hash")

// hashPrefix begins every hash with today's parameters.
func hashPrefix() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$", argon2.Version, hashMemory, hashTime, hashThreads)
}

// HashPassword returns the argon2id hash of password in PHC string form. It is
// that of its prepared form: a client may send other characters that look alike.
func HashPassword(password string) string {
	salt := make([]byte, hashSalt)
	rand.Read(salt) // never fails
	key := argon2.IDKey([]byte(prepare(password)), salt, hashTime, hashMemory, hashThreads, hashKey)
	b64 := base64.RawStdEncoding
	return hashPrefix() + b64.EncodeToString(salt) + "$" + b64.EncodeToString(key)
}

// HashMade returns the hash to store for a password that was made at random, of
// 100 bits or more. It need not be slow: nobody can try that many. An account may
// have many such passwords, and a login tries them all.
func HashMade(password string) string {
	salt := make([]byte, hashSalt)
	rand.Read(salt) // never fails
	sum := sha256.Sum256(append([]byte(password), salt...))
	return "{SSHA256}" + base64.StdEncoding.EncodeToString(append(sum[:], salt...))
}

// ImportHash checks a hash as it stands in a Dovecot passwd-file,
// `{SCHEME}hash`, and returns what to store for it: an argon2id hash when it
// was {PLAIN} and keep is false, else the hash as it is. Without a scheme it is
// taken for {CRYPT}. An error names the scheme, never the hash.
func ImportHash(hash string, keep bool) (string, error) {
	if _, err := parseHash(hash); err != nil {
		return "", err
	}
	if password, ok := plainPassword(hash); ok && !keep {
		return HashPassword(password), nil
	}
	return hash, nil
}

// matcher reports whether a password is the one that was hashed.
type matcher func(password []byte) bool

// parseHash understands a stored hash. Its cost is within bounds.
func parseHash(stored string) (matcher, error) {
	if len(stored) > maxHash {
		return nil, fmt.Errorf("hash has %d bytes, more than %d", len(stored), maxHash)
	}
	scheme, encoding, hash := splitScheme(stored)
	parse, ok := schemes[scheme]
	if !ok {
		return nil, fmt.Errorf("unsupported password scheme {%.32s}", scheme)
	}
	m, err := parse(hash, encoding)
	if err != nil {
		return nil, fmt.Errorf("password scheme {%s}: %w", scheme, err)
	}
	return m, nil
}

// splitScheme splits {SCHEME.ENCODING}hash. The scheme comes back in upper
// case, the encoding likewise or as "".
func splitScheme(stored string) (scheme, encoding, hash string) {
	if !strings.HasPrefix(stored, "{") {
		return "CRYPT", "", stored
	}
	scheme, hash, ok := strings.Cut(stored[1:], "}")
	if !ok {
		return "", "", stored
	}
	scheme, encoding, _ = strings.Cut(strings.ToUpper(scheme), ".")
	return scheme, encoding, hash
}

// upToDate reports whether stored is a hash as HashPassword makes them now.
func upToDate(stored string) bool { return strings.HasPrefix(stored, hashPrefix()) }
