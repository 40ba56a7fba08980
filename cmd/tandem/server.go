package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"tandem/auth"
	"tandem/auth/dovecot"
	"tandem/compare/page"
	"tandem/imapd"
	"tandem/internal/listen"
	"tandem/lmtpd"
	"tandem/pop3d"
	"tandem/store"
	"tandem/webd"
)

// crowdedTime is how long a stranger has to log in once many are connected.
const crowdedTime = 60 * time.Second

// forever is a time that no connection lasts: ten years.
const forever = duration(10 * 365 * 24 * time.Hour)

// server is one running tandem: the store, the front ends, the listeners.
type server struct {
	config *loaded
	log    *slog.Logger
	level  *slog.LevelVar

	listeners *listen.Server
	certs     *listen.Certs
	secrets   secrets
	store     *store.Store
	auth      *auth.Authenticator
	control   *controlServer

	imap *imapd.Server
	pop3 *pop3d.Server
	lmtp *lmtpd.Server
	sasl *dovecot.Server
	web  *webd.Server

	temporaries *temporaries // accounts for comparisons
	pages       *page.Pages
}

// newLog makes a log on w.
func newLog(w io.Writer, level string) (*slog.Logger, *slog.LevelVar) {
	v := new(slog.LevelVar)
	setLevel(v, level)
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: v})), v
}

func setLevel(v *slog.LevelVar, level string) {
	var l slog.Level
	if l.UnmarshalText([]byte(level)) == nil { // validate has checked it
		v.Set(l)
	}
}

// startServer binds every listener, then becomes the owner of the data directory
// and opens the store. Nothing is accepted before serve. In this order root may
// bind low ports and read a key, and no file of root's gets into the directory.
func startServer(ctx context.Context, l *loaded, log *slog.Logger, level *slog.LevelVar) (*server, error) {
	s := &server{config: l, log: log, level: level, listeners: listen.New(listenLimits(l), log)}
	if err := prepareData(l.Data); err != nil {
		return nil, err
	}
	if l.TLS.Cert != "" {
		var err error
		if s.certs, err = listen.OpenCerts(l.TLS.Cert, l.TLS.Key, log); err != nil {
			return nil, usageError{fmt.Errorf("read the certificate: %w", err)}
		}
	}
	var err error
	if s.secrets, err = readSecrets(l); err != nil {
		return nil, usageError{err}
	}
	if err := s.listeners.Bind(ctx, s.services()...); err != nil {
		return nil, s.whyNotBound(err)
	}
	if err := s.open(); err != nil {
		s.listeners.Close()
		return nil, err
	}
	// After the change of user, which would undo it.
	if err := hideMemory(); err != nil {
		log.Warn("other processes of this user can read the server's memory", "err", err)
	}
	return s, nil
}

// Linux's prctl(2).
const (
	prGetDumpable = 3
	prSetDumpable = 4
)

