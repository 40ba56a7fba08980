package sqlite

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem/store"
)

// shared is a home whose alice shares a mailbox with bob.
type shared struct {
	*home
	bob store.Actor
	box store.Mailbox
}

func newShared(t *testing.T, letters string) *shared {
	h := newHome(t, store.Options{Domains: []string{"example.org"}})
	h.must(h.s.CreateAccounts(t.Context(), []store.NewAccount{{Name: "bob", Hash: "x"}, {Name: "carol", Hash: "x"}}, false))
	bob, err := h.s.Account(t.Context(), "bob")
	h.must(err)
	box, err := h.s.CreateMailbox(t.Context(), h.imap, h.alice.ID, store.NewMailbox{Name: "box"})
	h.must(err)
	s := &shared{home: h, bob: store.Actor{Account: bob.ID, Credential: 2, Session: "imap2", Protocol: "imap"}, box: box}
	s.share("bob", letters)
	return s
}

// share has alice set an entry of the box's ACL.
func (s *shared) share(identifier, letters string) {
	s.Helper()
	rights, err := store.ParseRights(letters)
	s.must(err)
	s.must(s.s.SetACL(s.Context(), s.imap, s.box.ID, identifier, rights, store.ACLSet))
}

// add puts a message of so many octets of text into the box.
func (s *shared) add(octets int) {
	s.Helper()
	body := bodyOf("shared")
	body.Text = []byte(strings.Repeat("x", octets))
	body.Size = int64(len(body.Header) + octets)
	out, err := s.s.Append(s.Context(), s.imap, []store.Insertion{{Mailbox: s.box.ID, Body: body}})
	s.must(err)
	s.must(out[0].Err)
}

// open opens the box for bob.
func (s *shared) open() *store.View {
	s.Helper()
	v, err := s.s.View(s.Context(), s.bob, s.box.ID)
	s.must(err)
	s.must(v.Load(s.Context()))
	s.Cleanup(v.Close)
	return v
}

func (s *shared) wantKind(err error, kind store.Kind) {
	s.Helper()
	if err == nil || store.KindOf(err) != kind {
		s.Fatalf("error %v, want kind %q", err, kind)
	}
}

// woken waits for a wake-up.
func (s *shared) woken(wake <-chan struct{}) {
	s.Helper()
	select {
	case <-wake:
	case <-time.After(10 * time.Second):
		s.Fatal("not woken")
	}
}

// read reads the first message of a view and gives what stops it.
func read(ctx context.Context, v *store.View) error {
	list := v.ByUID(store.UIDRange{Start: 1, Stop: 1}, make([]store.Member, 0, 1))
	for m, err := range v.Messages(ctx, []store.MessageID{list[0].Message}, store.Want{Header: true}) {
		if err != nil {
			return err
		}
		return v.Reader(ctx, m).WriteRange(io.Discard, 0, m.Size)
	}
	return store.Errorf(store.Expunged, "no message")
}

func TestSharedView(t *testing.T) {
	s := newShared(t, "lr")
	s.add(3 * store.ChunkSize)
	v := s.open()
	if got := v.Rights().String(); got != "lr" {
		t.Fatalf("rights %q", got)
	}
	s.must(read(t.Context(), v))
	list := v.ByUID(store.UIDRange{Start: 1, Stop: 1}, make([]store.Member, 0, 1))
	var half *store.Reader
	for m, err := range v.Messages(t.Context(), []store.MessageID{list[0].Message}, store.Want{Header: true}) {
		s.must(err)
		half = v.Reader(t.Context(), m)
		s.must(half.WriteRange(io.Discard, 0, store.ChunkSize/2))
	}
	for len(v.Wake()) > 0 {
		<-v.Wake()
	}
	s.share("bob", "l")
	s.woken(v.Wake())
	if got := v.Rights().String(); got != "l" {
		t.Fatalf("rights %q", got)
	}
	s.wantKind(half.WriteRange(io.Discard, store.ChunkSize/2, 2*store.ChunkSize), store.Forbidden)
	s.wantKind(read(t.Context(), v), store.Forbidden)
	_, err := v.Expunges(t.Context(), 0)
	s.wantKind(err, store.Forbidden)
	_, err = v.UIDLs(t.Context())
	s.wantKind(err, store.Forbidden)
	_, err = v.Tombstones(t.Context(), one(1))
	s.wantKind(err, store.Forbidden)
	_, err = v.Vanished(t.Context(), 0, one(1))
	s.wantKind(err, store.Forbidden)
	_, err = s.s.View(t.Context(), s.bob, s.box.ID)
	s.wantKind(err, store.Forbidden)
	s.share("bob", "")
	s.wantKind(read(t.Context(), v), store.NotFound)
	_, err = s.s.View(t.Context(), s.bob, s.box.ID)
	s.wantKind(err, store.NotFound)
	s.share("anyone", "lr")
	s.must(read(t.Context(), v))
	s.share("-bob", "r")
	s.wantKind(read(t.Context(), v), store.Forbidden)
	s.must(s.s.DeleteACL(t.Context(), s.imap, s.box.ID, "-bob"))
	s.must(read(t.Context(), v))
	own := s.view(s.imap, "box")
	if own.Rights() != store.AllRights {
		t.Fatalf("the owner's rights %q", own.Rights())
	}
	own.Close()
}

