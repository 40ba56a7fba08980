package sqlite

import (
	"context"
	"iter"
	"strings"

	"tandem/store"
)

// The bounds of one page of messages, which is read under the gate.
const (
	pageRows  = 256
	pageBytes = 4 << 20
)

// Messages reads messages in the order of ids, a page at a time: no statement
// is open while the loop body runs. A damaged message is an error of its own,
// after which the loop may go on; the error of a page ends it.
func (e *Engine) Messages(ctx context.Context, ids []store.MessageID, want store.Want) iter.Seq2[*store.Message, error] {
	return func(yield func(*store.Message, error) bool) {
		p := newPager(want)
		for len(ids) > 0 {
			n := 0
			err := e.readOnce(ctx, "read messages", func(c *conn) (err error) {
				n, err = p.read(c, ids)
				return err
			})
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range p.found {
				if f := &p.found[i]; !yield(f.message, f.err) {
					return
				}
			}
			ids = ids[n:]
		}
	}
}

// pager reads pages of messages with one pair of statements.
type pager struct {
	want         store.Want
	byID, inSpan string
	found        []found
}

// found is a message, or why it cannot be given.
type found struct {
	message *store.Message
	err     error
}

func newPager(want store.Want) *pager {
	columns := []string{"m.id, m.body, m.size, m.internal, m.emailid, m.threadid, m.header_size, ifnull(length(m.prefix), 0)"}
	from := "message m"
	if want.Structure {
		columns = append(columns, "m.structure_crc, m.structure")
	}
	if want.Header {
		columns = append(columns, "m.prefix_crc, m.prefix, b.header_crc, b.header")
		from += " LEFT JOIN body b ON b.id = m.body"
	}
	if want.Text {
		columns = append(columns, "k.codec, k.crc, k.data")
		from += " LEFT JOIN chunk k ON k.id = m.body AND m.size - m.header_size - ifnull(length(m.prefix), 0) BETWEEN 1 AND 262144"
	}
	sql := "SELECT " + strings.Join(columns, ", ") + " FROM " + from
	return &pager{want: want, byID: sql + " WHERE m.id = ?", inSpan: sql + " WHERE m.id BETWEEN ? AND ? ORDER BY m.id"}
}

// read fills found with the first of ids and tells how many it has dealt with.
func (p *pager) read(c *conn, ids []store.MessageID) (n int, err error) {
	clear(p.found)
	p.found = p.found[:0]
	ids = ids[:min(len(ids), pageRows)]
	if dense(ids) {
		return p.readSpan(c, ids)
	}
	bytes := 0
	for n < len(ids) && bytes < pageBytes {
		err := c.query(p.byID, func(r row) error {
			bytes += p.take(r)
			return nil
		}, ids[n])
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// dense reports whether ids ascend with few others between them.
func dense(ids []store.MessageID) bool {
	last := len(ids) - 1
	if last < 8 || ids[last]-ids[0] > 2*store.MessageID(len(ids)) {
		return false
	}
	for i := range last {
		if ids[i] >= ids[i+1] {
			return false
		}
	}
	return true
}

// readSpan reads dense ids with one statement.
func (p *pager) readSpan(c *conn, ids []store.MessageID) (n int, err error) {
	bytes := 0
	err = c.query(p.inSpan, func(r row) error {
		if bytes >= pageBytes {
			return errStop
		}
		id := store.MessageID(r.int(0))
		for n < len(ids) && ids[n] < id {
			n++ // gone
		}
		if n < len(ids) && ids[n] == id {
			bytes += p.take(r)
			n++
		}
		return nil
	}, ids[0], ids[len(ids)-1])
	if bytes < pageBytes {
		n = len(ids)
	}
	return n, err
}

// take makes a message of a row and tells its size in memory.
func (p *pager) take(r row) int {
	m := &store.Message{ID: store.MessageID(r.int(0)), Body: store.BodyID(r.int(1)), Size: r.int(2), Internal: uint32(r.int(3)),
		EmailID: r.text(4), ThreadID: r.text(5), HeaderSize: int(r.int(6)), PrefixSize: int(r.int(7))}
	d := decoder{m: m, r: r[8:]}
	if p.want.Structure {
		m.Structure = d.blob("structure")
	}
	if p.want.Header {
		m.Prefix = d.blob("prefix")
		m.Header = d.blob("header")
		if d.err == nil && (len(m.Header) != m.HeaderSize || len(m.Prefix) != m.PrefixSize) {
			d.err = store.Errorf(store.Corrupt, "message %d: the header is missing", m.ID)
		}
	}
	if p.want.Text {
		m.Text = d.text()
	}
	if d.err != nil {
		m = nil
	}
	p.found = append(p.found, found{m, d.err})
	return 256 + d.bytes
}

// decoder takes the checked blobs of a row one after another; the first error
// stays.
type decoder struct {
	m     *store.Message
	r     row
	bytes int
	err   error
}

// blob takes a CRC and its blob; NULL is nil.
func (d *decoder) blob(what string) []byte {
	data := d.r.blob(1)
	if d.err == nil && !d.r.null(1) && crc(data) != d.r.int(0) {
		d.err = store.Errorf(store.Corrupt, "message %d: its %s is damaged", d.m.ID, what)
	}
	d.r = d.r[2:]
	d.bytes += len(data)
	return data
}

// text takes a text of one chunk: nil if it has more, empty if there is none.
func (d *decoder) text() []byte {
	n := d.m.Size - int64(d.m.HeaderSize) - int64(d.m.PrefixSize)
	if n == 0 {
		return []byte{}
	}
	if n > store.ChunkSize || d.err != nil {
		return nil
	}
	data, err := chunkData(d.m.Body, 0, d.r)
	if err == nil && int64(len(data)) != n {
		err = store.Errorf(store.Corrupt, "message %d: its text is missing", d.m.ID)
	}
	d.err = err
	d.bytes += len(data)
	return data
}
