package auth

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha256" // for crypto.Hash.New
	_ "crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

const (
	maxKeys    = 100  // in a provider's set; further ones are passed over
	minRSABits = 2048 // RFC 7518 section 3.3
	maxRSABits = 8192
)

var (
	errTokenForm   = errors.New("no JSON Web Token")
	errTokenKey    = errors.New("signed with a key that the provider does not have")
	errTokenSigned = errors.New("wrong signature")
)

// jwtHeader is a token's header (RFC 7515 section 4.1).
type jwtHeader struct {
	Algorithm string          `json:"alg"`
	Key       string          `json:"kid"`
	Critical  json.RawMessage `json:"crit"`
}

// jwt is a token (RFC 7519) whose signature has not been looked at.
type jwt struct {
	header    jwtHeader
	signed    []byte
	signature []byte
	payload   []byte
}

func parseJWT(token string) (t jwt, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return t, errTokenForm
	}
	var raw [3][]byte
	for i, p := range parts {
		if raw[i], err = base64.RawURLEncoding.Strict().DecodeString(p); err != nil {
			return t, errTokenForm
		}
	}
	if err := json.Unmarshal(raw[0], &t.header); err != nil {
		return t, errTokenForm
	}
	if t.header.Critical != nil { // RFC 7515 section 4.1.11: what we do not know must not be passed over
		return t, errTokenForm
	}
	t.signed, t.payload, t.signature = []byte(token[:len(parts[0])+1+len(parts[1])]), raw[1], raw[2]
	return t, nil
}

// jwk is a public key of a provider (RFC 7517).
type jwk struct {
	id        string
	algorithm string // "" is any that the key can do
	public    crypto.PublicKey
}

// parseJWKS reads a set of keys. Those that are not for signatures, or of a kind
// that is not known here, are passed over.
func parseJWKS(text []byte) ([]jwk, error) {
	var set struct {
		Keys []struct {
			Type       string `json:"kty"`
			ID         string `json:"kid"`
			Use        string `json:"use"`
			Algorithm  string `json:"alg"`
			Curve      string `json:"crv"`
			N, E, X, Y string
		} `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("set of keys: %w", err)
	}
	var keys []jwk
	for _, k := range set.Keys[:min(len(set.Keys), maxKeys)] {
		var public crypto.PublicKey
		switch {
		case k.Use != "" && k.Use != "sig":
		case k.Type == "RSA":
			public = rsaKey(k.N, k.E)
		case k.Type == "EC":
			public = ecKey(k.Curve, k.X, k.Y)
		case k.Type == "OKP" && k.Curve == "Ed25519": // RFC 8037 section 2
			if x := unBase64(k.X); len(x) == ed25519.PublicKeySize {
				public = ed25519.PublicKey(x)
			}
		}
		if public != nil {
			keys = append(keys, jwk{k.ID, k.Algorithm, public})
		}
	}
	return keys, nil
}

// unBase64 is nil for what is no base64url.
func unBase64(s string) []byte {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil
	}
	return b
}

// rsaKey reads RFC 7518 section 6.3.1; nil is a key not to be used.
func rsaKey(n, e string) crypto.PublicKey {
	modulus, exponent := new(big.Int).SetBytes(unBase64(n)), new(big.Int).SetBytes(unBase64(e))
	if modulus.BitLen() < minRSABits || modulus.BitLen() > maxRSABits || exponent.BitLen() > 31 || exponent.BitLen() < 2 {
		return nil
	}
	return &rsa.PublicKey{N: modulus, E: int(exponent.Int64())}
}

// ecKey reads RFC 7518 section 6.2.1; nil is a key not to be used.
func ecKey(curve, x, y string) crypto.PublicKey {
	var c elliptic.Curve
	switch curve {
	case "P-256":
		c = elliptic.P256()
	case "P-384":
		c = elliptic.P384()
	case "P-521":
		c = elliptic.P521()
	default:
		return nil
	}
	point := append([]byte{4}, append(unBase64(x), unBase64(y)...)...)
	key, err := ecdsa.ParseUncompressedPublicKey(c, point)
	if err != nil { // also when it is not on the curve
		return nil
	}
	return key
}

// verify checks the signature against the keys, and gives errTokenKey when none
// of them could have made it. The key says which algorithms there may be: never
// "none", and no MAC with a public key for its secret (RFC 8725 section 3.1).
func (t jwt) verify(keys []jwk) error {
	err := errTokenKey
	for _, k := range keys {
		if t.header.Key != "" && t.header.Key != k.id || k.algorithm != "" && k.algorithm != t.header.Algorithm {
			continue
		}
		check := signatureCheck(k.public, t.header.Algorithm)
		switch {
		case check == nil:
		case check(t.signed, t.signature):
			return nil
		default:
			err = errTokenSigned
		}
	}
	return err
}

// signatureCheck gives the check of an algorithm (RFC 7518 section 3.1) with a
// key; nil when the two do not belong together.
func signatureCheck(public crypto.PublicKey, algorithm string) func(signed, signature []byte) bool {
	if key, ok := public.(ed25519.PublicKey); ok {
		if algorithm != "EdDSA" {
			return nil
		}
		return func(signed, signature []byte) bool { return ed25519.Verify(key, signed, signature) }
	}
	if len(algorithm) != 5 {
		return nil
	}
	hash, ok := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[algorithm[2:]]
	if !ok {
		return nil
	}
	sum := func(signed []byte) []byte {
		h := hash.New()
		h.Write(signed)
		return h.Sum(nil)
	}
	switch key := public.(type) {
	case *rsa.PublicKey:
		switch algorithm[:2] {
		case "RS":
			return func(signed, signature []byte) bool {
				return rsa.VerifyPKCS1v15(key, hash, sum(signed), signature) == nil
			}
		case "PS":
			opts := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash} // RFC 7518 section 3.5
			return func(signed, signature []byte) bool {
				return rsa.VerifyPSS(key, hash, sum(signed), signature, opts) == nil
			}
		}
	case *ecdsa.PublicKey:
		// RFC 7518 section 3.4: each algorithm has its curve.
		curves := map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}
		if curves[algorithm] != key.Curve {
			return nil
		}
		size := (key.Curve.Params().BitSize + 7) / 8
		return func(signed, signature []byte) bool {
			if len(signature) != 2*size {
				return false
			}
			r, s := new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])
			return ecdsa.Verify(key, sum(signed), r, s)
		}
	}
	return nil
}

// claims are what a token says, or what a provider says of it.
type claims map[string]json.RawMessage

func parseClaims(text []byte) (claims, error) {
	var c claims
	if err := json.Unmarshal(text, &c); err != nil || !bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		return nil, errTokenForm
	}
	return c, nil
}

func (c claims) text(name string) string {
	var s string
	_ = json.Unmarshal(c[name], &s) // "" for what is no string
	return s
}

// texts reads a string, or a list of strings.
func (c claims) texts(name string) []string {
	var list []string
	if json.Unmarshal(c[name], &list) != nil {
		if s := c.text(name); s != "" {
			return []string{s}
		}
		return nil
	}
	return list
}

// seconds reads a time (RFC 7519 section 2, NumericDate).
func (c claims) seconds(name string) (t float64, given bool) {
	err := json.Unmarshal(c[name], &t)
	return t, err == nil && string(c[name]) != "null"
}
