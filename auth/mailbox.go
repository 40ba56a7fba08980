package auth

import (
	"context"
	"strings"

	"tandem/store"
)

// named notes the login that a client gave. A name that nobody has as it was
// sent is taken as SASLprep has it (RFC 5802 section 5.1, RFC 6856 section 2.2).
func (a *Authenticator) named(ctx context.Context, at *Attempt, login string) {
	a.parted(ctx, at, login)
	if len(at.Login) > maxLogin {
		return
	}
	if name := prepare(at.Login); name != at.Login && !a.found(ctx, at.Login) {
		at.Login = name
	}
}

// parted notes the login, taken apart where it may name a mailbox, unless all of
// it is somebody's name. Whether the account exists makes no difference to what
// at becomes but for that.
func (a *Authenticator) parted(ctx context.Context, at *Attempt, login string) {
	at.Login, at.mailbox = login, ""
	if !at.Mailboxes || len(login) > maxLogin+maxMailbox || a.known(ctx, login) {
		return
	}
	splits := splitLogin(login)
	for i := len(splits) - 1; i >= 0; i-- {
		if at.Login, at.mailbox = splits[i].login, splits[i].mailbox; i > 0 && a.known(ctx, at.Login) {
			return
		}
	}
}

// maxMailbox is the length of a mailbox's name behind a login, in bytes.
const maxMailbox = 4 * 1000

// known reports whether a login is somebody's name, as it stands or prepared.
func (a *Authenticator) known(ctx context.Context, login string) bool {
	if len(login) > maxLogin {
		return false
	}
	if a.found(ctx, login) {
		return true
	}
	name := prepare(login)
	return name != login && a.found(ctx, name)
}

// found reports whether a login is somebody's name. What cannot be found out is
// found out again, and told, when the password is looked at.
func (a *Authenticator) found(ctx context.Context, login string) bool {
	_, _, err := a.accounts.FindLogin(ctx, login)
	return err == nil || store.KindOf(err) != store.NotFound
}

// split is a way to read a login.
type split struct{ login, mailbox string }

// splitLogin gives the ways to read name+mailbox, the most likely last:
// name+mailbox, name@domain+mailbox and name+mailbox@domain.
func splitLogin(login string) (list []split) {
	name, mailbox, ok := strings.Cut(login, "+")
	if !ok || name == "" || mailbox == "" {
		return nil
	}
	list = append(list, split{name, mailbox})
	if i := strings.LastIndexByte(mailbox, '@'); i > 0 && !strings.Contains(name, "@") {
		list = append(list, split{name + mailbox[i:], mailbox[:i]})
	}
	return list
}