// hideMemory keeps the process's memory, where passwords pass through, out of
// core dumps and from other processes of its user (ptrace, /proc/PID/mem).
func hideMemory() error {
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetDumpable, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// whyNotBound tells the usual reason for a taken port from others: a server on
// the same store, which has an exit code of its own.
func (s *server) whyNotBound(bindErr error) error {
	if becomeOwner(s.config.Data) == nil {
		st, err := openStore(s.config, s.log)
		if err == nil {
			err = st.Close()
		}
		if err != nil && store.KindOf(err) == store.InUse {
			return err
		}
	}
	hint := "change the address in the configuration"
	switch {
	case errors.Is(bindErr, syscall.EADDRINUSE):
		hint = "is another server running? If so, change the address in the configuration"
	case errors.Is(bindErr, syscall.EACCES):
		hint = "ports below 1024 need root, CAP_NET_BIND_SERVICE or a socket from systemd"
	case errors.Is(bindErr, syscall.ENOENT):
		hint = "make the directory of the socket"
	}
	return fmt.Errorf("bind the listeners: %w (%s)", bindErr, hint)
}

// open opens what lies in the data directory and makes the front ends.
func (s *server) open() error {
	l := s.config
	if err := becomeOwner(l.Data); err != nil {
		return err
	}
	s.warnOpenData()
	var err error
	if s.certs == nil {
		if s.certs, err = listen.LocalCerts(filepath.Join(l.Data, "tls"), l.Hostname, s.log); err != nil {
			return fmt.Errorf("make the local certificate: %w", err)
		}
	}
	if s.store, err = s.openStoreSoon(); err != nil {
		return err
	}
	if s.control, err = listenControl(l.Data, s.store, s.log); err != nil {
		return errors.Join(err, s.store.Close())
	}
	s.auth = auth.New(s.store, authConfigOf(l, s.secrets, s.log))
	s.tellScram()
	s.imap = imapd.New(imapd.Config{Store: s.store, Auth: s.auth, TLS: s.tls(), Limits: imapLimits(l),
		ShortLiterals: l.IMAP.LiteralMinus, StrictHeaders: l.IMAP.StrictHeaders, AdminContact: l.IMAP.AdminContact,
		Logger: s.log, Hostname: l.Hostname, Version: version})
	s.pop3 = pop3d.New(pop3d.Config{Store: s.store, Auth: s.auth, TLSConfig: s.tls(), Hostname: l.Hostname,
		Limits: pop3Limits(l), Brake: l.POP3.brake(), Logger: s.log})
	s.lmtp = lmtpd.New(lmtpd.Config{Store: s.store, Hostname: l.Hostname, InboxOnly: l.LMTP.Subaddress == "inbox",
		JunkHeader: l.LMTP.JunkHeader, FullIsFinal: l.Quota.LMTPReply == 552, Limits: lmtpLimits(l), Logger: s.log})
	s.sasl = dovecot.New(s.auth, s.log)
	if err := s.openTemporaries(); err != nil {
		return errors.Join(err, s.store.Close())
	}
	s.openPages()
	return nil
}

// openPages makes the web server and what it shows.
func (s *server) openPages() {
	l := s.config
	cfg := webd.Config{Store: s.store, Auth: s.auth, Hostname: l.Hostname, Logger: s.log, Connections: l.Web.Connections, AddPassword: s.addPassword}
	if l.Web.Compare {
		s.pages = page.New(page.Config{Open: s.visit, Runs: filepath.Join(l.Data, "runs"), Shows: l.Web.Shows, Logger: s.log})
		cfg.Mounts = map[string]http.Handler{"/compare/": s.pages}
	}
	s.web = webd.New(cfg)
}

// visit makes a mailbox for somebody who looks at the page.
func (s *server) visit(ctx context.Context) (page.Visit, error) {
	t, err := s.temporaries.add(ctx)
	if err != nil {
		return page.Visit{}, err
	}
	return page.Visit{Target: t.target(), Close: t.remove}, nil
}

// addPassword makes an app password for somebody on the web page.
func (s *server) addPassword(ctx context.Context, a store.Account, made store.NewCredential) (string, error) {
	res, err := passwordAdd.run(ctx, s.store, passwordAddRequest{Account: a.Name, Password: made,
		SCRAM: s.config.Auth.SCRAM != string(auth.SCRAMOff), SCRAMSHA1: s.config.Auth.SCRAMSHA1})
	return res.Password, err
}

// closePages ends what is shown and the web server.
func (s *server) closePages() {
	if s.pages != nil {
		s.pages.Close()
	}
	s.web.Close()
}

// tellScram says why SCRAM is not offered though it may be.
func (s *server) tellScram() {
	if s.config.Auth.SCRAM != string(auth.SCRAMAuto) {
		return
	}
	state, err := s.store.Scram(context.Background())
	switch {
	case err != nil:
		s.log.Error("cannot find out whether SCRAM may be offered", "err", err)
	case !state.SHA256:
		s.log.Info("SCRAM is not offered yet: some passwords have no keys for it (a login with the password makes them)")
	}
}

// openStoreSoon waits some seconds for a command that has the store, but for no
// server.
func (s *server) openStoreSoon() (*store.Store, error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(startWait); ; <-tick.C {
		st, err := openStore(s.config, s.log)
		if err == nil || store.KindOf(err) != store.InUse || time.Now().After(deadline) {
			return st, err
		}
		if conn, dialErr := dialSocket(s.config.Data); dialErr == nil {
			conn.Close()
			return nil, err
		}
	}
}

// warnOpenData says when others may look into a directory that was there.
func (s *server) warnOpenData() {
	if info, err := os.Stat(s.config.Data); err == nil && info.Mode().Perm()&0o077 != 0 {
		s.log.Warn("others than its owner can read the data directory (chmod 700 mends it)", "data", s.config.Data, "mode", info.Mode().Perm())
	}
}

// services are the listeners. Their front ends exist once open has run.
func (s *server) services() []listen.Service {
	l := s.config
	implicit := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return s.tls(), nil },
	}
	imap := func(ctx context.Context, c *listen.Conn) { s.imap.Serve(ctx, c) }
	pop3 := func(ctx context.Context, c *listen.Conn) { s.pop3.Serve(ctx, c) }
	refuseIMAP := func(e *listen.LimitError) string { return "* BYE [LIMIT] too many connections\r\n" }
	refusePOP3 := func(e *listen.LimitError) string { return "-ERR [SYS/TEMP] too many connections\r\n" }
	mode := os.FileMode(l.LMTP.SocketMode)
	return []listen.Service{
		{Name: "imap", Addresses: l.IMAP.Listen, Serve: imap, Refusal: refuseIMAP, SocketMode: 0o666},
		{Name: "imaps", Addresses: l.IMAP.ListenTLS, TLS: implicit, Serve: imap, SocketMode: 0o666},
		{Name: "pop3", Addresses: l.POP3.Listen, Serve: pop3, Refusal: refusePOP3, SocketMode: 0o666},
		{Name: "pop3s", Addresses: l.POP3.ListenTLS, TLS: implicit, Serve: pop3, SocketMode: 0o666},
		{Name: "lmtp", Addresses: l.LMTP.Listen, Peers: true, SocketMode: mode, SocketGroup: l.LMTP.SocketGroup,
			Refusal: func(*listen.LimitError) string { return "421 4.3.2 too many connections\r\n" },
			Serve:   func(ctx context.Context, c *listen.Conn) { s.lmtp.Serve(ctx, c) }},
		{Name: "auth", Addresses: l.Auth.Listen, Peers: true, SocketMode: mode, SocketGroup: l.LMTP.SocketGroup,
			Serve: func(ctx context.Context, c *listen.Conn) { s.sasl.Serve(ctx, c, c.Session) }},
		// Browsers open many connections and most never log in: webd has a bound of
		// its own, so that they take no places of mail clients.
		{Name: "web", Addresses: l.Web.Listen, Peers: true, SocketMode: 0o666,
			Serve: func(ctx context.Context, c *listen.Conn) { s.web.Serve(ctx, c) }},
		{Name: "webs", Addresses: l.Web.ListenTLS, TLS: implicit, Peers: true, SocketMode: 0o666,
			Serve: func(ctx context.Context, c *listen.Conn) { s.web.Serve(ctx, c) }},
	}
}

