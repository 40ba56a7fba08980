package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"tandem/store"
)

const (
	controlName       = "control.sock"
	maxControlRequest = 64 << 20 // JSON of one request: an import of 100,000 accounts
)

// maxSocketPath is what a socket's address holds, without the final NUL.
const maxSocketPath = 107

// withSocketPath calls f with a path of the control socket in dir that a socket's
// address can hold: where its own is too long, one relative to an open directory.
func withSocketPath(dir string, f func(path string) error) error {
	if path := filepath.Join(dir, controlName); len(path) <= maxSocketPath {
		return f(path)
	}
	open, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer open.Close()
	return f(fmt.Sprintf("/proc/self/fd/%d/%s", open.Fd(), controlName))
}

// controlServer runs verbs for administrators of this machine over a socket in
// the data directory.
type controlServer struct {
	http     *http.Server
	mux      *http.ServeMux
	listener net.Listener
	path     string
	log      *slog.Logger
	requests sync.WaitGroup // under way
}

// listenControl binds the socket in dir, whose store this process holds: a
// socket that is there already is a dead server's.
func listenControl(dir string, s *store.Store, log *slog.Logger) (*controlServer, error) {
	path := filepath.Join(dir, controlName)
	info, err := os.Lstat(path)
	if err == nil && info.Mode().Type() != fs.ModeSocket {
		return nil, fmt.Errorf("bind the control socket: %s is no socket (move it away)", path)
	}
	if err == nil {
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("bind the control socket: %w", err)
		}
	}
	c := &controlServer{path: path, log: log}
	err = withSocketPath(dir, func(short string) error {
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
		if err != nil {
			return err
		}
		l.SetUnlinkOnClose(false) // short may be of no use then
		c.listener = &peerListener{l, log}
		return os.Chmod(path, 0o600)
	})
	if err != nil {
		return nil, fmt.Errorf("bind the control socket: %w", err)
	}
	mux := http.NewServeMux()
	c.mux = mux
	registerVerbs(mux, s)
	registerStreams(mux, s)
	c.http = &http.Server{
		Handler:           c.logged(mux),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	return c, nil
}

// serve answers until close.
func (c *controlServer) serve() {
	if err := c.http.Serve(c.listener); !errors.Is(err, http.ErrServerClosed) {
		c.log.Error("control socket failed", "err", err)
	}
}

// close ends requests, giving those in hand some seconds, and removes the socket.
// Afterwards none uses the store.
func (c *controlServer) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := c.http.Shutdown(ctx); err != nil {
		c.http.Close() // ends their contexts
	}
	c.requests.Wait()
	if err := os.Remove(c.path); err != nil {
		c.log.Warn("control socket not removed", "err", err)
	}
}

// peerListener lets in the server's own user and root.
type peerListener struct {
	*net.UnixListener
	log *slog.Logger
}

// Accept passes over strangers.
func (l *peerListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.AcceptUnix()
		if err != nil {
			return nil, err
		}
		uid, err := peerUID(conn)
		if err == nil && (uid == 0 || uid == os.Geteuid()) {
			return conn, nil
		}
		l.log.Warn("control connection refused", "uid", uid, "err", err)
		conn.Close()
	}
}

// peerUID tells who is at the other end.
func peerUID(conn *net.UnixConn) (int, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return -1, err
	}
	var cred *unix.Ucred
	var credErr error
	err = raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err := errors.Join(err, credErr); err != nil {
		return -1, err
	}
	return int(cred.Uid), nil
}

// logged notes each request.
func (c *controlServer) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.requests.Add(1)
		defer c.requests.Done()
		start := time.Now()
		next.ServeHTTP(w, r)
		c.log.Info("control request", "verb", r.URL.Path, "took", time.Since(start).Round(time.Millisecond))
	})
}

// controlError is an error as it crosses the socket.
type controlError struct {
	Kind  string `json:"kind"` // as store.Kind prints it
	Error string `json:"error"`
}

func writeControlError(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusUnprocessableEntity)
	json.NewEncoder(w).Encode(controlError{store.KindOf(err).String(), err.Error()})
}

func writeControlResult(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

// err gives the error back with its kind.
func (e controlError) err() error {
	for _, k := range store.Kinds() {
		if k.String() == e.Kind {
			return store.Errorf(k, "%s", e.Error)
		}
	}
	return errors.New(e.Error)
}

// registerStreams makes import and export requests.
func registerStreams(mux *http.ServeMux, s *store.Store) {
	mux.HandleFunc("POST /v1/import", func(w http.ResponseWriter, r *http.Request) {
		run, err := newImport(r.Context(), s, importRequest{Account: r.URL.Query().Get("account")})
		if err != nil {
			writeControlError(w, err)
			return
		}
		res, err := importStream(run, r.Body)
		if err != nil {
			writeControlError(w, err)
			return
		}
		writeControlResult(w, res)
	})
	mux.HandleFunc("POST /v1/export", func(w http.ResponseWriter, r *http.Request) {
		req := exportRequest{Account: r.URL.Query().Get("account"), Mailbox: r.URL.Query().Get("mailbox")}
		out := newFrameWriter(w)
		begun := false
		err := exportMessages(r.Context(), s, req, func(item exportItem, write func(io.Writer) error) error {
			begun = true
			return out.record(item, write)
		})
		switch {
		case err == nil:
			err = out.close()
		case !begun:
			writeControlError(w, err)
			return
		default:
			err = errors.Join(out.record(exportItem{Error: err.Error()}, nil), out.close())
		}
		if err != nil {
			panic(http.ErrAbortHandler) // the client sees the stream cut short
		}
	})
}
