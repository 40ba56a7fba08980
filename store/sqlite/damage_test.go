package sqlite

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tandem/store"
)

// TestDamagedSectorsNeverGiveWrongBytes writes garbage over sectors of a store
// and reads all its messages: each comes whole or not at all.
func TestDamagedSectorsNeverGiveWrongBytes(t *testing.T) {
	whole := t.TempDir()
	b := openBox(t, whole, Options{})
	want := map[store.MessageID][]byte{}
	for i := range 300 {
		body := bodyOf(fmt.Sprint("message-", i))
		body.Text = bytes.Repeat(fmt.Appendf(nil, "line of message %d\r\n", i), 1+i%200)
		body.Size = int64(len(body.Header) + len(body.Text))
		out, err := b.Insert(t.Context(), admin, []store.Insertion{{Mailbox: b.inbox, Body: body}}, true, 0)
		b.must(err)
		want[out[0].Message] = append(bytes.Clone(body.Header), body.Text...)
	}
	b.must(b.Close())
	data, err := os.ReadFile(filepath.Join(whole, databaseName))
	b.must(err)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 2))
	refused := 0
	for range 15 {
		refused += readDamaged(t, damage(rnd, data), want)
	}
	if refused == 0 {
		t.Fatal("no damage was noticed in 15 rounds")
	}
}

// damage gives a copy of a database with garbage in some sectors, not in the
// first page.
func damage(rnd *rand.Rand, data []byte) []byte {
	data = bytes.Clone(data)
	for range 1 + rnd.IntN(4) {
		sector := 8 + rnd.IntN(len(data)/512-8)
		for i := range 512 {
			data[sector*512+i] = byte(rnd.Uint32())
		}
	}
	return data
}

// readDamaged reads all messages of a damaged database and counts what was
// refused.
func readDamaged(t *testing.T, data []byte, want map[store.MessageID][]byte) (refused int) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, databaseName), data, 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := Open(dir, Options{})
	if err != nil {
		return 1
	}
	defer e.Close()
	e.Start(func([]store.Change) {})
	for id, text := range want {
		for m, err := range e.Messages(t.Context(), []store.MessageID{id}, store.Want{Structure: true, Header: true, Text: true}) {
			if err != nil {
				refused++
				continue
			}
			if got := append(bytes.Clone(m.Header), m.Text...); !bytes.Equal(got, text) {
				t.Errorf("message %d came as %d other octets than its %d", id, len(got), len(text))
			}
		}
	}
	// Neither a check nor a repair may break on it.
	e.Check(t.Context(), true, func(string) {})
	return refused
}