// TestSharedViewStopsInALoop withdraws the right to read while messages are.
func TestSharedViewStopsInALoop(t *testing.T) {
	s := newShared(t, "lr")
	s.add(10)
	s.add(10)
	v := s.open()
	var ids []store.MessageID
	for _, m := range v.ByUID(store.UIDRange{Start: 1, Stop: 2}, make([]store.Member, 0, 2)) {
		ids = append(ids, m.Message)
	}
	n := 0
	var last error
	for _, err := range v.Messages(t.Context(), ids, store.Want{Header: true, Text: true}) {
		if last = err; err == nil {
			n++
			s.share("bob", "l")
		}
	}
	if n != 1 || last == nil || store.KindOf(last) != store.Forbidden {
		t.Fatalf("%d messages, then %v", n, last)
	}
}

// TestSharedViewStopsAtOnce withdraws and gives back a right while others
// read: nothing is read after the answer to its withdrawal.
func TestSharedViewStopsAtOnce(t *testing.T) {
	s := newShared(t, "lr")
	s.add(100)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		v := s.open()
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					if err := read(t.Context(), v); err != nil && store.KindOf(err) != store.Forbidden {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	for range 50 {
		s.share("bob", "l")
		v, err := s.s.View(t.Context(), s.bob, s.box.ID)
		if err == nil {
			v.Close()
			t.Fatal("opened without the right to")
		}
		s.share("bob", "lr")
		w := s.open()
		s.must(read(t.Context(), w))
		s.share("bob", "l")
		s.wantKind(read(t.Context(), w), store.Forbidden)
		s.share("bob", "lr")
	}
	close(stop)
	wg.Wait()
}

// seen words what a watch took.
func seen(w *store.Watch) string {
	got := w.Take()
	var out []string
	for _, row := range got.Rows {
		out = append(out, fmt.Sprintf("%s:%d", row.Name, row.Messages))
	}
	if got.Names {
		out = append(out, "names")
	}
	for _, rights := range got.Rights {
		out = append(out, "rights:"+rights.String())
	}
	for _, names := range got.Metadata {
		out = append(out, names...)
	}
	return strings.Join(out, " ")
}

func TestSharedWatch(t *testing.T) {
	s := newShared(t, "")
	ctx := t.Context()
	w, plain := s.s.Watch(s.bob.Account), s.s.Watch(s.bob.Account)
	defer plain.Close()
	s.must(w.AddShared(ctx))
	step := func(want string, act func()) {
		t.Helper()
		act()
		if want != "" {
			s.woken(w.Wake())
		}
		if got := seen(w); got != want {
			t.Fatalf("bob heard %q, want %q", got, want)
		}
	}
	annotate := func(by store.Actor, name string) {
		s.must(s.s.SetMetadata(ctx, by, s.box.ID, []store.MetadataEntry{{Name: name, Value: []byte("x")}}))
	}
	step("", func() { s.add(1) })
	step("names rights:l", func() { s.share("bob", "l") })
	step("", func() { s.add(1) })
	step("box:2 rights:lr", func() { s.share("bob", "lr") })
	step("box:3", func() { s.add(1) })
	step("box:3", func() { annotate(s.imap, "/private/a") })
	step("box:3 /private/b", func() { annotate(s.bob, "/private/b") })
	step("box:3 /shared/c", func() { annotate(s.imap, "/shared/c") })
	step("bax:3 names", func() { s.must(s.s.RenameMailbox(ctx, s.imap, s.box.ID, "bax")) })
	step("bax:3 names rights:r", func() { s.share("-bob", "l") })
	step("rights:", func() { s.share("bob", ""); s.share("-bob", "") })
	step("", func() { s.add(1) })
	step("bax:4 names rights:lr", func() { s.share("anyone", "lr") })
	step("bax/child:0 names rights:lr", func() {
		made, err := s.s.CreateMailbox(ctx, s.imap, s.alice.ID, store.NewMailbox{Name: "bax/child"})
		s.must(err)
		s.box = made
	})
	step("names rights:", func() { s.must(s.s.DeleteMailbox(ctx, s.imap, s.box.ID)) })
	again := s.s.Watch(s.bob.Account)
	s.must(again.AddShared(ctx))
	s.box.ID = s.mailbox("bax").ID
	s.add(1)
	if got := seen(again); got != "bax:5" {
		t.Fatalf("a watch that begins later heard %q", got)
	}
	again.Close()
	w.Close()
	s.add(1)
	if got := seen(w); got != "bax:5" {
		t.Fatalf("after its end a watch heard %q", got)
	}
	if got := seen(plain); got != "" {
		t.Fatalf("a watch over bob's own heard %q", got)
	}
}

func TestIdentifiers(t *testing.T) {
	s := newShared(t, "")
	ctx := t.Context()
	for _, name := range []string{"carol", "Carol", "carol@example.org"} {
		s.share(name, "lr")
	}
	list, err := s.s.ACL(ctx, s.imap, s.box.ID)
	s.must(err)
	if got := fmt.Sprint(list); got != "[{alice lrswipkxtea} {carol lr}]" {
		t.Fatalf("ACL %s", got)
	}
	for _, name := range []string{"nobody", "", "-", "--carol", "Anyone else"} {
		s.wantKind(s.s.SetACL(ctx, s.imap, s.box.ID, name, store.RightRead, store.ACLSet), store.Invalid)
	}
	// Who may not administer a mailbox learns nothing of accounts.
	for _, name := range []string{"nobody", "carol"} {
		s.wantKind(s.s.SetACL(ctx, s.bob, s.box.ID, name, store.RightRead, store.ACLSet), store.NotFound)
	}
	for _, name := range []string{"anyone", "-bob"} {
		s.wantKind(s.s.CreateAccounts(ctx, []store.NewAccount{{Name: name, Hash: "x"}}, false), store.Invalid)
	}
}

func TestQuotaOfOthers(t *testing.T) {
	s := newShared(t, "")
	ctx := t.Context()
	_, err := s.s.QuotaRoot(ctx, s.bob, s.alice.ID)
	s.wantKind(err, store.NotFound)
	s.wantKind(s.s.QuotaFor(ctx, s.bob, s.box.ID, 1, 1), store.NotFound)
	s.share("bob", "lr")
	_, err = s.s.QuotaRoot(ctx, s.bob, s.alice.ID)
	s.must(err)
	s.wantKind(s.s.QuotaFor(ctx, s.bob, s.box.ID, 1, 1), store.Forbidden)
	s.share("bob", "lri")
	s.must(s.s.QuotaFor(ctx, s.bob, s.box.ID, 1, 1))
	limit := int64(1)
	s.must(s.s.UpdateAccount(ctx, s.alice.ID, store.AccountUpdate{MaxMessages: &limit}))
	s.wantKind(s.s.QuotaFor(ctx, s.bob, s.box.ID, 1, 2), store.OverQuota)
	s.must(s.s.UpdateAccount(ctx, s.bob.Account, store.AccountUpdate{MaxMessages: &limit}))
	limit = 10
	s.must(s.s.UpdateAccount(ctx, s.alice.ID, store.AccountUpdate{MaxMessages: &limit}))
	s.must(s.s.QuotaFor(ctx, s.bob, s.box.ID, 1, 5))
}

// TestStoryAcross moves a message of alice's to bob, as he may: both accounts
// tell of it, and who it was.
func TestStoryAcross(t *testing.T) {
	s := newShared(t, "lrte")
	s.add(10)
	inbox, err := s.s.Mailbox(t.Context(), s.bob, "INBOX")
	s.must(err)
	was := s.view(s.imap, "box").ByUID(store.UIDRange{Start: 1, Stop: 1}, make([]store.Member, 0, 1))[0].Message
	_, err = s.open().Copy(t.Context(), inbox.ID, one(1), true)
	s.must(err)
	v, err := s.s.View(t.Context(), s.bob, inbox.ID)
	s.must(err)
	s.must(v.Load(t.Context()))
	is := v.ByUID(store.UIDRange{Start: 1, Stop: 1}, make([]store.Member, 0, 1))[0].Message
	v.Close()
	for id, want := range map[store.MessageID]string{
		was: "appended box/1 by alice, moved to another account box/1 by bob",
		is:  "received from another account INBOX/1 by bob",
	} {
		story, err := s.s.Story(t.Context(), id)
		s.must(err)
		var got []string
		for _, e := range story.Events {
			got = append(got, fmt.Sprintf("%s %s/%d by %s", e.Act, story.Names[e.Mailbox], e.UID, e.By.Account))
		}
		if strings.Join(got, ", ") != want || !story.Whole {
			t.Errorf("story %q (whole: %v), want %q", got, story.Whole, want)
		}
	}
}

// TestOwnersAreNotLookedUp runs what an owner does all day and finds no
// statement that read an ACL: sharing costs nothing to those who do not share.
func TestOwnersAreNotLookedUp(t *testing.T) {
	b := openBox(t, t.TempDir(), Options{})
	ctx := t.Context()
	by := store.Actor{Account: b.inbox.Account(), Credential: 1, Protocol: "imap"}
	sent, err := b.MailboxByName(ctx, by.Account, "Sent")
	b.must(err)
	ins := store.Insertion{Mailbox: b.inbox, Body: bodyOf("x"), Keywords: []string{"k"}}
	_, err = b.Insert(ctx, by, []store.Insertion{ins, ins, ins}, true, 0)
	b.must(err)
	_, err = b.SetFlags(ctx, by, b.inbox, store.FlagsChange{UIDs: store.AllUIDs(), Flags: store.FlagDeleted}, 0)
	b.must(err)
	_, err = b.Copy(ctx, by, b.inbox, sent.ID, one(1), false, 0)
	b.must(err)
	_, err = b.Copy(ctx, by, b.inbox, sent.ID, one(1), true, 0)
	b.must(err)
	_, err = b.Replace(ctx, by, b.inbox, 2, ins, 0)
	b.must(err)
	_, err = b.Expunge(ctx, by, b.inbox, store.AllUIDs(), true)
	b.must(err)
	b.must(b.SetMetadata(ctx, by, b.inbox, []store.MetadataEntry{{Name: "/shared/comment", Value: []byte("x")}}))
	_, err = b.Metadata(ctx, by, b.inbox)
	b.must(err)
	_, err = b.LoadIndex(ctx, b.inbox, 0)
	b.must(err)

	look := func(c *conn) {
		for sql := range c.stmts {
			if strings.Contains(sql, "acl") {
				t.Errorf("there was %q", sql)
			}
		}
	}
	b.must(b.write(ctx, "look", 0, func(tx *tx) error {
		look(tx.conn)
		return nil
	}))
	for range b.opened {
		c := <-b.readers
		look(c)
		defer func() { b.readers <- c }()
	}
}

func TestRemovedAccountsAreHungUp(t *testing.T) {
	s := newShared(t, "lr")
	gone, other := make(chan struct{}), make(chan struct{})
	defer s.s.BeginSession(s.bob, func() { close(gone) })()
	defer s.s.BeginSession(s.imap, func() { close(other) })()
	s.must(s.s.RemoveAccount(t.Context(), s.bob.Account))
	s.woken(gone)
	select {
	case <-other:
		t.Fatal("another account's session was ended")
	default:
	}
	_, err := s.s.Rights(t.Context(), s.bob, s.box.ID)
	s.wantKind(err, store.NotFound)
}

// TestSharedWatchBeginsAmidChanges begins watches while an ACL changes: each
// hears of what comes after it, whatever it read first.
func TestSharedWatchBeginsAmidChanges(t *testing.T) {
	s := newShared(t, "lr")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
				rights, _ := store.ParseRights([]string{"", "lr", "l"}[n%3])
				if err := s.s.SetACL(t.Context(), s.imap, s.box.ID, "bob", rights, store.ACLSet); err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	var watches []*store.Watch
	for range 30 {
		w := s.s.Watch(s.bob.Account)
		s.must(w.AddShared(t.Context()))
		watches = append(watches, w)
	}
	close(stop)
	wg.Wait()
	s.share("bob", "")
	s.share("bob", "lr")
	for _, w := range watches {
		w.Take()
	}
	s.add(1)
	for i, w := range watches {
		if got := seen(w); got != "box:1" {
			t.Errorf("watch %d heard %q", i, got)
		}
		w.Close()
	}
}
