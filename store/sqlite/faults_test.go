package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	sqlite3 "github.com/mattn/go-sqlite3"

	"tandem/store"
)

func TestFailedSyncMakesTheStoreReadOnly(t *testing.T) {
	dir := t.TempDir()
	b := openBox(t, dir, Options{})
	b.mustPut("kept")
	fault := sqlite3.Error{Code: sqlite3.ErrIoErr, ExtendedCode: sqlite3.ErrIoErrFsync, SystemErrno: syscall.EIO}
	err := b.write(t.Context(), "test", 0, func(*tx) error {
		b.commit = func(*conn) error { return fault }
		return nil
	})
	b.wantKind(err, store.ReadOnly)
	b.commit = func(c *conn) error { _, err := c.exec("COMMIT"); return err } // the disk is well again
	_, err = b.put("refused")
	b.wantKind(err, store.ReadOnly)
	if err := b.Health(); err == nil || !strings.Contains(err.Error(), "takes no more") {
		t.Fatalf("health: %v", err)
	}
	if n := b.messages(); n != 1 {
		t.Fatalf("%d messages, want the 1 that was saved", n)
	}
	b.must(b.Close())
	again := openBox(t, dir, Options{})
	again.must(again.Health())
	again.mustPut("after reopening")
	again.wantClean()
}

// together makes the writer wait until n requests are queued behind each other,
// so that they share a transaction.
func (b *box) together(n int, request func(i int)) {
	entered, hold := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		b.write(context.Background(), "hold", 0, func(*tx) error {
			close(entered)
			<-hold
			return nil
		})
	})
	<-entered
	for i := range n {
		wg.Go(func() { request(i) })
		waitFor(b.t, func() bool { return len(b.queue) > i })
	}
	close(hold)
	wg.Wait()
}

func waitFor(t testing.TB, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatal("waited 10 s in vain")
		}
		<-time.After(time.Millisecond)
	}
}

func TestOneRequestOfAGroupFailsAlone(t *testing.T) {
	b := openBox(t, t.TempDir(), Options{})
	errs := make([]error, 9)
	b.together(9, func(i int) {
		switch i {
		case 3:
			errs[i] = b.write(t.Context(), "panic", 0, func(t *tx) error {
				t.exec("DELETE FROM mailbox")
				panic("a bug")
			})
		case 5:
			errs[i] = b.write(t.Context(), "fail", 0, func(t *tx) error {
				t.exec("DELETE FROM mailbox")
				return errors.New("changed its mind")
			})
		case 7:
			ctx, cancel := context.WithCancel(t.Context())
			errs[i] = b.write(ctx, "canceled inside", 0, func(*tx) error { cancel(); return nil })
		default:
			_, errs[i] = b.put(fmt.Sprint("m", i))
		}
	})
	for i, err := range errs {
		if (err != nil) != (i == 3 || i == 5) {
			t.Errorf("request %d: %v", i, err)
		}
	}
	if n := b.messages(); n != 6 {
		t.Fatalf("%d messages, want 6", n)
	}
	b.wantClean()
}

func TestALostTransactionIsRunAgainOneByOne(t *testing.T) {
	b := openBox(t, t.TempDir(), Options{})
	b.space.full() // there is no spare file to give back first
	b.space.bare = true
	b.forgetSpace()
	full := sqlite3.Error{Code: sqlite3.ErrFull}
	real := b.commit
	errs := make([]error, 5)
	var runs atomic.Int64
	b.together(5, func(i int) {
		if i == 2 {
			errs[i] = b.write(t.Context(), "rolls back", 0, func(t *tx) error {
				runs.Add(1)
				t.exec("ROLLBACK") // as SQLite does by itself when the disk is full
				return full
			})
			return
		}
		_, errs[i] = b.put(fmt.Sprint("m", i))
	})
	b.wantKind(errs[2], store.Unavailable)
	if runs.Load() != 2 || b.messages() != 4 {
		t.Fatalf("%d runs, %d messages; want 2 and 4", runs.Load(), b.messages())
	}
	commits := 0
	b.commit = func(c *conn) error {
		if commits++; commits == 2 { // the group's; the first is that of hold
			return full
		}
		return real(c)
	}
	b.together(5, func(i int) { _, errs[i] = b.put(fmt.Sprint("n", i)) })
	b.must(errors.Join(errs...))
	if b.messages() != 9 {
		t.Fatalf("%d messages, want 9", b.messages())
	}
	if n := len(b.published()); n != 9 {
		t.Fatalf("%d changes published, want one for each message", n)
	}
	b.wantClean()
}

