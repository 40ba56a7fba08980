package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"tandem/internal/maildir"
	"tandem/internal/mbox"
)

func exportCommand(a *app) *cobra.Command {
	var account, mailbox, format string
	cmd := &cobra.Command{
		Use:   "export --account NAME [--mailbox MBOX] --format mbox|maildir|eml DEST",
		Short: "Write mail out as mbox, Maildir or single messages",
		Long: "Write an account's mail to DEST. With --mailbox, that mailbox alone: mbox makes a file\n" +
			"(- for standard output), maildir one Maildir, eml a directory of UID.eml. Without it,\n" +
			"all mailboxes: a Maildir++ tree, or a directory with NAME.mbox files or with\n" +
			"directories NAME. Messages are written as they are stored, in mbox with LF line ends\n" +
			"and mboxrd quoting; flags, keywords and dates are kept by maildir alone. A message\n" +
			"that is damaged on disk is named and left out; the exit code is then 1.",
		Args: args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if account == "" {
				return usageError{errors.New("export: no account (name it with --account)")}
			}
			open, ok := exporters()[format]
			if !ok {
				return usageError{fmt.Errorf("export: --format %q is none (mbox, maildir or eml)", format)}
			}
			return a.with(cmd.Context(), fail, func(b *backend) error {
				out, err := open(a, args[0], mailbox != "")
				if err != nil {
					return fmt.Errorf("export: %w", err)
				}
				run := &exportRun{a: a, out: out, bar: a.progress(0, "exporting")}
				err = b.export(cmd.Context(), exportRequest{account, mailbox}, run.take)
				run.bar.Finish()
				if err := errors.Join(err, out.close()); err != nil {
					return fmt.Errorf("export: %w", err)
				}
				return run.tell(args[0])
			})
		},
	}
	cmd.Flags().StringVar(&account, "account", "", "whose mail")
	cmd.Flags().StringVar(&mailbox, "mailbox", "", "only this mailbox")
	cmd.Flags().StringVar(&format, "format", "", "mbox, maildir or eml")
	return cmd
}

// exportRun counts what an export writes, and what it cannot.
type exportRun struct {
	a     *app
	out   exporter
	bar   *progressbar.ProgressBar
	count int
	lost  int  // messages and mailboxes named as left out
	skip  bool // messages until the next mailbox
}

// take is the export's emitter.
func (r *exportRun) take(item exportItem, write func(io.Writer) error) error {
	switch {
	case item.Damaged != "" && item.UID == 0:
		r.lost++
		fmt.Fprintf(r.a.err, "damaged: mailbox %s: %s\n", item.Mailbox, item.Damaged)
		return nil
	case item.Damaged != "":
		r.lost++
		fmt.Fprintf(r.a.err, "damaged and left out: %s, UID %d: %s\n", item.Mailbox, item.UID, item.Damaged)
		return nil
	case write == nil:
		return r.mailbox(item)
	case r.skip:
		return nil
	}
	r.count++
	return r.out.message(item, func(w io.Writer) error {
		return write(countingWriter{w, func(n int64) { r.bar.Add64(n) }})
	})
}

// mailbox begins one, or leaves it out when its name is too long for a file's.
func (r *exportRun) mailbox(item exportItem) error {
	err := r.out.mailbox(item)
	if r.skip = errors.Is(err, syscall.ENAMETOOLONG); !r.skip {
		return err
	}
	r.lost++
	fmt.Fprintf(r.a.err, "left out: mailbox %s: its name is too long for a file's (export it alone with --mailbox)\n", item.Mailbox)
	return nil
}

// tell says how much it was, unless the mail itself went to the output.
func (r *exportRun) tell(dest string) error {
	var err error
	switch {
	case dest == "-":
	case r.a.json:
		err = r.a.printJSON(map[string]int{"exported": r.count, "damaged": r.lost})
	default:
		_, err = fmt.Fprintf(r.a.out, "%d messages exported\n", r.count)
	}
	if err == nil && r.lost > 0 {
		err = fmt.Errorf("export: %d messages or mailboxes are left out, named above; all the rest is written", r.lost)
	}
	return err
}

// exporter writes an export in some format. mailbox comes before its messages.
type exporter interface {
	mailbox(item exportItem) error
	message(item exportItem, write func(io.Writer) error) error
	close() error
}

// exporters opens an exporter at dest by its format; single says that there is
// one mailbox, which dest itself is to be.
func exporters() map[string]func(a *app, dest string, single bool) (exporter, error) {
	return map[string]func(*app, string, bool) (exporter, error){
		"mbox":    newMboxExporter,
		"maildir": newMaildirExporter,
		"eml":     newEmlExporter,
	}
}

// openDest opens the directory dest, making it when absent.
func openDest(dest string) (*os.Root, error) {
	if err := os.MkdirAll(dest, 0o700); err != nil {
		return nil, err
	}
	return os.OpenRoot(dest)
}

// escapePath makes a relative path of a mailbox name: a dot at the start
// of a part gets escaped, by a sign that no mailbox name has, and so does the one
// of a part that ends like the files of mbox.
func escapePath(mailbox string) string {
	parts := strings.Split(mailbox, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, ".") {
			parts[i] = "%2E" + part[1:]
		} else if name, ok := strings.CutSuffix(part, ".mbox"); ok {
			parts[i] = name + "%2Embox"
		}
	}
	return path.Join(parts...)
}

