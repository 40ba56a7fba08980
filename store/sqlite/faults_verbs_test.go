package sqlite

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	sqlite3 "github.com/mattn/go-sqlite3"

	"tandem/store"
)

// faultyVerb is one that a fault meets. None but those that free mail take
// space.
type faultyVerb struct {
	name  string
	needs bool // room on disk
	do    func(ctx context.Context, f *full) error
}

func pop(f *full) store.Actor {
	return store.Actor{Account: f.alice.Account, Credential: f.phone.ID, Session: "ps1", Protocol: "pop3"}
}

func quitWith(policy store.DeletePolicy) func(context.Context, *full) error {
	return func(ctx context.Context, f *full) error {
		by := pop(f)
		by.Session = "again"
		return errOf(f.Quit(ctx, by, f.inbox, store.Quit{Deleted: oneUID(2), Seen: oneUID(1), Policy: policy,
			Listings: []store.Listing{{Mailbox: f.inbox, Credential: f.phone.ID, Next: 10, Time: time.Now()}}}))
	}
}

var faultyVerbs = []faultyVerb{
	{"quit under shared", false, quitWith(store.DeleteShared)},
	{"quit under keep", false, quitWith(store.DeleteKeep)},
	{"quit under trash", false, quitWith(store.DeleteTrash)},
	{"undo", true, func(ctx context.Context, f *full) error { return errOf(f.Undo(ctx, f.alice, "ps1")) }},
	{"undelete", true, func(ctx context.Context, f *full) error {
		return errOf(f.Undelete(ctx, f.alice, f.alice.Account, []store.Grave{{Mailbox: f.inbox, UID: 3}}))
	}},
	{"copy to another account", true, func(ctx context.Context, f *full) error {
		return errOf(f.Copy(ctx, admin, f.inbox, f.bobInbox, store.AllUIDs(), false, 0))
	}},
	{"move to another account", true, func(ctx context.Context, f *full) error {
		return errOf(f.Copy(ctx, admin, f.inbox, f.bobInbox, store.AllUIDs(), true, 0))
	}},
	{"rights", false, func(ctx context.Context, f *full) error {
		return f.SetACL(ctx, f.alice, f.inbox, store.ACLChange{Grantee: f.bob.Account, Rights: store.AllRights})
	}},
	{"revoke", false, func(ctx context.Context, f *full) error {
		return errOf(f.RevokeCredential(ctx, f.alice.Account, "phone"))
	}},
	{"new app password", false, func(ctx context.Context, f *full) error {
		return errOf(f.AddCredential(ctx, f.alice.Account, store.NewCredential{Label: "new", Hash: "x", Scope: store.ScopePOP3}))
	}},
	{"another UIDL", false, func(ctx context.Context, f *full) error {
		_, err := f.SetUIDLs(ctx, f.alice, f.inbox, []store.NewUIDL{{UID: 9, UIDL: "other"}})
		return err
	}},
	{"empty by age", false, func(ctx context.Context, f *full) error {
		return errOf(f.ExpungeOld(ctx, f.inbox, 0, time.Now().Add(time.Hour)))
	}},
	{"forget", false, func(ctx context.Context, f *full) error { return f.Prune(ctx, time.Now().Add(time.Hour), nil) }},
	{"remove an account", false, func(ctx context.Context, f *full) error { return f.RemoveAccount(ctx, f.alice.Account) }},
}

// content words all rows of all tables but what says when logins were.
func (f *full) content() string {
	var out strings.Builder
	for _, table := range append(f.tables(), "store") {
		f.must(f.read(f.t.Context(), "test", func(c *conn) error {
			return c.query("SELECT * FROM "+table+" ORDER BY 1, 2", func(r row) error {
				out.WriteString(table)
				for _, v := range r {
					if blob, ok := v.([]byte); ok {
						v = crc(blob)
					}
					fmt.Fprintf(&out, " %v", v)
				}
				out.WriteByte('\n')
				return nil
			})
		}))
	}
	return out.String()
}

// TestVerbsMeetAFailedSync: a verb whose sync fails says so, changes nothing that
// anybody sees, and the store takes no more.
func TestVerbsMeetAFailedSync(t *testing.T) {
	copyOf := fullCopies(t)
	for _, verb := range faultyVerbs {
		t.Run(verb.name, func(t *testing.T) {
			f := copyOf(t)
			before := f.content()
			real := f.commit
			f.commit = func(*conn) error {
				return sqlite3.Error{Code: sqlite3.ErrIoErr, ExtendedCode: sqlite3.ErrIoErrFsync, SystemErrno: syscall.EIO}
			}
			f.published()
			f.wantKind(verb.do(t.Context(), f), store.ReadOnly)
			f.commit = real
			f.wantKind(verb.do(t.Context(), f), store.ReadOnly)
			if n := len(f.published()); n != 0 {
				t.Errorf("%d changes were published", n)
			}
			if after := f.content(); after != before {
				t.Errorf("rows changed:\n%s\nfrom:\n%s", after, before)
			}
		})
	}
}

// TestVerbsMeetAFullDisk: those that need space are refused, those that free some
// or are small go on; what runs into the last page leaves nothing half done.
func TestVerbsMeetAFullDisk(t *testing.T) {
	copyOf := fullCopies(t)
	for _, verb := range faultyVerbs {
		t.Run(verb.name, func(t *testing.T) {
			f := copyOf(t)
			f.space.full() // there is no spare file to give back first
			f.space.bare = true
			before := f.content()
			real := f.commit
			f.commit = func(*conn) error { return sqlite3.Error{Code: sqlite3.ErrFull} }
			f.wantKind(verb.do(t.Context(), f), store.Unavailable)
			if after := f.content(); after != before {
				t.Errorf("rows changed:\n%s\nfrom:\n%s", after, before)
			}
			f.commit = real
			f.forgetSpace()
			f.must(verb.do(t.Context(), f)) // once there is room
			f.wantClean()
		})
		t.Run(verb.name+" at the reserve", func(t *testing.T) {
			f := copyOf(t)
			f.space.mu.Lock()
			f.space.e.opts.FreeSpace = func() (int64, error) { return 0, nil }
			f.space.reserve = 64 << 20
			f.space.at = time.Time{}
			f.space.mu.Unlock()
			err := verb.do(t.Context(), f)
			if !verb.needs {
				f.must(err)
				return
			}
			f.wantKind(err, store.Unavailable)
		})
	}
}
