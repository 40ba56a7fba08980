package listen

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	leafDays = 825 // what Apple's systems accept at most from a private authority
	caDays   = 3650
	backdate = time.Hour // for clients whose clock is behind
)

// localCA makes an authority and a certificate signed by it, for a server that
// was given no certificate. A client that trusts ca.pem trusts the server, also
// after a renewal.
type localCA struct {
	caFile, caKeyFile string
	certFile, keyFile string
	hostname          string
}

// LocalCerts returns certificates made by a local authority whose files are in
// dir: ca.pem, ca-key.pem, cert.pem, key.pem. What is missing, about to expire
// or for another hostname is made anew.
func LocalCerts(dir, hostname string, log *slog.Logger) (*Certs, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	local := &localCA{
		caFile:    filepath.Join(dir, "ca.pem"),
		caKeyFile: filepath.Join(dir, "ca-key.pem"),
		certFile:  filepath.Join(dir, "cert.pem"),
		keyFile:   filepath.Join(dir, "key.pem"),
		hostname:  hostname,
	}
	c := &Certs{certFile: local.certFile, keyFile: local.keyFile, log: log, local: local}
	if err := c.Reload(); err != nil {
		return nil, fmt.Errorf("local certificate: %w", err)
	}
	return c, nil
}

// ensure makes the files that are missing or no longer good at now.
func (l *localCA) ensure(now time.Time) error {
	ca, err := loadPair(l.caFile, l.caKeyFile)
	if err != nil {
		return err
	}
	if ca == nil || now.After(ca.Leaf.NotAfter.AddDate(0, 0, -leafDays)) {
		if ca, err = l.makeCA(now); err != nil {
			return err
		}
	}
	leaf, err := loadPair(l.certFile, l.keyFile)
	if err != nil {
		return err
	}
	if leaf != nil && l.good(leaf.Leaf, ca.Leaf, now) {
		return nil
	}
	return l.makeLeaf(ca, now)
}

// good reports whether leaf can stay in use.
func (l *localCA) good(leaf, ca *x509.Certificate, now time.Time) bool {
	return now.Before(leaf.NotAfter.Add(-expiresSoon)) &&
		leaf.CheckSignatureFrom(ca) == nil &&
		(l.hostname == "" || slices.Contains(leaf.DNSNames, l.hostname))
}

func (l *localCA) makeCA(now time.Time) (*tls.Certificate, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	return makePair(l.caFile, l.caKeyFile, &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "tandem local authority " + rand.Text()[:6]},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.AddDate(0, 0, caDays),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}, nil)
}

func (l *localCA) makeLeaf(ca *tls.Certificate, now time.Time) error {
	serial, err := newSerial()
	if err != nil {
		return err
	}
	names := []string{"localhost"}
	if l.hostname != "" && l.hostname != "localhost" {
		names = append(names, l.hostname)
	}
	_, err = makePair(l.certFile, l.keyFile, &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: names[len(names)-1]},
		NotBefore:    now.Add(-backdate),
		NotAfter:     now.Add(-backdate).AddDate(0, 0, leafDays),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     names,
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}, ca)
	return err
}

// newSerial returns 127 random bits. RFC 5280 section 4.1.2.2 allows 20 octets.
func newSerial() (*big.Int, error) {
	return rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
}

// loadPair returns nil without an error when either file does not exist or
// they do not fit together: both are then made anew.
func loadPair(certFile, keyFile string) (*tls.Certificate, error) {
	certPEM, err := os.ReadFile(certFile)
	if err == nil {
		var keyPEM []byte
		if keyPEM, err = os.ReadFile(keyFile); err == nil {
			pair, err := tls.X509KeyPair(certPEM, keyPEM)
			if err != nil {
				return nil, nil
			}
			return &pair, nil
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return nil, err
}

// makePair makes a P-256 key and a certificate for it after template, signed by
// ca or, without one, by itself. The key is written first: a crash in between
// leaves a pair that does not fit and is made again.
func makePair(certFile, keyFile string, template *x509.Certificate, ca *tls.Certificate) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	parent, signer := template, any(key)
	if ca != nil {
		parent, signer = ca.Leaf, ca.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	if err := writePEM(keyFile, "PRIVATE KEY", keyDER); err != nil {
		return nil, err
	}
	if err := writePEM(certFile, "CERTIFICATE", der); err != nil {
		return nil, err
	}
	return loadPair(certFile, keyFile)
}

// writePEM replaces file in one step, readable by its owner only.
func writePEM(file, kind string, der []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), ".new-*") // 0600
	if err != nil {
		return err
	}
	err = pem.Encode(tmp, &pem.Block{Type: kind, Bytes: der})
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		os.Remove(tmp.Name())
	}
	return err
}