func TestARequestWhoseCallerLeftWhileItWaitedDoesNotRun(t *testing.T) {
	b := openBox(t, t.TempDir(), Options{})
	ctx, cancel := context.WithCancel(t.Context())
	errs := make([]error, 2)
	b.together(2, func(i int) {
		if i == 1 {
			cancel()
			errs[1] = b.write(t.Context(), "test", 0, func(*tx) error { return nil })
			return
		}
		errs[0] = b.write(ctx, "test", 0, func(*tx) error {
			t.Error("it ran")
			return nil
		})
	})
	if !errors.Is(errs[0], context.Canceled) || errs[1] != nil {
		t.Fatalf("errors %v", errs)
	}
}

func TestBulkVerbsComeAfterTheSmallOnesThatWait(t *testing.T) {
	b := openBox(t, t.TempDir(), Options{})
	var mu sync.Mutex
	var order []string
	commits := 0
	real := b.commit
	b.commit = func(c *conn) error {
		commits++
		return real(c)
	}
	b.together(4, func(i int) {
		rows := 1
		if i == 1 {
			rows = bulkRows + 1
		}
		b.must(b.writeBulk(t.Context(), "test", rows, func(t *tx) error {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, fmt.Sprint(i))
			return nil
		}))
	})
	if got := strings.Join(order, " "); got != "0 2 3 1" || commits != 3 {
		t.Fatalf("order %s in %d transactions, want 0 2 3 1 in 3 (that of the waiting one included)", got, commits)
	}
}

func TestBusyIsTemporary(t *testing.T) {
	b := openBox(t, t.TempDir(), Options{})
	real := b.commit
	b.commit = func(*conn) error { return sqlite3.Error{Code: sqlite3.ErrBusy} }
	_, err := b.put("busy")
	b.wantKind(err, store.Busy)
	b.commit = real
	b.mustPut("well")
	if b.messages() != 1 {
		t.Fatalf("%d messages, want 1", b.messages())
	}
}

func TestAFullDiskRefusesMailAndGoesOnExpunging(t *testing.T) {
	b := openBox(t, t.TempDir(), Options{})
	in := b.mustPut("small")
	limit := func(pages int64) {
		b.must(b.write(t.Context(), "test", 0, func(t *tx) error {
			all, err := t.integer("PRAGMA page_count")
			if err != nil {
				return err
			}
			return t.pragmas(fmt.Sprintf("PRAGMA max_page_count = %d", all+pages))
		}))
	}
	limit(4)
	large := bodyOf("large")
	large.Text = make([]byte, 200<<10)
	large.Size = int64(len(large.Header) + len(large.Text))
	_, err := b.Insert(t.Context(), admin, []store.Insertion{{Mailbox: b.inbox, Body: large}}, true, 0)
	b.wantKind(err, store.Unavailable)
	_, err = b.SetFlags(t.Context(), admin, b.inbox, store.FlagsChange{UIDs: store.AllUIDs(), Flags: store.FlagSeen}, 0)
	b.must(err)
	_, err = b.Expunge(t.Context(), admin, b.inbox, store.UIDSet{{Start: in.UID, Stop: in.UID}}, false)
	b.must(err)
	limit(1 << 20)
	b.forgetSpace()
	b.mustPut("room again")
	b.wantClean()
}

