package maildir

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

// maxIndexFile bounds what is read of dovecot-keywords and subscriptions.
const maxIndexFile = 4 << 20

// ErrFormat says that a directory is no Maildir: it has neither cur nor new.
var ErrFormat = errors.New("not a Maildir: it has neither cur nor new")

// Tree is a Maildir++ root that is read.
type Tree struct {
	root *os.Root
}

// Folder is one mailbox of a tree.
type Folder struct {
	Name string // "INBOX", or parts joined by "/"
	dir  string // relative to the root
}

// File is one message of a folder.
type File struct {
	Name
	Path  string // relative to the root, for Open and for messages to people
	Words []string
	Mtime time.Time
	Size  int64
}

// Open opens the Maildir at dir. The error is ErrFormat when it is none.
func Open(dir string) (*Tree, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	t := &Tree{root}
	if !t.isMaildir(".") {
		root.Close()
		return nil, fmt.Errorf("%s: %w", dir, ErrFormat)
	}
	return t, nil
}

// Close ends the reading.
func (t *Tree) Close() error { return t.root.Close() }

func (t *Tree) isMaildir(dir string) bool {
	for _, sub := range []string{"cur", "new"} {
		if info, err := t.root.Stat(dir + "/" + sub); err == nil && info.IsDir() {
			return true
		}
	}
	return false
}

// Folders lists the mailboxes: INBOX first, then by name.
func (t *Tree) Folders() ([]Folder, error) {
	entries, err := fs.ReadDir(t.root.FS(), ".")
	if err != nil {
		return nil, err
	}
	list := []Folder{{Name: "INBOX", dir: "."}}
	for _, e := range entries {
		name := e.Name()
		if len(name) < 2 || name[0] != '.' || name == ".." || !t.isMaildir(name) {
			continue
		}
		list = append(list, Folder{Name: folderName(name[1:]), dir: name})
	}
	slices.SortFunc(list[1:], func(a, b Folder) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// Subscriptions lists the subscribed mailbox names; none when there is no file.
func (t *Tree) Subscriptions() ([]string, error) {
	text, err := t.readIndex("subscriptions")
	return parseSubscriptions(text), err
}

// readIndex reads a small file whole; "" when it is not there.
func (t *Tree) readIndex(path string) (string, error) {
	f, err := t.root.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxIndexFile))
	return string(b), err
}

// Files lists the messages of a folder in the order of their delivery: by time,
// then by key. Messages in new have no flags. What is not a plain file, or has a
// name that starts with a dot, is passed over.
func (t *Tree) Files(f Folder) ([]File, error) {
	words, err := t.readIndex(f.dir + "/dovecot-keywords")
	if err != nil {
		return nil, err
	}
	names := parseKeywords(words)
	var list []File
	for _, sub := range []string{"cur", "new"} {
		files, err := t.list(f.dir+"/"+sub, &names)
		if err != nil {
			return nil, err
		}
		list = append(list, files...)
	}
	slices.SortFunc(list, func(a, b File) int {
		return cmp.Or(a.Received().Compare(b.Received()), cmp.Compare(a.Key, b.Key))
	})
	return list, nil
}

func (t *Tree) list(dir string, words *[26]string) ([]File, error) {
	entries, err := fs.ReadDir(t.root.FS(), strings.TrimPrefix(dir, "./"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	list := make([]File, 0, len(entries))
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		info, err := t.root.Stat(dir + "/" + e.Name())
		if errors.Is(err, fs.ErrNotExist) {
			continue // moved away by a mail program since it was listed
		}
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() {
			continue
		}
		file := File{Name: ParseName(e.Name()), Path: dir + "/" + e.Name(), Mtime: info.ModTime(), Size: info.Size()}
		for _, letter := range []byte(file.Flags.Keywords) {
			if word := words[letter-'a']; word != "" {
				file.Words = append(file.Words, word)
			}
		}
		list = append(list, file)
	}
	return list, nil
}

// Received is the time of delivery: that of the name, else of the file.
func (f *File) Received() time.Time {
	if !f.Time.IsZero() {
		return f.Time
	}
	return f.Mtime
}

// Open opens a message.
func (t *Tree) Open(f *File) (*os.File, error) { return t.root.Open(f.Path) }

// OpenIndex opens a file that a mail server keeps in the root, such as
// dovecot-uidlist. fs.ErrNotExist when it is not there.
func (t *Tree) OpenIndex(name string) (*os.File, error) { return t.root.Open(name) }
