package maildir

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

// Writer writes a Maildir++ tree.
type Writer struct {
	root *os.Root
	host string
	n    int
}

// Create opens dir for writing, making it and its INBOX when absent. host goes
// into the file names.
func Create(dir, host string) (*Writer, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	w := &Writer{root: root, host: strings.NewReplacer("/", "_", ":", "_", ",", "_").Replace(host)}
	if _, err := w.Folder("INBOX"); err != nil {
		root.Close()
		return nil, err
	}
	return w, nil
}

// Close ends the writing.
func (w *Writer) Close() error { return w.root.Close() }

// FolderWriter writes the messages of one folder.
type FolderWriter struct {
	w     *Writer
	dir   string
	words []string // keyword names, at most 26; the letter 'a' is the first
}

// Folder makes a folder for mailbox ("INBOX", or parts joined by "/") unless it
// is there, and gives its writer.
func (w *Writer) Folder(mailbox string) (*FolderWriter, error) {
	dir := dirName(mailbox)
	for _, sub := range []string{"", "/tmp", "/new", "/cur"} {
		if err := w.root.Mkdir(dir+sub, 0o700); err != nil && !errors.Is(err, fs.ErrExist) && dir+sub != "." {
			return nil, err
		}
	}
	if dir != "." { // marks a folder of Maildir++
		f, err := w.root.OpenFile(dir+"/maildirfolder", os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, err
		}
		f.Close()
	}
	fw := &FolderWriter{w: w, dir: dir}
	return fw, fw.readWords()
}

// readWords takes over the keywords of a folder that was there.
func (f *FolderWriter) readWords() error {
	text, err := (&Tree{f.w.root}).readIndex(f.dir + "/dovecot-keywords")
	for i, word := range parseKeywords(text) {
		if word != "" {
			f.words = append(slices.Grow(f.words, i), make([]string, i-len(f.words))...)
			f.words = append(f.words, word)
		}
	}
	return err
}

// Add writes one message: its bytes from r, its flags and keywords, its time of
// delivery. The result has the keywords for which the folder has no letter left.
func (f *FolderWriter) Add(r io.Reader, flags Flags, keywords []string, received time.Time) (lost []string, err error) {
	flags.Keywords, lost, err = f.letters(keywords)
	if err != nil {
		return lost, err
	}
	f.w.n++
	key := fmt.Sprintf("%d.P%dQ%d.%s", received.Unix(), os.Getpid(), f.w.n, f.w.host)
	tmp := f.dir + "/tmp/" + key
	size, err := f.write(tmp, r)
	if err == nil {
		err = f.w.root.Chtimes(tmp, received, received)
	}
	if err == nil {
		err = f.w.root.Rename(tmp, fmt.Sprintf("%s/cur/%s,S=%d:2,%s", f.dir, key, size, flags))
	}
	if err != nil {
		f.w.root.Remove(tmp)
	}
	return lost, err
}

func (f *FolderWriter) write(path string, r io.Reader) (int64, error) {
	out, err := f.w.root.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	buffered := bufio.NewWriter(out)
	size, err := io.Copy(buffered, r)
	return size, errors.Join(err, buffered.Flush(), out.Close())
}

// letters gives the letters of keywords, new ones written to dovecot-keywords.
func (f *FolderWriter) letters(keywords []string) (letters string, lost []string, err error) {
	known := len(f.words)
	var b []byte
	for _, word := range keywords {
		i := slices.Index(f.words, word)
		if i < 0 && len(f.words) == 26 {
			lost = append(lost, word)
			continue
		}
		if i < 0 {
			i = len(f.words)
			f.words = append(f.words, word)
		}
		b = append(b, byte('a'+i))
	}
	if len(f.words) > known {
		err = f.saveWords()
	}
	slices.Sort(b)
	return string(slices.Compact(b)), lost, err
}

func (f *FolderWriter) saveWords() error {
	var b strings.Builder
	for i, word := range f.words {
		if word != "" {
			fmt.Fprintf(&b, "%d %s\n", i, word)
		}
	}
	return f.w.root.WriteFile(f.dir+"/dovecot-keywords", []byte(b.String()), 0o600)
}

// Subscribe writes the subscriptions file.
func (w *Writer) Subscribe(mailboxes []string) error {
	var b strings.Builder
	for _, name := range mailboxes {
		if name == "INBOX" {
			b.WriteString("INBOX\n")
			continue
		}
		b.WriteString(strings.TrimPrefix(dirName(name), ".") + "\n")
	}
	return w.root.WriteFile("subscriptions", []byte(b.String()), 0o600)
}
