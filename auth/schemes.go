package auth

import (
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"strings"

	"github.com/go-crypt/crypt/algorithm"
	"github.com/go-crypt/crypt/algorithm/argon2"
	"github.com/go-crypt/crypt/algorithm/bcrypt"
	"github.com/go-crypt/crypt/algorithm/md5crypt"
	gopbkdf2 "github.com/go-crypt/crypt/algorithm/pbkdf2"
	"github.com/go-crypt/crypt/algorithm/scrypt"
	"github.com/go-crypt/crypt/algorithm/shacrypt"
)

// The most that verifying one password may cost: a few seconds of one core and
// half a gigabyte. What is dearer was not made for logging in.
const (
	maxMemory     = 512 << 10 // KiB, argon2 and yescrypt
	maxPassMemory = 2 << 20   // KiB times passes, argon2
	maxThreads    = 64        // argon2
	maxBcryptCost = 16
	maxSHARounds  = 5_000_000
	maxIterations = 10_000_000 // PBKDF2
)

var errTooCostly = errors.New("hash is too costly to verify")

// schemes are Dovecot's password schemes by name. Each parses what follows the
// scheme; encoding is the scheme's suffix (HEX, B64) or "".
var schemes = map[string]func(hash, encoding string) (matcher, error){
	"PLAIN":     parsePlain,
	"CLEAR":     parsePlain,
	"CLEARTEXT": parsePlain,

	"CRYPT":        parseCrypt("$2", "$5$", "$6$", "$1$", "$y$", "$argon2i$", "$argon2id$", "$pbkdf2"),
	"BLF-CRYPT":    parseCrypt("$2"),
	"SHA256-CRYPT": parseCrypt("$5$"),
	"SHA512-CRYPT": parseCrypt("$6$"),
	"MD5-CRYPT":    parseCrypt("$1$"),
	"ARGON2I":      parseCrypt("$argon2i$"),
	"ARGON2ID":     parseCrypt("$argon2id$"),
	"PBKDF2":       parsePBKDF2,

	"SHA":     parseDigest(sha1.New, false),
	"SHA1":    parseDigest(sha1.New, false),
	"SHA256":  parseDigest(sha256.New, false),
	"SHA512":  parseDigest(sha512.New, false),
	"SSHA":    parseDigest(sha1.New, true),
	"SSHA256": parseDigest(sha256.New, true),
	"SSHA512": parseDigest(sha512.New, true),
}

// cryptForm is one of crypt(3)'s forms, told apart by its prefix.
type cryptForm struct {
	prefix string
	decode algorithm.DecodeFunc
	cost   func(fields []string) error // fields is the hash split at '$', after the first
}

var cryptForms = []cryptForm{
	{"$argon2id$", argon2.DecodeVariant(argon2.VariantID), argon2Cost},
	{"$argon2i$", argon2.DecodeVariant(argon2.VariantI), argon2Cost},
	{"$pbkdf2", gopbkdf2.Decode, pbkdf2Cost},
	{"$1$", md5crypt.DecodeVariant(md5crypt.VariantStandard), nil},
	{"$2", bcrypt.DecodeVariant(bcrypt.VariantStandard), bcryptCost},
	{"$5$", shacrypt.DecodeVariant(shacrypt.VariantSHA256), shaCost},
	{"$6$", shacrypt.DecodeVariant(shacrypt.VariantSHA512), shaCost},
	{"$y$", scrypt.DecodeVariant(scrypt.VariantYescrypt), yescryptCost},
}

