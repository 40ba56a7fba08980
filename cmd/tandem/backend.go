package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"tandem/store"
	"tandem/store/sqlite"
)

// startWait is how long a command waits for the server that holds the store to
// bind its control socket.
const startWait = 5 * time.Second

// backend is where verbs run: on the store itself, or at the server that holds
// it. One of the two fields is set.
type backend struct {
	store  *store.Store
	remote *http.Client
}

const (
	storeFile   = "tandem.db"
	controlHost = "http://tandem"
)

// whenAbsent says what to do when there is no store yet.
type whenAbsent bool

const (
	fail    whenAbsent = false
	makeOne whenAbsent = true
)

// open takes the store's lock, or finds the server that has it.
func (a *app) open(ctx context.Context, l *loaded, absent whenAbsent) (*backend, error) {
	if _, err := os.Stat(filepath.Join(l.Data, storeFile)); errors.Is(err, fs.ErrNotExist) && absent == fail {
		return nil, fmt.Errorf("open the store: there is none in %s (tandem account add makes one; --config or --data name another place)", l.Data)
	}
	if err := prepareData(l.Data); err != nil {
		return nil, err
	}
	if conn, err := dialSocket(l.Data); os.Geteuid() == 0 && err == nil {
		return &backend{remote: controlClient(conn)}, nil // root stays root: it opens nothing of the server's
	}
	if err := becomeOwner(l.Data); err != nil {
		return nil, err
	}
	s, err := openStore(l, slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err == nil {
		return &backend{store: s}, nil
	}
	if store.KindOf(err) != store.InUse {
		return nil, err
	}
	client, dialErr := dialControl(ctx, l.Data)
	if dialErr != nil {
		return nil, store.Errorf(store.InUse, "open the store: %w, and no server answers on its control socket: %v (end that process, or wait for it)", err, dialErr)
	}
	return &backend{remote: client}, nil
}

// openStore opens the store in l.Data, which is there and ours.
func openStore(l *loaded, log *slog.Logger) (*store.Store, error) {
	engine, err := sqlite.Open(l.Data, sqlite.Options{Logger: log,
		Quota: store.Resources{Storage: wholeKiB(l.Quota.Storage), Messages: l.Quota.Messages, Mailboxes: l.Quota.Mailboxes}})
	if err != nil {
		return nil, err
	}
	return store.Open(engine, storeOptions(l, log)), nil
}

func storeOptions(l *loaded, log *slog.Logger) store.Options {
	return store.Options{
		Domains:       append([]string{l.Hostname}, l.Domains...),
		MessageSize:   l.Limits.MessageSize,
		MaxMailboxes:  l.Limits.Mailboxes,
		MaxKeywords:   l.Limits.Keywords,
		IndexMemory:   noLimit(l.Limits.IndexMemory, 1<<40),
		KeepExpunged:  max(time.Duration(l.Retention.Expunged), 1), // a store takes 0 for its default
		ShowExpunged:  l.Retention.RecentlyDeleted,
		POP3Trash:     time.Duration(l.Retention.POP3Trash),
		KeepTrash:     days(l.Retention.TrashDays),
		KeepJunk:      days(l.Retention.JunkDays),
		KeepJournal:   max(time.Duration(l.Retention.Journal), 1),
		DeviceRetired: time.Duration(noLimit(l.POP3.DeviceRetired, forever)),
		Searches:      noLimit(l.Limits.Searches, 1<<20),
		SearchWait:    time.Duration(noLimit(l.Limits.SearchWait, forever)),
		SharedAccount: l.IMAP.SharedAccount,
		Logger:        log,
	}
}

// days gives n days, or as many as there can be.
func days(n int) time.Duration { return time.Duration(min(n, 100_000)) * 24 * time.Hour }

// noLimit gives n, or much where 0 means no limit but n has to be some number.
func noLimit[N int | int64 | duration](n, much N) N {
	if n == 0 {
		return much
	}
	return n
}

// prepareData makes the data directory, for its owner alone, unless it is there.
func prepareData(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make the data directory: %w", err)
	}
	return nil
}

// becomeOwner makes root the owner of dir for the rest of the process, so that
// no file of root's appears among the server's.
func becomeOwner(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("open the data directory: %w", err)
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || os.Geteuid() != 0 || owner.Uid == 0 {
		return nil
	}
	uid, gid := int(owner.Uid), int(owner.Gid)
	err = errors.Join(syscall.Setgroups([]int{gid}), syscall.Setgid(gid))
	if err == nil {
		err = syscall.Setuid(uid)
	}
	if err != nil {
		return fmt.Errorf("become the owner of %s (user %d): %w", dir, uid, err)
	}
	return nil
}

