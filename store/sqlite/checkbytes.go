package sqlite

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"tandem/store"
	"tandem/store/message"
)

// errGone says that a row was removed while it was being checked.
var errGone = errors.New("gone")

// bodies reads every stored byte and compares it with its checksums.
func (k *checker) bodies() error {
	return k.eachID("SELECT id FROM body WHERE id > ? ORDER BY id LIMIT 256", func(id int64) error {
		err := k.readBody(store.BodyID(id), io.Discard)
		if store.KindOf(err) != store.Corrupt {
			return err
		}
		where, werr := k.whereIs(store.BodyID(id))
		k.note("%v%s", err, where)
		return werr
	})
}

// eachID runs fn on every id that sql pages through. Rows that go meanwhile
// are passed over.
func (k *checker) eachID(sql string, fn func(id int64) error) error {
	last := int64(0)
	for {
		var ids []int64
		err := k.e.read(k.ctx, "check", func(c *conn) error {
			return c.query(sql, func(r row) error {
				ids = append(ids, r.int(0))
				return nil
			}, last)
		})
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			if err := fn(id); err != nil && !errors.Is(err, errGone) {
				if err = k.passDamage(err); err != nil {
					return err
				}
			}
		}
		k.flush()
		// A damaged page may give ids in any order, and again and again.
		if ids[len(ids)-1] <= last {
			return store.Errorf(store.Corrupt, "rows after %d are out of order", last)
		}
		last = ids[len(ids)-1]
	}
}

// readBody writes a body's bytes to w and checks them: Corrupt if they are not
// what was stored.
func (k *checker) readBody(id store.BodyID, w io.Writer) error {
	var size int64
	var digest, header []byte
	err := k.e.read(k.ctx, "check a body", func(c *conn) error {
		r, ok, err := c.first("SELECT size, digest, header_crc, header FROM body WHERE id = ?", id)
		if err == nil && !ok {
			err = errGone
		}
		if err != nil {
			return err
		}
		size, digest, header = r.int(0), r.blob(1), r.blob(3)
		if crc(header) != r.int(2) {
			return store.Errorf(store.Corrupt, "body %d: its header is damaged", id)
		}
		return nil
	})
	if err != nil {
		return err
	}
	sum := sha256.New()
	w = io.MultiWriter(w, sum)
	w.Write(header)
	for left, n := size-int64(len(header)), 0; left > 0; n++ {
		chunk, err := k.e.ReadChunk(k.ctx, id, n)
		if store.KindOf(err) == store.Expunged {
			return errGone
		}
		if err != nil {
			return err
		}
		left -= int64(len(chunk))
		if left > 0 && len(chunk) != store.ChunkSize || left < 0 || len(chunk) == 0 {
			return store.Errorf(store.Corrupt, "body %d: chunk %d has %d octets", id, n, len(chunk))
		}
		if _, err := w.Write(chunk); err != nil {
			return err
		}
	}
	if !bytes.Equal(sum.Sum(nil), digest) {
		return store.Errorf(store.Corrupt, "body %d: it is not what its digest says", id)
	}
	return nil
}

// whereIs tells a person where a body is seen.
func (k *checker) whereIs(id store.BodyID) (string, error) {
	out := ""
	err := k.e.read(k.ctx, "find a message", func(c *conn) error {
		return c.query(`SELECT a.name, b.name, e.uid FROM message m JOIN entry e ON e.message = m.id JOIN mailbox b ON b.id = e.mailbox
			JOIN account a ON a.id = b.account WHERE m.body = ? LIMIT 5`, func(r row) error {
			out += fmt.Sprintf("; %s has it in %s as UID %d", r.text(0), r.text(1), r.int(2))
			return nil
		}, id)
	})
	return out, err
}