func TestTheReserveStopsNewMailAlone(t *testing.T) {
	var free atomic.Int64
	free.Store(1 << 30)
	dir := t.TempDir()
	b := openBox(t, dir, Options{Reserve: 64 << 20, FreeSpace: func() (int64, error) { return free.Load(), nil }})
	b.mustPut("room")
	spare := filepath.Join(dir, spareName)
	if info, err := os.Stat(spare); err != nil || info.Size() != spareSize {
		t.Fatalf("spare file: %v %v", info, err)
	}
	look := func(n int64) {
		free.Store(n)
		b.space.mu.Lock()
		defer b.space.mu.Unlock()
		b.space.look()
	}
	look(60 << 20)
	_, err := b.put("refused")
	b.wantKind(err, store.Unavailable)
	_, err = b.Copy(t.Context(), admin, b.inbox, b.inbox, store.AllUIDs(), false, 0)
	b.wantKind(err, store.Unavailable)
	_, err = b.CreateMailbox(t.Context(), admin, b.inbox.Account(), store.NewMailbox{Name: "x"}, 0)
	b.wantKind(err, store.Unavailable)
	_, err = b.NewBody(t.Context())
	b.wantKind(err, store.Unavailable)
	_, err = b.Quit(t.Context(), admin, b.inbox, store.Quit{Seen: store.AllUIDs(), Policy: store.DeleteKeep})
	b.must(err)
	_, err = b.Expunge(t.Context(), admin, b.inbox, store.AllUIDs(), false)
	b.must(err)
	if _, err := os.Stat(spare); err != nil {
		t.Fatal("the spare file was given back too early")
	}
	look(1 << 20)
	if _, err := os.Stat(spare); err == nil {
		t.Fatal("the spare file was not given back")
	}
	look(1 << 30)
	if _, err := os.Stat(spare); err != nil {
		t.Fatal("the spare file was not made again")
	}
	b.mustPut("room again")
}

// A look at the disk is good for a second, in which a fast sender could write
// more than the reserve.
func TestAFastSenderStopsAtTheReserve(t *testing.T) {
	const free = 100 << 20
	var written atomic.Int64
	b := openBox(t, t.TempDir(), Options{Reserve: 64 << 20, FreeSpace: func() (int64, error) { return free - 3*written.Load(), nil }})
	b.mustPut("room")
	large := bodyOf("large")
	large.Text = make([]byte, store.ChunkSize)
	large.Size = int64(len(large.Header) + len(large.Text))
	for {
		_, err := b.Insert(t.Context(), admin, []store.Insertion{{Mailbox: b.inbox, Body: large}}, true, 0)
		if err != nil {
			b.wantKind(err, store.Unavailable)
			break
		}
		if written.Add(store.ChunkSize)*3 > free-64<<20 {
			t.Fatalf("%d octets were taken in", written.Load())
		}
	}
	if written.Load() < 4<<20 {
		t.Errorf("only %d octets were taken in", written.Load())
	}
}

// What the spare file gives back is for expunging.
func TestNewMailDoesNotEatTheSpareFile(t *testing.T) {
	var free atomic.Int64
	free.Store(1 << 30)
	b := openBox(t, t.TempDir(), Options{Reserve: 2 << 20, FreeSpace: func() (int64, error) { return free.Load(), nil }})
	b.mustPut("room")
	if !b.space.full() {
		t.Fatal("there was no spare file")
	}
	_, err := b.put("refused at once")
	b.wantKind(err, store.Unavailable)
	free.Store(spareSize)
	b.forgetSpace()
	_, err = b.put("refused")
	b.wantKind(err, store.Unavailable)
	b.wantKind(b.Room(t.Context()), store.Unavailable)
	free.Store(1 << 30)
	b.must(b.Room(t.Context()))
	b.mustPut("room again")
}

func TestAFullQueueIsBusy(t *testing.T) {
	b := openBox(t, t.TempDir(), Options{QueueWait: time.Millisecond})
	entered, hold := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		b.write(context.Background(), "hold", 0, func(*tx) error {
			close(entered)
			<-hold
			return nil
		})
	})
	<-entered
	var busy atomic.Int64
	for range maxWaiting + 5 {
		wg.Go(func() {
			err := b.write(context.Background(), "fill", 0, func(*tx) error { return nil })
			if err != nil && store.KindOf(err) == store.Busy {
				busy.Add(1)
			}
		})
	}
	waitFor(t, func() bool { return busy.Load() == 5 })
	close(hold)
	wg.Wait()
	b.mustPut("after")
}

