package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"strings"

	"tandem/internal/maildir"
	"tandem/internal/uidlist"
)

// uidlFlags say where UIDLs come from.
type uidlFlags struct {
	from     string // a Maildir, pop3://..., pop3s://..., or "x-uidl"; "" for none
	format   string
	reuse    bool // X-UIDL fields go before the format
	stdin    bool // the password comes from there
	ca       string
	insecure bool
}

// fromHeaders is the source of UIDLs that are X-UIDL fields of the messages here.
const fromHeaders = "x-uidl"

const uidlPasswordVariable = "TANDEM_UIDL_PASSWORD"

// check finds what is wrong with the flags before anything is done.
func (f *uidlFlags) check() error {
	if _, err := uidlist.ParseFormat(f.format); err != nil {
		return usageError{fmt.Errorf("import: %w", err)}
	}
	if !strings.Contains(f.from, "://") {
		return nil
	}
	u, err := url.Parse(f.from)
	switch {
	case err != nil:
		return usageError{fmt.Errorf("import: %w", err)}
	case u.Scheme != "pop3" && u.Scheme != "pop3s" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "":
		return usageError{fmt.Errorf("import: %q names no POP3 server (write pop3://USER@HOST:PORT or pop3s://USER@HOST:PORT)", u.Redacted())}
	case u.User.Username() == "":
		return usageError{errors.New("import: no user of the POP3 server (write pop3://USER@HOST:PORT, an @ of the user's as %40)")}
	}
	if _, given := u.User.Password(); given {
		return usageError{fmt.Errorf("import: no password in the address, where others see it (%s, or --uidl-password-stdin)", uidlPasswordVariable)}
	}
	return nil
}

// oldMessages reads the messages of the old server with their UIDLs. There are
// none when there is no source, or it is here.
func (a *app) oldMessages(ctx context.Context, f *uidlFlags) ([]uidlist.Message, error) {
	if f.from == "" || f.from == fromHeaders {
		return nil, nil
	}
	if strings.Contains(f.from, "://") {
		return a.oldServer(ctx, f)
	}
	tree, err := maildir.Open(f.from)
	if err != nil {
		return nil, err
	}
	defer tree.Close()
	return oldMaildir(ctx, tree, f)
}

func (a *app) oldServer(ctx context.Context, f *uidlFlags) ([]uidlist.Message, error) {
	u, err := url.Parse(f.from)
	if err != nil {
		return nil, err
	}
	port := map[string]string{"pop3": "110", "pop3s": "995"}[u.Scheme]
	s := uidlist.Server{Address: net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), port)), User: u.User.Username(), Implicit: u.Scheme == "pop3s"}
	if s.Password = a.getenv(uidlPasswordVariable); f.stdin {
		s.Password, err = firstLine(a.in)
	}
	if err != nil {
		return nil, err
	}
	if s.Password == "" {
		return nil, usageError{fmt.Errorf("no password for %s (%s, or --uidl-password-stdin)", f.from, uidlPasswordVariable)}
	}
	if s.Implicit || !isLoopback(u.Hostname()) {
		if s.TLS, err = trustFile(f.ca, f.insecure); err != nil {
			return nil, err
		}
	}
	bar := a.progress(0, "reading headers")
	defer bar.Finish()
	return s.Read(ctx, func(done, _ int) { bar.Set(done) })
}

// oldMaildir reads the messages of a Maildir's INBOX whose UIDLs its server has
// noted.
func oldMaildir(ctx context.Context, tree *maildir.Tree, f *uidlFlags) ([]uidlist.Message, error) {
	uidls, err := notedUIDLs(tree, f)
	if err != nil {
		return nil, err
	}
	folders, err := tree.Folders()
	if err != nil {
		return nil, err
	}
	files, err := tree.Files(folders[0])
	if err != nil {
		return nil, err
	}
	var list []uidlist.Message
	for i := range files {
		uidl := uidls[files[i].Key]
		if uidl == "" {
			continue // arrived since the list was written: no client has seen it
		}
		m, err := oldFile(tree, &files[i], uidl, f.reuse)
		if errors.Is(err, fs.ErrNotExist) {
			continue // moved or removed meanwhile
		}
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}

func oldFile(tree *maildir.Tree, file *maildir.File, uidl string, reuse bool) (m uidlist.Message, err error) {
	r, err := tree.Open(file)
	if err != nil {
		return m, err
	}
	defer r.Close()
	size, header, err := uidlist.Scan(r)
	if err != nil {
		return m, fmt.Errorf("read %s: %w", file.Path, err)
	}
	if reuse {
		uidl = cmp.Or(uidlist.FieldOf(header, fromHeaders), uidl)
	}
	return uidlist.Message{Name: file.Path, UIDL: uidl, Size: size, Print: uidlist.PrintOf(header), ID: uidlist.IDOf(header)}, nil
}

// notedUIDLs reads Dovecot's or Courier's list, by the files' names without
// flags.
func notedUIDLs(tree *maildir.Tree, f *uidlFlags) (map[string]string, error) {
	format, err := uidlist.ParseFormat(f.format)
	if err != nil {
		return nil, err
	}
	readers := []struct {
		file string
		read func(io.Reader) ([]uidlist.File, error)
	}{
		{"dovecot-uidlist", func(r io.Reader) ([]uidlist.File, error) { return uidlist.ReadDovecot(r, format) }},
		{"courierpop3dsizelist", uidlist.ReadCourier},
	}
	var found []string
	var files []uidlist.File
	for _, r := range readers {
		in, err := tree.OpenIndex(r.file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		files, err = r.read(in)
		in.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.from, err)
		}
		found = append(found, r.file)
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("%s: it has no dovecot-uidlist and no courierpop3dsizelist (read the UIDLs from the running server: pop3://USER@HOST)", f.from)
	case 2:
		return nil, fmt.Errorf("%s: it has both dovecot-uidlist and courierpop3dsizelist (move away the one whose server was given up first)", f.from)
	}
	uidls := make(map[string]string, len(files))
	for _, file := range files {
		uidls[file.Name] = file.UIDL
	}
	return uidls, nil
}
