package clienttest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
)

// corpusFile finds the mbox of real mail: TANDEM_CORPUS, or shared/corpus beside
// the checkout or beside a directory above it.
func corpusFile(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("TANDEM_CORPUS"); path != "" {
		return path
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, "shared", "corpus", "ham.mbox.gz")
		if _, err := os.Stat(path); err == nil {
			return path
		}
		if dir == filepath.Dir(dir) {
			t.Skip("no corpus of real mail: set TANDEM_CORPUS to an mbox.gz")
		}
	}
}

var quotedFrom = regexp.MustCompile(`(?m)^>(>*From )`)

// splitMbox returns the messages of an mbox in the mboxrd form, with CRLF.
func splitMbox(t testing.TB, r io.Reader) [][]byte {
	t.Helper()
	var messages [][]byte
	var one []byte
	started := false
	finish := func() {
		if started {
			one = bytes.TrimSuffix(one, []byte("\n")) // the blank line between messages
			messages = append(messages, crlf(quotedFrom.ReplaceAll(one, []byte("$1"))))
		}
	}
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if bytes.HasPrefix(line, []byte("From ")) {
			finish()
			started, one = true, nil
		} else {
			one = append(one, line...)
		}
		if err == io.EOF {
			finish()
			return messages
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// readCorpus returns the messages of the corpus.
func readCorpus(t testing.TB, path string) [][]byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	return splitMbox(t, z)
}

// TestCorpus imports thousands of real messages and takes them out through
// every door.
func TestCorpus(t *testing.T) {
	t.Parallel()
	path := corpusFile(t)
	mails := readCorpus(t, path)
	s := startServer(t, "")
	to := s.account(t, "alice")

	start := time.Now()
	out := s.mustRun(t, "import", "--account", "alice", path)
	t.Logf("import of %d messages in %v: %s", len(mails), time.Since(start).Round(time.Millisecond), strings.TrimSpace(out))
	s.mustRun(t, "import", "--account", "alice", path) // the ledger skips all of it

	checkCorpusIMAP(t, to, mails)
	checkCorpusPOP3(t, to, mails)
	for _, format := range []string{"mbox", "maildir", "eml"} {
		checkExport(t, s, format, mails)
	}
	t.Run("mbsync", func(t *testing.T) {
		needs(t, "mbsync", "isync")
		dir := t.TempDir()
		config := mbsyncConfig(t, dir, to, "SSLType IMAPS", "Port "+port(t, to.IMAPS))
		mbsync(t, dir, config)
		files := maildirFiles(t, filepath.Join(dir, "mail", "INBOX"))
		// mbsync keeps a message's own marks of an earlier sync, so all are unmarked.
		sameMail(t, unmarked(values(files)), unmarked(mails))
		if sent := mbsync(t, dir, config); len(sent) != 0 {
			t.Errorf("the second sync sent %d commands: %.300q", len(sent), sent)
		}
		again := maildirFiles(t, filepath.Join(dir, "mail", "INBOX"))
		if !slices.Equal(slices.Sorted(maps.Keys(files)), slices.Sorted(maps.Keys(again))) {
			t.Error("the second sync renamed files")
		}
	})
}

// checkCorpusIMAP compares FETCH 1:* BODY.PEEK[] and RFC822.SIZE.
func checkCorpusIMAP(t *testing.T, to target, mails [][]byte) {
	t.Helper()
	all, _, err := fetchAll(imapSession(t, to, nil), "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != len(mails) {
		t.Fatalf("INBOX has %d of %d messages", len(all), len(mails))
	}
	for i, m := range all {
		if !bytes.Equal(m.text, mails[i]) {
			t.Errorf("IMAP message %d: %s\nwant %s", i+1, head(m.text), head(mails[i]))
		}
		if m.size != int64(len(m.text)) {
			t.Errorf("IMAP message %d: RFC822.SIZE %d of %d octets", i+1, m.size, len(m.text))
		}
	}
	// A mail program's first look must work on every one of them too.
	c := imapSession(t, to, nil)
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	msgs, err := c.Fetch(imap.SeqSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{
		UID: true, Envelope: true, BodyStructure: &imap.FetchItemBodyStructure{Extended: true}}).Collect()
	if err != nil || len(msgs) != len(mails) {
		t.Errorf("ENVELOPE and BODYSTRUCTURE of %d messages: %v", len(msgs), err)
	}
}

// checkCorpusPOP3 compares RETR and LIST.
func checkCorpusPOP3(t *testing.T, to target, mails [][]byte) {
	t.Helper()
	p := pop(t, to)
	list, err := p.listing("LIST")
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != len(mails) {
		t.Fatalf("LIST has %d of %d messages", len(list), len(mails))
	}
	for i, want := range mails {
		got, err := p.retr(i + 1)
		if err != nil {
			t.Fatal(err)
		}
		// RFC 1939 section 3: the end needs a CRLF, which a message may lack.
		if !bytes.HasSuffix(want, []byte("\r\n")) {
			want = append(slices.Clone(want), "\r\n"...)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("RETR %d: %s\nwant %s", i+1, head(got), head(want))
		}
		if list[i+1] != strconv.Itoa(len(mails[i])) {
			t.Errorf("LIST %d: %s, want %d", i+1, list[i+1], len(mails[i]))
		}
	}
	p.must(t, "QUIT")
}

// checkExport exports INBOX and compares.
func checkExport(t *testing.T, s *server, format string, mails [][]byte) {
	t.Helper()
	dest := filepath.Join(t.TempDir(), "export")
	s.mustRun(t, "export", "--account", "alice", "--mailbox", "INBOX", "--format", format, dest)
	var got [][]byte
	if format == "mbox" {
		f, err := os.Open(dest)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		got = splitMbox(t, f)
	} else {
		err := filepath.WalkDir(dest, func(path string, d fs.DirEntry, err error) error {
			name := filepath.Base(path)
			mail := filepath.Ext(name) == ".eml" || slices.Contains([]string{"new", "cur"}, filepath.Base(filepath.Dir(path)))
			if err != nil || d.IsDir() || !mail {
				return err
			}
			text, err := os.ReadFile(path)
			got = append(got, text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if t.Failed() {
		return
	}
	sameMail(t, got, mails)
	if t.Failed() {
		t.Errorf("in the export as %s", format)
	}
}

// TestSizeAgrees delivers messages in all sizes and endings: RFC822.SIZE, POP3
// LIST and the octets themselves agree, and what was sent is what is served.
func TestSizeAgrees(t *testing.T) {
	t.Parallel()
	s := startServer(t, "")
	to := s.account(t, "alice")
	var sent [][]byte
	for _, n := range []int{0, 1, 511, 512, 4095, 4096, 65536, 262143, 262144, 262145, 1 << 20} {
		sent = append(sent, message(fmt.Sprint("size-", n), "Size", strings.Repeat("x", n)+"\n"))
	}
	sent = append(sent, samples()...)
	for _, m := range sent {
		deliver(t, to, m)
	}
	all, _, err := fetchAll(imapSession(t, to, nil), "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	p := pop(t, to)
	list, err := p.listing("LIST")
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != len(sent) || len(list) != len(sent) {
		t.Fatalf("%d delivered; IMAP has %d, POP3 %d", len(sent), len(all), len(list))
	}
	for i, m := range all {
		retr, err := p.retr(i + 1)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasSuffix(m.text, sent[i]) || !bytes.Equal(m.text, retr) {
			t.Errorf("message %d: IMAP %s, POP3 %s, sent %s", i+1, head(m.text), head(retr), head(sent[i]))
		}
		if m.size != int64(len(m.text)) || list[i+1] != strconv.Itoa(len(m.text)) {
			t.Errorf("message %d: %d octets, RFC822.SIZE %d, LIST %s", i+1, len(m.text), m.size, list[i+1])
		}
	}
}