// parseCrypt parses a crypt(3) hash with one of the prefixes.
func parseCrypt(prefixes ...string) func(string, string) (matcher, error) {
	return func(hash, encoding string) (matcher, error) {
		if encoding != "" {
			return nil, errHashFormat
		}
		for _, f := range cryptForms {
			if !strings.HasPrefix(hash, f.prefix) || !contains(prefixes, f.prefix) {
				continue
			}
			if f.cost != nil {
				if err := f.cost(strings.Split(hash, "$")[1:]); err != nil {
					return nil, err
				}
			}
			digest, err := f.decode(hash)
			if err != nil {
				return nil, errHashFormat // the library's error may quote the hash
			}
			return digest.MatchBytes, nil
		}
		return nil, errors.New("unsupported form of hash")
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// argon2Cost checks argon2id, v=19, m=65536,t=3,p=1, salt, key.
func argon2Cost(fields []string) error {
	if len(fields) != 5 {
		return errHashFormat
	}
	var m, t, p uint64
	const form = "m=%d,t=%d,p=%d"
	if _, err := fmt.Sscanf(fields[2], form, &m, &t, &p); err != nil {
		return errHashFormat
	}
	// Scanning stops at p; the library reads on, and the last value wins.
	if fields[2] != fmt.Sprintf(form, m, t, p) || m == 0 || t == 0 || p == 0 {
		return errHashFormat
	}
	if m > maxMemory || t > maxPassMemory || p > maxThreads {
		return errTooCostly
	}
	if max(m, 8*p)*t > maxPassMemory { // RFC 9106 section 3.1: no less than 8p
		return errTooCostly
	}
	return nil
}

// pbkdf2Cost checks pbkdf2-sha256, iterations, salt, key.
func pbkdf2Cost(fields []string) error {
	if len(fields) != 4 {
		return errHashFormat
	}
	return checkNumber(fields[1], 1, maxIterations)
}

// bcryptCost checks 2y, cost, salt and key.
func bcryptCost(fields []string) error {
	if len(fields) != 3 {
		return errHashFormat
	}
	return checkNumber(fields[1], 4, maxBcryptCost)
}

// shaCost checks 6, rounds=5000 (may be missing), salt, key.
func shaCost(fields []string) error {
	if len(fields) != 4 {
		return nil // without rounds: 5,000
	}
	rounds, ok := strings.CutPrefix(fields[1], "rounds=")
	if !ok {
		return errHashFormat
	}
	return checkNumber(rounds, 1, maxSHARounds)
}

// cryptAlphabet is crypt(3)'s order of base64 digits.
const cryptAlphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// yescryptCost checks y, setting, salt, key. The setting is the letter j, then
// log2 N and r, each a digit less one; the memory is 128 N r bytes.
func yescryptCost(fields []string) error {
	if len(fields) != 4 || len(fields[1]) != 3 {
		return errHashFormat
	}
	logN := strings.IndexByte(cryptAlphabet, fields[1][1]) + 1
	r := strings.IndexByte(cryptAlphabet, fields[1][2]) + 1
	if logN == 0 || r == 0 || len(fields[2]) == 0 || len(fields[3]) != 43 {
		return errHashFormat
	}
	if logN > 32 || uint64(128*r)<<logN > maxMemory<<10 {
		return errTooCostly
	}
	return nil
}

func checkNumber(s string, least, most int) error {
	n, err := strconv.Atoi(s)
	if errors.Is(err, strconv.ErrRange) || err == nil && n > most {
		return errTooCostly
	}
	if err != nil || n < least {
		return errHashFormat
	}
	return nil
}

// parsePBKDF2 parses Dovecot's own form, `$1$salt$iterations$hex`, which is
// PBKDF2 with HMAC-SHA1, and the `$pbkdf2-...` forms.
func parsePBKDF2(hash, encoding string) (matcher, error) {
	fields := strings.Split(hash, "$")
	if strings.HasPrefix(hash, "$pbkdf2") {
		return parseCrypt("$pbkdf2")(hash, encoding)
	}
	if len(fields) != 5 || fields[0] != "" || fields[1] != "1" || encoding != "" {
		return nil, errHashFormat
	}
	if err := checkNumber(fields[3], 1, maxIterations); err != nil {
		return nil, err
	}
	want, err := hex.DecodeString(fields[4])
	if err != nil || len(want) != sha1.Size {
		return nil, errHashFormat
	}
	iterations, _ := strconv.Atoi(fields[3]) // checked above
	return func(password []byte) bool {
		got, err := pbkdf2.Key(sha1.New, string(password), []byte(fields[2]), iterations, len(want))
		return err == nil && subtle.ConstantTimeCompare(got, want) == 1
	}, nil
}

// parseDigest parses a digest of the password, followed by a salt if salted.
func parseDigest(newHash func() hash.Hash, salted bool) func(string, string) (matcher, error) {
	return func(hash, encoding string) (matcher, error) {
		if encoding == "" {
			encoding = "B64"
		}
		b, err := decodeHash(hash, encoding)
		size := newHash().Size()
		if err != nil || len(b) < size || !salted && len(b) != size {
			return nil, errHashFormat
		}
		want, salt := b[:size], b[size:]
		return func(password []byte) bool {
			h := newHash()
			h.Write(password)
			h.Write(salt)
			return subtle.ConstantTimeCompare(h.Sum(nil), want) == 1
		}, nil
	}
}

func parsePlain(hash, encoding string) (matcher, error) {
	want, err := decodeHash(hash, encoding)
	if err != nil || len(want) == 0 {
		return nil, errHashFormat
	}
	// Compared as digests, so that the time does not tell the length either.
	wantSum := sha256.Sum256(want)
	return func(password []byte) bool {
		sum := sha256.Sum256(password)
		return subtle.ConstantTimeCompare(sum[:], wantSum[:]) == 1
	}, nil
}

// plainPassword returns the password in a hash that is none.
func plainPassword(stored string) (string, bool) {
	scheme, encoding, hash := splitScheme(stored)
	if scheme != "PLAIN" && scheme != "CLEAR" && scheme != "CLEARTEXT" {
		return "", false
	}
	b, err := decodeHash(hash, encoding)
	return string(b), err == nil
}

// decodeHash undoes a scheme's encoding.
func decodeHash(hash, encoding string) ([]byte, error) {
	switch encoding {
	case "":
		return []byte(hash), nil
	case "HEX":
		return hex.DecodeString(hash)
	case "B64", "BASE64":
		return base64.RawStdEncoding.DecodeString(strings.TrimRight(hash, "="))
	}
	return nil, errHashFormat
}