// serve accepts until ctx ends, then drains and closes everything.
func (s *server) serve(ctx context.Context) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	go s.control.serve() // until control.close
	served := make(chan struct{})
	go func() { // ends when the listeners have drained
		defer close(served)
		s.listeners.Serve(ctx)
	}()
	s.log.Info("ready", s.addresses()...)
	s.notify(daemon.SdNotifyReady)
	for ctx.Err() == nil {
		select {
		case <-hup:
			s.reload()
		case <-ctx.Done():
		}
	}
	signal.Stop(hup)
	s.log.Info("stopping")
	s.notify(daemon.SdNotifyStopping)
	s.control.close()
	<-served
	s.closePages()
	s.auth.Close()
	err := s.store.Close()
	s.log.Info("stopped")
	return err
}

// secrets are what is read while the server may still read it.
type secrets struct {
	clientCAs *x509.CertPool // nil: clients are asked for no certificate
	oauth     string
}

func readSecrets(l *loaded) (s secrets, err error) {
	if l.TLS.ClientCA != "" {
		text, err := os.ReadFile(l.TLS.ClientCA)
		if err != nil {
			return s, fmt.Errorf("read tls.client_ca: %w", err)
		}
		s.clientCAs = x509.NewCertPool()
		if !s.clientCAs.AppendCertsFromPEM(text) {
			return s, fmt.Errorf("read tls.client_ca: %s has no certificate in PEM", l.TLS.ClientCA)
		}
	}
	if path := l.Auth.OAuth.ClientSecretFile; path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return s, fmt.Errorf("read auth.oauth.client_secret_file: %w", err)
		}
		s.oauth = strings.TrimRight(string(text), "\r\n")
	}
	return s, nil
}

