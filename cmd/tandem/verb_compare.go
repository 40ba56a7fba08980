package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"

	"tandem/compare"
	"tandem/store"
)

// compareRequest asks for a temporary account with a copy of the newest messages
// of an account's INBOX.
type compareRequest struct {
	Account  string `json:"account"`
	Messages int    `json:"messages"`
}

// compareAccess is how to reach the temporary account. It is there until the
// request's connection ends.
type compareAccess struct {
	Login  compare.Login `json:"login"`
	Copied int           `json:"copied"` // messages

	// Addresses; "" for what the server does not listen on.
	IMAP  string `json:"imap"`
	IMAPS string `json:"imaps"`
	POP3  string `json:"pop3"`
	POP3S string `json:"pop3s"`

	SCRAM1 bool `json:"scram_sha1"` // device passwords get keys for it
}

// maxCopied bounds the octets of the copy.
const maxCopied = 64 << 20

// register makes the temporary account a request of the control socket.
func (a *temporaries) register(c *controlServer) {
	stopping := make(chan struct{})
	c.http.RegisterOnShutdown(func() { close(stopping) })
	c.mux.HandleFunc("POST /v1/compare", func(w http.ResponseWriter, r *http.Request) {
		var req compareRequest
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&req); err != nil {
			writeControlError(w, store.Errorf(store.Invalid, "read the request: %w", err))
			return
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil { // only then is the client's end noticed
			return
		}
		t, err := a.add(r.Context())
		if err != nil {
			writeControlError(w, err)
			return
		}
		defer t.remove()
		access := a.access
		access.Login, access.SCRAM1 = t.login, a.sha1
		if access.Copied, err = t.copyNewest(r.Context(), req.Account, req.Messages); err != nil {
			writeControlError(w, err)
			return
		}
		writeControlResult(w, access)
		if err := http.NewResponseController(w).Flush(); err != nil {
			return
		}
		select {
		case <-r.Context().Done():
		case <-stopping:
		}
	})
}

// openTemporaries makes accounts for comparisons possible, and removes those that
// are left from before.
func (s *server) openTemporaries() error {
	s.temporaries = &temporaries{store: s.store, sha1: s.config.Auth.SCRAMSHA1, log: s.log,
		imap: ownService(s.listeners.Addrs("imap"), s.listeners.Addrs("imaps")),
		pop3: ownService(s.listeners.Addrs("pop3"), s.listeners.Addrs("pop3s"))}
	if err := s.temporaries.sweep(context.Background()); err != nil {
		return err
	}
	s.temporaries.access = compareAccess{IMAP: s.reachable("imap"), IMAPS: s.reachable("imaps"), POP3: s.reachable("pop3"), POP3S: s.reachable("pop3s")}
	s.temporaries.register(s.control)
	return nil
}

// reachable is an address of a service as this machine reaches it, "" if there is
// none.
func (s *server) reachable(service string) string {
	for _, addr := range s.listeners.Addrs(service) {
		if tcp, ok := addr.(*net.TCPAddr); ok {
			at := *tcp
			if at.IP.IsUnspecified() {
				at.IP = net.IPv4(127, 0, 0, 1)
			}
			return at.String()
		}
	}
	return ""
}

// copyNewest copies the newest n messages of an account's INBOX, as far as they
// are not too large together. The account is only read.
func (t *temporary) copyNewest(ctx context.Context, from string, n int) (int, error) {
	s := t.all.store
	a, err := s.Account(ctx, from)
	if err != nil {
		return 0, err
	}
	by := store.Actor{Account: a.ID, Protocol: "admin"}
	inbox, err := s.Mailbox(ctx, by, "INBOX")
	if err != nil {
		return 0, err
	}
	view, err := s.View(ctx, by, inbox.ID)
	if err != nil {
		return 0, err
	}
	defer view.Close()
	if err := view.Load(ctx); err != nil {
		return 0, err
	}
	sink, err := newImport(ctx, s, importRequest{Account: t.account.Name})
	if err != nil {
		return 0, err
	}
	x := &mailboxExport{ctx: ctx, store: s, mailbox: "INBOX", keywords: view.Keywords(), emit: intoSink(sink)}
	if err := x.members(newest(view, n)); err != nil {
		sink.abort()
		return 0, err
	}
	res, err := sink.finish()
	return res.Imported, err
}