func TestClosingAnswersEveryone(t *testing.T) {
	b := openBox(t, t.TempDir(), Options{})
	var wg sync.WaitGroup
	var stored, busy atomic.Int64
	for i := range 50 {
		wg.Go(func() {
			_, err := b.put(fmt.Sprint("m", i))
			switch {
			case err == nil:
				stored.Add(1)
			case store.KindOf(err) == store.Busy:
				busy.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	b.must(b.Close())
	wg.Wait()
	if stored.Load()+busy.Load() != 50 {
		t.Fatalf("%d stored, %d busy", stored.Load(), busy.Load())
	}
	if _, err := b.put("late"); store.KindOf(err) != store.Busy {
		t.Fatalf("after closing: %v", err)
	}
}

func TestDamageIsFoundNotServed(t *testing.T) {
	b := openBox(t, t.TempDir(), Options{})
	var ids []store.MessageID
	for _, s := range []string{"text", "header", "structure", "whole", "fine"} {
		ids = append(ids, b.mustPut(s).Message)
	}
	b.sql("UPDATE chunk SET data = zeroblob(length(data)) WHERE id = ?", ids[0])
	b.sql("UPDATE body SET header = zeroblob(length(header)) WHERE id = ?", ids[1])
	b.sql("UPDATE message SET structure = zeroblob(length(structure)) WHERE id = ?", ids[2])
	b.sql("UPDATE body SET digest = zeroblob(32) WHERE id = ?", ids[3])
	bad := 0
	for m, err := range b.Messages(t.Context(), ids, store.Want{Structure: true, Header: true, Text: true}) {
		switch {
		case err != nil && store.KindOf(err) == store.Corrupt:
			bad++
		case err != nil:
			t.Fatal(err)
		case m.ID != ids[3] && m.ID != ids[4]:
			t.Errorf("message %d was served damaged", m.ID)
		}
	}
	if bad != 3 {
		t.Errorf("%d messages refused, want 3", bad)
	}
	_, err := b.ReadChunk(t.Context(), store.BodyID(ids[0]), 0)
	b.wantKind(err, store.Corrupt)
	if list := b.check(true); len(list) != 4 {
		t.Errorf("findings:\n%s", strings.Join(list, "\n"))
	}
	if list := b.check(false); len(list) != 3 { // the structure has been made anew
		t.Errorf("findings after the repair:\n%s", strings.Join(list, "\n"))
	}
}

func TestRepairMendsRows(t *testing.T) {
	for name, damage := range map[string]func(*box, store.Inserted){
		"counters": func(b *box, _ store.Inserted) {
			b.sql("UPDATE mailbox SET messages = 7, unseen = 3, bytes = 0, uidnext = 1 WHERE id = ?", b.inbox)
		},
		"account counters": func(b *box, _ store.Inserted) {
			b.sql("UPDATE account SET modseq = 1, next_message = 1, next_journal = 1")
		},
		"uidvalidity":  func(b *box, _ store.Inserted) { b.sql("UPDATE store SET value = 5 WHERE key = 'uidvalidity'") },
		"entry's size": func(b *box, _ store.Inserted) { b.sql("UPDATE entry SET size = size + 1") },
		"lost message": func(b *box, in store.Inserted) { b.sql("DELETE FROM message WHERE id = ?", in.Message) },
		"lost entry":   func(b *box, in store.Inserted) { b.sql("DELETE FROM entry WHERE message = ?", in.Message) },
		"lost mailbox": func(b *box, _ store.Inserted) { b.sql("DELETE FROM mailbox WHERE id = ?", b.inbox) },
		"stray chunk":  func(b *box, _ store.Inserted) { b.sql("INSERT INTO chunk VALUES (16385, 0, 0, x'00')") },
		"stray body":   func(b *box, _ store.Inserted) { b.sql("INSERT INTO body VALUES (16384, 0, x'', 0, x'')") },
	} {
		t.Run(name, func(t *testing.T) {
			b := openBox(t, t.TempDir(), Options{})
			b.mustPut("one")
			damage(b, b.mustPut("two"))
			if len(b.check(true)) == 0 {
				t.Fatal("the damage was not found")
			}
			b.wantClean()
		})
	}
}

func TestWritesOfAnotherProcessAreWaitedFor(t *testing.T) {
	dir := t.TempDir()
	b := openBox(t, dir, Options{})
	other, err := openConn(dsn(filepath.Join(dir, databaseName), "mode=rw"))
	b.must(err)
	defer other.close()
	_, err = other.exec("BEGIN IMMEDIATE")
	b.must(err)
	done := make(chan error)
	go func() {
		_, err := b.put("waited")
		done <- err
	}()
	if n := b.messages(); n != 0 { // reading does not wait
		t.Fatalf("%d messages", n)
	}
	_, err = other.exec("ROLLBACK")
	b.must(err)
	b.must(<-done)
}

func TestReadersDoNotKeepTheWALGrowing(t *testing.T) {
	dir := t.TempDir()
	b := openBox(t, dir, Options{})
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					b.LoadIndex(context.Background(), b.inbox, 0)
				}
			}
		})
	}
	large := strings.Repeat("x", 250<<10)
	for i := range 200 {
		body := bodyOf(fmt.Sprint(i))
		body.Text = []byte(large)
		body.Size = int64(len(body.Header) + len(body.Text))
		if _, err := b.Insert(t.Context(), admin, []store.Insertion{{Mailbox: b.inbox, Body: body}}, true, 0); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	readers.Wait()
	info, err := os.Stat(filepath.Join(dir, databaseName+"-wal"))
	b.must(err)
	if info.Size() > truncateAt+8<<20 {
		t.Fatalf("the WAL has %d bytes", info.Size())
	}
}

