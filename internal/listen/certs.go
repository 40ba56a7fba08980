package listen

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

const (
	checkEvery  = 2 * time.Second     // how often handshakes look at the files, at most
	expiresSoon = 30 * 24 * time.Hour // when to warn, or to renew a certificate of our own
)

// Certs holds the certificate that TLS shows, and follows its files: a
// handshake notices that they changed and loads them.
type Certs struct {
	certFile, keyFile string
	log               *slog.Logger
	local             *localCA // makes the files, or nil when they are the operator's

	mu      sync.Mutex
	cert    *tls.Certificate
	loaded  stamp // of the files when they were last looked into
	checked time.Time
}

// stamp tells whether the certificate and the key file changed. A file that
// does not exist is nil.
type stamp [2]os.FileInfo

func (s stamp) equal(t stamp) bool {
	for i, a := range s {
		b := t[i]
		if a == nil || b == nil {
			if a != b {
				return false
			}
			continue
		}
		// A renamed file may have the size and, within a tick, the time of the
		// one it replaces: so the identity counts too.
		if !os.SameFile(a, b) || !a.ModTime().Equal(b.ModTime()) || a.Size() != b.Size() {
			return false
		}
	}
	return true
}

// OpenCerts loads a certificate chain and its key, both PEM.
func OpenCerts(certFile, keyFile string, log *slog.Logger) (*Certs, error) {
	c := &Certs{certFile: certFile, keyFile: keyFile, log: log}
	if err := c.Reload(); err != nil {
		return nil, err
	}
	return c, nil
}

// Config returns a TLS configuration for servers that shows the certificate:
// TLS 1.2 or later. Go's servers never renegotiate.
func (c *Certs) Config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}
}

// CAFile returns the path of the local authority's certificate, or "" when the
// certificate is not self-made.
func (c *Certs) CAFile() string {
	if c.local == nil {
		return ""
	}
	return c.local.caFile
}

// Reload loads the files now. After an error the certificate that was in use
// stays.
func (c *Certs) Reload() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.checked = time.Now()
	return c.load()
}

// get is tls.Config.GetCertificate.
func (c *Certs) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if now.Sub(c.checked) < checkEvery {
		return c.cert, nil
	}
	c.checked = now
	changed := !c.stat().equal(c.loaded)
	expiring := c.local != nil && now.After(c.cert.Leaf.NotAfter.Add(-expiresSoon))
	if changed || expiring {
		if err := c.load(); err != nil {
			c.log.Error("certificate not reloaded, the old one stays in use", "err", err)
		}
	}
	return c.cert, nil
}

// load makes the files if they are ours to make, and reads them. The stamp is
// taken first, so that a change during the reading is seen next time; it is
// kept after an error too, so that the error is told once per change.
func (c *Certs) load() error {
	if c.local != nil {
		if err := c.local.ensure(time.Now()); err != nil {
			return err
		}
	}
	c.loaded = c.stat()
	cert, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("TLS certificate %s with key %s: %w", c.certFile, c.keyFile, err)
	}
	if cert.Leaf == nil {
		if cert.Leaf, err = x509.ParseCertificate(cert.Certificate[0]); err != nil {
			return fmt.Errorf("TLS certificate %s: %w", c.certFile, err)
		}
	}
	if left := time.Until(cert.Leaf.NotAfter); left < expiresSoon {
		c.log.Warn("TLS certificate expires soon or has expired", "file", c.certFile, "not_after", cert.Leaf.NotAfter)
	}
	c.cert = &cert
	return nil
}

func (c *Certs) stat() stamp {
	var s stamp
	for i, file := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(file); err == nil {
			s[i] = info
		}
	}
	return s
}