// newest gives the newest n members of a view, the oldest of them first.
func newest(view *store.View, n int) []store.Member {
	n = min(max(n, 0), int(view.Len()))
	list := view.BySeq(view.Len()-uint32(n)+1, view.Len(), make([]store.Member, 0, n))
	var size int64
	for i := len(list) - 1; i >= 0; i-- {
		if size += int64(list[i].Size); size > maxCopied {
			return list[i+1:]
		}
	}
	return list
}

// intoSink makes an emitter of an import's sink; what is damaged is left out.
func intoSink(sink messageSink) emitter {
	return func(item exportItem, write func(io.Writer) error) error {
		if write == nil {
			return nil
		}
		var b bytes.Buffer
		if err := write(&b); err != nil {
			return err
		}
		return sink.add(importItem{Mailbox: "INBOX", Source: "compare", Position: strconv.FormatUint(uint64(item.UID), 10),
			Received: item.Received, Flags: item.Flags}, &b)
	}
}

// lease is a temporary account at a server, as a command has it.
type lease struct {
	compareAccess
	verbs   *backend // a connection for the devices' passwords
	hold    io.ReadCloser
	holder  *backend // the connection that keeps the account
	devices map[string]string
}

// leaseAccount asks the server of the data directory for a temporary account.
func (a *app) leaseAccount(ctx context.Context, l *loaded, verbs *backend, req compareRequest) (*lease, error) {
	if verbs.remote == nil {
		return nil, errors.New("no server runs for this store (start tandem serve, or name another server with --imap and --pop3)")
	}
	client, err := dialControl(ctx, l.Data)
	if err != nil {
		return nil, err
	}
	s := &lease{verbs: verbs, holder: &backend{remote: client}, devices: map[string]string{}}
	body, err := json.Marshal(req)
	if err != nil {
		return nil, err
	}
	// A run that is interrupted still needs the account, to end in order.
	if s.hold, err = s.holder.post(context.WithoutCancel(ctx), "compare", nil, bytes.NewReader(body)); err != nil {
		return nil, errors.Join(err, s.holder.Close())
	}
	if err := json.NewDecoder(s.hold).Decode(&s.compareAccess); err != nil {
		return nil, errors.Join(fmt.Errorf("read the server's answer: %w", err), s.hold.Close(), s.holder.Close())
	}
	return s, nil
}

// release removes the account; the end of the connection would too.
func (s *lease) release(ctx context.Context) error {
	_, err := call(ctx, s.verbs, accountRemove, removeRequest{s.Login.User})
	return errors.Join(err, s.hold.Close(), s.holder.Close())
}

// leasedDevices implements compare.Devices with app passwords of the temporary
// account.
type leasedDevices struct{ *lease }

func (d leasedDevices) Policies() []string { return (&temporary{}).Policies() }

func (d leasedDevices) Login(ctx context.Context, device, policy string) (compare.Login, error) {
	user, want := d.lease.Login.User, store.DeletePolicy(policy)
	if password, ok := d.devices[device]; ok {
		_, err := call(ctx, d.verbs, passwordSet, passwordSetRequest{passwordRequest{user, device}, store.CredentialUpdate{POP3Delete: &want}})
		return compare.Login{User: user, Password: password}, err
	}
	made, err := call(ctx, d.verbs, passwordAdd, passwordAddRequest{Account: user, SCRAM: true, SCRAMSHA1: d.SCRAM1,
		Password: store.NewCredential{Label: device, Scope: store.ScopePOP3, POP3Delete: want}})
	if err != nil {
		return compare.Login{}, err
	}
	d.devices[device] = made.Password
	return compare.Login{User: user, Password: made.Password}, nil
}

func (d leasedDevices) Revoke(ctx context.Context) error {
	for device := range d.devices {
		if _, err := call(ctx, d.verbs, passwordRevoke, passwordRequest{d.lease.Login.User, device}); err != nil {
			return err
		}
		delete(d.devices, device)
	}
	return nil
}
