package listen

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
)

// Bind binds every address of every service, or none of them. Sockets that
// systemd passed to the process are used for the addresses they match.
func (s *Server) Bind(ctx context.Context, services ...Service) error {
	passed, err := passedListeners(activation.Files(true))
	if err != nil {
		return err
	}
	for _, svc := range services {
		for _, address := range svc.Addresses {
			l := takePassed(&passed, address)
			if l == nil {
				if l, err = bindOne(ctx, svc, address); err != nil {
					s.Close()
					closeListeners(passed)
					return fmt.Errorf("%s: cannot listen on %s: %w", svc.Name, address, err)
				}
			}
			s.bound = append(s.bound, bound{svc, l})
		}
	}
	for _, l := range passed {
		s.log.Warn("socket passed by systemd matches no configured address", "address", l.Addr().String())
	}
	closeListeners(passed)
	return nil
}

func bindOne(ctx context.Context, svc Service, address string) (net.Listener, error) {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		return bindUnix(ctx, path, svc.SocketMode, svc.SocketGroup)
	}
	lc := net.ListenConfig{KeepAlive: -1} // set on each connection instead, see admit
	return lc.Listen(ctx, "tcp", address)
}

// maxSocketPath is what sockaddr_un holds on Linux, without the final NUL.
const maxSocketPath = 107

// bindUnix listens on a unix socket. The socket is closed to everyone else
// from its first moment (umask) and opened to mode and group afterwards.
func bindUnix(ctx context.Context, path string, mode fs.FileMode, group string) (net.Listener, error) {
	if len(path) > maxSocketPath {
		return nil, fmt.Errorf("path has %d bytes, a socket's may have %d", len(path), maxSocketPath)
	}
	gid := -1
	if group != "" {
		g, err := lookupGroup(group)
		if err != nil {
			return nil, err
		}
		gid = g
	}
	if err := removeStale(ctx, path); err != nil {
		return nil, err
	}
	old := syscall.Umask(0o177)
	l, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	syscall.Umask(old)
	if err != nil {
		return nil, err
	}
	if gid >= 0 {
		err = os.Chown(path, -1, gid)
	}
	if err == nil && mode != 0 {
		err = os.Chmod(path, mode)
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func lookupGroup(name string) (int, error) {
	if g, err := user.LookupGroup(name); err == nil {
		name = g.Gid
	}
	gid, err := strconv.Atoi(name)
	if err != nil {
		return 0, fmt.Errorf("no group %q", name)
	}
	return gid, nil
}

// removeStale removes a socket that nobody listens on any more. Anything else
// in the way is left alone and an error.
func removeStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return errors.New("there is a file that is not a socket")
	}
	d := net.Dialer{Timeout: time.Second}
	c, err := d.DialContext(ctx, "unix", path)
	switch {
	case err == nil:
		c.Close()
		return errors.New("another process is listening there")
	case errors.Is(err, syscall.ECONNREFUSED):
		return os.Remove(path)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return err
}

// passedListeners makes listeners of the files that systemd passed.
func passedListeners(files []*os.File) ([]net.Listener, error) {
	var ls []net.Listener
	for _, f := range files {
		l, err := net.FileListener(f)
		f.Close()
		if err != nil {
			closeListeners(ls)
			return nil, fmt.Errorf("socket %s passed by systemd: %w", f.Name(), err)
		}
		ls = append(ls, l)
	}
	return ls, nil
}

// takePassed removes the first listener that matches address from ls and
// returns it, or nil.
func takePassed(ls *[]net.Listener, address string) net.Listener {
	for i, l := range *ls {
		if matches(l.Addr(), address) {
			*ls = append((*ls)[:i:i], (*ls)[i+1:]...)
			return l
		}
	}
	return nil
}

// matches reports whether the bound address a is the configured one. systemd's
// ListenStream=143 is [::]:143, which is also meant by 0.0.0.0:143 and :143.
func matches(a net.Addr, configured string) bool {
	if path, ok := strings.CutPrefix(configured, "unix:"); ok {
		return a.Network() == "unix" && a.String() == path
	}
	have, ok := a.(*net.TCPAddr)
	if !ok {
		return false
	}
	want, err := net.ResolveTCPAddr("tcp", configured)
	if err != nil || want.Port != have.Port {
		return false
	}
	anywhere := want.IP == nil || want.IP.IsUnspecified()
	return anywhere && have.IP.IsUnspecified() || want.IP.Equal(have.IP)
}

func closeListeners(ls []net.Listener) {
	for _, l := range ls {
		l.Close()
	}
}
