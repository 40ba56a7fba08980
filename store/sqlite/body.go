package sqlite

import (
	"context"
	"hash/crc32"

	"tandem/store"
)

// castagnoli is CRC-32C, which guards every stored blob against damage.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func crc(b []byte) int64 { return int64(crc32.Checksum(b, castagnoli)) }

// codecRaw is the only way chunks are stored now.
const codecRaw = 0

// NewBody begins a body larger than one chunk.
func (e *Engine) NewBody(ctx context.Context) (id store.BodyID, err error) {
	if err := e.space.check(ctx, "begin a message"); err != nil {
		return 0, err
	}
	err = e.write(ctx, "begin a message", 0, func(t *tx) error {
		id, err = t.newBodyID()
		if err != nil {
			return err
		}
		_, err = t.exec("INSERT INTO staged (body) VALUES (?)", id)
		return err
	})
	return id, err
}

func (t *tx) newBodyID() (store.BodyID, error) {
	n, err := t.counter("body", bodyStride)
	return store.BodyID(n), err
}

// WriteChunks stores chunks first, first+1, ... of a body begun with NewBody.
func (e *Engine) WriteChunks(ctx context.Context, id store.BodyID, first int, chunks [][]byte) error {
	if err := e.space.check(ctx, "store a message"); err != nil {
		return err
	}
	bytes := 0
	for _, c := range chunks {
		bytes += len(c)
	}
	return e.write(ctx, "store a message", bytes, func(t *tx) error {
		if err := e.space.take("store a message", bytes); err != nil {
			return err
		}
		ok, err := t.exists("SELECT 1 FROM staged WHERE body = ?", id)
		if err != nil {
			return err
		}
		if !ok {
			return store.Errorf(store.NotFound, "no body %d was begun", id)
		}
		return t.writeChunks(id, first, chunks)
	})
}

func (t *tx) writeChunks(id store.BodyID, first int, chunks [][]byte) error {
	if first < 0 || first+len(chunks) > bodyStride {
		return store.Errorf(store.TooBig, "a message may have %d chunks", bodyStride)
	}
	for i, data := range chunks {
		if len(data) == 0 || len(data) > store.ChunkSize {
			return store.Errorf(store.Invalid, "a chunk has 1 to %d octets, this one %d", store.ChunkSize, len(data))
		}
		if _, err := t.exec("INSERT INTO chunk (id, codec, crc, data) VALUES (?, ?, ?, ?)",
			int64(id)+int64(first+i), codecRaw, crc(data), data); err != nil {
			return err
		}
	}
	return nil
}

// dropChunks is how many chunks one transaction frees.
const dropChunks = 16

// DropBody frees a body begun with NewBody that no insertion has used.
func (e *Engine) DropBody(ctx context.Context, id store.BodyID) error {
	for {
		done := false
		err := e.write(ctx, "give up a message", 0, func(t *tx) (err error) {
			done, err = dropStagedStep(t.conn, id)
			return err
		})
		if err != nil || done {
			return err
		}
	}
}

// dropStagedStep frees some chunks of a staged body, from the end so that a
// crash leaves a body that looks like one still being written.
func dropStagedStep(c *conn, id store.BodyID) (done bool, err error) {
	ok, err := c.exists("SELECT 1 FROM staged WHERE body = ?", id)
	if err != nil || !ok {
		return true, err
	}
	n, err := c.exec("DELETE FROM chunk WHERE id IN (SELECT id FROM chunk WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT ?)",
		id, int64(id)+bodyStride, dropChunks)
	if err != nil || n == dropChunks {
		return false, err
	}
	_, err = c.exec("DELETE FROM staged WHERE body = ?", id)
	return true, err
}

// dropStaged frees all bodies begun: at opening nobody is writing any.
func (e *Engine) dropStaged() error {
	for {
		id, err := e.w.integer("SELECT body FROM staged LIMIT 1")
		if err != nil || id == 0 {
			return err
		}
		if _, err := dropStagedStep(e.w, store.BodyID(id)); err != nil {
			return err
		}
	}
}

// ReadChunk reads chunk n of a body and checks it. Expunged if the body is no
// longer kept, Corrupt if the chunk is damaged or missing.
func (e *Engine) ReadChunk(ctx context.Context, body store.BodyID, n int) (data []byte, err error) {
	err = e.read(ctx, "read a message", func(c *conn) error {
		r, ok, err := c.first("SELECT codec, crc, data FROM chunk WHERE id = ?", int64(body)+int64(n))
		if err != nil {
			return err
		}
		if !ok {
			return missingChunk(c, body, n)
		}
		data, err = chunkData(body, n, r)
		return err
	})
	return data, err
}

func missingChunk(c *conn, body store.BodyID, n int) error {
	ok, err := c.exists("SELECT 1 FROM body WHERE id = ?", body)
	switch {
	case err != nil:
		return err
	case ok:
		return store.Errorf(store.Corrupt, "body %d: chunk %d is missing", body, n)
	}
	return store.Errorf(store.Expunged, "the message is no longer kept")
}

// chunkData gives the bytes of a chunk's row (codec, crc, data).
func chunkData(body store.BodyID, n int, r row) ([]byte, error) {
	data := r.blob(2)
	if r.int(0) != codecRaw {
		return nil, store.Errorf(store.Corrupt, "body %d: chunk %d has the unknown codec %d", body, n, r.int(0))
	}
	if crc(data) != r.int(1) {
		return nil, store.Errorf(store.Corrupt, "body %d: chunk %d is damaged", body, n)
	}
	return data, nil
}