// structures checks what is stored about each message, and makes structures
// that are damaged anew from the bytes.
func (k *checker) structures() error {
	return k.eachID("SELECT id FROM message WHERE id > ? ORDER BY id LIMIT 256", func(id int64) error {
		body, wrong, err := k.structure(store.MessageID(id))
		if err != nil || !wrong || !k.repair {
			return err
		}
		return k.parseAgain(store.MessageID(id), body)
	})
}

func (k *checker) structure(id store.MessageID) (body store.BodyID, wrong bool, err error) {
	err = k.e.read(k.ctx, "check a message", func(c *conn) error {
		r, ok, err := c.first(`SELECT body, size - ifnull(length(prefix), 0), structure_crc, structure, prefix_crc, prefix FROM message
			WHERE id = ?`, id)
		if err == nil && !ok {
			err = errGone
		}
		if err != nil {
			return err
		}
		body = store.BodyID(r.int(0))
		if !r.null(5) && crc(r.blob(5)) != r.int(4) {
			k.note("message %d: the header lines of its own are damaged", id)
		}
		blob := r.blob(3)
		s, err := message.Decode(blob)
		wrong = crc(blob) != r.int(2) || err != nil || s.Size != r.int(1)
		if wrong {
			k.note("message %d: its stored structure is damaged", id)
		}
		return nil
	})
	return body, wrong, err
}

// parseAgain makes a message's structure from its bytes, if they are whole.
func (k *checker) parseAgain(id store.MessageID, body store.BodyID) error {
	p := message.NewParser(message.Limits{})
	err := k.readBody(body, p)
	if store.KindOf(err) == store.Corrupt {
		return nil // said already
	}
	if err != nil {
		return err
	}
	blob := p.Finish().AppendBinary(nil)
	return k.e.write(k.ctx, "mend a structure", len(blob), func(t *tx) error {
		_, err := t.exec("UPDATE message SET structure = ?, structure_crc = ? WHERE id = ?", blob, crc(blob), id)
		return err
	})
}

// forms checks the forms that messages have for readers without UTF-8, and makes
// damaged ones anew.
func (k *checker) forms() error {
	return k.eachID("SELECT message FROM message_utf8 WHERE message > ? ORDER BY message LIMIT 256", func(id int64) error {
		var body store.BodyID
		var size int64
		var prefix []byte
		err := k.e.read(k.ctx, "check a downgraded form", func(c *conn) error {
			r, ok, err := c.first(`SELECT u.size, u.edits, u.crc, m.size, m.body, m.prefix FROM message_utf8 u JOIN message m ON m.id = u.message
				WHERE u.message = ?`, id)
			if err == nil && !ok {
				err = errGone
			}
			if err != nil {
				return err
			}
			size, body, prefix = r.int(3), store.BodyID(r.int(4)), bytes.Clone(r.blob(5))
			_, err = editsOf(r, store.MessageID(id), size)
			return err
		})
		if err == nil || store.KindOf(err) != store.Corrupt || !k.repair {
			return err
		}
		k.note("%v", err)
		return k.downgradeAgain(store.MessageID(id), body, size, prefix)
	})
}

// downgradeAgain makes a message's downgraded form from its bytes, if they are
// whole.
func (k *checker) downgradeAgain(id store.MessageID, body store.BodyID, size int64, prefix []byte) error {
	var text bytes.Buffer
	err := k.readBody(body, &text)
	if store.KindOf(err) == store.Corrupt {
		return nil // said already
	}
	if err != nil {
		return err
	}
	edits, err := message.Downgrade(message.Parse(text.Bytes()), bytes.NewReader(text.Bytes()))
	if err != nil {
		return err
	}
	edits = withPrefix(prefix, edits)
	return k.e.write(k.ctx, "mend a downgraded form", text.Len(), func(t *tx) error {
		if len(edits) > 0 {
			return t.putDowngrade(id, size, edits)
		}
		_, err := t.exec("DELETE FROM message_utf8 WHERE message = ?", id) // all may have the bytes as they are
		return err
	})
}
