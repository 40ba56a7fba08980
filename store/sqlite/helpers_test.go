package sqlite

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem/store"
	"tandem/store/message"
)

var admin = store.Actor{Protocol: "admin"}

// box is an open store with alice's INBOX.
type box struct {
	*Engine
	t     testing.TB
	inbox store.MailboxID

	mu     sync.Mutex
	events []store.Change
}

func openBox(t testing.TB, dir string, opts Options) *box {
	t.Helper()
	e, err := Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	b := &box{Engine: e, t: t}
	e.Start(func(list []store.Change) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.events = append(b.events, list...)
	})
	t.Cleanup(func() { e.Close() })
	if err := e.CreateAccounts(t.Context(), []store.NewAccount{{Name: "alice", Hash: "x"}}, true); err != nil {
		t.Fatal(err)
	}
	a, err := e.AccountByName(t.Context(), "alice")
	b.must(err)
	m, err := e.MailboxByName(t.Context(), a.ID, "INBOX")
	b.must(err)
	b.inbox = m.ID
	return b
}

func (b *box) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *box) wantKind(err error, kind store.Kind) {
	b.t.Helper()
	if err == nil || store.KindOf(err) != kind {
		b.t.Fatalf("error %v, want kind %q", err, kind)
	}
}

// put inserts a small message whose subject is given.
func (b *box) put(subject string) (store.Inserted, error) {
	out, err := b.Insert(b.t.Context(), admin, []store.Insertion{{Mailbox: b.inbox, Body: bodyOf(subject), Internal: time.Unix(1e9, 0)}}, true, 0)
	if err != nil {
		return store.Inserted{}, err
	}
	return out[0], nil
}

func (b *box) mustPut(subject string) store.Inserted {
	b.t.Helper()
	in, err := b.put(subject)
	b.must(err)
	return in
}

func (b *box) messages() int {
	b.t.Helper()
	m, err := b.Mailbox(b.t.Context(), b.inbox)
	b.must(err)
	return m.Messages
}

// published takes the changes published since the last call.
func (b *box) published() []store.Change {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.events
	b.events = nil
	return list
}

// check gives the findings of a check.
func (b *box) check(repair bool) (list []string) {
	b.t.Helper()
	b.must(b.Check(b.t.Context(), repair, func(line string) { list = append(list, line) }))
	return list
}

func (b *box) wantClean() {
	b.t.Helper()
	if list := b.check(false); len(list) > 0 {
		b.t.Fatalf("check:\n%s", strings.Join(list, "\n"))
	}
}

// sql runs a statement behind the engine's back.
func (b *box) sql(statement string, args ...any) {
	b.t.Helper()
	b.must(b.write(b.t.Context(), "test", 0, func(t *tx) error {
		n, err := t.exec(statement, args...)
		if err == nil && n == 0 {
			err = fmt.Errorf("%s changed nothing", statement)
		}
		return err
	}))
}

// integer gives the first column of a query's first row.
func (b *box) integer(sql string) (n int64) {
	b.t.Helper()
	b.must(b.read(b.t.Context(), "test", func(c *conn) (err error) {
		n, err = c.integer(sql)
		return err
	}))
	return n
}

func bodyOf(subject string) *store.Body {
	text := fmt.Sprintf("Subject: %s\r\nMessage-ID: <%s@example.org>\r\n\r\nThis is %s.\r\n", subject, subject, subject)
	st := message.Parse([]byte(text))
	return &store.Body{Header: []byte(text[:st.HeaderSize]), Text: []byte(text[st.HeaderSize:]), Size: int64(len(text)),
		Digest: sha256.Sum256([]byte(text)), Structure: st.AppendBinary(nil), MessageID: st.MessageID}
}
