package listen

import (
	"bytes"
	"crypto/x509"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func shown(t *testing.T, c *Certs) *x509.Certificate {
	t.Helper()
	c.mu.Lock()
	c.checked = time.Time{} // as if checkEvery had passed
	c.mu.Unlock()
	cert, err := c.get(nil)
	if err != nil {
		t.Fatal(err)
	}
	return cert.Leaf
}

func TestLocalCertsAreKeptAndPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	log := slog.New(slog.DiscardHandler)
	first, err := LocalCerts(dir, "mail.example.org", log)
	if err != nil {
		t.Fatal(err)
	}
	leaf := shown(t, first)
	if days := leaf.NotAfter.Sub(leaf.NotBefore).Hours() / 24; days > 825 {
		t.Errorf("valid %v days", days)
	}
	again, err := LocalCerts(dir, "mail.example.org", log)
	if err != nil {
		t.Fatal(err)
	}
	if !shown(t, again).Equal(leaf) {
		t.Error("a good certificate was replaced at the second start")
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 4 {
		t.Fatalf("files %v (%v), want 4", files, err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v (%v)", f.Name(), info.Mode(), err)
		}
	}
}

func TestLocalCertsRenewUnderTheSameAuthority(t *testing.T) {
	dir := t.TempDir()
	log := slog.New(slog.DiscardHandler)
	first, err := LocalCerts(dir, "old.example.org", log)
	if err != nil {
		t.Fatal(err)
	}
	old := shown(t, first)
	ca, err := os.ReadFile(first.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	if err := first.local.ensure(time.Now().AddDate(0, 0, leafDays-10)); err != nil {
		t.Fatal(err)
	}
	renewed := shown(t, first)
	if renewed.Equal(old) {
		t.Error("not renewed ten days before its end")
	}
	moved, err := LocalCerts(dir, "new.example.org", log)
	if err != nil {
		t.Fatal(err)
	}
	if err := shown(t, moved).VerifyHostname("new.example.org"); err != nil {
		t.Error(err)
	}
	if now, _ := os.ReadFile(first.CAFile()); !bytes.Equal(now, ca) {
		t.Error("the authority changed")
	}
}

func TestChangedFilesAreLoaded(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	mine, theirs := t.TempDir(), t.TempDir()
	for _, dir := range []string{mine, theirs} {
		if _, err := LocalCerts(dir, "", log); err != nil {
			t.Fatal(err)
		}
	}
	cert, key := filepath.Join(mine, "cert.pem"), filepath.Join(mine, "key.pem")
	c, err := OpenCerts(cert, key, log)
	if err != nil {
		t.Fatal(err)
	}
	old := shown(t, c)
	replace := func(file string) {
		t.Helper()
		if err := os.Rename(filepath.Join(theirs, filepath.Base(file)), file); err != nil {
			t.Fatal(err)
		}
	}
	replace(cert)
	if !shown(t, c).Equal(old) {
		t.Error("a certificate whose key has not come yet is shown")
	}
	replace(key)
	if shown(t, c).Equal(old) {
		t.Error("the new pair is not shown")
	}
	os.Remove(key)
	shown(t, c) // still served
	if err := c.Reload(); err == nil {
		t.Error("Reload says nothing about the missing key")
	}
}

func TestMissingFilesAreAnError(t *testing.T) {
	_, err := OpenCerts("/does/not/exist.pem", "/does/not/key.pem", slog.New(slog.DiscardHandler))
	if err == nil {
		t.Fatal("no error")
	}
}
