package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"tandem/internal/maildir"
	"tandem/internal/mbox"
)

// sourceReader feeds files and directories of mail into a sink.
type sourceReader struct {
	sink     messageSink
	stdin    io.Reader
	mailbox  string      // where messages go, "INBOX" unless named
	progress func(int64) // is told of bytes of the sources read
	notes    []string
}

// read takes one PATH of the command line: "-", a file, a Maildir or a directory
// of files.
func (r *sourceReader) read(path string) error {
	if path == "-" {
		return r.stream(r.stdin, "-", r.mailbox)
	}
	abs, err := filepath.Abs(path)
	if err == nil {
		abs, err = filepath.EvalSymlinks(abs)
	}
	if err != nil {
		return err
	}
	info, err := os.Stat(abs)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return r.file(abs, r.mailbox)
	}
	tree, err := maildir.Open(abs)
	if errors.Is(err, maildir.ErrFormat) {
		return r.directory(abs)
	}
	if err != nil {
		return err
	}
	defer tree.Close()
	return r.maildir(tree, abs)
}

// file takes an mbox or a single message, compressed or not.
func (r *sourceReader) file(path, mailbox string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return r.stream(countingReader{f, r.progress}, path, mailbox)
}

// stream takes an mbox or a single message: the first bytes tell which.
func (r *sourceReader) stream(in io.Reader, source, mailbox string) error {
	buffered := bufio.NewReader(in)
	if magic, _ := buffered.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) { // RFC 1952 section 2.3.1
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return fmt.Errorf("read %s: %w", source, err)
		}
		buffered = bufio.NewReader(z)
	}
	head, err := buffered.Peek(5)
	if len(head) == 0 {
		if err == io.EOF {
			return nil
		}
		return fmt.Errorf("read %s: %w", source, err)
	}
	item := importItem{Mailbox: mailbox, Source: source, HeaderFlags: true}
	if string(head) != "From " {
		item.Position = "0"
		return r.sink.add(item, buffered)
	}
	messages := mbox.NewReader(buffered)
	for {
		m, err := messages.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", source, err)
		}
		item.Position, item.Received = strconv.FormatInt(m.Offset, 10), m.Date
		if err := r.sink.add(item, m.Body); err != nil {
			return err
		}
	}
}

// maildir takes a Maildir with its folders.
func (r *sourceReader) maildir(tree *maildir.Tree, path string) error {
	folders, err := tree.Folders()
	if err != nil {
		return err
	}
	subscribed, err := tree.Subscriptions()
	if err != nil {
		return err
	}
	for _, folder := range folders {
		mailbox := r.under(folder.Name)
		subscribe := folder.Name != "INBOX" && (len(subscribed) == 0 || slices.Contains(subscribed, folder.Name))
		if err := r.sink.add(importItem{Mailbox: mailbox, Subscribe: subscribe}, nil); err != nil {
			return err
		}
		files, err := tree.Files(folder)
		if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		for i := range files {
			item := importItem{Mailbox: mailbox, Source: path + "\x00" + folder.Name, Position: files[i].Key,
				Received: files[i].Received(), Flags: maildirFlags(&files[i])}
			if err := r.maildirFile(tree, &files[i], item); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *sourceReader) maildirFile(tree *maildir.Tree, file *maildir.File, item importItem) error {
	f, err := tree.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		r.notes = append(r.notes, fmt.Sprintf("%s was moved or removed during the import; run it again", file.Path))
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	return r.sink.add(item, countingReader{f, r.progress})
}

// under gives the mailbox for a folder: its own name, below the mailbox that the
// command line names when it is not INBOX.
func (r *sourceReader) under(folder string) string {
	switch {
	case folder == "INBOX":
		return r.mailbox
	case strings.EqualFold(r.mailbox, "INBOX"):
		return folder
	}
	return r.mailbox + "/" + folder
}

// maildirFlags gives IMAP's names of a file's flags.
func maildirFlags(f *maildir.File) []string {
	var names []string
	for _, flag := range []struct {
		set  bool
		name string
	}{{f.Flags.Seen, `\Seen`}, {f.Flags.Answered, `\Answered`}, {f.Flags.Flagged, `\Flagged`},
		{f.Flags.Deleted, `\Deleted`}, {f.Flags.Draft, `\Draft`}, {f.Flags.Passed, "$Forwarded"}} {
		if flag.set {
			names = append(names, flag.name)
		}
	}
	return append(names, f.Words...)
}

// directory takes the .eml and .mbox files below path: what tandem export writes.
// Directories are mailboxes.
func (r *sourceReader) directory(path string) error {
	found := false
	err := filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		name := strings.TrimSuffix(entry.Name(), ".gz")
		ext := filepath.Ext(name)
		if ext != ".eml" && ext != ".mbox" {
			return nil
		}
		found = true
		rel, err := filepath.Rel(path, filepath.Dir(file))
		if err != nil {
			return err
		}
		folder := unescapePath(filepath.ToSlash(rel))
		if ext == ".mbox" {
			folder = strings.TrimPrefix(folder+"/"+unescapePath(strings.TrimSuffix(name, ext)), "./")
		}
		if folder == "." {
			folder = "INBOX"
		}
		return r.file(file, r.under(folder))
	})
	if err == nil && !found {
		err = fmt.Errorf("%s: no Maildir, and no .eml or .mbox file in it", path)
	}
	return err
}

// sizeOf estimates the bytes that read will tell of; 0 when it cannot.
func sizeOf(paths []string) int64 {
	var total int64
	for _, path := range paths {
		if path == "-" {
			return 0
		}
		err := filepath.WalkDir(path, func(_ string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
				total += info.Size()
			}
			return nil
		})
		if err != nil {
			return 0
		}
	}
	return total
}

// countingReader tells of what is read.
type countingReader struct {
	io.Reader
	tell func(int64)
}

func (c countingReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.tell(int64(n))
	return n, err
}