// dialControl connects to the control socket in dir, waiting for a server that
// is starting. The client holds one connection.
func dialControl(ctx context.Context, dir string) (*http.Client, error) {
	deadline := time.Now().Add(startWait)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := dialSocket(dir)
		if err == nil {
			return controlClient(conn), nil
		}
		if time.Now().After(deadline) {
			return nil, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func dialSocket(dir string) (conn net.Conn, err error) {
	err = withSocketPath(dir, func(path string) error {
		conn, err = net.Dial("unix", path)
		return err
	})
	return conn, err
}

// controlClient sends every request over conn.
func controlClient(conn net.Conn) *http.Client {
	conns := make(chan net.Conn, 1)
	conns <- conn
	return &http.Client{Transport: &http.Transport{
		DisableCompression: true,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			select {
			case conn := <-conns:
				return conn, nil
			default:
				return nil, errors.New("the server closed the control connection")
			}
		},
	}}
}

// Close gives the store back.
func (b *backend) Close() error {
	if b.store != nil {
		return b.store.Close()
	}
	b.remote.CloseIdleConnections()
	return nil
}

// call runs a verb.
func call[Req, Res any](ctx context.Context, b *backend, v verb[Req, Res], req Req) (Res, error) {
	if b.store != nil {
		return v.run(ctx, b.store, req)
	}
	var res Res
	body, err := json.Marshal(req)
	if err != nil {
		return res, err
	}
	answer, err := b.post(ctx, v.name, nil, bytes.NewReader(body))
	if err != nil {
		return res, err
	}
	defer answer.Close()
	return res, decodeAnswer(answer, &res)
}

// decodeAnswer reads an answer to its end: only that leaves the one connection
// free for the next request.
func decodeAnswer(answer io.Reader, res any) error {
	if err := json.NewDecoder(answer).Decode(res); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, io.LimitReader(answer, 1<<20))
	return err
}

// post sends a request and gives the answer's body, or the error that it holds.
func (b *backend) post(ctx context.Context, path string, query url.Values, body io.Reader) (io.ReadCloser, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, controlHost+"/v1/"+path+"?"+query.Encode(), body)
	if err != nil {
		return nil, err
	}
	answer, err := b.remote.Do(r)
	if err != nil {
		return nil, temporaryError{fmt.Errorf("ask the server: %w", err)}
	}
	if answer.StatusCode == http.StatusOK {
		return answer.Body, nil
	}
	defer answer.Body.Close()
	var failed controlError
	if err := json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&failed); err != nil || failed.Error == "" {
		return nil, fmt.Errorf("ask the server: it answered %s (is it of another version?)", answer.Status)
	}
	return nil, failed.err()
}

// startImport begins an import.
func (b *backend) startImport(ctx context.Context, req importRequest) (messageSink, error) {
	if b.store != nil {
		return newImport(ctx, b.store, req)
	}
	in, out := io.Pipe()
	r := &remoteImport{out: newFrameWriter(out), pipe: out, done: make(chan struct{})}
	go func() { // ends with the answer, which finish and abort wait for
		defer close(r.done)
		r.answer, r.err = b.post(ctx, "import", url.Values{"account": {req.Account}}, in)
		in.CloseWithError(errors.Join(errServerEnded, r.err))
	}()
	return r, nil
}

var errServerEnded = errors.New("the server ended the import")

// remoteImport is an import at the server.
type remoteImport struct {
	out  *frameWriter
	pipe *io.PipeWriter

	done   chan struct{}
	answer io.ReadCloser // these two are set when done is closed
	err    error
}

func (r *remoteImport) add(item importItem, in io.Reader) error {
	var write func(io.Writer) error
	if in != nil {
		write = func(w io.Writer) error {
			_, err := io.Copy(w, in)
			return err
		}
	}
	return r.explain(r.out.record(item, write))
}

// explain prefers the server's own reason to that of a broken stream.
func (r *remoteImport) explain(err error) error {
	if errors.Is(err, errServerEnded) && r.err != nil {
		return r.err
	}
	return err
}

func (r *remoteImport) finish() (res importResult, err error) {
	if err := r.out.close(); err != nil {
		return res, r.explain(err)
	}
	r.pipe.Close()
	<-r.done
	if r.err != nil {
		return res, r.err
	}
	defer r.answer.Close()
	return res, decodeAnswer(r.answer, &res)
}

func (r *remoteImport) abort() {
	r.pipe.CloseWithError(context.Canceled)
	<-r.done
	if r.answer != nil {
		r.answer.Close()
	}
}

// export gives an account's messages to emit.
func (b *backend) export(ctx context.Context, req exportRequest, emit emitter) error {
	if b.store != nil {
		return exportMessages(ctx, b.store, req, emit)
	}
	query := url.Values{"account": {req.Account}, "mailbox": {req.Mailbox}}
	answer, err := b.post(ctx, "export", query, http.NoBody)
	if err != nil {
		return err
	}
	defer answer.Close()
	frames := newFrameReader(answer)
	for {
		var item exportItem
		switch err := frames.next(&item); {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("read the server's answer: %w", err)
		case item.Error != "":
			return errors.New(item.Error)
		}
		var write func(io.Writer) error
		if item.hasBytes() {
			write = func(w io.Writer) error {
				_, err := io.Copy(w, frames)
				return err
			}
		}
		err := emit(item, write)
		if errors.Is(err, errGivenUp) && frames.next(&item) == nil && item.Error != "" {
			return errors.New(item.Error)
		}
		if err != nil {
			return err
		}
	}
}
