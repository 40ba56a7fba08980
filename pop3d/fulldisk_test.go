package pop3d

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Without a free octet on the disk mail is listed, retrieved and deleted as
// ever.
func TestFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=40m"); err != nil {
		t.Skipf("a small file system cannot be mounted here: %v", err)
	}
	// Registered before the world's end, so that it runs after it.
	t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
	w := newWorldIn(t, filepath.Join(disk, "data")).listen()
	for n := range 20 {
		w.put("INBOX", message(n))
	}
	w.put("INBOX", "Subject: long\r\n\r\n"+strings.Repeat(strings.Repeat("x", 70)+"\r\n", 10_000))
	f, err := os.Create(filepath.Join(disk, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
	c := w.login()
	c.script("C: LIST 21\nS: +OK 21 *\nC: UIDL 1\nS: +OK 1 *\nC: RETR 21\nS: +OK 720017 octets")
	if n := len(c.body()); n != 720_017 {
		t.Errorf("%d octets came", n)
	}
	c.script("C: DELE 1\nS: +OK*\nC: QUIT\nS: +OK*\nS: EOF")
	w.login().script("C: STAT\nS: +OK 20 *\nC: RETR 20\nS: +OK 720017 octets")
	if got := len(w.uids("Trash")); got != 1 {
		t.Errorf("%d messages in Trash, want 1", got)
	}
}
