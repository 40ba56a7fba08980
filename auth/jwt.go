package auth

import (
	"bytes"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
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

// jwtAlgorithms are those that a token may be signed with: never "none", and no
// MAC, for which a public key would be the secret (RFC 8725 section 3.1).
func jwtAlgorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
		jose.ES256, jose.ES384, jose.ES512, jose.EdDSA}
}

// parseJWT reads a token (RFC 7519) without looking at its signature.
func parseJWT(token string) (*jose.JSONWebSignature, error) {
	t, err := jose.ParseSignedCompact(token, jwtAlgorithms())
	var algorithm *jose.ErrUnexpectedSignatureAlgorithm
	switch {
	case errors.As(err, &algorithm):
		return nil, errTokenKey
	case err != nil || len(t.Signatures) != 1:
		return nil, errTokenForm
	}
	return t, nil
}

// parseJWKS reads a set of keys (RFC 7517). Those that are not for signatures,
// not public, too weak or of a kind that is not known are passed over.
func parseJWKS(text []byte) ([]jose.JSONWebKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("set of keys: %w", err)
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys[:min(len(set.Keys), maxKeys)] {
		var k jose.JSONWebKey
		if k.UnmarshalJSON(raw) != nil || !k.Valid() || !k.IsPublic() || k.Use != "" && k.Use != "sig" {
			continue
		}
		if key, ok := k.Key.(*rsa.PublicKey); ok && (key.N.BitLen() < minRSABits || key.N.BitLen() > maxRSABits) {
			continue
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// verifyJWT gives the payload of a token that one of the keys has signed, and
// errTokenKey when none of them could have.
func verifyJWT(t *jose.JSONWebSignature, keys []jose.JSONWebKey) ([]byte, error) {
	header := t.Signatures[0].Header
	err := errTokenKey
	for _, k := range keys {
		if header.KeyID != "" && header.KeyID != k.KeyID || k.Algorithm != "" && k.Algorithm != header.Algorithm {
			continue
		}
		payload, failed := t.Verify(k.Key)
		if failed == nil {
			return payload, nil
		}
		err = errTokenSigned
	}
	return nil, err
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