// A backup by another process holds the WAL: it may grow, but nobody waits.
func TestAnotherProcessThatReadsDelaysNobody(t *testing.T) {
	b := openBox(t, t.TempDir(), Options{})
	b.mustPut("first")
	other, err := openConn(dsn(b.path, "mode=rw"))
	b.must(err)
	defer other.close()
	_, err = other.exec("BEGIN")
	b.must(err)
	_, err = other.integer("SELECT count(*) FROM entry")
	b.must(err)
	large := bodyOf("large")
	large.Text = make([]byte, store.ChunkSize)
	large.Size = int64(len(large.Header) + len(large.Text))
	begun := time.Now()
	for range 100 {
		_, err := b.Insert(t.Context(), admin, []store.Insertion{{Mailbox: b.inbox, Body: large}}, true, 0)
		b.must(err)
		b.messages()
	}
	if took := time.Since(begun); took > 8*time.Second {
		t.Errorf("100 deliveries and looks at a mailbox took %v", took)
	}
	// Once it has gone the WAL gives its space back.
	_, err = other.exec("ROLLBACK")
	b.must(err)
	for range 3 {
		b.mustPut("small")
		_, err := b.Insert(t.Context(), admin, []store.Insertion{{Mailbox: b.inbox, Body: large}}, true, 0)
		b.must(err)
	}
	waitFor(t, func() bool {
		b.mustPut("small")
		info, err := os.Stat(b.path + "-wal")
		return err == nil && info.Size() <= truncateAt
	})
}

func TestFreePagesAreReturned(t *testing.T) {
	dir := t.TempDir()
	b := openBox(t, dir, Options{})
	for i := range 40 {
		body := bodyOf(fmt.Sprint(i))
		body.Text = make([]byte, 200<<10)
		body.Size = int64(len(body.Header) + len(body.Text))
		_, err := b.Insert(t.Context(), admin, []store.Insertion{{Mailbox: b.inbox, Body: body}}, true, 0)
		b.must(err)
	}
	_, err := b.Expunge(t.Context(), admin, b.inbox, store.AllUIDs(), false)
	b.must(err)
	b.must(b.Prune(t.Context(), time.Now().Add(time.Hour), nil))
	waitFor(t, func() bool {
		return b.integer("PRAGMA page_count") < 600
	})
	b.wantClean()
}