// tls is for connections of clients. A certificate that is not of our
// authorities ends the handshake.
func (s *server) tls() *tls.Config {
	c := s.certs.Config()
	if s.secrets.clientCAs != nil {
		c.ClientAuth, c.ClientCAs = tls.VerifyClientCertIfGiven, s.secrets.clientCAs
	}
	return c
}

// notify tells systemd, when it is there.
func (s *server) notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		s.log.Warn("systemd not told", "state", state, "err", err)
	}
}

// addresses are what is bound, for the log.
func (s *server) addresses() []any {
	var list []any
	for _, name := range []string{"imap", "imaps", "pop3", "pop3s", "lmtp", "auth", "web", "webs"} {
		var bound []string
		for _, addr := range s.listeners.Addrs(name) {
			bound = append(bound, addr.String())
		}
		if len(bound) > 0 {
			list = append(list, name, strings.Join(bound, ","))
		}
	}
	return list
}

// addr is the first address bound for a service, for the demo.
func (s *server) addr(name string) net.Addr { return s.listeners.Addrs(name)[0] }

// reload reads certificates and the log level again; other settings need a
// restart.
func (s *server) reload() {
	s.notify(daemon.SdNotifyReloading)
	defer s.notify(daemon.SdNotifyReady)
	if err := s.certs.Reload(); err != nil {
		s.log.Error("certificate not reloaded, the old one stays in use", "err", err)
	}
	l, err := loadConfig(s.config.File, "", os.Getenv)
	if err != nil {
		s.log.Error("configuration not reloaded", "err", err)
		return
	}
	setLevel(s.level, l.Log.Level)
	s.log.Info("reloaded the certificate and the log level")
}

func listenLimits(l *loaded) listen.Limits {
	return listen.Limits{
		Strangers:           l.Limits.Strangers,
		StrangersPerAddress: l.Limits.ConnectionsPerAddress,
		Sessions:            l.Limits.Connections,
		PerUser:             l.Limits.SessionsPerUser,
		PerUserAddress:      l.Limits.SessionsPerUserAddr,
	}
}

func authConfigOf(l *loaded, files secrets, log *slog.Logger) auth.Config {
	c := auth.Config{
		Plaintext:   auth.Plaintext(l.Auth.Plaintext),
		SCRAM:       auth.SCRAM(l.Auth.SCRAM),
		SCRAMSHA1:   l.Auth.SCRAMSHA1,
		ClientCerts: files.clientCAs != nil,
		OAuth: auth.OAuth{
			Introspection: l.Auth.OAuth.IntrospectionURL, ClientID: l.Auth.OAuth.ClientID, ClientSecret: files.oauth,
			JWKS: l.Auth.OAuth.JWKSURL, Issuer: l.Auth.OAuth.Issuer,
			Audience: l.Auth.OAuth.Audience, Scopes: l.Auth.OAuth.Scopes, Claim: l.Auth.OAuth.Claim,
		},
		FailedLoginDelay:    l.Limits.FailedLoginDelay,
		FailedLoginsPending: l.Limits.FailedLogins,
		HashesWaiting:       l.Limits.HashWaiting,
		Log:                 log,
	}
	for _, text := range l.Auth.Trusted {
		net, err := parseNet(text)
		if err == nil { // validate has refused the others
			c.Trusted = append(c.Trusted, net)
		}
	}
	return c
}