// unescapePath undoes escapePath.
func unescapePath(p string) string {
	return strings.ReplaceAll(p, "%2E", ".")
}

// mboxExporter writes a file for each mailbox, or all to one writer.
type mboxExporter struct {
	root   *os.Root // nil with a single mailbox
	single io.Writer
	file   *os.File // open now, nil for standard output
	out    *mbox.Writer
}

func newMboxExporter(a *app, dest string, single bool) (exporter, error) {
	if !single {
		root, err := openDest(dest)
		return &mboxExporter{root: root}, err
	}
	if dest == "-" {
		return &mboxExporter{single: a.out, out: mbox.NewWriter(a.out)}, nil
	}
	f, err := os.OpenFile(dest, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	return &mboxExporter{single: f, file: f, out: mbox.NewWriter(f)}, nil
}

func (e *mboxExporter) mailbox(item exportItem) error {
	if e.single != nil {
		return nil
	}
	if err := e.close(); err != nil {
		return err
	}
	name := escapePath(item.Mailbox) + ".mbox"
	err := e.root.MkdirAll(path.Dir(name), 0o700)
	if err != nil {
		return err
	}
	if e.file, err = e.root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600); err != nil {
		return err
	}
	e.out = mbox.NewWriter(e.file)
	return nil
}

func (e *mboxExporter) message(item exportItem, write func(io.Writer) error) error {
	m, err := e.out.Create("", item.Received)
	if err != nil {
		return err
	}
	return errors.Join(write(m), m.Close())
}

func (e *mboxExporter) close() error {
	if e.out == nil {
		return nil
	}
	err := e.out.Flush()
	if e.file != nil {
		err = errors.Join(err, e.file.Close())
	}
	e.out, e.file = nil, nil
	return err
}

// maildirExporter writes a Maildir++ tree, or a single mailbox as its root.
type maildirExporter struct {
	w          *maildir.Writer
	single     bool
	folder     *maildir.FolderWriter
	subscribed []string
	warn       io.Writer
}

func newMaildirExporter(a *app, dest string, single bool) (exporter, error) {
	w, err := maildir.Create(dest, "tandem")
	return &maildirExporter{w: w, single: single, warn: a.err}, err
}

func (e *maildirExporter) mailbox(item exportItem) (err error) {
	name := item.Mailbox
	if e.single {
		name = "INBOX"
	}
	if item.Subscribed {
		e.subscribed = append(e.subscribed, name)
	}
	e.folder, err = e.w.Folder(name)
	return err
}

func (e *maildirExporter) message(item exportItem, write func(io.Writer) error) error {
	flags, keywords := toMaildir(item.Flags)
	in, out := io.Pipe()
	go func() { out.CloseWithError(write(out)) }() // ends when Add has read all, or closes in
	lost, err := e.folder.Add(in, flags, keywords, item.Received)
	in.CloseWithError(errors.New("not written"))
	if len(lost) > 0 {
		fmt.Fprintf(e.warn, "note: %s, UID %d: a Maildir folder has room for 26 keywords; left out: %s\n",
			item.Mailbox, item.UID, strings.Join(lost, " "))
	}
	return err
}

// toMaildir gives the flags that have letters, and the rest as keywords.
func toMaildir(names []string) (f maildir.Flags, keywords []string) {
	for _, name := range names {
		switch name {
		case `\Seen`:
			f.Seen = true
		case `\Answered`:
			f.Answered = true
		case `\Flagged`:
			f.Flagged = true
		case `\Deleted`:
			f.Deleted = true
		case `\Draft`:
			f.Draft = true
		case "$Forwarded":
			f.Passed = true
		default:
			keywords = append(keywords, name)
		}
	}
	return f, keywords
}

func (e *maildirExporter) close() error {
	var err error
	if !e.single {
		err = e.w.Subscribe(e.subscribed)
	}
	return errors.Join(err, e.w.Close())
}

// emlExporter writes a file for each message.
type emlExporter struct {
	root   *os.Root
	single bool
	dir    string
}

func newEmlExporter(_ *app, dest string, single bool) (exporter, error) {
	root, err := openDest(dest)
	return &emlExporter{root: root, single: single, dir: "."}, err
}

func (e *emlExporter) mailbox(item exportItem) error {
	if e.single {
		return nil
	}
	e.dir = escapePath(item.Mailbox)
	return e.root.MkdirAll(e.dir, 0o700)
}

func (e *emlExporter) message(item exportItem, write func(io.Writer) error) error {
	name := filepath.Join(e.dir, strconv.FormatUint(uint64(item.UID), 10)+".eml")
	f, err := e.root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close(), e.root.Chtimes(name, item.Received, item.Received))
}

func (e *emlExporter) close() error { return e.root.Close() }

// countingWriter tells of what is written.
type countingWriter struct {
	io.Writer
	tell func(int64)
}

func (c countingWriter) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.tell(int64(n))
	return n, err
}
