package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"tandem/auth"
	"tandem/compare"
	"tandem/store"
)

// temporaryDomain ends the names of accounts that live as long as a comparison;
// nobody's mail is addressed there (RFC 2606 section 2).
const temporaryDomain = "@tandem-compare.invalid"

// temporaries make accounts for comparisons, with what a run needs to reach them.
type temporaries struct {
	store      *store.Store
	imap, pop3 *compare.Service // of this server; nil: it has none
	sha1       bool             // passwords get keys for SCRAM-SHA-1 too
	access     compareAccess    // for commands: the addresses
	log        *slog.Logger
}

// temporary is one of them.
type temporary struct {
	all     *temporaries
	account store.Account
	login   compare.Login
	devices map[string]string // passwords by label; used by one run
}

// add makes an account, empty.
func (a *temporaries) add(ctx context.Context) (*temporary, error) {
	t := &temporary{all: a, devices: map[string]string{}, login: compare.Login{User: strings.ToLower(rand.Text()[:16]) + temporaryDomain, Password: makePassword()}}
	// With keys: SCRAM is offered only while every account has them.
	account := store.NewAccount{Name: t.login.User, Hash: auth.HashPassword(t.login.Password), Keys: auth.MakeScramKeys(t.login.Password, a.sha1)}
	if err := a.store.CreateAccounts(ctx, []store.NewAccount{account}, false); err != nil {
		return nil, err
	}
	var err error
	t.account, err = a.store.Account(ctx, t.login.User)
	return t, err
}

// target is how a run reaches the account.
func (t *temporary) target() compare.Target {
	return compare.Target{Name: "tandem " + version, IMAP: t.all.imap, POP3: t.all.pop3, Login: t.login, Devices: t}
}

// remove removes the account with what is in it.
func (t *temporary) remove() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	// A command removes its account itself before it ends.
	if err := t.all.store.RemoveAccount(ctx, t.account.ID); err != nil && store.KindOf(err) != store.NotFound {
		t.all.log.Warn("temporary account not removed, the next start does it", "account", t.account.Name, "err", err)
	}
}

// Policies implements compare.Devices.
func (t *temporary) Policies() []string {
	return []string{string(store.DeleteTrash), string(store.DeleteExpunge), string(store.DeleteKeep), string(store.DeleteShared)}
}

// Login implements compare.Devices with an app password for each device.
func (t *temporary) Login(ctx context.Context, device, policy string) (compare.Login, error) {
	want := store.DeletePolicy(policy)
	if password, ok := t.devices[device]; ok {
		err := t.all.store.UpdateCredential(ctx, t.account.ID, device, store.CredentialUpdate{POP3Delete: &want})
		return compare.Login{User: t.login.User, Password: password}, err
	}
	made, err := passwordAdd.run(ctx, t.all.store, passwordAddRequest{Account: t.account.Name, SCRAM: true, SCRAMSHA1: t.all.sha1,
		Password: store.NewCredential{Label: device, Scope: store.ScopePOP3, POP3Delete: want}})
	if err != nil {
		return compare.Login{}, err
	}
	t.devices[device] = made.Password
	return compare.Login{User: t.login.User, Password: made.Password}, nil
}

// Revoke implements compare.Devices.
func (t *temporary) Revoke(ctx context.Context) error {
	for device := range t.devices {
		if err := t.all.store.RevokeCredential(ctx, t.account.ID, device); err != nil {
			return err
		}
		delete(t.devices, device)
	}
	return nil
}

// sweep removes accounts that a server which did not end in order has left.
func (a *temporaries) sweep(ctx context.Context) error {
	accounts, err := a.store.Accounts(ctx)
	if err != nil {
		return err
	}
	for _, account := range accounts {
		if !strings.HasSuffix(account.Name, temporaryDomain) {
			continue
		}
		if err := a.store.RemoveAccount(ctx, account.ID); err != nil {
			return fmt.Errorf("remove the temporary account %s: %w", account.Name, err)
		}
	}
	return nil
}

// ownService is one of this server's own listeners as a run on this machine
// reaches it: without TLS if there is such a one, since the transcript is the
// same; nil if there is none.
func ownService(plain, private []net.Addr) *compare.Service {
	for i, list := range [][]net.Addr{plain, private} {
		for _, addr := range list {
			tcp, ok := addr.(*net.TCPAddr)
			if !ok {
				continue
			}
			at := *tcp
			if at.IP.IsUnspecified() {
				at.IP = net.IPv4(127, 0, 0, 1)
			}
			if i == 0 && at.IP.IsLoopback() {
				return &compare.Service{Address: at.String(), Security: compare.Plain}
			}
			if i == 1 {
				// It is this process that answers.
				return &compare.Service{Address: at.String(), Security: compare.Implicit, TLS: &tls.Config{InsecureSkipVerify: true}}
			}
		}
	}
	return nil
}