// parseNet reads an address or a network.
func parseNet(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		return addr.Prefix(addr.BitLen())
	}
	return netip.ParsePrefix(s)
}

func imapLimits(l *loaded) imapd.Limits {
	c, lim := imapd.DefaultLimits(l.Limits.MessageSize), l.Limits
	c.Stranger.Line, c.Stranger.Command = lim.LineBeforeLogin, lim.LineBeforeLogin
	c.Stranger.Literal = lim.LiteralBeforeLogin
	c.User.Line, c.User.Literal, c.User.Command = lim.Line, lim.Literal, lim.Command
	for _, input := range []*imapd.Input{&c.Stranger, &c.User} {
		input.Literals, input.Nesting, input.Ranges, input.SASL = lim.Literals, lim.ListNesting, lim.SetRanges, lim.SASLLine
	}
	// imapd takes no 0 for its times.
	c.LoginTime = time.Duration(noLimit(lim.TimeToLogin, forever))
	c.CrowdedTime = c.LoginTime
	if lim.TimeToLogin > 0 {
		c.CrowdedTime = min(c.LoginTime, crowdedTime)
	}
	c.Idle, c.WriteStall = time.Duration(noLimit(lim.IMAPIdle, forever)), time.Duration(noLimit(lim.WriteStall, forever))
	c.Messages, c.Saved = l.IMAP.MessageLimit, l.IMAP.SaveLimit
	c.BadStranger, c.BadUser = lim.BadCommandsBefore, lim.BadCommands
	return c
}

func pop3Limits(l *loaded) pop3d.Limits {
	lim := l.Limits
	login := time.Duration(lim.TimeToLogin)
	return pop3d.Limits{
		LoginTime:         login,
		CrowdedLoginTime:  min(login, crowdedTime),
		Idle:              time.Duration(lim.POP3Idle),
		WriteStall:        time.Duration(lim.WriteStall),
		SASLLine:          int(lim.SASLLine),
		BadCommandsBefore: lim.BadCommandsBefore,
		BadCommands:       lim.BadCommands,
	}
}

// brake is the size of a maildrop above which the brake works; 0: it is off.
func (c pop3Config) brake() int {
	if !c.Brake {
		return 0
	}
	return max(c.BrakeMessages, 1)
}

func lmtpLimits(l *loaded) lmtpd.Limits {
	c := lmtpd.DefaultLimits()
	c.Recipients, c.LargeMessages = l.Limits.LMTPRecipients, l.Limits.LMTPLargeMessages
	c.BadCommands = l.Limits.LMTPBadCommands
	c.WriteStall = time.Duration(l.Limits.WriteStall)
	return c
}

// limitMemory sets the runtime's soft limit to four fifths of what the process
// may use, unless GOMEMLIMIT does: the rest is SQLite's and the stacks'.
func limitMemory(getenv func(string) string) {
	if getenv("GOMEMLIMIT") != "" {
		return
	}
	if n := cgroupMemory(); n > 0 {
		debug.SetMemoryLimit(n / 5 * 4)
		return
	}
	var info syscall.Sysinfo_t
	if syscall.Sysinfo(&info) == nil {
		total := uint64(info.Totalram) * uint64(info.Unit)
		debug.SetMemoryLimit(int64(min(total, math.MaxInt64) / 5 * 4))
	}
}

// cgroupMemory is the memory limit of the process's control group (version 2)
// or the nearest of its parents that has one; 0 when none has.
func cgroupMemory() int64 {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(own)) {
		path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::")
		for ; ok && strings.HasPrefix(path, "/"); path = filepath.Dir(path) {
			text, _ := os.ReadFile(filepath.Join("/sys/fs/cgroup", path, "memory.max"))
			if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil {
				return n
			}
			if path == "/" {
				break
			}
		}
	}
	return 0
}
